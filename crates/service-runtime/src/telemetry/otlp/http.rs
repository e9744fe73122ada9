//! OTLP/HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), in protobuf.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;

use super::super::variables::Exporter;
use crate::BuildError;

/// An answer says little.
const MOST_BYTES: usize = 64 * 1024;
const PROTOBUF: HeaderValue = HeaderValue::from_static("application/x-protobuf");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");
const WE: HeaderValue =
    HeaderValue::from_static(concat!("OTel-OTLP-Exporter-Triptych/", env!("CARGO_PKG_VERSION")));

/// One signal's.
#[derive(Clone)]
pub(super) struct Exports {
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
    url: Uri,
    headers: HeaderMap,
    gzip: bool,
}

impl Exports {
    pub(super) fn new(to: &Exporter) -> Result<Self, BuildError> {
        let connector =
            HttpsConnectorBuilder::new().with_native_roots()?.https_or_http().enable_all_versions();
        let mut headers = to.headers.clone();
        let gzip = to.compression.is_some();
        headers.extend([(USER_AGENT, WE), (CONTENT_TYPE, PROTOBUF)]);
        headers.extend(gzip.then_some((CONTENT_ENCODING, GZIP)));
        let client = Client::builder(TokioExecutor::new()).build(connector.build());
        Ok(Self { client, url: to.endpoint.parse()?, headers, gzip })
    }

    /// Gives what was answered.
    pub(super) async fn send(self, body: Bytes) -> Result<Bytes, BuildError> {
        let body = if self.gzip { gzip(&body)?.into() } else { body };
        let mut request = Request::post(self.url).body(Full::new(body))?;
        *request.headers_mut() = self.headers;
        let answer = self.client.request(request).await?;
        if !answer.status().is_success() {
            return Err(format!("the collector answered {}", answer.status()).into());
        }
        Ok(Limited::new(answer.into_body(), MOST_BYTES).collect().await?.to_bytes())
    }
}

fn gzip(body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body)?;
    encoder.finish()
}
