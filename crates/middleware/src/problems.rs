//! Gives every error answer its one form: problem details.

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG};
use http::uri::PathAndQuery;
use http::{HeaderValue, StatusCode};
use problem::{ALL, MEDIA_TYPE, Naming, Problem, ProblemKind, kind};
use request_context::{RequestContext, RequestId};

use crate::around::Around;
use crate::{Page, PublicUrl};

/// A longer path is cut: it would only say that somebody sent a long path.
const MAX_INSTANCE: usize = 256;

/// Renders the problems of the layers and handlers inside, and makes one of any other error.
#[derive(Clone)]
pub(crate) struct Problems {
    pub(crate) naming: Naming,
    /// Clients know a path with the prefix that the gateway took off.
    pub(crate) public_url: PublicUrl,
}

pub(crate) struct Asked {
    path: Option<PathAndQuery>,
    request_id: Option<RequestId>,
    edge: Problems,
}

impl Around for Problems {
    type Held = Asked;

    fn request(&self, request: &mut Request) -> Asked {
        let context = request.extensions().get::<RequestContext>();
        Asked {
            request_id: context.map(|context| context.request_id().clone()),
            path: request.uri().path_and_query().cloned(),
            edge: self.clone(),
        }
    }

    fn response(asked: Asked, mut response: Response) -> Response {
        if response.extensions().get::<Page>().is_some() {
            return response;
        }
        if response.extensions().get::<Problem>().is_none() {
            if !is_bare_error(&response) {
                return response;
            }
            let problem = Problem::new(kind_of(response.status()));
            response.extensions_mut().insert(problem);
        }
        asked.render(response)
    }
}

impl Asked {
    /// Gives an answer with a problem its body, and keeps the headers it came with.
    fn render(&self, mut response: Response) -> Response {
        let Some(problem) = response.extensions().get::<Problem>() else {
            return response;
        };
        let path = self.path.as_ref().map_or("/", PathAndQuery::path);
        let path = &path[..path.floor_char_boundary(MAX_INSTANCE)];
        let instance = [self.edge.public_url.prefix(), path].concat();
        let request_id = self.request_id.as_ref().map_or("", RequestId::as_str);
        let rendered = problem.render(&instance, request_id, self.edge.naming);

        *response.status_mut() = rendered.status();
        let headers = response.headers_mut();
        for stale in [CONTENT_LENGTH, CONTENT_ENCODING, ETAG] {
            headers.remove(stale);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response.map(|_: Body| rendered.into_body())
    }
}

/// An error that axum, a layer or a handler answered with anything but a problem.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let is_problem = |kind: &HeaderValue| kind.as_bytes().starts_with(MEDIA_TYPE.as_bytes());
    (status.is_client_error() || status.is_server_error())
        && !response.headers().get(CONTENT_TYPE).is_some_and(is_problem)
}

/// The documented kind with this status; a status that has none keeps its number and borrows the words.
fn kind_of(status: StatusCode) -> ProblemKind {
    let documented = ALL.iter().find(|kind| kind.status == status);
    let borrowed = if status.is_client_error() { kind::INVALID_REQUEST } else { kind::INTERNAL };
    documented.cloned().unwrap_or(ProblemKind { status, ..borrowed })
}
