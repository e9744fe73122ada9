//! `contract-check` as a program, against services that keep their contracts and services that do not.

use std::process::Output;

use serde::Deserialize;
use serde_json::{Value, json};
use test_support::{FakeUpstream, Reply};
use tokio::process::Command;

const SERVICES: [&str; 6] = ["users", "orders", "catalog", "notifications", "billing", "usage"];
/// A value that somebody would not want to see in a log.
const PERSONAL: &str = "Ada Lovelace";
const CREDENTIALS: [&str; 4] = ["--token", "t", "--subject", "u_42"];

fn order(id: &str) -> Value {
    json!({
        "id": id, "productId": "p_1", "quantity": 1, "status": "paid", "totalCents": 4200, "currency": "EUR",
        "placedAt": "2026-01-02T03:04:05Z", "updatedAt": "2026-01-02T03:04:05Z",
    })
}

fn product() -> Value {
    json!({
        "id": "p_1", "name": "Pot", "description": "", "priceCents": 4200, "currency": "EUR", "imageUrl": null,
        "category": "pots", "stock": 3, "rating": 4.5,
    })
}

fn user() -> Value {
    json!({"id": "u_42", "firstName": "A", "lastName": "L", "role": "customer", "avatarUrl": null})
}

/// All six services at one address, each keeping its contracts.
async fn shop() -> FakeUpstream {
    let shop = FakeUpstream::start().await;
    let orders: Vec<_> = (1..=5).map(|number| order(&format!("o_{number}"))).collect();
    let promo = json!({
        "id": "d_1", "title": "Less", "productId": "p_1", "discountPercent": 10, "endsAt": "2026-01-02T03:04:05Z",
    });
    let period = json!({"from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"});
    for (route, answer) in [
        ("GET /users/u_42", user()),
        ("GET /orders", json!({"items": orders, "nextCursor": null})),
        ("GET /orders/o_1", order("o_1")),
        ("GET /products/p_1", product()),
        ("GET /products", json!({"items": [product()], "nextCursor": null})),
        ("GET /promos", json!({"items": [promo]})),
        ("GET /notifications", json!({"items": [{"id": "n_1", "title": "Hello"}], "unreadCount": 1})),
        (
            "GET /accounts/u_42/billing",
            json!({"plan": "pro", "status": "active", "balanceCents": 0, "currency": "EUR", "nextInvoiceAt": null,
                "paymentMethod": {"brand": "visa", "last4": "4242"}}),
        ),
        (
            "GET /accounts/u_42/usage",
            json!({"period": period, "ordersPlaced": 1, "apiCalls": 1, "apiCallLimit": 1, "storageBytes": 1,
                "storageLimitBytes": 1}),
        ),
    ] {
        shop.on(route, Reply::Json(answer));
    }
    shop.on("GET /orders/events", events(&json!("paid")));
    shop
}

/// An event stream that ends after one event.
fn events(status: &Value) -> Reply {
    let data = json!({"orderId": "o_1", "status": status, "at": "2026-01-02T03:04:05Z"});
    let event = format!("retry: 1000\n\nid: 1\nevent: order-status\ndata: {data}\n\n");
    Reply::Raw(200, vec![("content-type", "text/event-stream".into())], event)
}

async fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_contract-check"))
        .args(arguments)
        .output()
        .await
        .expect("the program starts")
}

/// One row, without its time.
#[derive(Debug, Deserialize)]
struct Row {
    operation: String,
    status: String,
    path: String,
    what: String,
    unknown: Vec<String>,
}

/// The exit code, and the rows.
async fn check(services: &[(&str, &str)], more: &[&str]) -> (Option<i32>, Vec<Row>) {
    let flags: Vec<String> = services.iter().map(|(service, url)| format!("--{service}={url}")).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let output = run(&[&flags, &CREDENTIALS[..], &["--json"], more].concat()).await;
    assert!(!String::from_utf8_lossy(&output.stdout).contains(PERSONAL), "{output:?}");
    let rows = serde_json::from_slice(&output.stdout);
    (output.status.code(), rows.unwrap_or_else(|_| panic!("no rows: {output:?}")))
}

