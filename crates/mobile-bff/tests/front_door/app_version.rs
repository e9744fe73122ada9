//! Apps that are too old.

use mobile_bff::Settings;
use serde_json::json;
use service_runtime::settings::load;
use test_support::Reply;

use crate::Bff;

const MINIMUM: (&str, &str) = ("BFF__APP__MINIMUM_VERSION", "2.4.0");
const UPDATE: (&str, &str) = ("BFF__APP__UPDATE_URL", "https://apps.example/details?id=shop");

async fn bff(changes: &[(&str, &str)]) -> Bff {
    let bff = Bff::with(changes).await;
    bff.backend.services.on("GET /products", Reply::Json(json!({"items": [], "nextCursor": null})));
    bff
}

#[tokio::test]
async fn an_app_that_is_too_old_is_told_where_a_newer_one_is() {
    let bff = bff(&[MINIMUM, UPDATE]).await;
    for (version, status) in [
        (Some("2.4.0"), 200),
        (Some("2.10"), 200),
        (Some("3.0.0-beta+7"), 200),
        (Some("2.3.9"), 403),
        (None, 403),
        (Some("latest"), 400),
        (Some("2.4.0.0.0"), 400),
        (Some(""), 400),
    ] {
        let client =
            version.map_or_else(|| bff.client(), |version| bff.client().with("x-app-version", version));
        let answer = client.get("/products").await;
        assert_eq!(answer.status, status, "{version:?}");
        if status == 403 {
            let problem = answer.json();
            assert_eq!(problem["type"], "urn:triptych:problem:app-outdated");
            assert_eq!(problem["updateUrl"], "https://apps.example/details?id=shop");
            assert_eq!(problem["detail"], "The least version that is served is 2.4.0.");
        }
        if status == 400 {
            assert!(answer.json()["detail"].as_str().unwrap().contains("X-App-Version"), "{version:?}");
        }
    }
    let twice = bff.client().with("x-app-version", "2.4.0").with("x-app-version", "2.4.0");
    assert_eq!(twice.get("/products").await.status, 400);
    assert_eq!(bff.backend.services.seen().len(), 3, "who is refused costs the services nothing");
}

#[tokio::test]
async fn it_is_told_so_before_it_is_asked_who_it_is() {
    let bff = bff(&[MINIMUM, UPDATE]).await;
    let old = bff.anonymous().with("x-app-version", "1.0").get("/products").await;
    assert_eq!((old.status.as_u16(), old.header("www-authenticate")), (403, ""));
    let new = bff.anonymous().with("x-app-version", "2.4.0").get("/products").await;
    assert_eq!(new.status, 401);
}

#[tokio::test]
async fn without_a_minimum_every_app_is_served() {
    let bff = bff(&[]).await;
    for version in ["0.1", "latest"] {
        assert_eq!(
            bff.client().with("x-app-version", version).get("/products").await.status,
            200,
            "{version}"
        );
    }
}

#[tokio::test]
async fn half_a_setting_is_refused() {
    let bff = Bff::start().await;
    for (changes, line) in [
        (&[MINIMUM][..], "app.update_url"),
        (&[UPDATE], "app.minimum_version"),
        (&[MINIMUM, ("BFF__APP__UPDATE_URL", "ftp://apps.example")], "http:// or https://"),
        (&[("BFF__APP__MINIMUM_VERSION", "v2"), UPDATE], "must be 1 to 4 numbers"),
    ] {
        let mut env = bff.backend.env(&["users", "orders", "catalog", "notifications"]);
        env.extend(changes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let error = load::<Settings>(None, env.into_iter()).unwrap_err().to_string();
        assert!(error.contains(line), "{error}");
    }
}
