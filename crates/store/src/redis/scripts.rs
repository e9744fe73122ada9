//! What happens in Redis in one step.

use redis::{Cmd, Script};

/// The scripts, each with its hash.
#[derive(Debug)]
pub(super) struct Scripts {
    pub(super) put: Code,
    pub(super) delete: Code,
    pub(super) invalidate: Code,
    pub(super) lease: Code,
    pub(super) renew: Code,
    pub(super) release: Code,
    pub(super) take: Code,
}

macro_rules! script {
    ($file:literal) => {
        Code::new(concat!(include_str!("lua/prelude.lua"), include_str!(concat!("lua/", $file))))
    };
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            put: script!("put.lua"),
            delete: script!("delete.lua"),
            invalidate: script!("invalidate.lua"),
            lease: script!("lease.lua"),
            renew: script!("renew.lua"),
            release: script!("release.lua"),
            take: script!("take.lua"),
        }
    }
}

#[derive(Debug)]
pub(super) struct Code {
    source: &'static str,
    hash: String,
}

impl Code {
    fn new(source: &'static str) -> Self {
        Self { source, hash: Script::new(source).get_hash().to_owned() }
    }

    /// A run of the script.
    pub(super) fn run<'a>(&'a self, keys: &'a [&'a str]) -> Run<'a> {
        Run { code: self, keys, arguments: vec![] }
    }
}

/// A run of a script: its keys, which are in one slot, and its arguments.
#[derive(Clone)]
pub(super) struct Run<'a> {
    code: &'a Code,
    keys: &'a [&'a str],
    arguments: Vec<Argument<'a>>,
}

#[derive(Clone)]
enum Argument<'a> {
    Bytes(&'a [u8]),
    Number(u64),
}

impl<'a> Run<'a> {
    pub(super) fn bytes(mut self, bytes: &'a (impl AsRef<[u8]> + ?Sized)) -> Self {
        self.arguments.push(Argument::Bytes(bytes.as_ref()));
        self
    }

    pub(super) fn number(mut self, number: u64) -> Self {
        self.arguments.push(Argument::Number(number));
        self
    }

    /// By the script's hash.
    pub(super) fn known(&self) -> Cmd {
        self.command("EVALSHA", &self.code.hash)
    }

    /// By its source, for a Redis that does not know the hash.
    pub(super) fn whole(&self) -> Cmd {
        self.command("EVAL", self.code.source)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(self.keys);
        for argument in &self.arguments {
            match argument {
                Argument::Bytes(bytes) => command.arg(bytes),
                Argument::Number(number) => command.arg(number),
            };
        }
        command
    }
}
