//! What is kept of a session.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use request_context::{AccessToken, Caller, Scopes, Subject};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::oidc::{SignedIn, TokenSet};

/// Changes when an older release could not read the record any more.
const FORM: u8 = 1;
/// What a call needs to arrive: a token with less left is not used if another can be had.
const LAST_USE: Duration = Duration::from_secs(2);
/// A token is replaced when this or a fifth of its life is left, whichever is less.
const REPLACED_BEFORE: Duration = Duration::from_mins(1);

/// A session, as it is sealed. There is no way to print it.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Record {
    form: u8,
    realm: Arc<str>,
    subject: String,
    pub(crate) name: Option<String>,
    sid: Option<String>,
    created: Timestamp,
    pub(crate) last_seen: Timestamp,
    /// How often the tokens were replaced.
    pub(crate) generation: u64,
    access_token: Arc<str>,
    access_begins: Timestamp,
    access_ends: Timestamp,
    refresh_token: Option<String>,
    scopes: String,
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lifetimes {
    pub(crate) idle: Duration,
    pub(crate) absolute: Duration,
}

/// How much use is left in an access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Young,
    /// It serves, and it is time to look for another.
    Old,
    /// It may not arrive any more.
    Over,
}

impl Record {
    pub(crate) fn new(realm: Arc<str>, signed_in: SignedIn, now: Timestamp) -> Self {
        let SignedIn { subject, name, sid, tokens } = signed_in;
        Self {
            form: FORM,
            realm,
            subject: subject.as_str().to_owned(),
            name,
            sid,
            created: now,
            last_seen: now,
            generation: 0,
            access_token: tokens.access_token.expose_secret().into(),
            access_begins: now,
            access_ends: tokens.access_ends,
            refresh_token: tokens.refresh_token.map(|token| token.expose_secret().to_owned()),
            scopes: tokens.scopes.unwrap_or_default().as_str().to_owned(),
        }
    }

    /// The record in `json`, if a provider of this name vouched for it and we know its form.
    pub(crate) fn read(json: &[u8], realm: &str) -> Option<Self> {
        let record: Self = serde_json::from_slice(json).ok()?;
        (record.form == FORM && *record.realm == *realm).then_some(record)
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("strings and numbers always serialize")
    }

    /// The same session with tokens that replace those that it has.
    pub(crate) fn refreshed(&self, tokens: &TokenSet, now: Timestamp) -> Self {
        let rotated = tokens.refresh_token.as_ref().map(|token| token.expose_secret().to_owned());
        Self {
            generation: self.generation + 1,
            access_token: tokens.access_token.expose_secret().into(),
            access_begins: now,
            access_ends: tokens.access_ends,
            refresh_token: rotated.or_else(|| self.refresh_token.clone()),
            scopes: tokens.scopes.as_ref().map_or(&*self.scopes, Scopes::as_str).to_owned(),
            ..self.clone()
        }
    }

    /// The same session, whose user was there just now.
    pub(crate) fn seen(&self, now: Timestamp) -> Self {
        Self { last_seen: now, ..self.clone() }
    }

    /// Who it is, as far as the access token speaks for them. `None` for a subject that could not be sent.
    pub(crate) fn caller(&self) -> Option<Caller> {
        Some(Caller {
            realm: Arc::clone(&self.realm),
            subject: Subject::parse(&self.subject)?,
            scopes: Scopes::parse(&self.scopes),
            token: AccessToken::new(&*self.access_token),
        })
    }

    pub(crate) fn refresh_token(&self) -> Option<SecretString> {
        self.refresh_token.as_deref().map(SecretString::from)
    }

    pub(crate) fn can_be_refreshed(&self) -> bool {
        self.refresh_token.is_some()
    }

    /// When the session ends if nothing more is done with it. One that cannot be refreshed ends with its token.
    pub(crate) fn ends(&self, lifetimes: Lifetimes) -> Timestamp {
        let ends = after(self.last_seen, lifetimes.idle).min(after(self.created, lifetimes.absolute));
        if self.can_be_refreshed() { ends } else { ends.min(self.access_ends) }
    }

    pub(crate) fn age(&self, now: Timestamp) -> Age {
        let left = until(now, self.access_ends);
        if left <= LAST_USE {
            Age::Over
        } else if left <= REPLACED_BEFORE.min(until(self.access_begins, self.access_ends) / 5) {
            Age::Old
        } else {
            Age::Young
        }
    }

    /// Whether the access token is good at all, be it for a moment.
    pub(crate) fn lives(&self, now: Timestamp) -> bool {
        now < self.access_ends
    }

    /// What the session is found by when the provider ends it.
    pub(crate) fn tags(&self) -> impl Iterator<Item = String> {
        let sid = self.sid.as_ref().map(|sid| sid_tag(&self.realm, sid));
        std::iter::once(subject_tag(&self.realm, &self.subject)).chain(sid)
    }
}

