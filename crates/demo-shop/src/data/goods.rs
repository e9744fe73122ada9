//! What things are called.

/// A category with the things in it.
pub(super) const SHELVES: &[(&str, &[&str])] = &[
    (
        "kitchen",
        &["Kettle", "Chef's Knife", "Cutting Board", "Teapot", "Frying Pan", "Coffee Grinder", "Salt Mill"],
    ),
    ("garden", &["Watering Can", "Secateurs", "Bird House", "Hammock", "Rain Gauge", "Seed Tray"]),
    ("office", &["Notebook", "Desk Lamp", "Fountain Pen", "Letter Opener", "Stapler", "Footrest"]),
    ("outdoors", &["Rucksack", "Headlamp", "Tent", "Camping Mug", "Compass", "Sleeping Mat"]),
    ("audio", &["Headphones", "Turntable", "Speaker", "Microphone", "Metronome"]),
    ("books & games", &["Atlas", "Cookbook", "Chess Set", "Jigsaw", "Sketchbook", "Playing Cards"]),
    ("toys", &["Kite", "Wooden Train", "Marble Run", "Building Blocks", "Spinning Top"]),
    ("home", &["Blanket", "Wall Clock", "Candle", "Cushion", "Mirror", "Doormat"]),
];

pub(super) const QUALITIES: &[&str] = &[
    "Compact",
    "Classic",
    "Everyday",
    "Folding",
    "Handmade",
    "Little",
    "Midnight",
    "Quiet",
    "Recycled",
    "Sturdy",
    "Sunday",
    "Travel",
    "Ultralight",
    "Vintage",
    "Weatherproof",
];

pub(super) const STUFFS: &[&str] = &[
    "Ash", "Bamboo", "Brass", "Canvas", "Ceramic", "Copper", "Cork", "Enamel", "Felt", "Glass", "Leather",
    "Linen", "Oak", "Steel", "Walnut", "Wool",
];

pub(super) const SENTENCES: &[&str] = &[
    "Made to be used every day and to look better for it.",
    "Small enough for a drawer, good enough for the table.",
    "Repairable: every part can be ordered on its own.",
    "A present for people who already have everything.",
    "The colour may differ a little from the picture.",
    "Wash by hand.",
    "Comes in a box that is worth keeping.",
    "Tested for ten years in a house with three children.",
    "Designed in a small workshop by the sea.",
];

/// Names that break what was only tried with "Teapot". Every fortieth product has one.
pub(super) const ODD: &[&str] = &[
    "Crème-brûlée-Brenner »Süß«",
    "有田焼の湯呑み(大)",
    "سجادة صوف يدوية",
    "Чайник «Самовар»",
    "Mug 🦉 & saucer 🍵",
    "12\" ruler <inch/mm>",
    "Tee — 100% \"organic\" \\ 'fair'",
    "A",
    "   Padded   ",
    "The very long name of a thing that marketing could not decide on and therefore named after everything that it \
     is, that it could be, and that it should never be confused with, second edition, revised, with a foreword",
    "Schraubenschlüsselsatzaufbewahrungskoffergriffbefestigungsschraube",
    "כרית נוי",
];
