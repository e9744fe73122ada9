//! Connections as the settings want them.

use std::time::Duration;

use redis::aio::{MultiplexedConnection, PubSub};
use redis::cluster::ClusterClient;
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo,
    RedisConnectionInfo, RedisResult, TlsCertificates, Value,
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::settings::Servers;
use crate::{BadStore, StoreSettings};

/// The longest that connecting to a server may take, the first answer included.
const CONNECT: Duration = Duration::from_secs(1);

/// The longest that connecting to a node of a cluster may take: the others wait for it.
const NODE: Duration = Duration::from_millis(300);
/// The longest that connecting to a cluster may take, while some of its nodes say nothing.
const GATHER: Duration = Duration::from_secs(3);

/// What opens connections.
pub(super) struct Connector {
    clients: Vec<Client>,
    cluster: Option<ClusterClient>,
}

/// An open connection, or one to each primary of a cluster. Clones use the same ones.
#[derive(Clone)]
pub(super) enum Wire {
    One(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl Connector {
    pub(super) fn new(settings: &StoreSettings, servers: &Servers) -> Result<Self, BadStore> {
        let certificates = certificates(settings)?;
        let nodes: Vec<_> = servers
            .nodes
            .iter()
            .map(|(host, port)| node(servers, host, *port))
            .collect::<RedisResult<_>>()
            .map_err(|error| bad("url", &error))?;
        let clients = nodes.iter().cloned().map(|node| match &certificates {
            Some(certificates) => Client::build_with_tls(node, certificates.clone()),
            None => Client::open(node),
        });
        let clients = clients.collect::<RedisResult<_>>().map_err(|error| bad("ca_file", &error))?;
        let cluster = servers.cluster.then(|| cluster(settings, nodes, certificates)).transpose()?;
        Ok(Self { clients, cluster })
    }

    pub(super) async fn connect(&self) -> RedisResult<Wire> {
        if let Some(cluster) = &self.cluster {
            return within(GATHER, cluster.get_async_connection()).await.map(Wire::Cluster);
        }
        // Whoever sends sets the limit.
        let config =
            AsyncConnectionConfig::new().set_connection_timeout(Some(CONNECT)).set_response_timeout(None);
        let connecting = self.clients[0].get_multiplexed_async_connection_with_config(&config);
        let mut wire = Wire::One(within(CONNECT, connecting).await?);
        wire.ping().await?;
        Ok(wire)
    }

    /// A connection that listens, to the first server that accepts one: in a cluster every node hears all.
    pub(super) async fn listen(&self, channel: &str) -> RedisResult<PubSub> {
        let mut outcome = Err(timed_out());
        for client in &self.clients {
            outcome = within(CONNECT, async {
                let mut listening = client.get_async_pubsub().await?;
                listening.subscribe(channel).await?;
                Ok(listening)
            })
            .await;
            if outcome.is_ok() {
                break;
            }
        }
        outcome
    }
}

impl Wire {
    pub(super) async fn send(&mut self, command: &Cmd) -> RedisResult<Value> {
        match self {
            Self::One(connection) => command.query_async(connection).await,
            Self::Cluster(connections) => command.query_async(connections).await,
        }
    }

    /// Asks every server whether it is there.
    pub(super) async fn ping(&mut self) -> RedisResult<()> {
        within(CONNECT, self.send(&redis::cmd("PING"))).await.map(drop)
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    timeout(limit, work).await.unwrap_or_else(|_| Err(timed_out()))
}

fn timed_out() -> redis::RedisError {
    std::io::Error::from(std::io::ErrorKind::TimedOut).into()
}

fn node(servers: &Servers, host: &str, port: u16) -> RedisResult<ConnectionInfo> {
    let host = host.to_owned();
    let address = if servers.tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    };
    let mut login = RedisConnectionInfo::default().set_db(servers.database).set_skip_set_lib_name();
    if let Some(user) = &servers.user {
        login = login.set_username(SecretString::expose_secret(user));
    }
    if let Some(password) = &servers.password {
        login = login.set_password(SecretString::expose_secret(password));
    }
    let tcp = TcpSettings::default().set_nodelay(true);
    Ok(address.into_connection_info()?.set_redis_settings(login).set_tcp_settings(tcp))
}

fn cluster(
    settings: &StoreSettings,
    nodes: Vec<ConnectionInfo>,
    certificates: Option<TlsCertificates>,
) -> Result<ClusterClient, BadStore> {
    let mut builder = ClusterClient::builder(nodes)
        .connection_timeout(NODE)
        .response_timeout(settings.timeout)
        .overall_response_timeout(None)
        .tcp_settings(TcpSettings::default().set_nodelay(true))
        // A command that may have been carried out is never sent again.
        .retries(0);
    if let Some(certificates) = certificates {
        builder = builder.certs(certificates);
    }
    builder.build().map_err(|error| bad("url", &error))
}

/// The authorities to trust, if not this machine's.
fn certificates(settings: &StoreSettings) -> Result<Option<TlsCertificates>, BadStore> {
    if !settings.url.is_tls() {
        return Ok(None);
    }
    // Several providers may be compiled in; this one is the workspace's. Who chose before us, chose it too.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Some(file) = &settings.ca_file else { return Ok(None) };
    let pem = std::fs::read(file).map_err(|error| bad("ca_file", &error))?;
    if !pem.windows(27).any(|window| window == b"-----BEGIN CERTIFICATE-----") {
        return Err(bad("ca_file", &"must hold certificates in PEM"));
    }
    Ok(Some(TlsCertificates { client_tls: None, root_cert: Some(pem) }))
}

fn bad(key: &'static str, problem: &dyn std::fmt::Display) -> BadStore {
    BadStore { key, problem: problem.to_string() }
}
