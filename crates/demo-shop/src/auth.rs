//! Who calls a domain service, and what they may see.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::ids::Owner;
use crate::problem::{FORBIDDEN, Problem, UNAUTHENTICATED};
use crate::service::Service;
use crate::tokens::{Claims, Verifier};

/// Admits who brings a token for this service.
pub(crate) struct Doorman {
    pub(crate) service: Service,
    pub(crate) verifier: Arc<Verifier>,
}

/// Who calls: an extension of every request that the doorman let in.
#[derive(Clone, Debug)]
pub(crate) struct Caller(Arc<Claims>);

/// The layer that asks for a token, where there is a doorman.
pub(crate) async fn demand_token(
    State(doorman): State<Option<Arc<Doorman>>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(doorman) = doorman {
        match doorman.identify(request.headers()) {
            Ok(caller) => request.extensions_mut().insert(caller),
            Err(problem) => return problem.into_response(),
        };
    }
    next.run(request).await
}

impl Doorman {
    fn identify(&self, headers: &HeaderMap) -> Result<Caller, Problem> {
        let refused = |detail: &'static str| Problem::new(UNAUTHENTICATED).detail(detail);
        let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header
            .and_then(|header| header.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let (_, token) = token.ok_or_else(|| refused("The request has no bearer token."))?;
        let claims = self.verifier.verify(token.trim());
        let claims = claims.ok_or_else(|| refused("The token is not valid, or no longer."))?;
        if !claims.aud.iter().any(|audience| audience == self.service.name()) {
            return Err(refused("The token is for other services."));
        }
        Ok(Caller(claims))
    }
}

impl Caller {
    /// The owner with this id, if the caller is just that one. Others learn nothing, not even whether it exists.
    pub(crate) fn only(&self, id: &str) -> Result<Option<Owner>, Problem> {
        if self.is_service() || self.0.sub != id {
            return Err(Problem::new(FORBIDDEN).detail("The token is not this user's."));
        }
        Ok(Owner::parse(id))
    }

    /// The caller as an owner of orders.
    pub(crate) fn owner(&self) -> Result<Owner, Problem> {
        let nobody = || Problem::new(FORBIDDEN).detail("The token stands for nobody who has an account.");
        self.only(&self.0.sub)?.ok_or_else(nobody)
    }

    /// Whether this owner calls; if not, the refusal.
    pub(crate) fn must_be(&self, owner: Owner) -> Result<(), Problem> {
        self.only(&owner.to_string()).map(|_| ())
    }

    /// A BFF's own token opens what is public and nothing else.
    fn is_service(&self) -> bool {
        self.0.scope.split(' ').any(|scope| scope == "service")
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::tokens::SigningKey;

    #[test]
    fn a_token_opens_the_services_in_its_audience() {
        let key = SigningKey::derived_from(1);
        let verifier = Arc::new(Verifier::new(&key, "http://issuer"));
        let now = jiff::Timestamp::now().as_second();
        let token = key.sign(&Claims {
            iss: "http://issuer".to_owned(),
            sub: "u_42".to_owned(),
            aud: vec!["orders".to_owned(), "users".to_owned()],
            exp: now + 60,
            iat: now,
            nbf: now,
            jti: "1".to_owned(),
            client_id: "demo-cli".to_owned(),
            scope: "openid".to_owned(),
            ..Claims::default()
        });
        let header = HeaderValue::try_from(format!("Bearer {token}")).unwrap();
        let headers = HeaderMap::from_iter([(AUTHORIZATION, header)]);
        for (service, opens) in [(Service::Users, true), (Service::Orders, true), (Service::Billing, false)] {
            let doorman = Doorman { service, verifier: verifier.clone() };
            assert_eq!(doorman.identify(&headers).is_ok(), opens, "{service}");
        }
    }
}
