//! Reads the keys file again when it changes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use tokio::task::spawn_blocking;
use tokio::time::sleep;
use tracing::{info, warn};

use super::Inner;
use super::file::{Contents, KeyFileError};
use super::table::Table;

/// A file that was written so short a time ago may be written again without looking any different from outside.
const SETTLED: Duration = Duration::from_secs(5);

/// Looks at a keys file, and remembers what it last saw.
#[derive(Clone)]
pub(super) struct Watch {
    path: PathBuf,
    every: Duration,
    outside: Option<Outside>,
    /// What the keys in use were read from.
    good: [u8; 32],
    /// What was last complained about.
    complaint: Option<KeyFileError>,
}

/// What shows that a file may be another one, without reading it: also when a link now leads elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Outside {
    file: (u64, u64),
    length: u64,
    modified: SystemTime,
}

impl Watch {
    pub(super) fn new(contents: &Contents, every: Duration) -> Self {
        let (path, good) = (contents.path.clone(), contents.digest());
        Self { path, every, outside: None, good, complaint: None }
    }

    pub(super) async fn run(mut self, keys: Weak<Inner>) {
        loop {
            sleep(self.every).await;
            let Some(keys) = keys.upgrade() else { return };
            // A file system may take its time.
            let looked = spawn_blocking(move || {
                self.look(&keys);
                self
            });
            match looked.await {
                Ok(watch) => self = watch,
                // Only when the runtime ends.
                Err(_) => return,
            }
        }
    }

    fn look(&mut self, keys: &Inner) {
        let outside = Outside::of(&self.path);
        if outside.is_some() && outside == self.outside {
            return;
        }
        self.outside = outside.filter(|outside| outside.has_settled());
        let now = Timestamp::now();
        match Contents::read(&self.path) {
            Ok(contents) if contents.digest() == self.good => self.recover(),
            Ok(contents) => match contents.checked(&keys.rules, now) {
                Ok(entries) => {
                    let table = Arc::new(Table::new(entries, &keys.rules, &keys.accounts));
                    let before = keys.table.swap(Arc::clone(&table));
                    (self.good, self.complaint) = (contents.digest(), None);
                    self.report(&before.active(now), &table.active(now));
                }
                Err(error) => self.complain(error),
            },
            Err(error) => self.complain(error),
        }
    }

    /// The file is again what it was when it was last good.
    fn recover(&mut self) {
        if self.complaint.take().is_some() {
            info!(file = %self.path.display(), "the file of API keys is as before again");
        }
    }

    fn report(&self, before: &BTreeSet<&str>, after: &BTreeSet<&str>) {
        let list = |ids: &mut dyn Iterator<Item = &&str>| ids.copied().collect::<Vec<_>>().join(",");
        info!(
            file = %self.path.display(),
            keys = after.len(),
            came = list(&mut after.difference(before)),
            went = list(&mut before.difference(after)),
            "API keys were read again"
        );
    }

    fn complain(&mut self, error: KeyFileError) {
        if self.complaint.as_ref() != Some(&error) {
            warn!(%error, "the file of API keys cannot be used: the keys from before stay");
            self.complaint = Some(error);
        }
    }
}

impl Outside {
    fn of(path: &PathBuf) -> Option<Self> {
        let of = fs::metadata(path).ok()?;
        let modified = of.modified().ok()?;
        Some(Self { file: (of.dev(), of.ino()), length: of.len(), modified })
    }

    fn has_settled(&self) -> bool {
        self.modified.elapsed().is_ok_and(|age| age > SETTLED)
    }
}
