//! Proofs of possession (RFC 9449): each rule is a row that only its own check refuses.

use aws_lc_rs::digest::{SHA256, digest};
use http::header::AUTHORIZATION;
use http::request::Parts;
use http::{HeaderName, Method, Request};
use identity::Bearer;
use jiff::Timestamp;
use request_context::Authenticate;
use serde_json::{Value, json};
use store::{SharedStore, StoreSettings};

use super::provider::FakeProvider;
use super::signer::{Signer, claims, encode};
use super::support::{Log, PUBLIC_URL, bearer, bearer_with, request, summary};

const DPOP: HeaderName = HeaderName::from_static("dpop");
const BAD_PROOF: &str = r#"401 www-authenticate: DPoP realm="triptych", error="invalid_dpop_proof", algs="ES256 ES384 EdDSA PS256 RS256""#;
const BAD_TOKEN: &str = r#"401 www-authenticate: DPoP realm="triptych", error="invalid_token", algs="ES256 ES384 EdDSA PS256 RS256""#;

struct House {
    provider: Signer,
    /// The key of the app.
    key: Signer,
    bearer: Bearer,
    fake: FakeProvider,
}

async fn house() -> House {
    let provider = Signer::ed25519("good");
    let fake = FakeProvider::start(&[&provider]).await;
    let bearer = bearer(&fake, &json!({}));
    House { provider, key: Signer::p256("app"), bearer, fake }
}

/// The public key and nothing else.
fn public(signer: &Signer) -> Value {
    let mut jwk = signer.jwk();
    for member in ["kid", "alg"] {
        jwk.as_object_mut().unwrap().remove(member);
    }
    jwk
}

/// RFC 7638, without the code under test: the members of a map are in alphabetical order.
fn thumbprint(signer: &Signer) -> String {
    encode(digest(&SHA256, public(signer).to_string().as_bytes()))
}

fn hash(token: &str) -> String {
    encode(digest(&SHA256, token.as_bytes()))
}

impl House {
    fn token(&self, cnf: &Value) -> String {
        let mut claims = claims();
        if !cnf.is_null() {
            claims["cnf"] = cnf.clone();
        }
        self.provider.sign(&self.provider.header(), &claims)
    }

    fn bound(&self) -> String {
        self.token(&json!({"jkt": thumbprint(&self.key)}))
    }
}

fn header(signer: &Signer) -> Value {
    json!({"typ": "dpop+jwt", "alg": signer.alg(), "jwk": public(signer)})
}

/// What a good proof for `GET /orders/o_1` with this token says.
fn says(token: &str) -> Value {
    let jti = request().request_id().as_str().to_owned();
    json!({
        "jti": jti, "htm": "GET", "htu": format!("{PUBLIC_URL}/orders/o_1"), "iat": Timestamp::now().as_second(),
        "ath": hash(token),
    })
}

fn with(mut object: Value, member: &str, value: Value) -> Value {
    object[member] = value;
    object
}

fn without(mut object: Value, member: &str) -> Value {
    object.as_object_mut().unwrap().remove(member);
    object
}

/// `GET /orders/o_1?x=1`, as the gateway passes it on.
fn get(authorization: &str, proofs: &[&str]) -> Parts {
    let request =
        Request::builder().method(Method::GET).uri("/orders/o_1?x=1").header(AUTHORIZATION, authorization);
    let request = proofs.iter().fold(request, |request, proof| request.header(DPOP, *proof));
    request.body(()).unwrap().into_parts().0
}

async fn outcome(bearer: &Bearer, head: &Parts) -> String {
    summary(bearer.authenticate(&request(), head).await)
}

#[tokio::test]
async fn a_proof_of_every_algorithm_is_taken() {
    let house = house().await;
    for key in [Signer::p256("p"), Signer::ed25519("e"), Signer::rsa("r")] {
        let token = house.token(&json!({"jkt": thumbprint(&key)}));
        for _warm in [false, true] {
            let proof = key.sign(&header(&key), &says(&token));
            let head = get(&format!("dpop {token}"), &[&proof]);
            assert_eq!(outcome(&house.bearer, &head).await, "u_42", "{}", key.alg());
        }
    }
    assert_eq!(house.fake.calls("/jwks"), 1);
}

