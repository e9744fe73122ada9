//! The provider's public keys, as far as its tokens may be signed with them.

use std::sync::Arc;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::Value;
use tokio::time::Instant;

/// How many withdrawn keys are remembered: as many as an answer can have at most.
const MAX_WITHDRAWN: usize = 100;

/// The keys of one answer of the provider.
pub(crate) struct KeySet {
    keys: Vec<Arc<Key>>,
    /// The ids of keys that the provider had and has no more, the latest first.
    withdrawn: Vec<String>,
    source: Vec<Value>,
    /// Grows when the keys change: what an earlier generation verified has to be verified again.
    pub(crate) generation: u64,
    pub(crate) fetched: Instant,
}

/// One key, and the algorithms that it may verify.
pub(crate) struct Key {
    id: String,
    algorithms: Vec<Algorithm>,
    pub(crate) material: DecodingKey,
    /// That of its set.
    pub(crate) generation: u64,
}

/// What a set says about a key id.
pub(crate) enum Lookup {
    Found(Arc<Key>),
    /// The key exists and signs with something else.
    OtherAlgorithm,
    /// The provider had it once.
    Withdrawn,
    Unknown,
}

impl KeySet {
    /// The keys among `source` that sign with one of `pinned`; `None` if no key does.
    pub(crate) fn new(source: Vec<Value>, pinned: &[Algorithm], previous: Option<&Self>) -> Option<Self> {
        let generation =
            previous.map_or(0, |previous| previous.generation + u64::from(previous.source != source));
        let keys: Vec<_> =
            source.iter().filter_map(|jwk| Key::parse(jwk, pinned, generation)).map(Arc::new).collect();
        let withdrawn = previous.map(|previous| previous.gone_from(&keys)).unwrap_or_default();
        let fetched = Instant::now();
        (!keys.is_empty()).then_some(Self { keys, withdrawn, source, generation, fetched })
    }

    /// The ids that were here or withdrawn before, and are not among `keys`.
    fn gone_from(&self, keys: &[Arc<Key>]) -> Vec<String> {
        let ids = self.keys.iter().map(|key| &key.id).chain(&self.withdrawn);
        let gone = ids.filter(|id| keys.iter().all(|key| key.id != **id));
        gone.take(MAX_WITHDRAWN).cloned().collect()
    }

    pub(crate) fn find(&self, id: &str, algorithm: Algorithm) -> Lookup {
        let mut with_id = self.keys.iter().filter(|key| key.id == id).peekable();
        if with_id.peek().is_none() {
            let withdrawn = self.withdrawn.iter().any(|withdrawn| withdrawn == id);
            return if withdrawn { Lookup::Withdrawn } else { Lookup::Unknown };
        }
        with_id
            .find(|key| key.algorithms.contains(&algorithm))
            .map_or(Lookup::OtherAlgorithm, |key| Lookup::Found(key.clone()))
    }
}

impl Key {
    fn parse(jwk: &Value, pinned: &[Algorithm], generation: u64) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(jwk.clone()).ok()?;
        let algorithms: Vec<_> =
            pinned.iter().copied().filter(|algorithm| may_verify(&jwk, *algorithm)).collect();
        let material = DecodingKey::from_jwk(&jwk).ok()?;
        let id = jwk.common.key_id?;
        (!algorithms.is_empty()).then_some(Self { id, algorithms, material, generation })
    }
}

/// Whether this is a key for signatures of this kind, and for nothing else that it says of itself.
pub(crate) fn may_verify(jwk: &Jwk, algorithm: Algorithm) -> bool {
    let declared = jwk.common.key_algorithm;
    is_for_signatures(jwk)
        && algorithms_of(&jwk.algorithm).contains(&algorithm)
        && declared.is_none_or(|declared| declared == KeyAlgorithm::from(algorithm))
}

fn is_for_signatures(jwk: &Jwk) -> bool {
    let used = jwk.common.public_key_use.as_ref();
    let operations = jwk.common.key_operations.as_ref();
    used.is_none_or(|used| *used == PublicKeyUse::Signature)
        && operations.is_none_or(|operations| operations.contains(&KeyOperations::Verify))
}

/// What a key of this type and curve can verify. A shared secret verifies nothing here.
fn algorithms_of(parameters: &AlgorithmParameters) -> &'static [Algorithm] {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match parameters {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[ES256],
            EllipticCurve::P384 => &[ES384],
            _ => &[],
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    }
}

#[cfg(test)]
mod wycheproof;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PINNED: &[Algorithm] = &[Algorithm::EdDSA, Algorithm::RS256];

    fn ed25519(changes: &[(&str, Value)]) -> Value {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let mut jwk = json!({"kty": "OKP", "crv": "Ed25519", "kid": "k", "x": x});
        for (member, value) in changes {
            jwk[*member] = value.clone();
        }
        jwk
    }

    #[test]
    fn only_public_keys_for_pinned_signatures_are_taken() {
        let taken = |jwk: Value| KeySet::new(vec![jwk], PINNED, None).is_some();
        for good in [
            ed25519(&[]),
            ed25519(&[("use", json!("sig")), ("alg", json!("EdDSA"))]),
            ed25519(&[("key_ops", json!(["verify"]))]),
            json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB"}),
        ] {
            assert!(taken(good.clone()), "{good} was not taken");
        }
        for bad in [
            ed25519(&[("use", json!("enc"))]),
            ed25519(&[("key_ops", json!(["sign"]))]),
            ed25519(&[("alg", json!("ES256"))]),
            ed25519(&[("kid", Value::Null)]),
            ed25519(&[("kid", json!(["k"]))]),
            ed25519(&[("crv", json!("X25519"))]),
            json!({"kty": "oct", "kid": "s", "k": "c2VjcmV0"}),
            json!({"kty": "RSA", "kid": "r", "n": "AQAB", "e": "AQAB", "alg": "PS256"}),
            json!({"kty": "EC", "crv": "P-256", "kid": "e", "x": "AQAB", "y": "AQAB"}),
            json!(null),
        ] {
            assert!(!taken(bad.clone()), "{bad} was taken");
        }
    }

    #[test]
    fn an_unknown_key_spoils_no_other_and_a_change_is_a_new_generation() {
        let odd = json!({"kty": "LATTICE", "kid": "x"});
        let first = KeySet::new(vec![odd.clone(), ed25519(&[])], PINNED, None).unwrap();
        assert!(matches!(first.find("k", Algorithm::EdDSA), Lookup::Found(_)));
        assert!(matches!(first.find("k", Algorithm::RS256), Lookup::OtherAlgorithm));
        assert!(matches!(first.find("x", Algorithm::EdDSA), Lookup::Unknown));

        let same = KeySet::new(vec![odd, ed25519(&[])], PINNED, Some(&first)).unwrap();
        assert_eq!(same.generation, first.generation);
        let changed = KeySet::new(vec![ed25519(&[])], PINNED, Some(&same)).unwrap();
        assert_ne!(changed.generation, same.generation);
    }
}
