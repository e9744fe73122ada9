//! Clients who take their answers slowly, or not at all.

use http_body_util::BodyExt;
use service_runtime::ServerSettings;
use tokio::time::{sleep, timeout};

use crate::support::{
    LARGE, PATIENCE, SOON, assert_stays_open, calm, get_of, http2, rest, send, send_slowly, site,
    site_is_done_with,
};

#[tokio::test]
async fn a_client_that_takes_no_byte_is_cut_off() {
    let site = site(ServerSettings { write_timeout: SOON, ..calm() }).await;
    let mut quiet = send(site.address, b"GET /quiet HTTP/1.1\r\nhost: s\r\n\r\n").await;
    // A body without end, and one that is all there at once.
    for path in ["/endless", "/large"] {
        let request = format!("GET {path} HTTP/1.1\r\nhost: s\r\n\r\n");
        let mut stream = send_slowly(site.address, request.as_bytes()).await;
        let cut = async { while !site_is_done_with(&mut stream).await {} };
        timeout(PATIENCE, cut).await.expect("a stalled HTTP/1 connection is cut");

        let (mut sender, ended) = http2(site.address).await;
        let response = sender.send_request(get_of(path)).await.unwrap();
        timeout(PATIENCE, ended).await.expect("a stalled HTTP/2 connection is cut").unwrap();
        drop(response);
    }
    assert_stays_open(&mut quiet).await;
}

#[tokio::test]
async fn a_client_that_takes_its_time_is_not_idle() {
    let site = site(ServerSettings { idle_timeout: SOON, ..calm() }).await;
    let mut stream = send_slowly(site.address, b"GET /large HTTP/1.1\r\nhost: s\r\n\r\n").await;
    let (mut sender, _) = http2(site.address).await;
    let response = sender.send_request(get_of("/large")).await.unwrap();
    sleep(3 * SOON).await;
    assert!(rest(&mut stream).await.unwrap().len() > LARGE);
    assert_eq!(response.into_body().collect().await.unwrap().to_bytes().len(), LARGE);
}
