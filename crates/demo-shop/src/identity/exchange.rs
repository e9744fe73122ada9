//! Token exchange (RFC 8693): a token for one service, in the name of whom another token speaks for.

use serde_json::Value;

use super::clients::{Client, audiences, covers};
use super::issue::Said;
use super::oauth_error::Refused;
use super::parameters::Parameters;
use super::token::required;
use super::{ACCESS_TOKEN, Provider};
use crate::tokens::{Act, Claims};

pub(super) fn exchanged(provider: &Provider, client: Client, asked: &Parameters) -> Result<Value, Refused> {
    if !client.is_bff() {
        return Err(Refused::new("unauthorized_client", "only a BFF exchanges tokens"));
    }
    let audience = audience(asked)?;
    let subject = subject(provider, &client, asked)?;
    let scope = asked.get("scope").unwrap_or(&subject.scope);
    if !covers(&subject.scope, scope) {
        return Err(Refused::new("invalid_scope", "more than the subject token allows"));
    }
    let said = Said {
        subject: subject.sub.clone(),
        scope: scope.to_owned(),
        audience: vec![audience.to_owned()],
        grant_id: subject.grant_id.clone(),
        act: acting(&client, &subject),
        client: client.0,
    };
    let mut answer = provider.issued(said, Some(subject.exp));
    answer["issued_token_type"] = ACCESS_TOKEN.into();
    Ok(answer)
}

/// The one service that the new token is for.
fn audience(asked: &Parameters) -> Result<&str, Refused> {
    if asked.get("resource").is_some() {
        return Err(Refused::new("invalid_target", "name the service by audience, not by resource"));
    }
    let wanted = required(asked, "audience", "audience is missing")?;
    let known = audiences().find(|audience| *audience == wanted);
    known.ok_or(Refused::new("invalid_target", "there is no service of this name"))
}

/// What the token says that is to be exchanged: one of ours, good now, and given to this client.
fn subject(provider: &Provider, client: &Client, asked: &Parameters) -> Result<Claims, Refused> {
    let token = required(asked, "subject_token", "subject_token is missing")?;
    let r#type = required(asked, "subject_token_type", "subject_token_type is missing")?;
    if r#type != ACCESS_TOKEN {
        return Err(Refused::malformed("only an access token can be exchanged"));
    }
    if asked.get("requested_token_type").is_some_and(|wanted| wanted != ACCESS_TOKEN) {
        return Err(Refused::malformed("only an access token can be requested"));
    }
    if asked.get("actor_token").is_some() {
        return Err(Refused::malformed("the client that asks is the actor: an actor_token is not taken"));
    }
    // RFC 8693 §2.2.2: whatever is wrong with the token makes the request invalid.
    let claims = provider.verifier.verify(token);
    let claims = claims.ok_or(Refused::malformed("the subject token is not valid, or no longer"))?;
    let revoked = [Some(&claims.jti), claims.grant_id.as_ref()];
    if revoked.into_iter().flatten().any(|id| provider.families.is_revoked(id)) {
        return Err(Refused::malformed("the subject token was revoked"));
    }
    if !claims.aud.contains(&client.0) {
        return Err(Refused::malformed("the subject token was not for this client"));
    }
    Ok((*claims).clone())
}

/// Nobody acts for themselves.
fn acting(client: &Client, subject: &Claims) -> Option<Act> {
    let before = subject.act.clone();
    (client.0 != subject.sub).then(|| Act { sub: client.0.clone(), act: before.map(Box::new) })
}
