//! A real Redis, that tests can take down.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// A Redis of its own on a free loopback port, without persistence. It ends when this is dropped.
#[derive(Debug)]
pub struct RedisServer {
    process: Process,
    port: u16,
    kind: Kind,
    /// What it may write, and its certificate.
    directory: TempDir,
}

/// A process that does not outlive this.
#[derive(Debug)]
struct Process(Child);

impl Process {
    fn kill(&mut self) {
        self.0.kill().expect("a process of ours can be killed");
        self.0.wait().expect("a process of ours can be waited for");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Tls,
    Cluster,
}

impl RedisServer {
    /// Starts one.
    pub async fn start() -> Self {
        Self::start_as(Kind::Plain).await
    }

    /// Starts one that only talks TLS, with a certificate for `127.0.0.1` that descends from [`Self::ca_file`].
    pub async fn start_tls() -> Self {
        Self::start_as(Kind::Tls).await
    }

    /// Starts one that is a whole cluster, with all slots.
    pub async fn start_cluster() -> Self {
        let server = Self::start_as(Kind::Cluster).await;
        server.command("CLUSTER ADDSLOTSRANGE 0 16383").await;
        while !server.command("CLUSTER INFO").await.contains("cluster_state:ok") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// What to write into settings.
    pub fn url(&self) -> String {
        let address = self.address();
        match self.kind {
            Kind::Plain => format!("redis://{address}/0"),
            Kind::Tls => format!("rediss://{address}/0"),
            Kind::Cluster => format!("redis+cluster://{address}"),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// The authority, in PEM, of a server that talks TLS.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// Kills the process: connections are reset, new ones refused, and all that was stored is gone.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Starts it again, empty, on the same port; kills it first if it runs.
    pub async fn restart(&mut self) {
        self.kill();
        self.process = run(self.kind, self.port, self.directory.path())
            .await
            .expect("the port is still free: nobody else was told of it");
    }

    /// Stops the process without ending it: connections stay open, new ones are accepted, nothing is answered.
    pub fn pause(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets a paused process go on.
    pub fn resume(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.process.0), signal).expect("it was not killed");
    }

    /// Sends a command, its words separated by blanks, and returns the raw answer (RESP2).
    pub async fn command(&self, command: &str) -> String {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).await.expect("it listens");
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers in text");
        answer.strip_suffix("+OK\r\n").map(str::to_owned).unwrap_or(answer)
    }

    async fn start_as(kind: Kind) -> Self {
        let directory = TempDir::with_prefix("redis-").expect("a directory for temporary files");
        if kind == Kind::Tls {
            write_certificates(directory.path());
        }
        loop {
            let port = free_port();
            if let Some(process) = run(kind, port, directory.path()).await {
                return Self { process, port, kind, directory };
            }
        }
    }
}

/// A port that was free a moment ago, as was the one 10,000 above, which a cluster needs. Both are below those
/// that connections get: while a server is down, nothing else comes to have its port.
fn free_port() -> u16 {
    let free = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    loop {
        let random = RandomState::new().build_hasher().finish();
        let port = 10_000 + u16::try_from(random % 12_000).expect("it is below 12,000");
        if free(port) && free(port + 10_000) {
            return port;
        }
    }
}

/// Starts the process and waits until it listens; `None` if it ends instead, since the port is taken.
async fn run(kind: Kind, port: u16, directory: &Path) -> Option<Process> {
    let binary = binary();
    let mut command = Command::new(&binary);
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]).arg("--dir").arg(directory);
    command.args(arguments(kind, &port.to_string())).current_dir(directory);
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut process = match spawned {
        Ok(child) => Process(child),
        Err(error) => panic!("cannot start {}: {error}: run scripts/redis", binary.display()),
    };
    let (ready, listens) = oneshot::channel();
    let log = process.0.stdout.take().expect("it is piped");
    std::thread::spawn(move || read(log, ready));
    match listens.await.expect("the log has an end") {
        Ok(()) => Some(process),
        Err(log) if log.contains("Address already in use") => None,
        Err(log) => panic!("{} does not start: {log}", binary.display()),
    }
}

fn arguments(kind: Kind, port: &str) -> Vec<&str> {
    match kind {
        Kind::Plain => vec!["--port", port],
        Kind::Cluster => {
            vec!["--port", port, "--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"]
        }
        Kind::Tls => [
            ["--port", "0"],
            ["--tls-port", port],
            ["--tls-auth-clients", "no"],
            ["--tls-cert-file", "server.pem"],
            ["--tls-key-file", "server.key"],
            ["--tls-ca-cert-file", "ca.pem"],
        ]
        .concat(),
    }
}

/// Says when it listens, or why it does not, and reads on after that: a full pipe would stop it.
fn read(log: ChildStdout, listens: oneshot::Sender<Result<(), String>>) {
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let mut before = vec![];
    let ready = lines.any(|line| {
        before.push(line);
        before.last().is_some_and(|line| line.contains("Ready to accept connections"))
    });
    let _ = listens.send(if ready { Ok(()) } else { Err(before.join("\n")) });
    lines.for_each(drop);
}

/// The program that scripts/redis provides, or the one on PATH.
fn binary() -> PathBuf {
    #[expect(clippy::disallowed_methods, reason = "tests have no settings")]
    let given = std::env::var_os("TRIPTYCH_REDIS_SERVER").map(PathBuf::from);
    let provided = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/redis/bin/redis-server");
    let provided = provided.exists().then_some(provided);
    given.or(provided).unwrap_or_else(|| "redis-server".into())
}

/// An authority, and a server's certificate that descends from it.
fn write_certificates(directory: &Path) {
    use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
    let key = || KeyPair::generate().expect("there is randomness");
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, key()).expect("the parameters are sound");
    let server_key = key();
    let server = CertificateParams::new(["127.0.0.1".to_owned()]).expect("it is an address");
    let server = server.signed_by(&server_key, &authority).expect("the parameters are sound");
    for (name, pem) in [
        ("ca.pem", authority.pem()),
        ("server.pem", server.pem()),
        ("server.key", server_key.serialize_pem()),
    ] {
        std::fs::write(directory.join(name), pem).expect("the directory is ours");
    }
}
