//! Attacks, each a test that is named after it: through the gateway, and around it where a BFF must hold alone.
//!
//! docs/security.md says for each attack what holds it, and names these tests.

mod browser;
mod cookies;
mod credentials;
mod logout_tokens;
mod requests;
mod sign_in;
mod sockets;

use end_to_end::{Answer, Client, Kind, System, cookies as set_cookies, repository};

/// The name of a session's cookie.
pub(crate) const SESSION: &str = "__Host-Http-triptych";

/// Both ways to a BFF.
fn doors(system: &System, kind: Kind) -> [(&'static str, Client); 2] {
    [("through the gateway", system.edge(kind)), ("around it", system.bff(kind).client())]
}

/// The session that an answer gives to whoever asked, `name=value`.
fn session_of(answer: &Answer) -> Option<String> {
    set_cookies(&answer.headers).into_iter().find(|cookie| cookie.starts_with(&format!("{SESSION}=")))
}

/// docs/security.md names a test for every attack as "`file`: `test`".
#[test]
fn every_test_that_the_security_page_names_is_there() {
    let page = std::fs::read_to_string(repository().join("docs/security.md")).expect("the page");
    let (_, table) = page.split_once("## Attacks").expect("a table of attacks");
    let rows: Vec<_> =
        table.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| attack")).collect();
    assert_eq!(rows.len(), 21, "as many attacks as there are");
    for row in rows {
        let shown_by = row.rsplit('|').nth(1).expect("three columns");
        for named in shown_by.split(';') {
            let parts: Vec<_> = named.split('`').collect();
            let [_, file, _, test, _] = parts[..] else { panic!("not a file and a test: {named}") };
            let source = std::fs::read_to_string(repository().join(file));
            let source = source.unwrap_or_else(|error| panic!("{file}: {error}"));
            let there =
                [format!("fn {test}("), format!("def {test}("), format!("'{test}'"), format!("\"{test}\"")];
            assert!(there.iter().any(|it| source.contains(&**it)), "{file} has no test {test}");
        }
    }
}
