use std::net::SocketAddr;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// What stands between a store and its Redis, and can swallow what goes through.
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    swallowed: watch::Sender<u64>,
    accepting: AbortHandle,
}

impl Proxy {
    pub(super) async fn start(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let swallowed = watch::Sender::new(0);
        let watched = swallowed.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(carry(near, server, watched.subscribe()));
            }
        });
        Self { address, swallowed, accepting: accepting.abort_handle() }
    }

    /// From now on the connections that are open carry nothing, and are not closed. New ones do well.
    pub(super) fn swallow(&self) {
        self.swallowed.send_modify(|times| *times += 1);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn carry(mut near: TcpStream, server: SocketAddr, mut swallowed: watch::Receiver<u64>) {
    let Ok(mut far) = TcpStream::connect(server).await else { return };
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut near, &mut far) => {}
        Ok(()) = swallowed.changed() => {
            // Held open until the test is over.
            let _ = swallowed.wait_for(|times| *times == u64::MAX).await;
        }
    }
}
