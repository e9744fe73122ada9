use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};
use tokio::runtime;

use crate::drain::Signals;
use crate::run::{Bound, Plan};
use crate::settings::{self, ServiceSettings};
use crate::telemetry::Variables;
use crate::telemetry::log::{self, Log};
use crate::{App, BuildError, Service, Telemetry, ready};

/// What is logged, whatever the settings say.
const RUST_LOG: &str = "RUST_LOG";

/// The settings cannot be used (`EX_CONFIG`).
const BAD_SETTINGS: u8 = 78;
/// A command of the service itself cannot be carried out, or what was asked about is not so.
const FAILED: u8 = 1;
/// The operating system refused something, such as a port that is taken (`EX_OSERR`).
const REFUSED: u8 = 71;

#[derive(Parser)]
#[command(arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[arg(long, global = true, value_name = "FILE")]
    #[arg(help = "The settings file (TOML); BFF__SECTION__KEY variables override it")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the service until SIGTERM or Ctrl-C
    Serve,
    /// Checks the settings and prints them all, defaults included, secrets redacted
    Check,
    /// Asks the service that runs here with these settings whether it is ready; exit code 1 if it is not
    Healthy,
    /// Prints the OpenAPI document
    Openapi,
}

/// A command that only one service has. It knows the settings, and nothing else of what runs.
pub struct ServiceCommand<S> {
    /// Its name, its arguments and its help.
    pub arguments: clap::Command,
    /// Carries it out; an error is one line behind the service's name, and exit code 1.
    pub run: fn(&S, &ArgMatches, &mut Output<'_>) -> Result<(), BuildError>,
}

/// Where a command writes.
pub struct Output<'a> {
    /// What was asked for: other programs may read it.
    pub out: &'a mut dyn Write,
    /// What people should know about it.
    pub err: &'a mut dyn Write,
}

/// What the command line asks for.
enum Asked {
    /// What every service can do.
    Any(Cli),
    /// What this one can do: its command of this number, and the settings file.
    Own { number: usize, arguments: ArgMatches, config: Option<PathBuf> },
}

/// Why the process ends early: its exit code and the line that says why.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) line: String,
}

#[expect(clippy::needless_pass_by_value, reason = "so that map_err can name these functions")]
impl Failure {
    fn settings(error: impl ToString) -> Self {
        Self { code: BAD_SETTINGS, line: error.to_string() }
    }

    pub(crate) fn refused(error: impl ToString) -> Self {
        Self { code: REFUSED, line: error.to_string() }
    }
}

pub(crate) fn main<S, B>(service: Service<S, B>) -> ExitCode
where
    S: ServiceSettings,
    B: AsyncFnOnce(S, Telemetry) -> Result<App, BuildError>,
{
    let name = service.name;
    let asked = match parse(&service, std::env::args_os()) {
        Ok(asked) => asked,
        Err(error) => {
            // Help goes to standard output, complaints to standard error; a closed one is no reason to fail.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let env = settings::environment().collect();
    let mut output = Output { out: &mut io::stdout(), err: &mut io::stderr() };
    match obey(service, &asked, env, &mut output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, line }) => {
            let _ = writeln!(io::stderr(), "{name}: {line}");
            ExitCode::from(code)
        }
    }
}

fn parse<S, B>(
    service: &Service<S, B>,
    args: impl IntoIterator<Item = OsString>,
) -> Result<Asked, clap::Error> {
    let own = || service.commands.iter().map(|command| &command.arguments);
    let command = Cli::command().name(service.name).version(service.version).subcommands(own().cloned());
    let matches = command.try_get_matches_from(args)?;
    let asked = matches.subcommand().and_then(|(name, arguments)| {
        let number = own().position(|own| own.get_name() == name)?;
        let (arguments, config) = (arguments.clone(), matches.get_one("config").cloned());
        Some(Asked::Own { number, arguments, config })
    });
    asked.map_or_else(|| Cli::from_arg_matches(&matches).map(Asked::Any), Ok)
}

