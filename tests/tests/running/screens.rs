//! What each frontend shows.

use end_to_end::{Frontend, Kind, Running, until};
use serde_json::{Value, json};

/// The screens of a BFF: all that its document has and a reader can ask for. Event streams are in `replicas.rs`, signing
/// in is what whoever asks here has done, and `openapi.json` would be compared with itself.
fn screens(system: &Running, kind: Kind) -> Vec<String> {
    let operations = system.contract(kind).operations();
    let reads = operations.iter().filter_map(|operation| operation.strip_prefix("GET "));
    reads.filter(|path| !path.starts_with("/auth/") && *path != "/events").map(str::to_owned).collect()
}

/// A path with the id of the first thing in the list that it is one of.
async fn filled(frontend: &Frontend, path: &str) -> String {
    let Some((list, _)) = path.split_once("/{") else { return path.to_owned() };
    let things = frontend.get(list).await.json();
    let things =
        [&things["data"], &things["orders"], &things["products"]].into_iter().find_map(Value::as_array);
    let id = things.and_then(|things| things.first()?["id"].as_str()).map(str::to_owned);
    format!("{list}/{}", id.unwrap_or_else(|| panic!("{list} is a list of things with ids")))
}

#[tokio::test]
async fn every_screen_is_what_its_document_says() {
    let system = Running::find();
    for (kind, at_least) in [(Kind::Web, 5), (Kind::Mobile, 5), (Kind::Partner, 6)] {
        let frontend = system.frontend(kind, "u_42").await;
        let screens = screens(&system, kind);
        assert!(screens.len() >= at_least, "{kind:?} has only {screens:?}");
        for screen in screens {
            let path = filled(&frontend, &screen).await;
            // The frontend holds the answer against the document.
            assert_eq!(frontend.get(&path).await.outcome(), "200", "{kind:?} {path}");
        }
    }
}

#[tokio::test]
async fn nobody_without_a_credential_sees_a_screen() {
    let system = Running::find();
    for (kind, path) in [(Kind::Web, "/dashboard"), (Kind::Mobile, "/home"), (Kind::Partner, "/v1/orders")] {
        let answer = system.edge(kind).get(path).await;
        assert_eq!(answer.outcome(), "401 unauthenticated", "{kind:?}");
    }
}

#[tokio::test]
async fn a_lost_section_costs_itself_alone() {
    let system = Running::find();
    // Somebody whose notifications no replica has kept from another run.
    let user = format!("u_{}", 100 + std::process::id() % 800);
    let mobile = system.frontend(Kind::Mobile, &user).await;
    system
        .shop
        .strike("notifications", &json!([{"path": "/notifications", "mode": "error", "status": 503}]))
        .await;
    let home = mobile.get("/home").await;
    system.shop.heal("notifications").await;
    assert_eq!(home.outcome(), "200");
    let home = home.json();
    assert_eq!(home["unread"], Value::Null);
    let warnings = home["warnings"].as_array().expect("a list of warnings");
    assert!(warnings.iter().any(|warning| warning["section"] == "unread"), "{home}");
    assert!(home["recentOrders"].is_array(), "{home}");
    until("the section", async || mobile.get("/home").await.json()["unread"].as_u64()).await;
}
