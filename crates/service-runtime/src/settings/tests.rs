use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Shop {
    listen: SocketAddr,
    admin: AdminSettings,
    #[serde(default)]
    server: ServerSettings,
    #[serde(default)]
    telemetry: TelemetrySettings,
    #[serde(default)]
    networks: Vec<String>,
    #[serde(default)]
    ports: Vec<u16>,
    #[serde(default)]
    mode: Mode,
    #[serde(default)]
    keys: BTreeMap<String, Secret>,
    bank: Bank,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Bank {
    url: String,
    tries: Option<u8>,
}

#[derive(Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    #[default]
    Plain,
    Fancy {
        colour: String,
    },
}

impl ServiceSettings for Shop {
    const DEFAULTS: &'static str = "listen = '127.0.0.1:8082'\nadmin.listen = '127.0.0.1:9082'";

    fn listen(&self) -> SocketAddr {
        self.listen
    }

    fn admin(&self) -> &AdminSettings {
        &self.admin
    }

    fn server(&self) -> &ServerSettings {
        &self.server
    }

    fn telemetry(&self) -> &TelemetrySettings {
        &self.telemetry
    }

    fn check(&self) -> Result<(), Invalid> {
        number_in("tries", &self.bank.tries.unwrap_or(1), &(1..=3)).map_err(|invalid| invalid.within("bank"))
    }
}

/// A file that is removed when the test ends.
struct File(PathBuf);

