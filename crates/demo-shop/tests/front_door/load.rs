use demo_shop::Service::Catalog;
use serde_json::json;

use crate::client::Shop;

async fn wait_until_calls(shop: &Shop, count: u64) {
    while shop.get(Catalog, "/_calls").send().await.json()["GET /products/{id}"] != count {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn batch_is_shed_first_and_checkout_last() {
    let shop = Shop::with(|options| options.shed_above = Some(4)).await;
    let token = shop.client("web-bff").await;
    shop.faults(Catalog, json!([{"path": "/products/*", "mode": "hang"}])).await;
    let ask = async |priority: &str| {
        let call = shop.get(Catalog, "/promos").bearer(&token).header("x-request-priority", priority);
        call.send().await
    };
    let mut held = tokio::task::JoinSet::new();
    let url = shop.running.url(Catalog).unwrap();
    for (busy, served, shed) in [
        (3, &["batch", "page", "checkout"][..], &[][..]),
        (4, &["page", "checkout", "anything else"], &["batch"]),
        (6, &["checkout"], &["batch", "page", "anything else"]),
        (8, &[], &["batch", "page", "checkout"]),
    ] {
        while held.len() < busy {
            held.spawn(crate::client::hold(format!("{url}/products/p_1")));
        }
        wait_until_calls(&shop, busy as u64).await;
        for priority in served {
            assert_eq!(ask(priority).await.status, 200, "{priority} with {busy} others");
        }
        for priority in shed {
            let answer = ask(priority).await;
            answer.is_problem(503, "overloaded");
            assert_eq!(answer.headers["retry-after"], "1");
        }
    }
    held.shutdown().await;
    while ask("batch").await.status != 200 {
        tokio::task::yield_now().await;
    }
}
