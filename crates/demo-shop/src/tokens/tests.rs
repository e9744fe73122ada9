use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};

use super::*;

const ISSUER: &str = "http://issuer";

fn claims() -> Claims {
    let now = Timestamp::now().as_second();
    Claims {
        iss: ISSUER.to_owned(),
        sub: "u_42".to_owned(),
        aud: vec!["orders".to_owned()],
        exp: now + 60,
        iat: now,
        nbf: now,
        jti: "1".to_owned(),
        client_id: "demo-cli".to_owned(),
        scope: "openid".to_owned(),
        ..Claims::default()
    }
}

#[test]
fn what_the_key_signed_is_believed_until_it_expires() {
    let key = SigningKey::derived_from(1);
    let verifier = Verifier::new(&key, ISSUER);
    let token = key.sign(&claims());
    for _ in 0..2 {
        assert_eq!(verifier.verify(&token).as_deref(), Some(&claims()));
    }
    let ended = Claims { exp: claims().iat - 1, ..claims() };
    // As if it had been verified while it was still valid.
    verifier.verified().insert(token.clone(), Arc::new(ended));
    assert_eq!(verifier.verify(&token), None);
}

#[test]
fn whatever_else_is_wrong_is_refused() {
    let key = SigningKey::derived_from(1);
    let verifier = Verifier::new(&key, ISSUER);
    let now = claims().iat;
    for wrong in [
        Claims { exp: now - 1, ..claims() },
        Claims { nbf: now + 30, ..claims() },
        Claims { iss: "http://other".to_owned(), ..claims() },
    ] {
        assert_eq!(verifier.verify(&key.sign(&wrong)), None, "{wrong:?}");
    }
    assert_eq!(verifier.verify(&SigningKey::derived_from(2).sign(&claims())), None);

    let of_another_type = encode(&Header::new(Algorithm::EdDSA), &claims(), &key.signing).unwrap();
    assert_eq!(verifier.verify(&of_another_type), None);
    let public_key = EncodingKey::from_secret(key.x.as_bytes());
    let mut header = Header::new(Algorithm::HS256);
    header.typ = Some(TYPE.to_owned());
    assert_eq!(verifier.verify(&encode(&header, &claims(), &public_key).unwrap()), None);
}

#[test]
fn a_seed_has_one_key() {
    let (first, again) = (SigningKey::derived_from(1), SigningKey::derived_from(1));
    assert_eq!((&first.x, &first.id), (&again.x, &again.id));
    assert_ne!(first.x, SigningKey::derived_from(2).x);
}
