//! The gateway: the real Envoy, as `scripts/gateway` starts it.

use crate::{Bff, Client, Env, Process, RunDir, Shop, repository};

/// A gateway that runs.
#[derive(Debug)]
pub struct Gateway {
    process: Process,
    /// `http://127.0.0.1:<port>`.
    pub url: String,
}

impl Gateway {
    /// Starts one in front of web-bff, mobile-bff and partner-bff, which verifies the tokens of the shop's provider, with
    /// these other arguments.
    ///
    /// It limits nobody's rate: every test calls from the same address.
    pub async fn start(
        [web, mobile, partner]: [&Bff; 3],
        shop: &Shop,
        others: &[&str],
        dir: &RunDir,
    ) -> Self {
        let script = repository().join("scripts/gateway");
        let admin_file = dir.file("gateway.admin");
        let (web, mobile, partner) =
            (web.address.to_string(), mobile.address.to_string(), partner.address.to_string());
        let (script, file) = (script.to_string_lossy(), admin_file.to_string_lossy());
        let any = "127.0.0.1:0";
        let listen = [&*script, "--listen", any, "--admin", any, "--admin-file", &file];
        let bffs = ["--web", &web, "--mobile", &mobile, "--partner", &partner];
        let provider = shop.url("identity").trim_start_matches("http://");
        let callers = ["--provider", provider, "--rate", "off"];
        let arguments = [&listen[..], &bffs, &callers, others].concat();
        let mut process = Process::start("gateway", &arguments, &Env::new(), dir);
        let admin = process
            .until("told its admin address", async |_: &Process| {
                std::fs::read_to_string(&admin_file).ok().filter(|address| !address.is_empty())
            })
            .await;
        let admin = Client::new(format!("http://{admin}"));
        let url = process.until("was ready", async |_: &Process| edge(&admin).await).await;
        Self { process, url }
    }

    /// What it has written so far.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

/// Where the gateway listens, once it does: the admin interface lists `edge::127.0.0.1:8080`.
async fn edge(admin: &Client) -> Option<String> {
    let ready = admin.try_send("GET", "/ready", None).await.ok()?;
    if ready.status != 200 {
        return None;
    }
    let listeners = admin.try_send("GET", "/listeners", None).await.ok()?;
    let text = String::from_utf8_lossy(&listeners.body);
    let address = text.lines().find_map(|line| line.strip_prefix("edge::"))?;
    Some(format!("http://{}", address.trim()))
}
