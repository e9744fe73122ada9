//! How long things may take, unless a setting says otherwise.

use std::process::Command;
use std::time::Duration;

use end_to_end::{Kind, program};

/// The defaults of one BFF.
pub(super) struct Times {
    /// For a whole request.
    pub(super) deadline: Duration,
    /// For the sections that a screen can do without.
    pub(super) optional: Duration,
    /// For one call of an upstream, all its attempts together.
    pub(super) call: Duration,
}

pub(super) const fn times(kind: Kind) -> Times {
    let (deadline, optional, call) = match kind {
        Kind::Web => (2000, 800, 1000),
        Kind::Mobile => (3000, 1200, 1000),
        Kind::Partner => (10_000, 5000, 5000),
    };
    let milliseconds = Duration::from_millis;
    Times { deadline: milliseconds(deadline), optional: milliseconds(optional), call: milliseconds(call) }
}

#[test]
fn they_are_the_defaults() {
    for kind in Kind::ALL {
        let arguments = ["check", "--config", &kind.config()];
        let printed = Command::new(program(kind.name())).args(arguments).output().expect("the program runs");
        let settings = String::from_utf8_lossy(&printed.stdout);
        let duration = |setting: &str, time: Duration| {
            let (seconds, rest) = (time.as_secs(), time.subsec_millis());
            let parts = [(seconds, "s"), (rest.into(), "ms")];
            let text: Vec<_> =
                parts.iter().filter(|(n, _)| *n > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
            format!("\n{setting} = \"{}\"\n", text.join(" "))
        };
        let times = times(kind);
        for line in [duration("deadline", times.deadline), duration("optional_deadline", times.optional)] {
            assert!(settings.contains(&line), "{} has another{line}{settings}", kind.name());
        }
        let calls = settings.matches(&duration("timeout", times.call)).count();
        assert_eq!(calls, kind.upstreams().len(), "{}: {settings}", kind.name());
    }
}
