use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_demo-shop");

fn spawn(arguments: &[&str]) -> Child {
    Command::new(BINARY).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

fn text(mut from: impl Read) -> String {
    let mut text = String::new();
    from.read_to_string(&mut text).unwrap();
    text
}

#[test]
fn it_says_where_it_listens_and_ends_at_a_signal() {
    for signal in ["-TERM", "-INT"] {
        let mut child = spawn(&["--base-port", "0", "--only", "orders,identity"]);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for service in ["orders", "identity"] {
            let line = lines.next().unwrap().unwrap();
            assert!(line.starts_with(&format!("listening {service} http://127.0.0.1:")), "{line}");
        }
        let killed = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert!(child.wait().unwrap().success());
        assert!(lines.next().is_none());
        assert!(text(child.stderr.take().unwrap()).contains("FOR DEVELOPMENT ONLY"));
    }
}

#[test]
fn a_port_that_is_taken_is_one_clear_line() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let mut child = spawn(&["--base-port", &port, "--only", "users"]);
    assert!(!child.wait().unwrap().success());
    let told = text(child.stderr.take().unwrap());
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(&port) && told.contains("users"), "{told}");
}

#[test]
fn ports_must_be_enough() {
    let mut child = spawn(&["--base-port", "65533", "--only", "users,identity"]);
    assert!(!child.wait().unwrap().success());
    assert!(text(child.stderr.take().unwrap()).contains("lower base port"));
}

#[test]
fn it_tells_whether_another_of_it_is_healthy() {
    let mut shop = spawn(&["--base-port", "0", "--only", "users"]);
    let line = BufReader::new(shop.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let port = line.rsplit(':').next().unwrap();
    // Whoever listens everywhere is asked over loopback.
    let options = ["--host", "0.0.0.0", "--base-port", port, "--only", "users", "--healthy"];
    assert!(spawn(&options).wait().unwrap().success());
    shop.kill().unwrap();
    shop.wait().unwrap();
    let mut unhealthy = spawn(&options);
    assert_eq!(unhealthy.wait().unwrap().code(), Some(1));
    let told = text(unhealthy.stderr.take().unwrap());
    assert!(told.starts_with(&format!("demo-shop: 127.0.0.1:{port} does not answer: ")), "{told}");
}
