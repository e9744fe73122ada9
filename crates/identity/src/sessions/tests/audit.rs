//! What the audit trail says.

use std::io;
use std::sync::{Arc, Mutex};

use tracing_subscriber::fmt::MakeWriter;

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test(start_paused = true)]
async fn what_happens_to_a_session_leaves_one_event_each_and_no_secret() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_ansi(false).with_writer(log.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let site = Site::new();
    let (ada, refused) = (site.sign_in().await, site.sign_in().await);
    advance(5 * MINUTE).await;
    site.get(&ada).await;
    site.sessions.logout(&request(DEADLINE), &post(&ada, &OURS)).await.unwrap();
    site.issuer.refuse_all();
    site.get(&refused).await;
    site.get("__Host-Http-triptych=hunter2").await;
    site.get(&format!("{ada}; {ada}")).await;
    site.sessions.authenticate(&request(DEADLINE), &post(&ada, &[])).await.unwrap_err();
    site.sessions.backchannel_logout(&request(DEADLINE), "j-1 s-1 -").await.unwrap();
    site.sessions.backchannel_logout(&request(DEADLINE), "hunter2").await.unwrap_err();

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let word = |line: &str, name: &str| {
        let rest = line.split_once(&format!("{name}=")).map_or("", |(_, rest)| rest);
        rest.split_whitespace().next().unwrap_or_default().trim_matches('"').to_owned()
    };
    let trail = text.lines().filter(|line| line.contains(" audit: "));
    let events: Vec<_> = trail.map(|line| [word(line, "event"), word(line, "reason")].join(" ")).collect();
    assert_eq!(
        events,
        [
            "sign_in ",
            "sign_in ",
            "session.refreshed ",
            "session.logout ",
            "session.refresh_refused ",
            "credential.refused Malformed",
            "credential.refused Doubled",
            "credential.refused CrossSite",
            "session.backchannel_logout ",
            "credential.refused WrongSignature",
        ]
    );
    let id = ada.split_once('=').unwrap().1;
    // The ids of requests are random, and so may hold as short a text as a token has here.
    let said: Vec<_> = text.split_whitespace().filter(|word| !word.starts_with("request_id=")).collect();
    let said = said.join(" ");
    for secret in ["hunter2", "u_42", "Ada", "a-1", "r-1", "r-2", id] {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}
