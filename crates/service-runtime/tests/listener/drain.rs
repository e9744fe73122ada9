//! How connections end.

use http_body_util::BodyExt;
use service_runtime::ServerSettings;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, SOON, calm, get_of, http2, rest, send, site, some};

#[tokio::test]
async fn a_drain_finishes_what_runs_on_both_protocols() {
    let site = site(calm()).await;
    let mut running = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut idle = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    some(&mut idle).await;
    let (mut sender, ended) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    let slow = tokio::spawn(sender.send_request(get_of("/slow")));

    site.slow.was_asked(2).await;
    site.stop.cancel();
    assert_eq!(rest(&mut idle).await.unwrap(), "");
    assert!(TcpStream::connect(site.address).await.is_err());
    assert!(!site.served.is_finished());
    site.slow.open.add_permits(2);
    let answer = rest(&mut running).await.unwrap();
    assert!(answer.contains("connection: close") && answer.ends_with("slow"), "{answer}");
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    timeout(PATIENCE, ended).await.expect("the connection ends").unwrap();
    timeout(PATIENCE, site.served).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn what_outlasts_the_drain_is_cut() {
    let site = site(ServerSettings { drain_timeout: SOON, ..calm() }).await;
    let mut running = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    site.slow.was_asked(1).await;
    site.stop.cancel();
    assert_eq!(rest(&mut running).await.unwrap_or_default(), "");
    timeout(PATIENCE, site.served).await.expect("the server ends").unwrap();
}

#[tokio::test]
async fn an_aborted_connection_is_reset() {
    let site = site(calm()).await;
    let mut stream = send(site.address, b"GET /abort HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let error = rest(&mut stream).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
}
