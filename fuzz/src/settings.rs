use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::LazyLock;

use middleware::{RequestSettings, StoreSettings};
use serde::{Deserialize, Serialize};
use service_runtime::settings::load;
use service_runtime::{AdminSettings, Invalid, ServerSettings, ServiceSettings, TelemetrySettings};
use upstream_client::{CacheSettings, UpstreamSettings};

/// The sections that the services share.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    listen: SocketAddr,
    admin: AdminSettings,
    #[serde(default)]
    server: ServerSettings,
    #[serde(default)]
    telemetry: TelemetrySettings,
    #[serde(default)]
    requests: RequestSettings,
    #[serde(default)]
    cache: CacheSettings,
    #[serde(default)]
    store: StoreSettings,
    orders: UpstreamSettings,
}

impl ServiceSettings for Settings {
    const DEFAULTS: &'static str = "listen = \"127.0.0.1:1\"\nadmin.listen = \"127.0.0.1:2\"\n";

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

    fn check(&self) -> Result<(), Invalid> {
        self.requests.check().map_err(|(key, problem)| Invalid::new(key, problem).within("requests"))?;
        let bad = self.cache.out_of_range().or(self.orders.out_of_range());
        bad.map_or(Ok(()), |(key, problem)| Err(Invalid::new(key, problem)))
    }
}

/// The one settings file of this process.
static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    std::env::temp_dir().join(format!("triptych-fuzz-settings-{}.toml", std::process::id()))
});

/// A settings file, then `NAME=value` for each variable of the environment, after a line that says `%%`.
pub fn settings(input: &[u8]) {
    let Ok(input) = str::from_utf8(input) else { return };
    let (file, variables) = input.split_once("\n%%\n").unwrap_or((input, ""));
    fs::write(&*FILE, file).expect("there is room for a file");
    // One that names a file would have it read: which is meant, and no parser.
    let variables = variables
        .lines()
        .filter_map(|line| line.split_once('='))
        .filter(|(name, _)| !name.ends_with("_FILE"));
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    match load::<Settings>(Some(&FILE), variables) {
        Ok(settings) => {
            assert!(settings.requests.check().is_ok() && settings.orders.out_of_range().is_none());
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
