//! What no client library would send, and what none would send so slowly.

use end_to_end::{Kind, System, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Where both ways to a BFF begin, and what its paths begin with there.
fn doors(system: &System, kind: Kind) -> [(&'static str, String, &'static str); 2] {
    let gateway = system.gateway.url.trim_start_matches("http://").to_owned();
    let bff = system.bff(kind).address.to_string();
    [("through the gateway", gateway, kind.prefix()), ("around it", bff, "")]
}

/// Sends these bytes and reads until the other side ends it.
async fn exchange(address: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("somebody listens");
    stream.write_all(bytes.as_bytes()).await.expect("somebody reads");
    let mut answer = Vec::new();
    // A reset is an end, too.
    let _ = within("the end of a connection", stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn identity_headers_from_outside() {
    let system = System::start().await;
    let token = system.shop.user_token("u_42").await;
    for (door, address, prefix) in doors(&system, Kind::Mobile) {
        for forged in [
            "X-User-Id: u_1\r\n",
            "X_User_Id: u_1\r\n",
            "x-USER-id: u_1\r\nX-User-Id: u_2\r\nX_USER_ID: u_3\r\n",
            "X-User-Id: u_1\r\nConnection: X-User-Id, Authorization\r\n",
            "X-Forwarded-User: u_1\r\nX-Auth-Request-User: u_1\r\nX-Remote-User: u_1\r\nRemote-User: u_1\r\n",
            "X-Authenticated-UserId: u_1\r\nX-Forwarded-Email: u_1\r\n",
        ] {
            system.shop.forget_calls().await;
            let request = format!(
                "GET {prefix}/orders HTTP/1.1\r\nHost: shop.example\r\n{forged}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n"
            );
            let answer = exchange(&address, &request).await;
            let status = answer.split(' ').nth(1).unwrap_or_default();
            // With `Connection: Authorization` the credential may be taken off on the way; nobody else comes of it.
            assert!(["200", "401", "400"].contains(&status), "{forged:?} {door}: {answer}");
            if status == "200" {
                let seen = system.shop.last("orders", "GET /orders").await;
                assert_eq!(seen["headers"]["x-user-id"], "u_42", "{forged:?} {door}");
                assert!(!seen.to_string().contains("u_1\""), "{forged:?} {door}: {seen}");
            }
        }
    }
}

#[tokio::test]
async fn slow_sockets() {
    let system = System::start().await;
    let token = system.shop.user_token("u_42").await;
    for (door, address, prefix) in doors(&system, Kind::Mobile) {
        let head = format!("GET {prefix}/home HTTP/1.1\r\nHost: shop.example\r\nX-Slow: ");
        let body = format!(
            "POST {prefix}/orders HTTP/1.1\r\nHost: shop.example\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{"
        );
        let mut slow = vec![];
        for number in 0..200 {
            let mut stream = TcpStream::connect(&address).await.expect("somebody listens");
            let bytes = [&*head, &*body, "G", ""][number % 4];
            stream.write_all(bytes.as_bytes()).await.expect("somebody reads");
            slow.push(stream);
        }
        let home = system.frontend(Kind::Mobile).get("/home").await;
        assert_eq!(home.outcome(), "200", "the slow keep others out {door}");
        let (heads, bodies) = (exchange(&address, &head).await, exchange(&address, &body).await);
        assert!(heads.is_empty() || heads.starts_with("HTTP/1.1 408"), "{door}: {heads}");
        assert!(bodies.starts_with("HTTP/1.1 408") || bodies.starts_with("HTTP/1.1 504"), "{door}: {bodies}");
    }
}
