//! Many who ask the same at the same time are one call for each replica.

use end_to_end::{Kind, until};
use futures::future::join_all;

use super::{FORGETFUL, PATIENT, Site, begin, figure};

const USERS: u32 = 8;
const REQUESTS: usize = 200;
const SEARCH: &str = "catalog GET /products";

#[tokio::test]
async fn a_stampede_is_one_call_for_each_replica() {
    let site = Site::open().await;
    // What is kept would make it easier.
    let changes = [PATIENT, FORGETFUL];
    let replicas = [site.start(Kind::Web, &changes).await, site.start(Kind::Web, &changes).await];
    let mut clients = vec![];
    for user in 42..42 + USERS {
        for replica in &replicas {
            clients.push(site.client(replica, &format!("u_{user}")).await);
        }
    }
    site.shop.hold("catalog").await;
    let asking: Vec<_> = clients.iter().cycle().take(REQUESTS).collect();
    let asking: Vec<_> =
        asking.into_iter().map(|client| begin(client, "GET", "/products?q=oak", None)).collect();
    for replica in &replicas {
        let all = async || {
            let joined = replica.operation("catalog.search").await["coalesced"].as_u64();
            (joined == Some(REQUESTS as u64 / 2 - 1)).then_some(())
        };
        until("all requests at one call", all).await;
    }
    site.shop.release("catalog").await;
    let answers = join_all(asking).await;
    let first = answers[0].as_ref().expect("it does not panic").body.clone();
    for answer in answers {
        let answer = answer.expect("it does not panic");
        assert_eq!((answer.outcome(), &answer.body), ("200".into(), &first));
    }
    let calls = site.calls(SEARCH).await;
    assert_eq!(calls, replicas.len() as u64);
    figure("stampede", &[&REQUESTS, &USERS, &replicas.len(), &calls]);
}

#[tokio::test]
async fn what_is_kept_is_not_asked_for_again() {
    let site = Site::open().await;
    let web = site.start(Kind::Web, &[PATIENT]).await;
    for user in 42..42 + USERS {
        let client = site.client(&web, &format!("u_{user}")).await;
        // Of what is kept, promos are fresh for longest: half a minute.
        assert_eq!(client.get("/products/p_1").await.outcome(), "200");
    }
    assert_eq!(site.calls("catalog GET /promos").await, 1);
}
