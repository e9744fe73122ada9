//! Clients who keep a connection and ask for nothing.

use http_body_util::BodyExt;
use service_runtime::ServerSettings;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use crate::support::{PATIENCE, SOON, assert_stays_open, calm, get_of, http2, rest, send, site, some};

#[tokio::test]
async fn a_head_that_does_not_come_whole_ends_the_connection() {
    let starts: [&[u8]; 5] = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nhost: s",
        b"PRI * HTTP/2.0\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ];
    let site = site(ServerSettings { header_timeout: SOON, ..calm() }).await;
    for start in starts {
        let mut stream = send(site.address, start).await;
        let answer = rest(&mut stream).await.unwrap_or_default();
        assert!(!answer.contains("200 OK"), "{answer}");
    }
}

#[tokio::test]
async fn the_second_head_has_the_same_time() {
    let site = site(ServerSettings { header_timeout: SOON, ..calm() }).await;
    let mut stream = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut stream).await.contains("200 OK"));
    stream.write_all(b"GET / HTTP/1.1\r\nhos").await.unwrap();
    assert_eq!(rest(&mut stream).await.unwrap_or_default(), "");
}

#[tokio::test]
async fn an_idle_connection_is_closed_and_a_busy_one_is_not() {
    let site = site(ServerSettings { idle_timeout: SOON, ..calm() }).await;
    let mut busy = send(site.address, b"GET /slow HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let mut quiet = send(site.address, b"GET /quiet HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut quiet).await.contains("200 OK"));
    let mut idle = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(rest(&mut idle).await.unwrap().contains("200 OK"));

    let (mut sender, ended) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    response.into_body().collect().await.unwrap();
    timeout(PATIENCE, ended).await.expect("an idle HTTP/2 connection is closed").unwrap();

    site.slow.open.add_permits(1);
    assert!(rest(&mut busy).await.unwrap().ends_with("slow"));
    assert_stays_open(&mut quiet).await;
}
