//! Bad credentials: each is refused, leaves one audit event, and tells nobody a secret.

use aws_lc_rs::hmac;
use http::header::AUTHORIZATION;
use identity::Bearer;
use request_context::Authenticate;
use serde_json::{Value, json};

use super::bearer::caller_of;
use super::provider::FakeProvider;
use super::signer::{Signer, claims, encode, message};
use super::support::{ISSUER, Log, bearer, head, request, summary};

const REFUSED: &str = r#"401 www-authenticate: Bearer realm="triptych", error="invalid_token""#;
const PROOF_NEEDED: &str = r#"401 www-authenticate: DPoP realm="triptych", error="invalid_token", algs="ES256 ES384 EdDSA PS256 RS256""#;
const NO_CREDENTIAL: &str = r#"401 www-authenticate: Bearer realm="triptych", DPoP realm="triptych", algs="ES256 ES384 EdDSA PS256 RS256""#;

struct House {
    good: Signer,
    other: Signer,
    bearer: Bearer,
    fake: FakeProvider,
}

async fn house() -> House {
    let (good, other) = (Signer::ed25519("good"), Signer::p256("other"));
    let fake = FakeProvider::start(&[&good, &other]).await;
    let bearer = bearer(&fake, &json!({}));
    House { good, other, bearer, fake }
}

impl House {
    /// Lets nothing more be asked, and stops time, in which the provider might get another key.
    async fn spend_the_budget(&self) {
        for _ in 0..2 {
            let unknown = self.with_header("kid", json!("unknown"));
            assert_eq!(caller_of(&self.bearer, &unknown).await, REFUSED);
        }
        assert_eq!(self.fake.calls("/jwks"), 2);
        tokio::time::pause();
    }

    fn with_header(&self, member: &str, value: Value) -> String {
        let mut header = self.good.header();
        header[member] = value;
        self.good.sign(&header, &claims())
    }

    fn with_claim(&self, claim: &str, value: Value) -> String {
        let mut claims = claims();
        claims[claim] = value;
        self.good.sign(&self.good.header(), &claims)
    }

    fn without_claim(&self, claim: &str) -> String {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(claim);
        self.good.sign(&self.good.header(), &claims)
    }

