//! Where the programs are, and where what they write goes.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A program of this workspace, as it was built.
pub fn program(name: &str) -> PathBuf {
    let path = directory().join(name);
    let package = if name == "die-with-parent" { "end-to-end" } else { name };
    assert!(
        path.exists(),
        "{} is missing: build it with `cargo build --package {package} --bins`",
        path.display()
    );
    path
}

/// `TRIPTYCH_BIN_DIR`, or else where Cargo put the programs: beside the directory of the tests.
#[expect(clippy::disallowed_methods, reason = "tests have no settings")]
fn directory() -> PathBuf {
    if let Some(directory) = env::var_os("TRIPTYCH_BIN_DIR") {
        return directory.into();
    }
    let test = env::current_exe().expect("a running program has a path");
    let profile = test.parent().and_then(Path::parent).expect("tests are in target/<profile>/deps");
    profile.to_owned()
}

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package is one level below the root")
}

/// A directory of its own for the logs of one system. It goes with the last process in it, unless the test fails.
#[derive(Clone, Debug)]
pub struct RunDir(Arc<Directory>);

#[derive(Debug)]
struct Directory(PathBuf);

static RUNS: AtomicU32 = AtomicU32::new(0);

impl RunDir {
    /// `target/e2e/<process id>-<number>`, emptied if an earlier process had the same id.
    pub fn create() -> Self {
        let run = format!("{}-{}", std::process::id(), RUNS.fetch_add(1, Ordering::Relaxed));
        let programs = directory();
        let target = programs.parent().expect("programs are in target/<profile>");
        let path = target.join("e2e").join(run);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the target directory is writable");
        Self(Arc::new(Directory(path)))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