fn bad_headers(house: &House, token: &str) -> Vec<(&'static str, String)> {
    let mallory = Signer::p256("app");
    let sign = |header: Value| house.key.sign(&header, &says(token));
    let good = || header(&house.key);
    let own = |member: &str, value: Value| with(good(), "jwk", with(public(&house.key), member, value));
    vec![
        ("WrongType", sign(with(good(), "typ", json!("JWT")))),
        ("WrongType", sign(with(good(), "typ", json!("at+jwt")))),
        ("Malformed", sign(without(good(), "typ"))),
        ("Malformed", sign(without(good(), "jwk"))),
        ("Malformed", sign(with(good(), "jwk", json!("key")))),
        ("ForbiddenHeader", sign(with(good(), "crit", json!(["b64"])))),
        ("WrongAlgorithm", sign(with(good(), "alg", json!("none")))),
        ("WrongAlgorithm", sign(with(good(), "alg", json!("HS256")))),
        ("WrongAlgorithm", sign(with(good(), "alg", json!("RS512")))),
        ("BadKey", sign(with(good(), "alg", json!("EdDSA")))),
        ("BadKey", sign(with(good(), "alg", json!("ES384")))),
        ("BadKey", sign(own("d", json!("AQAB")))),
        ("BadKey", sign(own("k", json!("AQAB")))),
        ("BadKey", sign(own("alg", json!("ES384")))),
        ("BadKey", sign(own("use", json!("enc")))),
        ("BadKey", sign(own("x", json!("!")))),
        ("BadKey", sign(with(good(), "jwk", json!({"kty": "oct", "k": "c2VjcmV0"})))),
        ("OtherKey", mallory.sign(&header(&mallory), &says(token))),
        ("WrongSignature", mallory.sign(&good(), &says(token))),
    ]
}

fn bad_claims(house: &House, token: &str) -> Vec<(&'static str, String)> {
    let now = Timestamp::now().as_second();
    let sign = |claims: Value| house.key.sign(&header(&house.key), &claims);
    let changed = |claim: &str, value: Value| sign(with(says(token), claim, value));
    let url = |url: &str| changed("htu", json!(url));
    vec![
        ("OtherMethod", changed("htm", json!("POST"))),
        ("OtherMethod", changed("htm", json!("get"))),
        ("OtherUrl", url("https://shop.example/orders/o_1")),
        ("OtherUrl", url("https://shop.example/mobile/orders/o_2")),
        ("OtherUrl", url("http://shop.example/mobile/orders/o_1")),
        ("OtherUrl", url("https://mallory.example/mobile/orders/o_1")),
        ("OtherUrl", url("/mobile/orders/o_1")),
        ("OtherToken", changed("ath", json!(hash("another")))),
        ("OtherToken", changed("ath", json!(""))),
        ("OutOfTime", changed("iat", json!(now - 65))),
        ("OutOfTime", changed("iat", json!(now + 65))),
        ("OutOfTime", changed("exp", json!(now - 100))),
        ("OutOfTime", changed("nbf", json!(now + 100))),
        ("BadClaim", changed("iat", json!("now"))),
        ("BadClaim", changed("jti", json!(""))),
        ("BadClaim", changed("jti", json!("x".repeat(257)))),
        ("BadClaim", changed("jti", json!(7))),
        ("BadClaim", sign(without(says(token), "jti"))),
        ("BadClaim", sign(without(says(token), "htm"))),
        ("BadClaim", sign(without(says(token), "htu"))),
        ("BadClaim", sign(without(says(token), "iat"))),
        ("BadClaim", sign(without(says(token), "ath"))),
    ]
}

#[tokio::test]
async fn a_bad_proof_is_refused() {
    let house = house().await;
    let (log, _guard) = Log::capture();
    let token = house.bound();
    let good = || house.key.sign(&header(&house.key), &says(&token));
    let misshapen = vec![
        ("Malformed", String::new()),
        ("Malformed", "a.b.c".to_owned()),
        ("Malformed", format!("{}.x", good())),
        ("Malformed", format!("{},{}", good(), good())),
        ("Oversized", format!("{}{}", good(), "A".repeat(4096))),
    ];
    let proofs = [bad_headers(&house, &token), bad_claims(&house, &token), misshapen].into_iter().flatten();
    let rows = proofs.map(|(fault, proof)| (fault, vec![proof]));
    let counts = [("Missing", vec![]), ("Doubled", vec![good(), good()])];
    for (fault, proofs) in rows.chain(counts) {
        log.take();
        let proofs: Vec<_> = proofs.iter().map(String::as_str).collect();
        let head = get(&format!("DPoP {token}"), &proofs);
        assert_eq!(outcome(&house.bearer, &head).await, BAD_PROOF, "{fault}: {proofs:?}");
        let events = log.take();
        assert!(events.contains(&format!("reason=Proof({fault})")), "{fault}: {events}");
        assert!(events.contains("credential=dpop") && !events.contains(&token), "{fault}: {events}");
    }
    // None of them has spoilt what a good one is worth.
    assert_eq!(outcome(&house.bearer, &get(&format!("DPoP {token}"), &[&good()])).await, "u_42");
}

