//! Project Wycheproof's signatures, held against a key of the provider as it verifies those of tokens.
//!
//! Of each algorithm that is taken, every vector of the set whose parameters are those of JOSE (RFC 7518, sections 3.3
//! to 3.5; RFC 8037). Left out, because no `alg` of ours names them: other curves and hashes, DER-encoded ECDSA
//! signatures, Ed448, and PSS whose salt is not as long as its hash or whose MGF1 uses another hash. The project's own JWS
//! vectors are in no package; what they attack beside the signature is in `tests/it/attacks.rs`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use jsonwebtoken::crypto::verify;
use serde_json::{Value, json};
use wycheproof::{TestResult, ecdsa, eddsa, rsa_pkcs1_verify as pkcs1, rsa_pss_verify as pss};

use super::Key;

/// How many vectors had to be taken, and how many refused.
#[derive(Debug, Default, PartialEq)]
struct Tally {
    taken: usize,
    refused: usize,
}

impl Tally {
    fn check(
        &mut self,
        algorithm: Algorithm,
        jwk: &Value,
        message: &[u8],
        signature: &[u8],
        expected: TestResult,
    ) -> bool {
        let key = Key::parse(jwk, &[algorithm], 0).expect("a key of the right type");
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let taken = verify(&signature, message, &key.material, algorithm).unwrap_or(false);
        match expected {
            TestResult::Valid => self.taken += 1,
            TestResult::Invalid => self.refused += 1,
            // Right by some standard or other.
            TestResult::Acceptable => return true,
        }
        taken == (expected == TestResult::Valid)
    }
}

/// Runs every vector of a set, with the key of each group as a JWK.
macro_rules! run {
    ($module:ident, $set:ident, $algorithm:ident, $jwk:expr) => {{
        let mut tally = Tally::default();
        for group in $module::TestSet::load($module::TestName::$set).unwrap().test_groups {
            let jwk: Value = $jwk(&group);
            for test in &group.tests {
                let good = tally.check(Algorithm::$algorithm, &jwk, &test.msg, &test.sig, test.result);
                assert!(good, "{} {}: {:?} {}", stringify!($set), test.tc_id, test.flags, test.comment);
            }
        }
        assert!(tally.taken > 0 && tally.refused > 0, "{} tells nothing: {tally:?}", stringify!($set));
    }};
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn ec(crv: &str, point: &[u8]) -> Value {
    let (x, y) = point[1..].split_at(point.len() / 2);
    json!({"kty": "EC", "kid": "k", "crv": crv, "x": encode(x), "y": encode(y)})
}

fn rsa(n: &[u8], e: &[u8]) -> Value {
    let encode = |bytes: &[u8]| encode(&bytes[bytes.iter().take_while(|byte| **byte == 0).count()..]);
    json!({"kty": "RSA", "kid": "k", "n": encode(n), "e": encode(e)})
}

#[test]
fn ecdsa_signatures() {
    run!(ecdsa, EcdsaSecp256r1Sha256P1363, ES256, |group: &ecdsa::TestGroup| ec("P-256", &group.key.key));
    run!(ecdsa, EcdsaSecp384r1Sha384P1363, ES384, |group: &ecdsa::TestGroup| ec("P-384", &group.key.key));
}

#[test]
fn eddsa_signatures() {
    run!(eddsa, Ed25519, EdDSA, |group: &eddsa::TestGroup| {
        json!({"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": encode(&group.key.pk)})
    });
}

#[test]
fn rsa_signatures() {
    let jwk = |group: &pkcs1::TestGroup| rsa(group.key.n.as_slice(), group.key.e.as_slice());
    run!(pkcs1, Rsa2048Sha256, RS256, jwk);
    run!(pkcs1, Rsa3072Sha256, RS256, jwk);
    run!(pkcs1, Rsa4096Sha256, RS256, jwk);
    run!(pkcs1, Rsa8192Sha256, RS256, jwk);
    run!(pkcs1, Rsa2048Sha384, RS384, jwk);
    run!(pkcs1, Rsa3072Sha384, RS384, jwk);
    run!(pkcs1, Rsa4096Sha384, RS384, jwk);
    run!(pkcs1, Rsa8192Sha384, RS384, jwk);
    run!(pkcs1, Rsa2048Sha512, RS512, jwk);
    run!(pkcs1, Rsa3072Sha512, RS512, jwk);
    run!(pkcs1, Rsa4096Sha512, RS512, jwk);
    run!(pkcs1, Rsa8192Sha512, RS512, jwk);
}

#[test]
fn rsa_pss_signatures() {
    let jwk = |group: &pss::TestGroup| rsa(group.key.n.as_slice(), group.key.e.as_slice());
    run!(pss, RsaPss2048Sha256Mgf1SaltLen32, PS256, jwk);
    run!(pss, RsaPss3072Sha256Mgf1SaltLen32, PS256, jwk);
    run!(pss, RsaPss4096Sha256Mgf1SaltLen32, PS256, jwk);
    run!(pss, RsaPss2048Sha384Mgf1SaltLen48, PS384, jwk);
    run!(pss, RsaPss4096Sha384Mgf1SaltLen48, PS384, jwk);
    run!(pss, RsaPss4096Sha512Mgf1SaltLen64, PS512, jwk);
}
