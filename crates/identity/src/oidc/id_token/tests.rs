use serde_json::{Value, json};

use super::*;

const NOW: i64 = 1_800_000_000;

fn claims(changes: &Value) -> IdToken {
    let mut claims = json!({
        "iss": "https://idp.example", "sub": "u_42", "aud": "web-bff", "exp": NOW + 300, "iat": NOW, "nonce": "n-1",
    });
    for (claim, value) in changes.as_object().unwrap() {
        claims[claim] = value.clone();
    }
    serde_json::from_value(claims).unwrap()
}

fn expected<'a>() -> Expected<'a> {
    Expected {
        issuer: "https://idp.example",
        client_id: "web-bff",
        access_token: "token-1",
        nonce: Some("n-1"),
        subject: None,
        leeway: SignedDuration::from_secs(30),
    }
}

fn checked(changes: &Value, expected: &Expected<'_>, algorithm: Algorithm) -> Result<Person, Fault> {
    claims(changes).check(algorithm, expected, Timestamp::from_second(NOW).unwrap())
}

fn fault(changes: &Value, expected: &Expected<'_>) -> Option<Fault> {
    checked(changes, expected, Algorithm::ES256).err()
}

#[test]
fn each_rule_has_its_claim() {
    for (changes, wanted) in [
        (json!({}), None),
        (json!({"iss": "https://idp.example/"}), Some(Fault::WrongIssuer)),
        (json!({"aud": "mobile-bff"}), Some(Fault::WrongAudience)),
        (json!({"aud": []}), Some(Fault::WrongAudience)),
        (json!({"aud": ["web-bff"]}), None),
        (json!({"aud": ["web-bff", "other"]}), Some(Fault::WrongParty)),
        (json!({"aud": ["web-bff", "other"], "azp": "web-bff"}), None),
        (json!({"aud": ["web-bff", "other"], "azp": "other"}), Some(Fault::WrongParty)),
        (json!({"azp": "other"}), Some(Fault::WrongParty)),
        (json!({"exp": NOW - 30, "iat": NOW - 60}), Some(Fault::Expired)),
        (json!({"exp": NOW - 29, "iat": NOW - 60}), None),
        (json!({"iat": NOW + 30}), None),
        (json!({"iat": NOW + 31}), Some(Fault::NotYetValid)),
        (json!({"iat": NOW + 10, "exp": NOW}), Some(Fault::NotYetValid)),
        (json!({"nbf": NOW + 31}), Some(Fault::NotYetValid)),
        (json!({"nonce": "n-2"}), Some(Fault::WrongNonce)),
        (json!({"nonce": ""}), Some(Fault::WrongNonce)),
        (json!({"nonce": null}), Some(Fault::WrongNonce)),
        (json!({"sub": ""}), Some(Fault::BadSubject)),
        (json!({"sub": "u_42\r\nX-Admin: 1"}), Some(Fault::BadSubject)),
        (json!({"at_hash": "77QmUPtjPfzWtF2AnpK9RQ"}), Some(Fault::WrongTokenHash)),
        (json!({"at_hash": ""}), Some(Fault::WrongTokenHash)),
        (json!({"sid": ""}), Some(Fault::BadClaim)),
        (json!({"sid": "s".repeat(257)}), Some(Fault::BadClaim)),
    ] {
        assert_eq!(fault(&changes, &expected()), wanted, "{changes}");
    }
}

#[test]
fn after_a_refresh_it_may_lack_the_nonce_and_must_name_the_same_person() {
    let ada = Subject::parse("u_42").unwrap();
    let refreshed = Expected { nonce: None, subject: Some(&ada), ..expected() };
    for (changes, wanted) in [
        (json!({"nonce": null}), None),
        (json!({"nonce": "n-1"}), None),
        (json!({"sub": "u_43"}), Some(Fault::WrongSubject)),
        (json!({"iss": "https://other.example"}), Some(Fault::WrongIssuer)),
    ] {
        assert_eq!(fault(&changes, &refreshed), wanted, "{changes}");
    }
}

/// The access token and its hash of OpenID Connect Core 1.0, appendix A.3; the others by Python's hashlib.
#[test]
fn the_hash_of_the_access_token_goes_with_the_signature() {
    let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
    let expected = Expected { access_token, ..expected() };
    let hashes = [
        (Algorithm::RS256, "77QmUPtjPfzWtF2AnpK9RQ"),
        (Algorithm::ES384, "jtAeDp945y1dDqU3nkIVGNZP1HjH_MFs"),
        (Algorithm::EdDSA, "q7nS86GgvvFaZkzALLWqJYaJIKw2wCDAVfCAsm5CrBM"),
    ];
    for (algorithm, _) in hashes {
        for (of, hash) in hashes {
            let fault = checked(&json!({"at_hash": hash}), &expected, algorithm).err();
            assert_eq!(fault, (of != algorithm).then_some(Fault::WrongTokenHash), "{algorithm:?}, {hash}");
        }
    }
}

#[test]
fn people_are_called_by_the_best_name_there_is() {
    for (changes, name) in [
        (json!({"name": "Ada Lovelace", "preferred_username": "ada"}), Some("Ada Lovelace")),
        (json!({"preferred_username": "ada"}), Some("ada")),
        (json!({"name": " \n", "preferred_username": "ada"}), Some("ada")),
        (json!({"name": "Ada\u{0}\r\nLovelace "}), Some("AdaLovelace")),
        (json!({}), None),
    ] {
        let person = checked(&changes, &expected(), Algorithm::ES256).ok().unwrap();
        assert_eq!(person.name.as_deref(), name, "{changes}");
    }
    let long = checked(&json!({"name": "ä".repeat(1000)}), &expected(), Algorithm::ES256).ok().unwrap();
    assert_eq!(long.name.unwrap().chars().count(), LONGEST_NAME);
}

#[test]
fn tokens_of_another_type_are_no_id_tokens() {
    for (typ, wanted) in [
        (None, true),
        (Some("JWT"), true),
        (Some("jwt"), true),
        (Some("at+jwt"), false),
        (Some("application/at+jwt"), false),
        (Some("logout+jwt"), false),
        (Some("secevent+jwt"), false),
        (Some("dpop+jwt"), false),
        (Some(""), false),
    ] {
        assert_eq!(is_type(typ), wanted, "{typ:?}");
    }
}
