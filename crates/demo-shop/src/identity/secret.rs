//! What nobody can guess.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// 256 random bits, as text.
pub(super) fn secret() -> String {
    random::<32>()
}

/// 128 random bits, as text: what is unique but need not be secret.
pub(super) fn unique() -> String {
    random::<16>()
}

fn random<const N: usize>() -> String {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has randomness");
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
