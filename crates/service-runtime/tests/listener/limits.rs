//! How much a client may ask for at once.

use http::Version;
use http_body_util::BodyExt;
use service_runtime::ServerSettings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, SOON, calm, get_of, http2, rest, send, site, some};

#[tokio::test]
async fn at_the_limit_new_connections_wait() {
    let site = site(ServerSettings { max_connections: 1, ..calm() }).await;
    let mut first = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\n\r\n").await;
    assert!(some(&mut first).await.contains("200 OK"));
    let mut second = send(site.address, b"GET / HTTP/1.1\r\nhost: s\r\nconnection: close\r\n\r\n").await;
    assert!(timeout(SOON, second.read(&mut [0])).await.is_err(), "the second waits");
    drop(first);
    assert!(rest(&mut second).await.unwrap().contains("200 OK"));
}

#[tokio::test]
async fn heads_are_bounded() {
    let site = site(calm()).await;
    let long = format!("GET / HTTP/1.1\r\nhost: s\r\nx: {}\r\n\r\n", "x".repeat(64 * 1024));
    let many = format!("GET / HTTP/1.1\r\nhost: s\r\n{}\r\n", "x: y\r\n".repeat(128));
    let enough = format!("GET / HTTP/1.1\r\nhost: s\r\n{}\r\n", "x: y\r\n".repeat(127));
    let mut stream = send(site.address, enough.as_bytes()).await;
    assert!(some(&mut stream).await.starts_with("HTTP/1.1 200"));
    for head in [long, many] {
        let mut stream = send(site.address, head.as_bytes()).await;
        let answer = some(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
    }
    let (mut sender, _) = http2(site.address).await;
    let mut request = get_of("/");
    let large = http::HeaderValue::try_from("x".repeat(64 * 1024)).unwrap();
    request.headers_mut().insert("x", large);
    assert_eq!(sender.send_request(request).await.unwrap().status(), 431);
}

#[tokio::test]
async fn http2_works_by_prior_knowledge_and_knows_the_peer() {
    let site = site(calm()).await;
    let (mut sender, _) = http2(site.address).await;
    let response = sender.send_request(get_of("/")).await.unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    let body = response.into_body().collect().await.unwrap().to_bytes();
    assert!(body.starts_with(b"127.0.0.1:"), "{body:?}");
}

#[tokio::test]
async fn a_flood_of_resets_ends_the_connection() {
    let site = site(calm()).await;
    let mut flood = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    for stream in (1..=2001_u32).step_by(2) {
        // HEADERS: GET http://s/, the end of the stream. Then RST_STREAM: CANCEL.
        flood.extend_from_slice(b"\0\0\x06\x01\x05");
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(b"\x82\x86\x84\x41\x01s");
        flood.extend_from_slice(b"\0\0\x04\x03\0");
        flood.extend_from_slice(&stream.to_be_bytes());
        flood.extend_from_slice(b"\0\0\0\x08");
    }
    let mut stream = TcpStream::connect(site.address).await.unwrap();
    // It may be closed before all of it is written.
    let _ = stream.write_all(&flood).await;
    let answer = rest(&mut stream).await.unwrap_or_default();
    assert!(answer.contains("too_many_resets") || answer.is_empty(), "{answer:?}");
}

#[tokio::test]
async fn an_upload_that_is_refused_early_has_its_answer() {
    let site = site(calm()).await;
    let mut upload = b"POST / HTTP/1.1\r\nhost: s\r\ncontent-length: 8388608\r\n\r\n".to_vec();
    upload.resize(upload.len() + (8 << 20), b'x');
    let mut stream = send(site.address, &upload).await;
    let answer = rest(&mut stream).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
}

#[tokio::test]
async fn an_upload_without_end_ends() {
    let site = site(calm()).await;
    let mut stream =
        send(site.address, b"POST / HTTP/1.1\r\nhost: s\r\ntransfer-encoding: chunked\r\n\r\n").await;
    let chunk = format!("10000\r\n{}\r\n", "x".repeat(65536));
    let flood = async { while stream.write_all(chunk.as_bytes()).await.is_ok() {} };
    timeout(PATIENCE, flood).await.expect("the connection ends");
}