#[tokio::test]
async fn services_that_keep_their_contracts() {
    let shop = shop().await;
    let flags: Vec<String> = SERVICES.iter().map(|service| format!("--{service}={}", shop.url)).collect();
    let flags: Vec<&str> = flags.iter().map(String::as_str).chain(CREDENTIALS).collect();
    let output = run(&flags).await;
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let table = String::from_utf8(output.stdout).unwrap();
    // How long it took, and how wide that is.
    let words = |line: &str| {
        let words = line.split_whitespace().filter(|word| word.parse::<u32>().is_err());
        words.collect::<Vec<_>>().join(" ")
    };
    let (rows, counts) = table.split_once("\n\n").unwrap();
    insta::assert_snapshot!(rows.lines().map(words).collect::<Vec<_>>().join("\n"), @r"
    service operation status ms field what
    users users.get ok
    orders orders.list ok
    orders orders.get ok
    orders orders.events ok
    orders orders.place not-checked writes are never made
    orders orders.cancel not-checked writes are never made
    catalog catalog.product ok
    catalog catalog.products ok
    catalog catalog.search ok
    catalog catalog.promos ok
    notifications notifications.list ok
    notifications notifications.read not-checked writes are never made
    billing billing.get ok
    usage usage.get ok
    ");
    assert_eq!(counts, "11 ok, 3 not-checked\n");
    assert!(shop.seen().iter().all(|seen| seen.route.starts_with("GET ")));
}

/// What a service answers, and what becomes of its row: status, field, what, new fields.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
async fn what_drifts_is_named_and_what_was_sent_is_not() {
    let with = |mut json: Value, pointer: &str, value: Value| {
        *json.pointer_mut(pointer).unwrap() = value;
        Reply::Json(json)
    };
    let orders = |field: &str, value: Value| {
        let json = json!({"items": vec![order("o_1"); 5], "nextCursor": null});
        with(json, &format!("/items/3/{field}"), value)
    };
    let ada = || json!(PERSONAL);
    let mut renamed = user();
    renamed["last_name"] = renamed.as_object_mut().unwrap().remove("lastName").unwrap();
    let mut more = user();
    (more["email"], more["vip"]) = (ada(), json!(true));
    let raw = |status, media_type: &str| {
        Reply::Raw(status, vec![("content-type", media_type.into())], PERSONAL.into())
    };
    let (profile, list, one) = ("GET /users/u_42", "GET /orders", "GET /orders/o_1");
    let stream = "GET /orders/events";
    for (operation, route, reply, expected) in [
        ("users.get", profile, Reply::Json(more), ["ok", "", "", "email vip"]),
        ("orders.list", list, orders("status", json!("teleported")), ["ok", "", "", ""]),
        ("users.get", profile, Reply::Json(renamed), ["drift", ".", "missing field `lastName`", "last_name"]),
        (
            "orders.list",
            list,
            orders("totalCents", ada()),
            ["drift", "items[3].totalCents", "expected i64", ""],
        ),
        (
            "orders.list",
            list,
            orders("id", ada()),
            ["drift", "items[3].id", "must be 1 to 64 letters, digits, '_' or '-'", ""],
        ),
        (
            "orders.list",
            list,
            orders("placedAt", ada()),
            ["drift", "items[3].placedAt", ": another form than in domain-clients/src/orders.rs", ""],
        ),
        (
            "orders.list",
            list,
            orders("quantity", json!(0)),
            ["drift", "items[3].quantity", "lower than 1, and 0 more", ""],
        ),
        (
            "users.get",
            profile,
            raw(200, "text/html"),
            ["drift", "content-type", "the answer is not JSON", ""],
        ),
        ("users.get", profile, raw(302, "text/html"), ["drift", "status", "status 302", ""]),
        ("orders.events", stream, events(&ada()), ["ok", "", "", ""]),
        ("orders.events", stream, events(&json!(1)), ["drift", "status", "expected a string", ""]),
        (
            "orders.events",
            stream,
            raw(200, "text/html"),
            ["drift", "content-type", "the answer is no event stream", ""],
        ),
        (
            "orders.get",
            one,
            raw(404, "text/html"),
            [
                "refused",
                "",
                "GET /orders/{} must be answered with 200, not 404: are the id and the subject right?",
                "",
            ],
        ),
        (
            "orders.get",
            one,
            raw(401, "text/html"),
            ["refused", "", "the token must be one that the service takes, which answers 401", ""],
        ),
        (
            "catalog.promos",
            "GET /promos",
            raw(404, "text/html"),
            ["refused", "", "GET /promos must be answered with 200, not 404", ""],
        ),
        (
            "users.get",
            profile,
            raw(403, "text/html"),
            [
                "refused",
                "",
                "GET /users/{} must be answered with 200, not 403: is the token the subject's, and does it allow this?",
                "",
            ],
        ),
    ] {
        let shop = shop().await;
        shop.on(route, reply);
        let service = operation.split('.').next().unwrap();
        let (code, rows) = check(&[(service, &shop.url)], &[]).await;
        let row = rows.into_iter().find(|row| row.operation == operation).unwrap();
        // In which column it is depends on the order of the fields.
        let what = row.what.trim_start_matches("Data error at line 1 column ");
        let what = what.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        assert_eq!([&*row.status, &row.path, what, &row.unknown.join(" ")], expected, "{operation}");
        assert_eq!(code, Some(i32::from(expected[0] != "ok")));
    }
}

#[tokio::test]
async fn who_does_not_answer_is_not_who_drifts() {
    let shop = shop().await;
    let nobody = "http://127.0.0.1:9";
    let says = |status| Reply::Problem(status, json!({}));
    for trouble in [Reply::Reset, Reply::Truncate, Reply::Hang, says(500), says(429)] {
        shop.on("GET /users/u_42", trouble.clone());
        let patience = if matches!(trouble, Reply::Hang) { "10ms" } else { "10s" };
        let (code, rows) = check(&[("users", &shop.url)], &["--timeout", patience]).await;
        assert_eq!((rows[0].status.as_str(), code), ("unreachable", Some(69)), "{trouble:?}");
        assert!(!rows[0].what.is_empty(), "{trouble:?}");
    }
    shop.on("GET /accounts/u_42/usage", Reply::Json(json!({})));
    for (services, expected) in [
        (vec![("users", nobody)], 69),
        (vec![("users", nobody), ("billing", &*shop.url)], 69),
        (vec![("users", nobody), ("usage", &*shop.url)], 1),
    ] {
        let (code, rows) = check(&services, &[]).await;
        assert_eq!((rows[0].status.as_str(), code), ("unreachable", Some(expected)), "{rows:?}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_says_what_would_help() {
    let shop = shop().await;
    shop.on("GET /orders", Reply::Json(json!({"items": []})));
    let (code, rows) = check(&[("orders", &shop.url)], &[]).await;
    assert_eq!((rows[1].status.as_str(), code), ("not-checked", Some(0)));
    assert_eq!(rows[1].what, "no id was found to ask for: give one with --order ID");
    let (_, rows) = check(&[("orders", &shop.url)], &["--order", "o_1"]).await;
    assert_eq!(rows[1].status, "ok");
}

#[tokio::test]
async fn each_call_brings_its_own_token() {
    let shop = shop().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "of-the-service\n").unwrap();
    let token = ["--service-token-file", file.path().to_str().unwrap()];
    check(&[("users", &shop.url), ("catalog", &shop.url)], &token).await;
    for seen in shop.seen() {
        let expected = if seen.route == "GET /users/u_42" { "Bearer t" } else { "Bearer of-the-service" };
        assert_eq!(seen.headers["authorization"], expected, "{}", seen.route);
    }
}

#[tokio::test]
async fn wrong_usage_says_what_would_be_right() {
    let users = "--users=http://127.0.0.1:9";
    for (arguments, right) in [
        (&[][..], "no service is given: say where one is, such as --users URL"),
        (&[users], "--users answers to a caller: give --token-file FILE and --subject SUB"),
        (&[users, "--token=t"], "--users answers to a caller: give --token-file FILE and --subject SUB"),
        (&["--catalog=http://127.0.0.1:9"], "--catalog answers to a service: give --service-token-file FILE"),
        (&[users, "--token=t", "--subject=ü"], "--subject must be 1 to 128 visible ASCII characters"),
        (&[users, "--token= "], "--token must be a bearer token: visible characters on one line"),
        (&[users, "--token-file=/nowhere"], "--token-file must be a file that can be read: /nowhere"),
        (&[users, "--token=t", "--token-file=f"], "cannot be used with"),
        (&["--users=localhost"], "must be a URL such as http://127.0.0.1:3002"),
        (&["--users=ftp://localhost"], "must begin with http:// or https://"),
        (&[users, "--order=../admin"], "must be 1 to 64 letters, digits, '_' or '-'"),
        (&[users, "--timeout=soon"], "must be between 10ms and 10m, written like 5s or 200ms"),
        (&["--carts=http://127.0.0.1:9"], "unexpected argument '--carts'"),
    ] {
        let output = run(arguments).await;
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {text}");
        assert!(text.contains(right), "{arguments:?}: {text}");
    }
}