#[tokio::test]
async fn the_url_may_be_spelt_in_every_way() {
    let house = house().await;
    let token = house.bound();
    for url in [
        "HTTPS://SHOP.example:443/mobile/orders/o_1",
        "https://shop.example/mobile/orders/%6f_1",
        "https://shop.example/mobile/orders/o_1?x=2#y",
    ] {
        let proof = house.key.sign(&header(&house.key), &with(says(&token), "htu", json!(url)));
        assert_eq!(outcome(&house.bearer, &get(&format!("DPoP {token}"), &[&proof])).await, "u_42", "{url}");
    }
}

#[tokio::test]
async fn a_clock_may_be_off_by_the_leeway() {
    let house = house().await;
    let token = house.bound();
    for off in [-50, 50] {
        let iat = json!(Timestamp::now().as_second() + off);
        let proof = house.key.sign(&header(&house.key), &with(says(&token), "iat", iat));
        assert_eq!(outcome(&house.bearer, &get(&format!("DPoP {token}"), &[&proof])).await, "u_42", "{off}");
    }
}

#[tokio::test]
async fn a_proof_is_taken_once_by_all_replicas_together() {
    let house = house().await;
    let store = SharedStore::memory();
    let replicas = [(); 2].map(|()| bearer_with(&house.fake, &json!({}), &store));
    let token = house.bound();
    let says = says(&token);
    let head = get(&format!("DPoP {token}"), &[&house.key.sign(&header(&house.key), &says)]);
    assert_eq!(outcome(&replicas[0], &head).await, "u_42");
    for replica in &replicas {
        assert_eq!(outcome(replica, &head).await, BAD_PROOF);
    }
    // Another's id is another.
    let other = Signer::ed25519("app");
    let token = house.token(&json!({"jkt": thumbprint(&other)}));
    let proof = other.sign(&header(&other), &with(says, "ath", json!(hash(&token))));
    assert_eq!(outcome(&replicas[1], &get(&format!("DPoP {token}"), &[&proof])).await, "u_42");
}

#[tokio::test]
async fn without_the_store_no_proof_is_taken() {
    let house = house().await;
    // Nobody listens there.
    let settings: StoreSettings = serde_json::from_value(json!({"url": "redis://127.0.0.1:9"})).unwrap();
    let bearer = bearer_with(&house.fake, &json!({}), &SharedStore::open(&settings).unwrap());
    let token = house.bound();
    let proof = house.key.sign(&header(&house.key), &says(&token));
    assert_eq!(outcome(&bearer, &get(&format!("DPoP {token}"), &[&proof])).await, "503 retry-after: 5");
    // A token that needs no proof needs no store.
    assert_eq!(outcome(&bearer, &get(&format!("Bearer {}", house.token(&Value::Null)), &[])).await, "u_42");
}

#[tokio::test]
async fn a_token_comes_the_way_it_is_bound() {
    let house = house().await;
    let required = self::bearer(&house.fake, &json!({"dpop": "required"}));
    let (bound, unbound) = (house.bound(), house.token(&Value::Null));
    let missing = r#"401 www-authenticate: DPoP realm="triptych", algs="ES256 ES384 EdDSA PS256 RS256""#;
    for (bearer, scheme, token, expected) in [
        (&house.bearer, "Bearer", &unbound, "u_42"),
        (&house.bearer, "DPoP", &bound, "u_42"),
        (&house.bearer, "Bearer", &bound, BAD_TOKEN),
        (&house.bearer, "DPoP", &unbound, BAD_TOKEN),
        (&required, "Bearer", &unbound, BAD_TOKEN),
        (&required, "Bearer", &bound, BAD_TOKEN),
        (&required, "DPoP", &unbound, BAD_TOKEN),
        (&required, "DPoP", &bound, "u_42"),
        (&required, "Basic", &bound, missing),
    ] {
        for _warm in [false, true] {
            let proof = house.key.sign(&header(&house.key), &says(token));
            let head = get(&format!("{scheme} {token}"), &[&proof]);
            assert_eq!(outcome(bearer, &head).await, expected, "{scheme}");
        }
    }
}