impl File {
    fn with(text: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("triptych-settings-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn vars(env: &[(&str, &str)]) -> impl Iterator<Item = (String, String)> {
    let env: Vec<_> = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    env.into_iter()
}

/// Loads a file with this text; `FILE` stands for its name in an error.
fn load_text(text: &str, env: &[(&str, &str)]) -> Result<Shop, String> {
    let file = File::with(text);
    load(Some(&file.0), vars(env))
        .map_err(|error| error.to_string().replace(&file.0.display().to_string(), "FILE"))
}

const GOOD: &str = "[bank]\nurl = 'http://bank'\n";

#[test]
fn the_later_layer_wins() {
    let text = format!("listen = '127.0.0.1:1'\n{GOOD}[server]\nmax_streams = 7\nidle_timeout = '9s'");
    let env = [("BFF__SERVER__MAX_STREAMS", "8"), ("BFF__NETWORKS", "10.0.0.0/8, ::1/128"), ("HOME", "/")];
    let shop = load_text(&text, &env).unwrap();
    assert_eq!(shop.listen.port(), 1);
    assert_eq!(shop.admin.listen.port(), 9082);
    assert_eq!(shop.server.max_streams, 8);
    assert_eq!(shop.server.idle_timeout, Duration::from_secs(9));
    assert_eq!(shop.server.max_connections, 4096);
    assert_eq!(shop.networks, ["10.0.0.0/8", "::1/128"]);
}

#[test]
fn variables_become_what_their_target_wants() {
    let env = [
        ("BFF__BANK__URL", "42"),
        ("BFF__BANK__TRIES", "2"),
        ("BFF__PORTS", "1,2"),
        ("BFF__NETWORKS", ""),
        ("BFF__MODE__FANCY__COLOUR", "red"),
        ("BFF__KEYS__ACME", "s3cret"),
        ("BFF__SERVER__LAME_DUCK", "0s"),
        ("BFF__SERVER__MAX_HEAD", "16 KiB"),
    ];
    let shop: Shop = load(None, vars(&env)).unwrap();
    assert_eq!((shop.bank.url.as_str(), shop.bank.tries), ("42", Some(2)));
    assert_eq!(shop.ports, [1, 2]);
    assert!(shop.networks.is_empty());
    assert_eq!(shop.mode, Mode::Fancy { colour: "red".to_owned() });
    assert_eq!(shop.keys["acme"].expose(), "s3cret");
    assert_eq!(shop.server.lame_duck, Duration::ZERO);
    assert_eq!(shop.server.max_head.as_u64(), 16 * 1024);
}

#[test]
fn a_secret_comes_from_a_file_and_is_never_printed() {
    let secret = File::with("a-very-long-admin-token\n");
    let path = secret.0.to_str().unwrap();
    let shop = load_text(GOOD, &[("BFF__ADMIN__TOKEN_FILE", path)]).unwrap();
    let token = shop.admin.token.as_ref().unwrap();
    assert!(token.matches(b"a-very-long-admin-token"));
    assert!(!token.matches(b"a-very-long-admin-tokex"));
    for printed in
        [format!("{shop:?}"), toml::to_string(&shop).unwrap(), serde_json::to_string(&shop).unwrap()]
    {
        assert!(!printed.contains("very-long"), "{printed}");
        assert!(printed.contains("[redacted]"), "{printed}");
    }
}

#[test]
fn what_is_printed_can_be_read_again() {
    let printed = toml::to_string(&load_text(GOOD, &[]).unwrap()).unwrap();
    let again = toml::to_string(&load_text(&printed, &[]).unwrap()).unwrap();
    assert_eq!(printed, again);
}

/// A file's text, the environment, and the line that says what is wrong with them.
type Bad = (&'static str, &'static [(&'static str, &'static str)], &'static str);

const BAD_STRUCTURE: &[Bad] = &[
    ("", &[], "bank.url: missing; set it in FILE or as BFF__BANK__URL"),
    ("[bank]", &[], "bank.url: missing; set it in FILE or as BFF__BANK__URL"),
    ("[bank", &[], "FILE line 1: unclosed table, expected `]`"),
    ("\n\nlisten = 1\nlisten = 2", &[], "FILE line 4: duplicate key"),
    (
        "prot = 1",
        &[],
        "prot (FILE): unknown key; the settings may have: listen, admin, server, telemetry, networks, ports, mode, keys, bank",
    ),
    ("bank.uri = ''", &[], "bank.uri (FILE): unknown key; this section may have: url, tries"),
    (
        "",
        &[("BFF__BANK__URI", "")],
        "bank.uri (BFF__BANK__URI): unknown key; this section may have: url, tries",
    ),
    ("bank = 42", &[], "bank (FILE): integer `42` is not a section with keys of its own"),
    (
        GOOD,
        &[("BFF__LISTEN__PORT", "1")],
        "BFF__LISTEN__PORT: sets a key inside of a setting that is a single value",
    ),
    (
        GOOD,
        &[("BFF__ADMIN__TOKEN_FILE", "/nowhere")],
        "BFF__ADMIN__TOKEN_FILE: cannot read /nowhere: No such file or directory (os error 2)",
    ),
    (
        GOOD,
        &[("BFF__ADMIN__TOKEN_FILE", "/dev/null"), ("BFF__ADMIN__TOKEN", "x")],
        "BFF__ADMIN__TOKEN and BFF__ADMIN__TOKEN_FILE are both set: keep one",
    ),
];

const BAD_VALUES: &[Bad] = &[
    ("bank.url = 42", &[], "bank.url (FILE): integer `42` is not text"),
    (
        "bank.url=''\nbank.tries = 300",
        &[],
        "bank.tries (FILE): integer `300` is not a whole number from 0 to 255",
    ),
    (
        "bank.url=''\nbank.tries = '2'",
        &[],
        "bank.tries (FILE): string \"2\" is not a whole number from 0 to 255",
    ),
    (
        GOOD,
        &[("BFF__BANK__TRIES", "many")],
        "bank.tries (BFF__BANK__TRIES): string \"many\" is not a whole number from 0 to 255",
    ),
    (
        GOOD,
        &[("BFF__BANK__TRIES", "4")],
        "bank.tries (BFF__BANK__TRIES): 4 is out of range: 1 to 3 are possible",
    ),
    (
        GOOD,
        &[("BFF__PORTS", "1,x")],
        "ports.1 (BFF__PORTS): string \"x\" is not a whole number from 0 to 65535",
    ),
    (GOOD, &[("BFF__MODE", "odd")], "mode (BFF__MODE): unknown variant `odd`, expected `plain` or `fancy`"),
    (GOOD, &[("BFF__LISTEN", "8082")], "listen (BFF__LISTEN): not an address; write it as 127.0.0.1:8080"),
    (
        GOOD,
        &[("BFF__ADMIN__TOKEN", "hunter2")],
        "admin.token (BFF__ADMIN__TOKEN): too short: at least 16 characters are needed",
    ),
    ("bank.url=''\nadmin.token = 12345", &[], "admin.token (FILE): must be text"),
    (
        "bank.url=''\nserver.lame_duck = '2h'",
        &[],
        "server.lame_duck (FILE): 2h is out of range: 0s to 1h are possible",
    ),
    (
        "bank.url=''\nserver.lame_duck = 'soon'",
        &[],
        "server.lame_duck (FILE): not a duration; write it as 300ms, 5s or 1m 30s",
    ),
    (
        "bank.url=''\nserver.max_connections = 0",
        &[],
        "server.max_connections (FILE): 0 is out of range: 1 to 1000000 are possible",
    ),
    (
        "bank.url=''\nserver.max_head = '1KiB'",
        &[],
        "server.max_head (FILE): 1.0 KiB is out of range: 8.0 KiB to 1.0 MiB are possible",
    ),
    (
        "bank.url=''\nserver.log = 'loud=noise'",
        &[],
        "server.log (FILE): not a log filter; write it as info or hyper=warn,info",
    ),
];

#[test]
fn every_bad_setting_is_one_clear_line() {
    for (text, env, expected) in BAD_STRUCTURE.iter().chain(BAD_VALUES) {
        assert_eq!(load_text(text, env).unwrap_err(), *expected, "{text} {env:?}");
    }
    let nowhere = load::<Shop>(Some(Path::new("/nowhere.toml")), vars(&[])).unwrap_err();
    assert_eq!(nowhere.to_string(), "cannot read /nowhere.toml: No such file or directory (os error 2)");
}
