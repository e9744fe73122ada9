use demo_shop::Service::{Billing, Catalog, Notifications, Orders, Usage, Users};

use crate::client::Shop;

async fn everything_of_ada(seed: u64) -> Vec<String> {
    let shop = Shop::with(|options| options.seed = seed).await;
    let token = shop.user("u_42").await;
    let mut bodies = vec![];
    for (service, path) in [
        (Users, "/users/u_42"),
        (Orders, "/orders?userId=u_42&limit=200"),
        (Catalog, "/products?limit=200"),
        (Catalog, "/promos"),
        (Notifications, "/notifications?userId=u_42"),
        (Billing, "/accounts/u_42/billing"),
        (Usage, "/accounts/u_42/usage"),
    ] {
        let answer = shop.get(service, path).bearer(&token).send().await;
        assert!(answer.status.is_success(), "{path}: {answer:?}");
        bodies.push(String::from_utf8(answer.body.to_vec()).unwrap());
    }
    bodies
}

#[tokio::test]
async fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let (first, again, other) =
        (everything_of_ada(7).await, everything_of_ada(7).await, everything_of_ada(8).await);
    assert_eq!(first, again);
    for (body, other) in first.iter().zip(&other).skip(1) {
        assert_ne!(body, other);
    }
}

#[tokio::test]
async fn a_token_outlives_the_process_that_issued_it() {
    let token = Shop::open().await.user("u_42").await;
    let only_users = Shop::with(|options| options.only = vec![Users]).await;
    assert_eq!(only_users.running.addresses.len(), 1);
    let answer = only_users.get(Users, "/users/u_42").bearer(&token).send().await;
    assert_eq!((answer.status.as_u16(), &answer.json()["firstName"]), (200, &"Ada".into()));

    let another_seed = Shop::with(|options| options.seed = 2).await;
    another_seed.get(Users, "/users/u_42").bearer(&token).send().await.is_problem(401, "unauthenticated");
}
