//! What the provider signs.

use aws_lc_rs::digest::{SHA512, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Provider;
use super::clients::audiences;
use super::families::SignIn;
use super::secret::unique;
use crate::ids::Owner;
use crate::tokens::{Act, Claims};

/// How long an ID token is good for: it is looked at once.
const ID_TOKEN_SECONDS: i64 = 300;
const LOGOUT_TOKEN_SECONDS: i64 = 120;
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What an access token is to say, beside the times.
pub(super) struct Said {
    pub(super) subject: String,
    pub(super) client: String,
    pub(super) scope: String,
    pub(super) audience: Vec<String>,
    pub(super) grant_id: Option<String>,
    pub(super) act: Option<Act>,
}

impl Said {
    /// A token that is good everywhere: what is asked for without a sign-in is for trying things out.
    pub(super) fn everywhere(subject: String, client: String, scope: &str) -> Self {
        let audience = audiences().map(str::to_owned).collect();
        Self { subject, client, scope: scope.to_owned(), audience, grant_id: None, act: None }
    }
}

impl Provider {
    /// The answer with an access token that ends at `ends`, in seconds since 1970, or when all do.
    pub(super) fn issued(&self, said: Said, ends: Option<i64>) -> Value {
        let now = Timestamp::now().as_second();
        let exp = (now + self.lifetime).min(ends.unwrap_or(i64::MAX));
        let claims = Claims {
            iss: self.issuer.clone(),
            sub: said.subject,
            aud: said.audience,
            exp,
            iat: now,
            nbf: now,
            jti: unique(),
            client_id: said.client,
            scope: said.scope,
            grant_id: said.grant_id,
            act: said.act,
        };
        json!({
            "access_token": self.key.sign(&claims),
            "token_type": "Bearer",
            "expires_in": exp - now,
            "scope": claims.scope,
        })
    }

    /// The answer that a sign-in gives: access token, ID token and refresh token.
    pub(super) fn signed_in(&self, sign_in: &SignIn, nonce: Option<&str>, refresh_token: String) -> Value {
        let client = sign_in.client.clone();
        let audience =
            if self.pass_through { audiences().map(str::to_owned).collect() } else { vec![client.clone()] };
        let said = Said {
            subject: sign_in.user.to_string(),
            client,
            scope: sign_in.scope.clone(),
            audience,
            grant_id: Some(sign_in.grant_id.clone()),
            act: None,
        };
        let mut answer = self.issued(said, None);
        let access_token = answer["access_token"].as_str().expect("it was just issued");
        answer["id_token"] = self.id_token(sign_in, nonce, access_token).into();
        answer["refresh_token"] = refresh_token.into();
        answer
    }

    /// OpenID Connect Core §2.
    fn id_token(&self, sign_in: &SignIn, nonce: Option<&str>, access_token: &str) -> String {
        let now = Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "sub": sign_in.user, "aud": sign_in.client,
            "iat": now, "exp": now + ID_TOKEN_SECONDS, "auth_time": sign_in.auth_time,
            "sid": sign_in.sid, "at_hash": at_hash(access_token),
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = nonce.into();
        }
        if sign_in.scope.split(' ').any(|scope| scope == "profile") {
            claims["name"] = self.name_of(sign_in.user).into();
        }
        self.key.sign_as("JWT", &claims)
    }

    /// OpenID Connect Back-Channel Logout §2.4.
    pub(super) fn logout_token(&self, client: &str, user: Owner, sid: Option<&str>) -> String {
        let now = Timestamp::now().as_second();
        let mut claims = json!({
            "iss": self.issuer, "sub": user, "aud": client, "iat": now, "exp": now + LOGOUT_TOKEN_SECONDS,
            "jti": unique(), "events": { LOGOUT_EVENT: {} },
        });
        if let Some(sid) = sid {
            claims["sid"] = sid.into();
        }
        self.key.sign_as("logout+jwt", &claims)
    }

    pub(super) fn name_of(&self, user: Owner) -> String {
        self.shop.world.users.get(user.index()).map(crate::data::User::name).unwrap_or_default()
    }
}

/// The left half of the hash that belongs to the signature: SHA-512 for Ed25519 (OpenID Connect Core §3.1.3.6).
fn at_hash(access_token: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(&digest(&SHA512, access_token.as_bytes()).as_ref()[..32])
}
