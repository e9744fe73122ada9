use std::net::SocketAddr;

use axum::Router;
use serde::{Deserialize, Serialize};

use super::*;
use crate::settings::{AdminSettings, ServerSettings};
use crate::telemetry::TelemetrySettings;

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Tiny {
    listen: SocketAddr,
    admin: AdminSettings,
    #[serde(default)]
    server: ServerSettings,
    #[serde(default)]
    telemetry: TelemetrySettings,
}

impl ServiceSettings for Tiny {
    const DEFAULTS: &'static str = "listen = '127.0.0.1:0'\nadmin.listen = '127.0.0.1:0'";

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
}

fn service() -> Service<Tiny, impl AsyncFnOnce(Tiny, Telemetry) -> Result<App, BuildError>> {
    let greet = clap::Command::new("greet").about("Greets somebody").arg(clap::arg!(<NAME> "Whom"));
    Service {
        name: "tiny",
        version: "1.2.3",
        openapi: || "{}".to_owned(),
        build: async |settings: Tiny, _| match settings.server.max_streams {
            13 => Err("13 streams bring bad luck".into()),
            _ => Ok(App::new(Router::new())),
        },
        commands: vec![ServiceCommand { arguments: greet, run: greet_somebody }],
    }
}

fn greet_somebody(
    settings: &Tiny,
    arguments: &ArgMatches,
    output: &mut Output<'_>,
) -> Result<(), BuildError> {
    let name: &String = arguments.get_one("NAME").unwrap();
    if name == "nobody" {
        return Err("nobody is there to be greeted".into());
    }
    writeln!(output.out, "Hello {name}, from {}", settings.listen)?;
    Ok(writeln!(output.err, "{name} was greeted")?)
}

/// What a command does: what it prints, or how it fails.
fn run(args: &[&str], env: &[(&str, &str)]) -> Result<String, Failure> {
    let service = service();
    let args = ["tiny"].iter().chain(args).map(OsString::from);
    let asked = parse(&service, args).expect("the command line is right");
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let (mut out, mut err) = (vec![], vec![]);
    obey(service, &asked, env.collect(), &mut Output { out: &mut out, err: &mut err })?;
    let text = [out, err].concat();
    Ok(String::from_utf8(text).expect("it prints text"))
}

#[test]
fn a_service_has_commands_of_its_own() {
    let listen = [("BFF__LISTEN", "127.0.0.1:7")];
    let greeted = run(&["greet", "Ada"], &listen).unwrap();
    assert_eq!(greeted, "Hello Ada, from 127.0.0.1:7\nAda was greeted\n");
    let failed = run(&["greet", "nobody"], &listen).unwrap_err();
    assert_eq!(failed, Failure { code: 1, line: "nobody is there to be greeted".to_owned() });
    for args in
        [&["greet", "Ada", "--config", "/nowhere.toml"][..], &["--config", "/nowhere.toml", "greet", "Ada"]]
    {
        assert_eq!(run(args, &listen).unwrap_err().code, 78, "{args:?}");
    }
}

#[test]
fn openapi_needs_no_settings() {
    assert_eq!(run(&["openapi"], &[("BFF__NONSENSE", "1")]).unwrap(), "{}\n");
}

#[test]
fn check_prints_every_setting_but_no_secret() {
    let env = [("BFF__SERVER__WORKER_THREADS", "2"), ("BFF__ADMIN__TOKEN", "0123456789abcdef")];
    insta::assert_snapshot!(run(&["check"], &env).unwrap(), @r#"
    listen = "127.0.0.1:0"

    [admin]
    listen = "127.0.0.1:0"
    token = "[redacted]"

    [server]
    log = "info"
    worker_threads = 2
    max_connections = 4096
    header_timeout = "10s"
    max_head = "40.0 KiB"
    idle_timeout = "1m 15s"
    write_timeout = "30s"
    max_streams = 100
    ping_interval = "20s"
    ping_timeout = "10s"
    lame_duck = "5s"
    drain_timeout = "15s"
    "#);
}

#[test]
fn bad_settings_end_with_78() {
    for command in ["check", "serve"] {
        let unknown = run(&[command], &[("BFF__LISTEM", "1")]).unwrap_err();
        assert_eq!(unknown.code, 78);
        assert_eq!(
            unknown.line,
            "listem (BFF__LISTEM): unknown key; the settings may have: listen, admin, server"
        );
        let refused = run(&[command], &[("BFF__SERVER__MAX_STREAMS", "13")]).unwrap_err();
        assert_eq!(refused, Failure { code: 78, line: "13 streams bring bad luck".to_owned() });
        let unreadable = run(&[command, "--config", "/nowhere.toml"], &[]).unwrap_err();
        assert_eq!(unreadable.code, 78);
    }
}

#[test]
fn a_taken_port_ends_with_71() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let failure = run(&["serve"], &[("BFF__LISTEN", &address)]).unwrap_err();
    assert_eq!(failure.code, 71);
    assert_eq!(failure.line, format!("cannot listen on {address}: Address already in use (os error 98)"));
}

#[test]
fn help_and_version_are_no_errors_and_a_wrong_command_is() {
    let codes = [("--version", 0), ("--help", 0), ("nonsense", 2)].map(|(argument, code)| {
        let args = ["tiny", argument].map(OsString::from);
        let error = parse(&service(), args).err().expect("it is no command to obey");
        (error.exit_code(), code, error.to_string())
    });
    for (code, expected, text) in &codes {
        assert_eq!(code, expected, "{text}");
    }
    assert_eq!(codes[0].2, "tiny 1.2.3\n");
    assert!(codes[1].2.contains("greet    Greets somebody"), "{}", codes[1].2);
    let nothing = parse(&service(), [OsString::from("tiny")]).err().expect("nothing is no command");
    assert!(nothing.to_string().contains("Usage: tiny [OPTIONS] <COMMAND>"), "{nothing}");
}
