//! Asks a service of this machine whether it is ready: the check of a container that has no shell to ask with.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// For all of it. Whoever runs such a check gives up on it later.
const PATIENCE: Duration = Duration::from_secs(2);

/// Why a service is not ready, or cannot be seen to be.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// It answers with another status than 200.
    #[error("{address} answers {path} with {status}")]
    Answers {
        /// Who answers.
        address: SocketAddr,
        /// What was asked.
        path: String,
        /// Its status, as it stands on the wire.
        status: String,
    },
    /// It does not answer.
    #[error("{address} does not answer: {cause}")]
    Silent {
        /// Who does not.
        address: SocketAddr,
        /// What the system says.
        cause: io::Error,
    },
}

/// Whether `GET path` of a service that listens at `address` on this machine is answered with 200.
pub async fn ask(address: SocketAddr, path: &str) -> Result<(), NotReady> {
    let address = reachable(address);
    let status = match timeout(PATIENCE, status(address, path)).await {
        Ok(answer) => answer.map_err(|cause| NotReady::Silent { address, cause })?,
        Err(elapsed) => return Err(NotReady::Silent { address, cause: elapsed.into() }),
    };
    if status == *b"200" {
        return Ok(());
    }
    let status = String::from_utf8_lossy(&status).into_owned();
    Err(NotReady::Answers { address, path: path.to_owned(), status })
}

/// The status of the answer. Nothing else of it is read.
async fn status(address: SocketAddr, path: &str) -> io::Result<[u8; 3]> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let (mut version, mut status) = ([0; "HTTP/1.1 ".len()], [0; 3]);
    stream.read_exact(&mut version).await?;
    stream.read_exact(&mut status).await?;
    Ok(status)
}

/// Who listens everywhere is asked over loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// What is said of a service that does this with the connection that it gets.
    async fn asked<S>(service: impl FnOnce(TcpStream) -> S) -> Result<(), String>
    where
        S: Future<Output = io::Result<()>>,
    {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serve = async { service(listener.accept().await?.0).await };
        let (told, served) = tokio::join!(ask(address, "/readyz"), serve);
        served.unwrap();
        let at = format!("127.0.0.1:{}", address.port());
        told.map_err(|error| error.to_string().replace(&at, "it"))
    }

    async fn answers(status_line: &'static str) -> Result<(), String> {
        asked(async move |mut stream: TcpStream| {
            let mut request = [0; 1024];
            let length = stream.read(&mut request).await?;
            assert!(request[..length].starts_with(b"GET /readyz HTTP/1.1\r\nhost: 127.0.0.1:"));
            stream.write_all(status_line.as_bytes()).await
        })
        .await
    }

    #[tokio::test]
    async fn only_200_is_ready() {
        assert_eq!(answers("HTTP/1.1 200 OK\r\n\r\n").await, Ok(()));
        for (status_line, told) in [
            ("HTTP/1.1 503 Service Unavailable\r\n\r\n", "it answers /readyz with 503"),
            ("HTTP/1.1 404 Not Found\r\n\r\n", "it answers /readyz with 404"),
            ("HTTP/1.1", "it does not answer: early eof"),
        ] {
            assert_eq!(answers(status_line).await, Err(told.to_owned()), "{status_line:?}");
        }
    }

    #[tokio::test]
    async fn nobody_is_not_ready() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let error = ask(address, "/readyz").await.unwrap_err().to_string();
        assert_eq!(error, format!("{address} does not answer: Connection refused (os error 111)"));
    }

    /// Nothing comes that could be read, so that paused time goes on to the end of all patience.
    #[tokio::test(start_paused = true)]
    async fn silence_has_an_end() {
        let told = asked(async |mut stream: TcpStream| {
            stream.read_to_end(&mut Vec::new()).await?;
            Ok(())
        });
        assert_eq!(told.await, Err("it does not answer: timed out".to_owned()));
    }
}
