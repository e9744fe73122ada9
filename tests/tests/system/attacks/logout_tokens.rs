//! Logout tokens (OpenID Connect Back-Channel Logout 1.0) that the provider did not send, or sent long ago.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use end_to_end::{Client, Content, Kind, System};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use super::browser::Browser;
use super::doors;

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[tokio::test]
async fn forged_or_replayed_back_channel_logout() {
    let system = System::start().await;
    let (ours, others) = (Key::of_seed(1), Key::of_seed(2));
    for (door, web) in doors(&system, Kind::Web) {
        let mut browser = Browser::new(&web);
        browser.sign_in(&system.shop, "u_42").await;
        for (what, change) in [
            ("another issuer", json!({"iss": "https://evil.test"})),
            ("another audience", json!({"aud": "mobile-bff"})),
            ("no audience", json!({"aud": null})),
            ("issued long ago", json!({"iat": now() - 3600, "exp": now() + 60})),
            ("issued tomorrow", json!({"iat": now() + 86400})),
            ("expired", json!({"exp": now() - 600})),
            ("no jti", json!({"jti": null})),
            ("a nonce", json!({"nonce": "n"})),
            ("no events", json!({"events": null})),
            ("another event", json!({"events": {"http://schemas.openid.net/event/other": {}}})),
            ("nobody", json!({"sub": null})),
        ] {
            assert_eq!(tell(&web, &ours.logout_token(&change)).await, 400, "{what} {door}");
        }
        let good = ours.logout_token(&json!({}));
        let unsigned = good.rsplit_once('.').map(|(rest, _)| format!("{rest}."));
        for (what, token) in [
            ("another key", others.logout_token(&json!({}))),
            ("another type", ours.signed("at+jwt", &json!({}))),
            ("no signature", unsigned.expect("a token has three parts")),
            ("no token", String::new()),
        ] {
            assert_eq!(tell(&web, &token).await, 400, "{what} {door}");
        }
        assert_eq!(browser.visit("/orders").await.outcome(), "200", "a forged token ended a session {door}");

        assert_eq!(tell(&web, &good).await, 200, "{door}");
        assert_eq!(browser.visit("/orders").await.outcome(), "401 unauthenticated", "{door}");
        browser.sign_in(&system.shop, "u_42").await;
        assert_eq!(tell(&web, &good).await, 400, "a replay {door}");
        assert_eq!(browser.visit("/orders").await.outcome(), "200", "a replay ended a session {door}");
    }
}

async fn tell(web: &Client, token: &str) -> u16 {
    let form = Content::of(Some("application/x-www-form-urlencoded"), format!("logout_token={token}"));
    web.send("POST", "/auth/backchannel-logout", Some(form)).await.status.as_u16()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}

/// The key of a demo provider, which anybody can derive: the demo is no secret.
struct Key {
    signing: EncodingKey,
    id: String,
}

impl Key {
    fn of_seed(seed: u64) -> Self {
        let secret = digest(&SHA256, format!("triptych demo-shop signing key{seed}").as_bytes());
        let pair = Ed25519KeyPair::from_seed_unchecked(secret.as_ref()).expect("32 bytes are a key");
        let der: Pkcs8V1Der<'_> = pair.as_der().expect("a key has a form");
        let x = BASE64_URL_SAFE_NO_PAD.encode(pair.public_key());
        let thumbprint = digest(&SHA256, format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#).as_bytes());
        let id = BASE64_URL_SAFE_NO_PAD.encode(thumbprint);
        Self { signing: EncodingKey::from_ed_der(der.as_ref()), id }
    }

    fn logout_token(&self, change: &Value) -> String {
        self.signed("logout+jwt", change)
    }

    /// A logout token for Ada with these changes; what is `null` is left out.
    fn signed(&self, typ: &str, change: &Value) -> String {
        let mut claims = json!({
            "iss": "http://127.0.0.1:3007", "aud": "web-bff", "sub": "u_42", "iat": now(), "exp": now() + 120,
            "jti": format!("{:x}", random()), "events": {EVENT: {}},
        });
        for (claim, value) in change.as_object().expect("an object of claims") {
            claims[claim] = value.clone();
        }
        claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
        let mut header = Header::new(Algorithm::EdDSA);
        (header.typ, header.kid) = (Some(typ.to_owned()), Some(self.id.clone()));
        encode(&header, &claims, &self.signing).expect("claims can be signed")
    }
}

fn random() -> u64 {
    let mut bytes = [0; 8];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    u64::from_le_bytes(bytes)
}
