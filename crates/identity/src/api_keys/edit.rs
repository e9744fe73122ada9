//! Gives out and revokes keys: changes of the keys file, which leave what is not changed as it stands, comments
//! included.

use std::collections::BTreeSet;
use std::fmt::{Display, Write as _};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::ops::Range;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::rand;
use jiff::Timestamp;
use serde::Deserialize;
use toml::Spanned;

use super::file::{ACTIVE_KEYS, Contents, Rules};
use super::{ApiKey, KeyFileError, KeyState, PREFIX, SecretHash};
use crate::Partners;
use crate::hex::hex;

/// The beginning of a file that a first key makes.
const HEADER: &str = "# API keys of the partners: only the hashes of their secrets.\n";
/// Of a file that is new: what is in it is no secret, and nobody's business.
const NEW_FILE: u32 = 0o600;
/// Characters of ids: 32 that are not taken for one another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ID_LENGTH: usize = 10;

/// A keys file that is about to be changed.
pub struct KeyFile {
    path: PathBuf,
    rules: Rules,
}

/// What a new key is to be.
pub struct NewKey<'a> {
    /// Whom it stands for.
    pub partner: &'a str,
    /// What it allows.
    pub scopes: &'a [String],
    /// The moment from which it is refused, if there is one.
    pub expires_at: Option<Timestamp>,
}

/// A key that was just made. Nobody will ever be able to show it again.
pub struct IssuedKey {
    /// Its public part.
    pub id: String,
    key: String,
}

impl IssuedKey {
    /// The whole key, secret included.
    pub fn expose(&self) -> &str {
        &self.key
    }
}

impl KeyFile {
    /// The file at `path`, for the keys of these partners with these `scopes`. It need not be there yet.
    pub fn new(path: &Path, partners: &Partners, scopes: &[&'static str]) -> Self {
        Self { path: path.to_owned(), rules: Rules::new(partners, scopes) }
    }

    /// All keys, in the order of the file.
    pub fn keys(&self) -> Result<Vec<ApiKey>, KeyFileError> {
        Contents::read(&self.path)?.keys()
    }

    /// Makes a key and writes its hash into the file.
    pub fn issue(&self, new: &NewKey<'_>, now: Timestamp) -> Result<IssuedKey, KeyFileError> {
        self.rules
            .check_partner(new.partner)
            .and_then(|()| self.rules.check_scopes(new.scopes))
            .map_err(KeyFileError)?;
        if new.expires_at.is_some_and(|at| at <= now) {
            return Err(KeyFileError("a key must expire later than now".into()));
        }
        let target = self.locked()?;
        let before = target.contents.checked(&self.rules, now)?;
        let active =
            before.iter().filter(|key| key.partner == new.partner && key.state(now) == KeyState::Active);
        let active: Vec<_> = active.map(|key| key.id.as_str()).collect();
        if active.len() >= ACTIVE_KEYS {
            let (partner, ids) = (new.partner, active.join(", "));
            return Err(KeyFileError(format!(
                "{partner} has {ACTIVE_KEYS} active keys, {ids}: revoke one first"
            )));
        }
        let (id, secret) = (new_id(&before), new_secret());
        let entry = entry(&id, &SecretHash::of(&secret), new, now);
        let mut after = Contents { text: appended(&target.contents.text, &entry), ..target.contents };
        if after.checked(&self.rules, now)?.len() != before.len() + 1 {
            let problem =
                format!("{}: cannot be added to: write its keys as [[key]] sections", after.path.display());
            return Err(KeyFileError(problem));
        }
        target.place.write(&mut after)?;
        let key = format!("{PREFIX}{id}_{secret}");
        Ok(IssuedKey { id, key })
    }

    /// Writes into the file that a key is revoked from now on.
    pub fn revoke(&self, id: &str, now: Timestamp) -> Result<ApiKey, KeyFileError> {
        let target = self.locked()?;
        let mut expected = target.contents.keys()?;
        let shown = target.contents.path.display().to_string();
        let Some(key) = expected.iter_mut().find(|key| key.id == id) else {
            return Err(KeyFileError(format!("{shown}: there is no key {id}")));
        };
        if let Some(at) = key.revoked_at {
            return Err(KeyFileError(format!("{shown}: key {id} was revoked already, at {at}")));
        }
        let at = whole_second(now);
        key.revoked_at = Some(at);
        let key = key.clone();
        let text = revoked(&target.contents.text, id, at);
        let mut after = Contents { text, ..target.contents };
        if after.keys().ok() != Some(expected) {
            let problem =
                format!("{shown}: write key {id} as a [[key]] section with one line for each member");
            return Err(KeyFileError(problem));
        }
        target.place.write(&mut after)?;
        Ok(key)
    }

    /// What the file holds now; until the end of it nobody else changes the file.
    fn locked(&self) -> Result<Target, KeyFileError> {
        // Through a link: what it leads to is replaced, and the link stays.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let fault = |error| cannot_write(&path, &error);
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = File::open(directory.unwrap_or(Path::new("."))).map_err(fault)?;
        // Of the directory: the file itself is another one after each change.
        directory.lock().map_err(fault)?;
        let there = path.try_exists().map_err(fault)?;
        let contents =
            if there { Contents::read(&path)? } else { Contents { path: path.clone(), text: HEADER.into() } };
        Ok(Target { contents, place: Place { path, directory } })
    }
}

struct Target {
    contents: Contents,
    place: Place,
}

/// Where a file is replaced, under a lock that ends with this.
struct Place {
    path: PathBuf,
    directory: File,
}

impl Place {
    /// Puts the whole file into the place of the old one, or leaves that as it was.
    fn write(&self, contents: &mut Contents) -> Result<(), KeyFileError> {
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let beside = self.path.with_file_name(format!(".{name}.{}", std::process::id()));
        let written = self.write_beside(&beside, contents.text.as_bytes());
        if written.is_err() {
            let _ = fs::remove_file(&beside);
        }
        written.map_err(|error| cannot_write(&self.path, &error))
    }

