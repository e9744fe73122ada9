//! What a BFF says about its settings.

use std::net::TcpListener;
use std::process::{Command, Output};

use end_to_end::{Kind, program};

/// Runs a BFF to its end with the demo's settings and these changes.
fn run(kind: Kind, command: &str, changes: &[(&str, &str)]) -> Output {
    let arguments = [command, "--config", &kind.config()];
    let output = Command::new(program(kind.name())).args(arguments).envs(changes.iter().copied()).output();
    output.expect("the program runs")
}

/// The one line on standard error.
fn complaint(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(text.lines().count(), 1, "{text}");
    text.trim_end().to_owned()
}

#[test]
fn bad_settings_are_one_line_and_exit_code_78_before_a_port_is_opened() {
    // If it opened its port first, that would be the complaint.
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    for (kind, name, value, problem) in [
        (Kind::Web, "BFF__LISTNE", "127.0.0.1:0", "listne"),
        (Kind::Web, "BFF__UPSTREAMS__PAYMENTS__URL", "http://127.0.0.1:1", "upstreams.payments"),
        (Kind::Web, "BFF__UPSTREAMS__USERS__TIMEOUT", "soon", "upstreams.users.timeout"),
        (Kind::Mobile, "BFF__UPSTREAMS__BILLING__URL", "http://127.0.0.1:1", "upstreams.billing"),
        (Kind::Mobile, "BFF__REQUESTS__DEADLINE", "11m", "requests.deadline"),
        (Kind::Mobile, "BFF__IDENTITY__ISSUER", "nobody", "identity.issuer"),
        (Kind::Mobile, "OTEL_EXPORTER_OTLP_COMPRESSION", "zstd", "must be gzip or none"),
        (Kind::Partner, "BFF__VERSIONS__V1__SUNSET", "2027-01-01T00:00:00Z", "versions.v1.deprecated_at"),
        (
            Kind::Partner,
            "BFF__PARTNERS__ACME__CLIENT_SECRET_FILE",
            "/nonexistent",
            "cannot read /nonexistent",
        ),
    ] {
        for command in ["serve", "check"] {
            let output = run(kind, command, &[(name, value), ("BFF__ADMIN__LISTEN", &listen)]);
            let complaint = complaint(&output);
            assert_eq!(output.status.code(), Some(78), "{complaint}");
            assert!(output.stdout.is_empty(), "something was begun: {output:?}");
            assert!(complaint.starts_with(&format!("{}: ", kind.name())), "{complaint}");
            assert!(complaint.contains(problem), "{name}={value}: {complaint}");
        }
    }
}

#[test]
fn a_taken_port_is_one_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for kind in Kind::ALL {
        for (name, other) in [("BFF__LISTEN", "BFF__ADMIN__LISTEN"), ("BFF__ADMIN__LISTEN", "BFF__LISTEN")] {
            let output = run(kind, "serve", &[(name, &address), (other, "127.0.0.1:0")]);
            let complaint = complaint(&output);
            assert_eq!(output.status.code(), Some(71), "{complaint}");
            assert!(complaint.contains(&format!("cannot listen on {address}")), "{complaint}");
        }
    }
}

#[test]
fn check_prints_every_setting_and_no_secret() {
    for kind in Kind::ALL {
        let token = [("BFF__ADMIN__TOKEN", "a-token-that-nobody-may-see")];
        let output = run(kind, "check", &token);
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        for setting in ["listen = ", "public_url = ", "drain_timeout = ", "max_body = ", "keys_max_age = "] {
            assert!(text.contains(setting), "{} shows no {setting}\n{text}", kind.name());
        }
        for secret in ["nobody-may-see", "demo-secret"] {
            assert!(!text.contains(secret), "{} shows a secret\n{text}", kind.name());
        }
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_exit_code_2() {
    for arguments in [&[][..], &["dance"], &["serve", "--fast"]] {
        let output = Command::new(program("web-bff")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(!output.stderr.is_empty() && output.stdout.is_empty(), "{arguments:?}");
    }
}
