//! A problem outside of the request that it came about in.

use std::borrow::Cow;
use std::time::Duration;

use http::StatusCode;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{FieldError, Parts, Problem, ProblemKind};

/// All of a problem but its cause, which has been logged.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    slug: Cow<'a, str>,
    title: Cow<'a, str>,
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    errors: Cow<'a, [FieldError]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    retry_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    update_url: Option<Cow<'a, str>>,
}

impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Parts { kind, detail, errors, retry_after, challenge, update_url, cause: _ } = &*self.0;
        let stored = Stored {
            slug: (&*kind.slug).into(),
            title: (&*kind.title).into(),
            status: kind.status.as_u16(),
            detail: detail.as_deref().map(Into::into),
            errors: errors.into(),
            retry_after: *retry_after,
            challenge: challenge.as_deref().map(Into::into),
            update_url: update_url.as_deref().map(Into::into),
        };
        stored.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Problem {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let stored = Stored::deserialize(deserializer)?;
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let kind = ProblemKind {
            slug: owned(stored.slug),
            title: owned(stored.title),
            status: StatusCode::from_u16(stored.status).map_err(D::Error::custom)?,
        };
        Ok(Self(Box::new(Parts {
            kind,
            detail: stored.detail.map(owned),
            errors: stored.errors.into_owned(),
            retry_after: stored.retry_after,
            challenge: stored.challenge.map(owned),
            update_url: stored.update_url.map(owned),
            cause: None,
        })))
    }
}