/// The tag of all sessions that began in one session of the provider's.
pub(crate) fn sid_tag(realm: &str, sid: &str) -> String {
    tag("sid", realm, sid)
}

/// The tag of all sessions of one subject.
pub(crate) fn subject_tag(realm: &str, subject: &str) -> String {
    tag("sub", realm, subject)
}

/// Hashed, so that the store does not know who people are.
pub(crate) fn tag(kind: &str, realm: &str, text: &str) -> String {
    let hash = digest::digest(&digest::SHA256, format!("{realm}|{text}").as_bytes());
    format!("{kind}:{}", URL_SAFE_NO_PAD.encode(hash.as_ref()))
}

/// From `from` to `to`; nothing if that is the past.
pub(crate) fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from)).unwrap_or_default()
}

fn after(from: Timestamp, time: Duration) -> Timestamp {
    from.checked_add(time).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REALM: &str = "http://idp.shop.example";
    const LIFETIMES: Lifetimes =
        Lifetimes { idle: Duration::from_mins(30), absolute: Duration::from_hours(12) };

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + seconds).unwrap()
    }

    fn tokens(ends: i64, refresh_token: Option<&str>) -> TokenSet {
        TokenSet {
            access_token: "access".into(),
            access_ends: at(ends),
            refresh_token: refresh_token.map(SecretString::from),
            scopes: Some(Scopes::parse("openid orders:read")),
        }
    }

    fn record(ends: i64, refresh_token: Option<&str>) -> Record {
        let subject = Subject::parse("u_42").unwrap();
        let tokens = tokens(ends, refresh_token);
        let signed_in = SignedIn { subject, name: Some("Ada".into()), sid: Some("s-1".into()), tokens };
        Record::new(REALM.into(), signed_in, at(0))
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_for_its_provider_alone() {
        let json = record(300, Some("r-1")).write();
        let read = Record::read(&json, REALM).unwrap();
        let caller = read.caller().unwrap();
        assert_eq!(
            (caller.subject.as_str(), caller.token.expose(), &*caller.realm),
            ("u_42", "access", REALM)
        );
        assert_eq!(read.refresh_token().unwrap().expose_secret(), "r-1");
        assert_eq!(read.tags().count(), 2);
        assert!(Record::read(&json, "http://other.example").is_none());
        let newer = String::from_utf8(json).unwrap().replace(r#""form":1"#, r#""form":2"#);
        assert!(Record::read(newer.as_bytes(), REALM).is_none());
        assert!(Record::read(b"{}", REALM).is_none());
    }

    #[test]
    fn a_session_ends_idle_or_in_time_or_with_a_token_that_cannot_be_refreshed() {
        let session = record(300, Some("r"));
        assert_eq!(session.ends(LIFETIMES), at(1800));
        assert_eq!(session.seen(at(600)).ends(LIFETIMES), at(2400));
        assert_eq!(session.seen(at(42_000)).ends(LIFETIMES), at(43_200));
        assert_eq!(record(300, None).ends(LIFETIMES), at(300));
        assert_eq!(record(7200, None).ends(LIFETIMES), at(1800));
    }

    #[test]
    fn a_token_is_replaced_before_it_ends() {
        for (life, now, age) in [
            (300, 0, Age::Young),
            (300, 239, Age::Young),
            (300, 240, Age::Old),
            (300, 297, Age::Old),
            (300, 298, Age::Over),
            (300, 900, Age::Over),
            (3600, 3539, Age::Young),
            (3600, 3540, Age::Old),
            (10, 7, Age::Young),
            (10, 8, Age::Over),
            (-5, 0, Age::Over),
        ] {
            assert_eq!(record(life, Some("r")).age(at(now)), age, "{now} s into {life} s");
        }
    }

    #[test]
    fn a_refresh_replaces_the_tokens_and_keeps_a_refresh_token_that_was_not_rotated() {
        let before = record(300, Some("r-1")).seen(at(200));
        let rotated = before.refreshed(&tokens(550, Some("r-2")), at(250));
        assert_eq!(rotated.refresh_token().unwrap().expose_secret(), "r-2");
        let kept = rotated.refreshed(&tokens(800, None), at(500));
        assert_eq!(kept.refresh_token().unwrap().expose_secret(), "r-2");
        assert_eq!((kept.generation, kept.last_seen), (2, at(200)));
        assert_eq!(kept.age(at(500)), Age::Young);
    }

    #[test]
    fn tags_tell_providers_and_kinds_apart() {
        let tags = [tag("sid", "a", "b"), tag("sub", "a", "b"), tag("sid", "b", "b"), tag("sid", "a", "c")];
        for (one, tag) in tags.iter().enumerate() {
            assert!(!tags[..one].contains(tag));
        }
    }
}
