//! Answers in the coding that the client likes best.

use async_compression::tokio::bufread::{BrotliDecoder, GzipDecoder, ZstdDecoder};
use end_to_end::{Kind, System};
use tokio::io::{AsyncRead, AsyncReadExt};

pub(super) async fn answers_are_compressed_as_the_client_likes(system: &System) {
    for (kind, path) in [(Kind::Web, "/dashboard"), (Kind::Mobile, "/orders"), (Kind::Partner, "/v1/orders")]
    {
        let frontend = system.frontend(kind);
        let plain = frontend.get(path).await;
        assert_eq!(plain.header("content-encoding"), "");
        for (accepted, coding) in [
            ("zstd", "zstd"),
            ("br", "br"),
            ("gzip", "gzip"),
            ("gzip, br, zstd", "zstd"),
            ("gzip;q=1, zstd;q=0.1", "gzip"),
            ("identity", ""),
            ("compress", ""),
        ] {
            let client = system.edge(kind).of(system.credential(kind)).with("accept-encoding", accepted);
            let answer = client.get(path).await;
            assert_eq!(answer.header("content-encoding"), coding, "{path} for {accepted}");
            assert_eq!(decoded(coding, &answer.body).await, plain.body, "{path} for {accepted}");
            assert_eq!(answer.header("etag"), plain.header("etag"), "{path} for {accepted}");
            assert!(coding.is_empty() || answer.body.len() < plain.body.len(), "{path} for {accepted}");
        }
    }
}

async fn decoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let mut decoder: Box<dyn AsyncRead + Unpin> = match coding {
        "zstd" => Box::new(ZstdDecoder::new(body)),
        "br" => Box::new(BrotliDecoder::new(body)),
        "gzip" => Box::new(GzipDecoder::new(body)),
        _ => Box::new(body),
    };
    let mut plain = Vec::new();
    decoder.read_to_end(&mut plain).await.expect("a whole body in its coding");
    plain
}
