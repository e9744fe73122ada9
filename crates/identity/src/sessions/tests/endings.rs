//! How sessions end.

use super::*;

const GONE: &str = "__Host-Http-triptych=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0";

#[tokio::test(start_paused = true)]
async fn signing_out_ends_the_session_here_and_sends_the_browser_to_the_provider() {
    let site = Site::new();
    let (ada, elsewhere) = (site.sign_in().await, site.sign_in().await);
    let logout =
        async |cookie: &str| site.sessions.logout(&request(DEADLINE), &post(cookie, &OURS)).await.unwrap();
    let out = logout(&ada).await;
    assert_eq!(
        out.redirect_to,
        format!("{REALM}/end-session?post_logout_redirect_uri=https://shop.example/")
    );
    assert_eq!(out.cookies, [GONE]);
    behind().await;
    assert_eq!(site.issuer.revoked(), ["r-1"]);
    assert_eq!(site.get(&ada).await, NOBODY);
    assert_eq!(site.get(&elsewhere).await, "u_42 a-2");

    // A double click, no session, a broken one: all are out.
    for cookie in [&ada, "", "__Host-Http-triptych=x"] {
        assert_eq!(logout(cookie).await.cookies, [GONE]);
    }
    // But for a form of another site's, with which the cookie does not come.
    let foreign = site.sessions.logout(&request(DEADLINE), &post("", &[])).await.unwrap_err();
    assert_eq!(foreign.kind(), problem::kind::CROSS_SITE);
    site.issuer.set_end_session(None);
    assert_eq!(logout(&elsewhere).await.redirect_to, "https://shop.example/");
}

#[tokio::test(start_paused = true)]
async fn signing_out_while_the_tokens_are_refreshed_brings_nothing_back() {
    let site = Site::new();
    let ada = site.sign_in().await;
    advance(5 * MINUTE).await;
    site.issuer.hold(true);
    let waiting = {
        let (sessions, head) = (site.sessions.clone(), get(&ada));
        tokio::spawn(async move { summary(sessions.authenticate(&request(DEADLINE), &head).await) })
    };
    behind().await;
    site.sessions.logout(&request(DEADLINE), &post(&ada, &OURS)).await.unwrap();
    site.issuer.hold(false);
    assert_eq!(waiting.await.unwrap(), NOBODY);
    behind().await;
    assert_eq!(site.issuer.revoked(), ["r-1", "r-2"]);
    assert_eq!(site.get(&ada).await, NOBODY);
}

#[tokio::test(start_paused = true)]
async fn a_new_sign_in_replaces_the_session_and_its_tokens_are_left_alone() {
    let site = Site::new();
    let before = site.sign_in().await;
    advance(5 * MINUTE).await;
    site.issuer.hold(true);
    let waiting = {
        let (sessions, head) = (site.sessions.clone(), get(&before));
        tokio::spawn(async move { summary(sessions.authenticate(&request(DEADLINE), &head).await) })
    };
    behind().await;
    let after = site.open(site.issuer.sign_in("s-1"), Some(&before)).await;
    site.issuer.hold(false);
    assert_eq!(waiting.await.unwrap(), NOBODY);
    behind().await;
    assert_eq!(site.get(&before).await, NOBODY);
    assert_eq!(site.get(&after).await, "u_42 a-3");
    assert_eq!(site.issuer.revoked(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_provider_ends_one_of_its_sessions_or_all_of_a_user() {
    let site = Site::new();
    let open = async |sid| site.open(site.issuer.sign_in(sid), None).await;
    let (first, second, third) = (open("s-1").await, open("s-1").await, open("s-2").await);
    let told = async |token: &str| {
        let answer = site.sessions.backchannel_logout(&request(DEADLINE), token).await;
        answer.map_err(|problem| problem.status().as_u16())
    };
    assert_eq!(told("forged").await, Err(400));
    assert_eq!(told("j-0 s-9 u_42").await, Ok(()));
    assert!(site.is_signed_in(&first).await, "a session of the provider's is more exact than its user");
    assert_eq!(told("j-1 s-1 u_42").await, Ok(()));
    assert!(!site.is_signed_in(&first).await && !site.is_signed_in(&second).await);
    assert!(site.is_signed_in(&third).await);

    let again = open("s-1").await;
    assert_eq!(told("j-1 s-1 u_42").await, Err(400), "it was replayed");
    assert!(site.is_signed_in(&again).await);
    assert_eq!(told("j-2 - u_42").await, Ok(()));
    assert!(!site.is_signed_in(&again).await && !site.is_signed_in(&third).await);
}

#[tokio::test(start_paused = true)]
async fn a_logout_token_that_was_not_followed_to_the_end_is_followed_again() {
    let site = Site::new();
    let ada = site.sign_in().await;
    let name = crate::sessions::record::tag("logout-token", REALM, "j-1");
    let begun = store::Entry::new("begun", MINUTE);
    site.store.put(&name, begun, store::If::Absent).await.unwrap();
    site.sessions.backchannel_logout(&request(DEADLINE), "j-1 s-1 -").await.unwrap();
    assert!(!site.is_signed_in(&ada).await);
}
