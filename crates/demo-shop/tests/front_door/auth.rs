use demo_shop::Service::{self, Billing, Catalog, Notifications, Orders, Usage, Users};
use http::Method;
use serde_json::json;

use crate::client::Shop;

/// Every call that is about somebody.
const PERSONAL: [(Service, &str, &str); 9] = [
    (Users, "GET", "/users/u_42"),
    (Orders, "GET", "/orders?userId=u_42"),
    (Orders, "GET", "/orders/events?userId=u_42"),
    (Notifications, "GET", "/notifications?userId=u_42"),
    (Billing, "GET", "/accounts/u_42/billing"),
    (Usage, "GET", "/accounts/u_42/usage"),
    (Orders, "GET", "/orders/{order}"),
    (Orders, "POST", "/orders/{order}/cancel"),
    (Notifications, "POST", "/notifications/{notification}/read"),
];
const PUBLIC: [(Service, &str, &str); 3] =
    [(Catalog, "GET", "/products/p_1"), (Catalog, "GET", "/products"), (Catalog, "GET", "/promos")];

async fn first_id(shop: &Shop, service: Service, path: &str) -> String {
    let answer = shop.get(service, path).bearer(&shop.user("u_42").await).send().await;
    answer.items("id").swap_remove(0)
}

#[tokio::test]
async fn nobody_gets_in_without_a_good_token() {
    let shop = Shop::open().await;
    let good = shop.user("u_42").await;
    let (head_and_claims, signature) = good.rsplit_once('.').unwrap();
    let (head, claims) = head_and_claims.split_once('.').unwrap();
    let other_claims = claims.replacen(&claims[10..20], "AAAAAAAAAA", 1);
    for header in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer x".to_owned(),
        format!("Basic {good}"),
        format!("Bearer {head_and_claims}."),
        format!("Bearer {head}.{other_claims}.{signature}"),
        // {"alg":"none"}
        format!("Bearer eyJhbGciOiJub25lIn0.{claims}."),
    ] {
        for (service, method, path) in PERSONAL.into_iter().chain(PUBLIC) {
            let call = shop.call(service, &method.parse().unwrap(), path);
            let call = if header.is_empty() { call } else { call.header("authorization", &header) };
            let answer = call.send().await;
            answer.is_problem(401, "unauthenticated");
            assert_eq!(answer.headers["www-authenticate"], "Bearer");
        }
    }
}

#[tokio::test]
async fn what_is_personal_is_for_its_owner_alone() {
    let shop = Shop::open().await;
    let order = first_id(&shop, Orders, "/orders?userId=u_42").await;
    let notification = first_id(&shop, Notifications, "/notifications?userId=u_42").await;
    let foreign = [
        shop.user("u_43").await,
        shop.client("acme").await,
        shop.client("web-bff").await,
        shop.client("partner-bff").await,
    ];
    for token in foreign {
        for (service, method, path) in PERSONAL {
            let path = path.replace("{order}", &order).replace("{notification}", &notification);
            let call = shop.call(service, &method.parse().unwrap(), &path);
            call.bearer(&token).send().await.is_problem(403, "forbidden");
        }
        for (service, method, path) in PUBLIC {
            let answer = shop.call(service, &method.parse().unwrap(), path).bearer(&token).send().await;
            assert_eq!(answer.status, 200, "{path}");
        }
    }
}

#[tokio::test]
async fn a_partner_account_owns_orders_and_a_service_none() {
    let shop = Shop::open().await;
    let wish = json!({"productId": "p_1", "quantity": 1});
    let place = async |token: &str| shop.post(Orders, "/orders").bearer(token).json(&wish).send().await;
    let placed = place(&shop.client("acme").await).await;
    assert_eq!((placed.status.as_u16(), &placed.json()["userId"]), (201, &json!("acct_acme")));
    place(&shop.client("web-bff").await).await.is_problem(403, "forbidden");

    let acme = shop.client("acme").await;
    let own = async |service, path: &str| shop.get(service, path).bearer(&acme).send().await.status;
    assert_eq!(own(Billing, "/accounts/acct_acme/billing").await, 200);
    assert_eq!(own(Usage, "/accounts/acct_acme/usage").await, 200);
    assert_eq!(own(Orders, "/orders?userId=acct_acme").await, 200);
    assert_eq!(own(Users, "/users/acct_acme").await, 404);
}

#[tokio::test]
async fn unknown_routes_and_methods_are_problems_too() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    shop.get(Users, "/nowhere").send().await.is_problem(401, "unauthenticated");
    shop.get(Users, "/nowhere").bearer(&token).send().await.is_problem(404, "not-found");
    let wrong = shop.call(Users, &Method::DELETE, "/users/u_42").bearer(&token).send().await;
    wrong.is_problem(405, "method-not-allowed");
    shop.get(Service::Identity, "/nowhere").send().await.is_problem(404, "not-found");
}
