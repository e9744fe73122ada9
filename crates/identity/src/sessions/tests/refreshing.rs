//! What requests notice of refreshes.

use test_support::Metrics;

use super::*;

impl Site {
    fn redemptions(&self) -> Vec<(String, usize)> {
        self.issuer.redeemed().into_iter().collect()
    }
}

fn once(tokens: &[&str]) -> Vec<(String, usize)> {
    tokens.iter().map(|token| ((*token).to_owned(), 1)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_hundred_requests_with_a_token_that_is_over_make_one_refresh() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance(5 * MINUTE).await;
    let all = futures::future::join_all((0..100).map(|_| site.get(&ada))).await;
    assert!(all.iter().all(|got| got == "u_42 a-2"), "{all:?}");
    assert_eq!(site.redemptions(), once(&["r-1"]));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_replaced_behind_a_request_before_it_is_over() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance((4 * MINUTE).checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(site.recall(&ada).await, "u_42 a-1");
    behind().await;
    assert_eq!(site.redemptions(), []);
    advance(Duration::from_secs(1)).await;
    site.issuer.hold(true);
    assert_eq!(site.recall(&ada).await, "u_42 a-1", "it waited for the new one");
    behind().await;
    site.issuer.hold(false);
    behind().await;
    assert_eq!(site.recall(&ada).await, "u_42 a-2");
    assert_eq!(site.redemptions(), once(&["r-1"]));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_does_not_take_the_tokens_along() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance(5 * MINUTE).await;
    site.issuer.hold(true);
    let leaves = tokio::time::timeout(Duration::from_millis(100), site.get(&ada)).await;
    assert!(leaves.is_err());
    assert_eq!(site.get(&ada).await, LATER, "a slow provider is not a logout");
    // Longer than a lease lasts that nobody renews.
    advance(Duration::from_secs(4)).await;
    assert_eq!(site.get(&ada).await, LATER);
    site.issuer.hold(false);
    behind().await;
    assert_eq!(site.get(&ada).await, "u_42 a-2");
    assert_eq!(site.redemptions(), once(&["r-1"]));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_is_down_is_not_a_logout() {
    let site = Site::new();
    let ada = site.sign_in().await;
    site.issuer.set_down(true);
    advance((5 * MINUTE).checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(site.get(&ada).await, "u_42 a-1", "a token that lives serves");
    advance(Duration::from_secs(1)).await;
    for _ in 0..100 {
        assert_eq!(site.get(&ada).await, LATER);
        assert_eq!(site.state(&ada).await.unwrap_err().status(), 503, "nobody can tell");
    }
    assert!(site.issuer.asked() <= 3, "it was asked {} times", site.issuer.asked());
    site.issuer.set_down(false);
    advance(Duration::from_secs(5)).await;
    assert_eq!(site.get(&ada).await, "u_42 a-2");
    assert!(site.is_signed_in(&ada).await);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_session_and_it_does_not_look_alive() {
    let site = Site::new();
    let (ada, asks) = (site.sign_in().await, site.sign_in().await);
    site.issuer.refuse_all();
    assert!(site.is_signed_in(&asks).await);
    advance(5 * MINUTE).await;
    assert_eq!(site.state(&asks).await.unwrap(), SessionState::Nobody);
    assert_eq!(site.get(&ada).await, NOBODY);
    assert_eq!(site.get(&ada).await, NOBODY);
    assert_eq!(site.redemptions(), once(&["r-1", "r-2"]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_not_believed_while_somebody_elses_redemption_is_being_written() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance(5 * MINUTE).await;
    // A replica that stood still for so long that it lost its lease.
    let vault = &site.sessions.0.vault;
    let key = site.sessions.presented(&get(&ada)).unwrap();
    let session = vault.load(key).await.unwrap().unwrap();
    let tokens = site.issuer.redeem(&session.record.refresh_token().unwrap()).unwrap();
    let (waits, ()) = tokio::join!(site.get(&ada), async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        assert_eq!(site.issuer.asked(), 2, "this one has not been refused yet");
        let refreshed = session.record.refreshed(&tokens, vault.clock.now());
        vault.write(key, refreshed, store::If::Version(session.version)).await.unwrap().unwrap();
    });
    assert_eq!(waits, "u_42 a-2");
}

#[tokio::test(start_paused = true)]
async fn without_a_refresh_token_a_session_ends_with_its_token() {
    let site = Site::new();
    let mut signed_in = site.issuer.sign_in("s-1");
    signed_in.tokens.refresh_token = None;
    let ada = site.open(signed_in, None).await;
    advance((5 * MINUTE).checked_sub(Duration::from_secs(1)).unwrap()).await;
    assert_eq!(site.get(&ada).await, "u_42 a-1");
    advance(Duration::from_secs(1)).await;
    assert_eq!(site.get(&ada).await, NOBODY);
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_does_not_rotate_is_asked_with_the_same_token() {
    let site = Site::new();
    site.issuer.set_rotates(false);
    let ada = site.sign_in().await;
    for token in ["a-2", "a-3"] {
        advance(5 * MINUTE).await;
        assert_eq!(site.get(&ada).await, format!("u_42 {token}"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_process_can_wait_for_what_is_under_way() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance(4 * MINUTE).await;
    site.issuer.hold(true);
    site.recall(&ada).await;
    behind().await;
    let tasks = site.sessions.tasks();
    tasks.close();
    assert!(tokio::time::timeout(MINUTE / 6, tasks.wait()).await.is_err());
    site.issuer.hold(false);
    tasks.wait().await;
    assert_eq!(site.recall(&ada).await, "u_42 a-2");
}

#[tokio::test(start_paused = true)]
async fn a_meter_sees_what_became_of_cookies_and_refreshes() {
    let (site, metrics) = (Site::new(), Metrics::new());
    site.sessions.observe(&metrics.meter());
    let ada = site.sign_in().await;
    advance(6 * MINUTE).await;
    assert_eq!(site.get(&ada).await, "u_42 a-2");
    site.issuer.set_down(true);
    advance(6 * MINUTE).await;
    assert_eq!(site.get(&ada).await, LATER);
    site.issuer.set_down(false);
    site.issuer.refuse_all();
    advance(6 * MINUTE).await;
    assert_eq!(site.get(&ada).await, NOBODY);
    assert_eq!(site.get("a=b").await, NOBODY);

    for (outcome, count) in [("ok", 1), ("lost_race", 0), ("failed", 1), ("ended", 1)] {
        let counted = format!(r#"triptych_identity_refreshes_total{{triptych_outcome="{outcome}"}}"#);
        assert_eq!(metrics.value(&counted), count, "{outcome}");
    }
    for outcome in ["accepted", "refused", "unavailable"] {
        let of = format!(r#"triptych_credential="session",triptych_outcome="{outcome}""#);
        assert_eq!(metrics.value(&format!("triptych_identity_credentials_total{{{of}}}")), 1, "{outcome}");
    }
    let up = r#"triptych_store_up{db_system_name="memory",triptych_store_keeps="sessions"}"#;
    assert_eq!(metrics.value(up), 1);
}
