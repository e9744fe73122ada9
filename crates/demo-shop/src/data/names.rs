//! What people are called.

pub(super) const FIRST: &[&str] = &[
    "Aisha", "Alan", "Amélie", "Ana", "Anders", "Anja", "Arjun", "Barbara", "Beatriz", "Bjørn", "Carlos",
    "Chiara", "Chloé", "Daniel", "Dorothy", "Edsger", "Elif", "Emeka", "Emma", "Fatima", "Finn", "Frances",
    "Giulia", "Grace", "Hana", "Hedy", "Henrik", "Hugo", "Ibrahim", "Ines", "Ivan", "Jonas", "José", "Karen",
    "Katherine", "Kenji", "Lars", "Leila", "Linus", "Lucía", "Łukasz", "Margaret", "Maria", "Mei", "Mina",
    "Mohammed", "Nadia", "Ngozi", "Niamh", "Olga", "Omar", "Paul", "Priya", "Radia", "Rosa", "Sana", "Seán",
    "Sofia", "Søren", "Tim", "Tomás", "Valentina", "Wei", "Yuki", "Zoë",
];

pub(super) const LAST: &[&str] = &[
    "Abbas", "Allen", "Almeida", "Andersson", "Bauer", "Bianchi", "Brown", "Byrne", "Chen", "Costa", "Dijkstra",
    "Dubois", "Eze", "Fernández", "Fischer", "García", "Hamilton", "Hansen", "Hopper", "Hussain", "Ivanova",
    "Jensen", "Johnson", "Kaya", "Khan", "Kim", "Kowalski", "Lamarr", "Laurent", "Li", "Lindqvist", "Liskov",
    "López", "Martin", "Meyer", "Mehta", "Moreau", "Müller", "Murphy", "Nakamura", "Nguyen", "Novák", "Nwosu",
    "Okafor", "Patel", "Perlman", "Popescu", "Ricci", "Rossi", "Santos", "Sato", "Schmidt", "Silva", "Smith",
    "Spärck Jones", "Suzuki", "Tanaka", "Turing", "van den Berg", "Wagner", "Wójcik", "Yılmaz", "Zhang",
];

/// Names that break what was only tried with "John Smith". They belong to `u_100`, `u_101`, ….
pub(super) const ODD: &[(&str, &str)] = &[
    ("", "Teller"),
    (" ", "Blank"),
    ("-", "-"),
    ("\u{200b}", "Zerowidth"),
    ("Siobhán", "O'Brien"),
    ("Jean-Luc", "d’Arc de l'Église"),
    ("玛丽", "李"),
    ("さくら", "山田"),
    ("Олександра", "Шевченко"),
    ("محمد", "عبد الله"),
    ("נועה", "כהן"),
    ("ณัฐพงษ์", "ศรีสุข"),
    ("Zoë 🌸", "Müller 👩🏽‍🚀"),
    ("Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢", "Combining"),
    ("<b>Robert</b>", "'); DROP TABLE students;--"),
    ("{{firstName}}", "${lastName}"),
    ("Line\nBreak", "Tab\there"),
    ("\u{202e}evitcefed", "Override"),
    ("Null", "Undefined"),
    (
        "Hubert Blaine Adolph Charles David Earl Frederick Gerald Irvin John Kenneth Lloyd Martin Nero Oliver \
         Paul Quincy Randolph Sherman Thomas Uncas Victor William Xerxes Yancy Zeus",
        "Wolfeschlegelsteinhausenbergerdorffwelchevoralternwarengewissenhaftschaferswessenschafewarenwohlgepflege\
         undsorgfaltigkeitbeschutzenvorangreifendurchihrraubgierigfeinde",
    ),
];

pub(super) const LOCALES: &[&str] = &[
    "en-GB", "en-US", "en-IE", "de-DE", "fr-FR", "es-ES", "it-IT", "pt-BR", "nl-NL", "pl-PL", "tr-TR", "sv-SE",
    "ja-JP", "zh-CN", "ar-KW", "he-IL", "th-TH",
];