    fn write_beside(&self, beside: &Path, text: &[u8]) -> io::Result<()> {
        let _ = fs::remove_file(beside);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(NEW_FILE).open(beside)?;
        if let Ok(old) = fs::metadata(&self.path) {
            file.set_permissions(old.permissions())?;
        }
        file.write_all(text)?;
        file.sync_all()?;
        fs::rename(beside, &self.path)?;
        self.directory.sync_all()
    }
}

fn cannot_write(path: &Path, problem: &dyn Display) -> KeyFileError {
    KeyFileError(format!("cannot write {}: {problem}", path.display()))
}

/// An id that no key has yet.
fn new_id(keys: &[ApiKey]) -> String {
    let taken: BTreeSet<_> = keys.iter().map(|key| key.id.as_str()).collect();
    loop {
        let random: [u8; ID_LENGTH] = random();
        let id: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
        if !taken.contains(id.as_str()) {
            return id;
        }
    }
}

/// 256 random bits as hexadecimal digits, which a double click selects as one word.
fn new_secret() -> String {
    hex(&random::<32>())
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system has randomness");
    bytes
}

/// What a file says of a key.
fn entry(id: &str, sha256: &SecretHash, new: &NewKey<'_>, now: Timestamp) -> String {
    let text = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let scopes: Vec<_> = new.scopes.iter().map(|scope| text(scope)).collect();
    let (partner, scopes, created_at) = (text(new.partner), scopes.join(", "), whole_second(now));
    let mut entry = format!(
        "[[key]]\nid = \"{id}\"\npartner = {partner}\nsha256 = \"{sha256}\"\nscopes = [{scopes}]\ncreated_at = {created_at}\n"
    );
    if let Some(expires_at) = new.expires_at.map(whole_second) {
        let _ = writeln!(entry, "expires_at = {expires_at}");
    }
    entry
}

fn appended(text: &str, entry: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() { entry.to_owned() } else { format!("{text}\n\n{entry}") }
}

/// The same text with one line more, below the one with the key's id. Where that does not fit, whoever reads the
/// outcome sees it.
fn revoked(text: &str, id: &str, at: Timestamp) -> String {
    let end = place_of(text, id).map_or(text.len(), |span| span.end);
    let line = text[end..].find('\n').map_or(text.len(), |length| end + length);
    let (before, after) = text.split_at(line);
    format!("{before}\nrevoked_at = {at}{after}")
}

/// Where the id of this key stands.
fn place_of(text: &str, id: &str) -> Option<Range<usize>> {
    #[derive(Deserialize)]
    struct Ids {
        key: Vec<Id>,
    }
    #[derive(Deserialize)]
    struct Id {
        id: Spanned<String>,
    }
    let ids: Ids = toml::from_str(text).ok()?;
    ids.key.into_iter().find(|key| key.id.get_ref() == id).map(|key| key.id.span())
}

fn whole_second(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).expect("a moment without its fraction is a moment")
}
