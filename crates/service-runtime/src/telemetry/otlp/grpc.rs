//! OTLP/gRPC (<https://opentelemetry.io/docs/specs/otlp/#otlpgrpc>).

use bytes::{Buf, BufMut, Bytes};
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, ClientTlsConfig, Endpoint};
use tonic::{Extensions, Request, Status};

use super::super::variables::Exporter;
use crate::BuildError;

/// One signal's.
#[derive(Clone)]
pub(super) struct Exports {
    client: Grpc<Channel>,
    method: PathAndQuery,
    metadata: MetadataMap,
}

/// A message that is bytes already.
struct Raw;

impl Exports {
    pub(super) fn new(to: &Exporter, method: &'static str) -> Result<Self, BuildError> {
        let mut endpoint = Endpoint::from_shared(to.endpoint.clone())?;
        if to.is_tls() {
            endpoint = endpoint.tls_config(ClientTlsConfig::new().with_enabled_roots())?;
        }
        let mut client = Grpc::new(endpoint.connect_lazy());
        if to.compression.is_some() {
            client = client
                .send_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Gzip);
        }
        let metadata = MetadataMap::from_headers(to.headers.clone());
        Ok(Self { client, method: PathAndQuery::from_static(method), metadata })
    }

    /// Gives what was answered.
    pub(super) async fn send(mut self, body: Bytes) -> Result<Bytes, BuildError> {
        self.client.ready().await?;
        let request = Request::from_parts(self.metadata, Extensions::default(), body);
        Ok(self.client.unary(request, self.method, Raw).await?.into_inner())
    }
}

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
