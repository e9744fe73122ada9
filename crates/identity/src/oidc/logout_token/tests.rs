use serde_json::json;

use super::*;

const NOW: i64 = 1_800_000_000;

fn check(changes: &Value) -> Result<LogoutToken, Fault> {
    let mut claims = json!({
        "iss": "https://idp.example", "sub": "u_42", "sid": "s-1", "aud": "web-bff", "iat": NOW, "exp": NOW + 120,
        "jti": "j-1", "events": {LOGOUT: {}},
    });
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    let claims = serde_json::from_value(claims).map_err(|_| Fault::BadClaim)?;
    let (leeway, now) = (SignedDuration::from_secs(30), Timestamp::from_second(NOW).unwrap());
    LogoutToken::check(claims, "https://idp.example", "web-bff", leeway, now)
}

#[test]
fn each_rule_has_its_claim() {
    for (changes, wanted) in [
        (json!({}), None),
        (json!({"iss": "https://idp.example/"}), Some(Fault::WrongIssuer)),
        (json!({"aud": "mobile-bff"}), Some(Fault::WrongAudience)),
        (json!({"aud": ["mobile-bff", "web-bff"]}), None),
        (json!({"iat": NOW + 30}), None),
        (json!({"iat": NOW + 31}), Some(Fault::NotYetValid)),
        (json!({"iat": NOW - 329, "exp": NOW + 120}), None),
        (json!({"iat": NOW - 330, "exp": NOW + 120}), Some(Fault::Expired)),
        (json!({"iat": null}), Some(Fault::BadClaim)),
        (json!({"exp": null}), None),
        (json!({"exp": NOW - 29}), None),
        (json!({"exp": NOW - 30}), Some(Fault::Expired)),
        (json!({"jti": null}), Some(Fault::BadClaim)),
        (json!({"jti": ""}), Some(Fault::BadClaim)),
        (json!({"jti": "j".repeat(257)}), Some(Fault::BadClaim)),
        (json!({"events": {}}), Some(Fault::WrongEvent)),
        (
            json!({"events": {"http://schemas.openid.net/event/backchannel-logout/": {}}}),
            Some(Fault::WrongEvent),
        ),
        (json!({"events": {LOGOUT: null}}), Some(Fault::WrongEvent)),
        (json!({"events": {LOGOUT: true}}), Some(Fault::WrongEvent)),
        (json!({"events": [LOGOUT]}), Some(Fault::BadClaim)),
        (json!({"nonce": "n-1"}), Some(Fault::ForbiddenClaim)),
        (json!({"nonce": ""}), Some(Fault::ForbiddenClaim)),
        (json!({"nonce": null}), Some(Fault::ForbiddenClaim)),
        (json!({"sid": null}), None),
        (json!({"sub": null}), None),
        (json!({"sid": null, "sub": null}), Some(Fault::BadSubject)),
        (json!({"sid": ""}), Some(Fault::BadClaim)),
        (json!({"sub": "u 42"}), Some(Fault::BadSubject)),
    ] {
        assert_eq!(check(&changes).err(), wanted, "{changes}");
    }
}

#[test]
fn its_id_is_remembered_for_as_long_as_it_could_be_used() {
    for (changes, ends) in [
        (json!({"exp": NOW + 120}), NOW + 150),
        (json!({"exp": null}), NOW + 330),
        (json!({"exp": NOW + 86_400}), NOW + 330),
        (json!({"exp": null, "iat": NOW - 100}), NOW + 230),
    ] {
        assert_eq!(check(&changes).unwrap().ends.as_second(), ends, "{changes}");
    }
}

#[test]
fn access_tokens_are_no_logout_tokens() {
    for (typ, wanted) in [
        (None, true),
        (Some("JWT"), true),
        (Some("logout+jwt"), true),
        (Some("application/logout+jwt"), true),
        (Some("at+jwt"), false),
        (Some("dpop+jwt"), false),
    ] {
        assert_eq!(is_type(typ), wanted, "{typ:?}");
    }
}
