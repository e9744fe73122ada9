use demo_shop::Service::{Billing, Notifications, Usage, Users};
use serde_json::json;

use crate::client::Shop;

#[tokio::test]
async fn ada_is_ada() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let ada = shop.get(Users, "/users/u_42").bearer(&token).send().await.json();
    assert_eq!((&ada["firstName"], &ada["lastName"]), (&json!("Ada"), &json!("Lovelace")));
    for member in ["id", "email", "role", "avatarUrl", "locale", "createdAt"] {
        assert!(ada[member].is_string(), "{member}");
    }
    let billing = shop.get(Billing, "/accounts/u_42/billing").bearer(&token).send().await.json();
    assert_eq!(billing["status"], "active");
    assert_eq!(billing["paymentMethod"]["last4"].as_str().map(str::len), Some(4));
    assert!(billing["balanceCents"].is_i64() && billing["nextInvoiceAt"].is_string());
    let usage = shop.get(Usage, "/accounts/u_42/usage").bearer(&token).send().await.json();
    assert!(usage["period"]["from"].is_string() && usage["period"]["to"].is_string());
    assert!(usage["apiCalls"].as_u64() <= usage["apiCallLimit"].as_u64());
}

#[tokio::test]
async fn odd_names_are_there() {
    let shop = Shop::open().await;
    for (id, first, last) in
        [("u_100", "", "Teller"), ("u_104", "Siobhán", "O'Brien"), ("u_109", "محمد", "عبد الله")]
    {
        let user = shop.get(Users, &format!("/users/{id}")).bearer(&shop.user(id).await).send().await.json();
        assert_eq!((&user["firstName"], &user["lastName"]), (&json!(first), &json!(last)));
    }
}

#[tokio::test]
async fn a_read_notification_is_read_for_the_next_who_looks() {
    let shop = Shop::open().await;
    let token = shop.user("u_42").await;
    let list = async |more: &str| {
        let path = format!("/notifications?userId=u_42{more}");
        shop.get(Notifications, &path).bearer(&token).send().await
    };
    let unread = list("&unread=true").await;
    assert_eq!((unread.json()["unreadCount"].as_u64(), unread.items("id").len()), (Some(4), 4));
    assert_eq!(list("&unread=false").await.items("id").len(), 5);
    assert_eq!(list("&unread=true&limit=1").await.json()["unreadCount"], 4);
    assert!(list("").await.items("createdAt").is_sorted_by(|a, b| a >= b));

    let first = &unread.items("id")[0];
    for _ in 0..2 {
        let path = format!("/notifications/{first}/read");
        let answer = shop.post(Notifications, &path).bearer(&token).send().await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    }
    assert_eq!(list("&unread=true").await.items("id"), unread.items("id")[1..]);
    assert_eq!(list("").await.json()["unreadCount"], 3);

    let unknown = shop.post(Notifications, "/notifications/n_999999/read").bearer(&token).send().await;
    unknown.is_problem(404, "not-found");
    list("&unread=perhaps").await.is_problem(400, "invalid");
    list("&limit=0").await.is_problem(400, "invalid");
}
