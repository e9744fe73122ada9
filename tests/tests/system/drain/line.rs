//! One connection, in plain sight: a pool would hide that it was closed.

use std::net::SocketAddr;

use bytes::Bytes;
use end_to_end::within;
use http::Request;
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;

#[derive(Clone, Copy)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// A connection to a mobile BFF.
pub(super) struct Line {
    sender: Sender,
    address: SocketAddr,
    authorization: String,
}

enum Sender {
    Http1(http1::SendRequest<Empty<Bytes>>),
    Http2(http2::SendRequest<Empty<Bytes>>),
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    /// Whether the BFF wants the connection to end.
    pub(super) leave: bool,
}

impl Line {
    pub(super) async fn open(address: SocketAddr, protocol: Protocol, authorization: &str) -> Self {
        let stream = TokioIo::new(TcpStream::connect(address).await.expect("it listens"));
        let sender = match protocol {
            Protocol::Http1 => {
                let (sender, connection) = http1::handshake(stream).await.expect("it speaks HTTP/1.1");
                tokio::spawn(connection);
                Sender::Http1(sender)
            }
            Protocol::Http2 => {
                let handshake = http2::handshake(TokioExecutor::new(), stream);
                let (sender, connection) = handshake.await.expect("it speaks HTTP/2");
                tokio::spawn(connection);
                Sender::Http2(sender)
            }
        };
        Self { sender, address, authorization: authorization.to_owned() }
    }

    /// `GET /home`; nothing if the connection was closed before the request was sent. Fails when it is lost after that.
    pub(super) async fn ask(&mut self) -> Option<Reply> {
        let uri = match self.sender {
            Sender::Http1(_) => "/home".to_owned(),
            Sender::Http2(_) => format!("http://{}/home", self.address),
        };
        let request = Request::builder().uri(uri).header("authorization", &self.authorization);
        let request = request.header("host", self.address.to_string()).body(Empty::new()).expect("a request");
        let answer = within("an answer", async {
            match &mut self.sender {
                Sender::Http1(sender) => {
                    sender.ready().await.ok()?;
                    Some(sender.send_request(request).await)
                }
                Sender::Http2(sender) => {
                    sender.ready().await.ok()?;
                    Some(sender.send_request(request).await)
                }
            }
        })
        .await?;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if error.is_canceled() => return None,
            Err(error) => panic!("a request was lost: {error:?}"),
        };
        let leave = answer.headers().get("connection").is_some_and(|value| value == "close");
        let status = answer.status().as_u16();
        within("a whole answer", answer.into_body().collect()).await.expect("a whole answer");
        Some(Reply { status, leave })
    }

    /// Asks again and again until the BFF says that it is time to go, and returns how often it answered.
    pub(super) async fn ask_until_told_to_leave(&mut self) -> u32 {
        let mut answered = 0;
        while let Some(reply) = self.ask().await {
            assert_eq!(reply.status, 200);
            answered += 1;
            if reply.leave {
                break;
            }
        }
        answered
    }
}