fn obey<S, B>(
    service: Service<S, B>,
    asked: &Asked,
    env: Vec<(String, String)>,
    output: &mut Output<'_>,
) -> Result<(), Failure>
where
    S: ServiceSettings,
    B: AsyncFnOnce(S, Telemetry) -> Result<App, BuildError>,
{
    let config = match asked {
        Asked::Any(Cli { command: Command::Openapi, .. }) => {
            return writeln!(output.out, "{}", (service.openapi)()).map_err(Failure::refused);
        }
        Asked::Any(Cli { config, .. }) | Asked::Own { config, .. } => config.as_deref(),
    };
    let is_standard = |name: &str| name == RUST_LOG || name.starts_with("OTEL_");
    let standard: Vec<_> = env.iter().filter(|(name, _)| is_standard(name)).cloned().collect();
    let settings: S = settings::load(config, env.into_iter()).map_err(Failure::settings)?;
    match asked {
        Asked::Any(Cli { command: Command::Check, .. }) => check(service, settings, &standard, output.out),
        Asked::Any(Cli { command: Command::Healthy, .. }) => healthy(&settings),
        Asked::Any(_) => serve(service, settings, &standard),
        Asked::Own { number, arguments, .. } => {
            let done = (service.commands[*number].run)(&settings, arguments, output);
            done.map_err(|error| Failure { code: FAILED, line: error.to_string() })
        }
    }
}

/// Goes as far as `serve` goes before it opens a port, without connecting to a collector.
fn check<S, B>(
    service: Service<S, B>,
    settings: S,
    env: &[(String, String)],
    out: &mut dyn Write,
) -> Result<(), Failure>
where
    S: ServiceSettings,
    B: AsyncFnOnce(S, Telemetry) -> Result<App, BuildError>,
{
    let text = toml::to_string(&settings).map_err(Failure::settings)?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::refused)?;
    // Read and no more: what serves nobody has nothing to export.
    Variables::read(env).map_err(Failure::settings)?;
    let app = runtime.block_on((service.build)(settings, Telemetry::off()));
    app.map(drop).map_err(Failure::settings)?;
    out.write_all(text.as_bytes()).map_err(Failure::refused)
}

fn healthy(settings: &impl ServiceSettings) -> Result<(), Failure> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::refused)?;
    let answer = runtime.block_on(ready::ask(settings.admin().listen, "/readyz"));
    answer.map_err(|error| Failure { code: FAILED, line: error.to_string() })
}

fn serve<S, B>(service: Service<S, B>, settings: S, env: &[(String, String)]) -> Result<(), Failure>
where
    S: ServiceSettings,
    B: AsyncFnOnce(S, Telemetry) -> Result<App, BuildError>,
{
    let server = settings.server().clone();
    let runtime = runtime::Builder::new_multi_thread()
        .worker_threads(server.worker_threads)
        .enable_all()
        .build()
        .map_err(Failure::refused)?;
    let (telemetry, log) = {
        let _inside = runtime.enter();
        shown(&service, &settings, env)?
    };
    let mut routes = None;
    let outcome = runtime.block_on(async {
        tokio::spawn(log.watch());
        let signals = Signals::of_process().map_err(Failure::refused)?;
        let plan = Plan {
            name: service.name,
            version: service.version,
            listen: settings.listen(),
            admin: settings.admin().clone(),
            server,
            config: serde_json::to_string_pretty(&settings).map_err(Failure::settings)?,
        };
        let app = (service.build)(settings, telemetry.clone()).await.map_err(Failure::settings)?;
        routes = Some(app.router.clone());
        Bound::open(plan, app, &telemetry).await?.run(signals).await
    });
    telemetry.end();
    // Not before: what the service holds is measured one last time, and goes with them.
    drop(routes);
    // What a handler left running must not hold up the exit.
    runtime.shutdown_background();
    log.end();
    outcome
}

/// What the service shows of itself, its log included.
fn shown<S, B>(
    service: &Service<S, B>,
    settings: &S,
    env: &[(String, String)],
) -> Result<(Telemetry, Log), Failure>
where
    S: ServiceSettings,
{
    let telemetry = Telemetry::start(service.name, service.version, settings.telemetry(), env);
    let telemetry = telemetry.map_err(Failure::settings)?;
    let directives = env.iter().find(|(name, _)| name == RUST_LOG).map(|(_, directives)| directives.as_str());
    let filter = log::filter(directives.unwrap_or(&settings.server().log))
        .map_err(|error| Failure::settings(format!("{RUST_LOG}: {error}")))?;
    let log =
        log::start(filter, &telemetry).map_err(|error| Failure::settings(format!("the log: {error}")))?;
    Ok((telemetry, log))
}

#[cfg(test)]
mod tests;
