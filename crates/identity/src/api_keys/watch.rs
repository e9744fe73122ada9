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
    /// What was there at the last look for the first time: somebody may be writing still, and half of a file can be
    /// a file with fewer keys.
    fresh: Option<[u8; 32]>,
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
        Self { path, every, outside: None, good, fresh: None, complaint: None }
    }

    pub(super) async fn run(mut self, keys: Weak<Inner>) {
        loop {
            sleep(self.every).await;
            let Some(keys) = keys.upgrade() else { return };
            // A file system may take its time.
            let looked = spawn_blocking(move || {
                let news = self.look(&keys);
                (self, news)
            });
            let Ok((watch, news)) = looked.await else {
                // Only when the runtime ends.
                return;
            };
            self = watch;
            if let Some(news) = news {
                self.tell(&news);
            }
        }
    }

    fn look(&mut self, keys: &Inner) -> Option<News> {
        let outside = Outside::of(&self.path);
        if outside.is_some() && outside == self.outside {
            return None;
        }
        self.outside = outside.filter(Outside::has_settled);
        let now = Timestamp::now();
        let contents = Contents::read(&self.path);
        let digest = contents.as_ref().ok().map(Contents::digest).filter(|digest| *digest != self.good);
        if digest.is_some() && std::mem::replace(&mut self.fresh, digest) != digest {
            self.outside = None;
            return None;
        }
        let read = contents.and_then(|contents| {
            let entries = digest.map(|_| contents.checked(&keys.rules, now)).transpose()?;
            Ok(entries.zip(digest))
        });
        match read {
            Ok(None) => self.complaint.take().map(|_| News::AsBefore),
            Ok(Some((entries, digest))) => {
                let table = Arc::new(Table::new(entries, &keys.rules, &keys.accounts));
                let before = keys.table.swap(Arc::clone(&table));
                (self.good, self.complaint) = (digest, None);
                Some(News::changed(&before.active(now), &table.active(now)))
            }
            Err(error) if self.complaint.as_ref() == Some(&error) => None,
            Err(error) => {
                self.complaint = Some(error.clone());
                Some(News::Unusable(error))
            }
        }
    }

    fn tell(&self, news: &News) {
        let file = self.path.display();
        match news {
            News::Changed { keys, came, went } => {
                info!(%file, keys, came, went, "API keys were read again");
            }
            News::Unusable(error) => {
                warn!(%error, "the file of API keys cannot be used: the keys from before stay");
            }
            News::AsBefore => info!(%file, "the file of API keys is as before again"),
        }
    }
}

/// What has happened to the file since it was last looked at.
enum News {
    Changed {
        keys: usize,
        came: String,
        went: String,
    },
    Unusable(KeyFileError),
    /// What was complained about is over, and the keys are those in use.
    AsBefore,
}

impl News {
    fn changed(before: &BTreeSet<&str>, after: &BTreeSet<&str>) -> Self {
        let list = |ids: &mut dyn Iterator<Item = &&str>| ids.copied().collect::<Vec<_>>().join(",");
        let (came, went) = (list(&mut after.difference(before)), list(&mut before.difference(after)));
        Self::Changed { keys: after.len(), came, went }
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
