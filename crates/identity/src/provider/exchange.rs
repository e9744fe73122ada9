//! The question of a token exchange (RFC 8693, section 2.1).

use request_context::{AccessToken, RequestContext};
use upstream_client::{CallError, CallErrorKind, Operation, Reason, Refusal};

use super::{Client, INVALID_GRANT, Provider, ProviderError, TokenAnswer, detached};
use crate::endpoint::Question;

const TOKEN_EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// What is wrong with a subject token makes the request invalid (section 2.2.2).
const INVALID_REQUEST: &str = "invalid_request";
static REFUSALS: [Refusal; 2] = [
    Refusal { code: INVALID_GRANT, title: "The grant is not valid", reason: Reason::Invalid },
    Refusal { code: INVALID_REQUEST, title: "The request is not valid", reason: Reason::Invalid },
];
static EXCHANGE: Question = Question { plain: ask_to_exchange(""), slash: ask_to_exchange("/") };

const fn ask_to_exchange(path: &'static str) -> Operation {
    Operation::post("identity-provider.exchange", path).as_nobody().max_body(64 << 10).refusals(&REFUSALS)
}

/// What an exchange that brought no token says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The subject token is not good, or no longer.
    Subject,
    /// This client, or this audience, gets none: the provider is well, and its settings or ours are not.
    Denied,
    /// Nothing: the provider is down, slow, or talks nonsense.
    Unavailable,
}

impl Provider {
    /// A token for `audience`, in the name of whom `subject` speaks for.
    pub(crate) async fn exchange_token(
        &self,
        ctx: &RequestContext,
        client: &Client,
        subject: &AccessToken,
        audience: &str,
    ) -> Result<TokenAnswer, ProviderError> {
        let form = [
            ("grant_type", TOKEN_EXCHANGE),
            ("subject_token", subject.expose()),
            ("subject_token_type", ACCESS_TOKEN),
            ("requested_token_type", ACCESS_TOKEN),
            ("audience", audience),
        ];
        self.ask_for_token(&detached(ctx), client, &EXCHANGE, &form).await
    }
}

impl ProviderError {
    /// What follows for an exchange.
    pub(crate) fn verdict(&self) -> Verdict {
        let error = self.source.as_deref().and_then(|source| source.downcast_ref::<CallError>());
        match error.map(|error| &error.kind) {
            Some(CallErrorKind::Refused { refusal: Some(_), .. }) => Verdict::Subject,
            Some(CallErrorKind::Refused { refusal: None, .. } | CallErrorKind::Unauthorized) => {
                Verdict::Denied
            }
            _ => Verdict::Unavailable,
        }
    }
}