    /// The public key taken for a shared secret.
    fn swapped_for_hmac(&self) -> String {
        let message = message(&json!({"alg": "HS256", "typ": "at+jwt", "kid": "good"}), &claims());
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.good.public_bytes());
        format!("{message}.{}", encode(hmac::sign(&key, message.as_bytes())))
    }

    /// Another's claims under a good signature.
    fn spliced(&self) -> String {
        let mut claims = claims();
        claims["sub"] = json!("u_1");
        let token = self.good.token();
        let signature = token.rsplit('.').next().unwrap();
        format!("{}.{signature}", message(&self.good.header(), &claims))
    }

    fn doubled_claim(&self, claim: &str) -> String {
        let twice = claims().to_string().replacen('{', &format!(r#"{{"{claim}":"{ISSUER}","#), 1);
        let message = format!("{}.{}", encode(self.good.header().to_string()), encode(twice));
        format!("{message}.{}", encode(b"unsigned"))
    }

    fn forged_headers(&self) -> Vec<(&'static str, String)> {
        let mallory = Signer::ed25519("good");
        vec![
            ("WrongSignature", mallory.token()),
            ("WrongSignature", self.spliced()),
            ("WrongAlgorithm", self.swapped_for_hmac()),
            ("WrongAlgorithm", unsigned("HS256")),
            ("WrongSignature", unsigned("EdDSA")),
            ("Malformed", unsigned("none")),
            ("Malformed", unsigned("None")),
            ("WrongAlgorithm", self.with_header("alg", json!("ES256"))),
            ("WrongAlgorithm", self.with_header("alg", json!("PS512"))),
            ("WrongAlgorithm", self.with_header("kid", json!("other"))),
            ("WrongType", self.with_header("typ", json!("JWT"))),
            ("WrongType", self.with_header("typ", json!("logout+jwt"))),
            ("WrongType", self.with_header("typ", Value::Null)),
            ("ForbiddenHeader", own_key("jwk", Value::Null)),
            ("ForbiddenHeader", own_key("jku", json!("http://mallory.example/jwks"))),
            ("ForbiddenHeader", own_key("x5u", json!("http://mallory.example/x5u"))),
            ("ForbiddenHeader", own_key("x5c", json!(["MIIB"]))),
            ("ForbiddenHeader", self.with_header("crit", json!(["b64"]))),
            ("Malformed", self.with_header("kid", json!(["good"]))),
            ("UnknownKey", self.with_header("kid", Value::Null)),
            ("UnknownKey", self.with_header("kid", json!(""))),
            ("UnknownKey", self.with_header("kid", json!("../../dev/null"))),
            ("UnknownKey", self.with_header("kid", json!("good' OR '1'='1"))),
            ("UnknownKey", self.with_header("kid", json!("http://mallory.example/jwks"))),
        ]
    }

    fn forged_claims(&self) -> Vec<(&'static str, String)> {
        let now = claims()["iat"].as_i64().unwrap();
        vec![
            ("WrongAudience", self.with_claim("aud", json!("users"))),
            ("WrongAudience", self.with_claim("aud", json!([]))),
            ("WrongAudience", self.with_claim("aud", json!(["mobile-bff-2", "Mobile-BFF"]))),
            ("BadClaim", self.without_claim("aud")),
            ("WrongIssuer", self.with_claim("iss", json!("http://idp.shop.example/"))),
            ("WrongIssuer", self.with_claim("iss", json!("HTTP://idp.shop.example"))),
            (
                "BadClaim",
                self.with_claim("iss", json!(["http://idp.shop.example", "http://mallory.example"])),
            ),
            ("BadClaim", self.without_claim("iss")),
            ("Expired", self.with_claim("exp", json!(now - 40))),
            ("BadClaim", self.without_claim("exp")),
            ("BadClaim", self.with_claim("exp", json!("9999999999"))),
            ("BadClaim", self.with_claim("exp", json!(1e300))),
            ("BadClaim", self.with_claim("exp", json!(-1))),
            ("NotYetValid", self.with_claim("nbf", json!(now + 60))),
            ("BadClaim", self.with_claim("nbf", json!("now"))),
            ("NotYetValid", self.with_claim("iat", json!(now + 60))),
            ("NotYetValid", self.with_claim("iat", json!(now + 7200))),
            ("BadClaim", self.without_claim("iat")),
            ("BadClaim", self.without_claim("jti")),
            ("BadClaim", self.with_claim("jti", json!(""))),
            ("BadClaim", self.with_claim("cnf", json!({}))),
            ("BadClaim", self.with_claim("cnf", json!({"x5t#S256": "A"}))),
            ("BadClaim", self.with_claim("cnf", json!({"jkt": "A", "x5t#S256": "A"}))),
            ("ProofMissing", self.with_claim("cnf", json!({"jkt": "A"}))),
            ("BadClaim", self.without_claim("sub")),
            ("BadSubject", self.with_claim("sub", json!(""))),
            ("BadSubject", self.with_claim("sub", json!("u_42\r\nX-Admin: 1"))),
            ("BadClaim", self.with_claim("sub", json!(["u_42"]))),
            ("BadClaim", self.with_claim("scope", json!(["admin"]))),
            ("WrongSignature", self.doubled_claim("sub")),
            ("BadClaim", self.doubled_claim("iss")),
        ]
    }

    fn misshapen(&self) -> Vec<(&'static str, String)> {
        let token = self.good.token();
        let parts: Vec<_> = token.split('.').collect();
        let (header, payload, signature) = (parts[0], parts[1], parts[2]);
        let in_json = json!({"protected": header, "payload": payload, "signature": signature}).to_string();
        let nested = "[".repeat(3000);
        vec![
            ("Malformed", String::new()),
            ("Malformed", ".".to_owned()),
            ("Malformed", "..".to_owned()),
            ("Malformed", format!("{token}.")),
            ("Malformed", format!(".{token}")),
            ("Malformed", format!("{token}=")),
            ("Malformed", format!("{token} {token}")),
            ("Malformed", token.replace('.', "..")),
            ("Malformed", format!("{header}.{payload}")),
            ("Malformed", format!("{payload}.{signature}")),
            ("Malformed", format!(".{payload}.{signature}")),
            ("BadClaim", format!("{header}..{signature}")),
            ("WrongSignature", format!("{header}.{payload}.")),
            ("Malformed", format!("{token}.{signature}")),
            ("Malformed", in_json),
            ("Malformed", format!("{}.{}.x", encode(&nested), encode(&nested))),
            ("Oversized", format!("{token}{}", "A".repeat(8192))),
        ]
    }
}

fn unsigned(alg: &str) -> String {
    let header = json!({"alg": alg, "typ": "at+jwt", "kid": "good"});
    format!("{}.", message(&header, &claims()))
}

/// Signed by somebody who brings the key along.
fn own_key(member: &str, value: Value) -> String {
    let mallory = Signer::ed25519("good");
    let mut header = mallory.header();
    header[member] = if value.is_null() { mallory.jwk() } else { value };
    mallory.sign(&header, &claims())
}

#[tokio::test]
async fn forged_tokens_are_refused() {
    let house = house().await;
    let (log, _guard) = Log::capture();
    assert_eq!(caller_of(&house.bearer, &house.good.token()).await, "u_42");
    assert_eq!(caller_of(&house.bearer, &house.other.token()).await, "u_42");
    house.spend_the_budget().await;
    log.take();
    let attacks = [house.forged_headers(), house.forged_claims(), house.misshapen()];
    for (fault, token) in attacks.into_iter().flatten() {
        let refused = if fault == "ProofMissing" { PROOF_NEEDED } else { REFUSED };
        assert_eq!(caller_of(&house.bearer, &token).await, refused, "{fault}: {token}");
        let events = log.take();
        let audit: Vec<_> = events.lines().filter(|line| line.contains("credential refused")).collect();
        assert_eq!(audit.len(), 1, "{fault}: {events}");
        assert!(audit[0].contains(&format!("reason={fault}")), "{fault}: {}", audit[0]);
        let secret = token.rsplit('.').next().unwrap();
        assert!(secret.len() < 10 || !events.contains(secret), "the log has the token: {events}");
    }
    assert_eq!(house.fake.calls("/jwks"), 2, "the first for the good key, the second for all unknown ones");
}

#[tokio::test]
async fn a_token_with_one_character_changed_is_refused() {
    let house = house().await;
    house.spend_the_budget().await;
    let token = house.good.token();
    for (at, old) in token.char_indices() {
        for new in ['A', '_', '.', '='].into_iter().filter(|new| *new != old) {
            let mut changed = token.clone();
            changed.replace_range(at..=at, &new.to_string());
            assert_eq!(caller_of(&house.bearer, &changed).await, REFUSED, "{changed}");
        }
    }
}

#[tokio::test]
async fn only_one_header_with_the_right_scheme_is_a_credential() {
    let house = house().await;
    let good = format!("Bearer {}", house.good.token());
    let basic = "Basic dV80MjpodW50ZXIy";
    for (values, expected) in [
        (&[][..], NO_CREDENTIAL),
        (&[basic], NO_CREDENTIAL),
        (&["Bearer"], NO_CREDENTIAL),
        (&[""], NO_CREDENTIAL),
        (&[good.trim_start_matches("Bearer ")], NO_CREDENTIAL),
        (&[&good.replace("Bearer", "DPoP")], PROOF_NEEDED),
        (&[&good.replace("Bearer", "Token")], NO_CREDENTIAL),
        (&[&good, &good], REFUSED),
        (&[&good, basic], REFUSED),
        (&[basic, &good], REFUSED),
        (&[&format!("{good}, {good}")], REFUSED),
        (&["Bearer é"], REFUSED),
        (&[&good], "u_42"),
    ] {
        let values: Vec<_> = values.iter().map(|value| (AUTHORIZATION, *value)).collect();
        let result = house.bearer.authenticate(&request(), &head(&values)).await;
        assert_eq!(summary(result), expected, "{values:?}");
    }
}

#[tokio::test]
async fn keys_announced_without_tls_are_not_fetched() {
    let house = house().await;
    let name = "https://idp.shop.example";
    house.fake.set_issuer(name);
    let bearer = bearer(&house.fake, &json!({"issuer": name}));
    let token = house.with_claim("iss", json!(name));
    assert_eq!(caller_of(&bearer, &token).await, "503 retry-after: 5");
    assert_eq!(house.fake.calls("/jwks"), 0);
}

#[tokio::test]
async fn a_provider_that_calls_itself_otherwise_is_not_believed() {
    let house = house().await;
    house.fake.set_issuer("http://mallory.example");
    let outcome = caller_of(&house.bearer, &house.good.token()).await;
    assert_eq!(outcome, "503 retry-after: 5");
    assert_eq!(house.fake.calls("/jwks"), 0);
}
