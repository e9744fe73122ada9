//! What it costs to know who is calling, and to have a token for a service: CPU time of the one thread that does it.
//!
//! Callers take turns, so that none of them has the caches of the processor to itself.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up says where")]

#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/browser.rs"]
mod browser;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/exchanger.rs"]
mod exchanger;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/oidc_provider.rs"]
mod oidc_provider;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/provider.rs"]
mod provider;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/signer.rs"]
mod signer;
#[expect(dead_code, reason = "the tests need more of it")]
#[path = "../tests/it/support.rs"]
mod support;

use std::hint::black_box;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use futures::FutureExt;
use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderName, HeaderValue};
use identity::{
    Accounts, ApiKeys, ApiKeysSettings, Bearer, KeyFile, NewKey, Partners, Sessions, Tokens, X_API_KEY,
};
use jiff::Timestamp;
use mimalloc::MiMalloc;
use problem::Problem;
use request_context::{AccessToken, Authenticate, Caller, RequestContext, Scopes, Subject};
use serde_json::{Value, json};
use store::SharedStore;
use tempfile::TempDir;
use test_support::{CpuTime, ProofKey};
use tokio::runtime::Runtime;
use upstream_client::{Credential, TokenSource};

use browser::{Browser, code};
use exchanger::Exchanger;
use oidc_provider::OpenIdProvider;
use provider::FakeProvider;
use signer::Signer;
use support::{ISSUER, PUBLIC_URL};

// As in the services.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const CALLERS: usize = 1000;
const DPOP: HeaderName = HeaderName::from_static("dpop");

fn all(criterion: &mut Criterion<CpuTime>) {
    // What goes to the audit trail is formatted as in a service, and thrown away.
    tracing_subscriber::fmt().json().with_writer(std::io::sink).init();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let _entered = runtime.enter();
    bearer_tokens(criterion, &runtime);
    sessions(criterion, &runtime);
    api_keys(criterion, &runtime);
    exchanged_tokens(criterion, &runtime);
    tokens_with_proofs(criterion, &runtime);
    unseen_tokens(criterion, &runtime);
}

fn bearer_tokens(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let (signer, bearer) = bearer(runtime);
    let heads: Vec<_> = (0..CALLERS).map(|number| unbound(&signer, number)).collect();
    known(criterion, runtime, "a bearer token, verified before", &bearer, &heads);
}

fn sessions(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let (sessions, heads) = runtime.block_on(async {
        let signer = Signer::ed25519("good");
        let fake = OpenIdProvider::start(&signer).await;
        let sessions = fake.sessions(&SharedStore::memory(), &json!({}));
        let mut heads = vec![];
        for number in 0..CALLERS {
            heads.push(signed_in(&sessions, &fake, &signer, number).await);
        }
        (sessions, heads)
    });
    known(criterion, runtime, "a session in memory, seen before", &sessions, &heads);
}

fn api_keys(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    const SCOPES: [&str; 1] = ["orders:read"];
    let fake = runtime.block_on(FakeProvider::start(&[]));
    let partners = (0..CALLERS).map(|number| {
        let partner = json!({"account": format!("acct_{number}"), "client_id": "c", "client_secret": "s"});
        (format!("partner{number}"), partner)
    });
    let partners: Partners = serde_json::from_value(partners.collect()).unwrap();
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("keys.toml");
    let file = KeyFile::new(&path, &partners, &SCOPES);
    let heads = (0..CALLERS).map(|number| {
        let (partner, scopes) = (format!("partner{number}"), SCOPES.map(str::to_owned));
        let new = NewKey { partner: &partner, scopes: &scopes, expires_at: None };
        with(X_API_KEY, file.issue(&new, Timestamp::now()).unwrap().expose())
    });
    let heads: Vec<_> = heads.collect();
    let accounts = Accounts::new(&partners, &support::provider(&fake, &json!({})));
    let settings = ApiKeysSettings { file: Some(path), ..ApiKeysSettings::default() };
    let keys = ApiKeys::open(&settings, &partners, &accounts, &SCOPES).unwrap();
    known(criterion, runtime, "an API key", &keys, &heads);
}

fn exchanged_tokens(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let exchanger = runtime.block_on(Exchanger::start());
    let tokens = Tokens::new(&exchanger.provider(&json!({})));
    let signer = Signer::ed25519("good");
    let requests: Vec<_> = (0..CALLERS).map(|number| of_caller(&signer, number)).collect();
    for ctx in &requests {
        runtime.block_on(tokens.token(ctx, Credential::Caller, "orders", None)).unwrap();
    }
    let mut requests = requests.iter().cycle();
    criterion.bench_function("a token for a service, exchanged before", |bencher| {
        bencher.iter(|| {
            let ctx = black_box(requests.next().unwrap());
            let token = tokens.token(ctx, Credential::Caller, "orders", None).now_or_never();
            assert!(matches!(token, Some(Ok(_))));
        });
    });
}

fn tokens_with_proofs(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let (signer, bearer) = bearer(runtime);
    let key = ProofKey::generate();
    let tokens: Vec<_> = (0..CALLERS).map(|number| token(&signer, number, &key.cnf())).collect();
    let mut turns = (0_u64..).zip(tokens.iter().cycle());
    let mut proven = || {
        let (number, token) = turns.next().unwrap();
        let proof = key.proof(&number.to_string(), "GET", &format!("{PUBLIC_URL}/"), token);
        let mut head = with(AUTHORIZATION, &format!("DPoP {token}"));
        head.headers.insert(DPOP, proof.parse().unwrap());
        head
    };
    for _ in 0..CALLERS {
        runtime.block_on(bearer.authenticate(&support::request(), &proven())).unwrap();
    }
    each_new(criterion, "a token bound to a key, with its proof", &bearer, proven);
}

fn unseen_tokens(criterion: &mut Criterion<CpuTime>, runtime: &Runtime) {
    let (signer, bearer) = bearer(runtime);
    let mut heads = (0..).map(|number| unbound(&signer, number));
    // With the first one come the provider's keys.
    runtime.block_on(bearer.authenticate(&support::request(), &heads.next().unwrap())).unwrap();
    each_new(criterion, "a bearer token, never seen", &bearer, || heads.next().unwrap());
}

/// An issuer's key, and a service that takes its tokens.
fn bearer(runtime: &Runtime) -> (Signer, Bearer) {
    let signer = Signer::ed25519("good");
    let fake = runtime.block_on(FakeProvider::start(&[&signer]));
    let bearer = support::bearer(&fake, &json!({}));
    (signer, bearer)
}

/// Callers who were there before, again and again.
fn known(
    criterion: &mut Criterion<CpuTime>,
    runtime: &Runtime,
    name: &str,
    identity: &impl Authenticate<Refusal = Problem>,
    heads: &[Parts],
) {
    let ctx = support::request();
    for head in heads {
        runtime.block_on(identity.authenticate(&ctx, head)).unwrap();
    }
    let mut heads = heads.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| at_once(identity, &ctx, black_box(heads.next().unwrap())));
    });
}

/// Requests that were never made before. Making them is not measured.
fn each_new(
    criterion: &mut Criterion<CpuTime>,
    name: &str,
    identity: &impl Authenticate<Refusal = Problem>,
    mut head: impl FnMut() -> Parts,
) {
    let ctx = support::request();
    criterion.bench_function(name, |bencher| {
        bencher.iter_batched_ref(&mut head, |head| at_once(identity, &ctx, head), BatchSize::SmallInput);
    });
}

/// The caller is known, and without waiting for anybody.
fn at_once(identity: &impl Authenticate<Refusal = Problem>, ctx: &RequestContext, head: &Parts) {
    let caller = identity.authenticate(ctx, head).now_or_never();
    assert!(matches!(caller, Some(Ok(_))), "{caller:?}");
}

/// What somebody's browser sends after they have signed in.
async fn signed_in(sessions: &Sessions, fake: &OpenIdProvider, signer: &Signer, number: usize) -> Parts {
    let mut browser = Browser::default();
    let asked = browser.begin(sessions, "/").await;
    let mut id_claims = oidc_provider::id_claims(&asked.nonce);
    (id_claims["sub"], id_claims["sid"]) = (json!(subject(number)), json!(format!("s-{number}")));
    let mut answer = oidc_provider::tokens(signer, &asked.nonce);
    answer["id_token"] = json!(signer.sign(&oidc_provider::header(signer), &id_claims));
    answer["access_token"] = json!(token(signer, number, &Value::Null));
    fake.answer_token(200, answer);
    browser.finish(sessions, &code(&asked.state)).await.unwrap();
    for (name, value) in [("theme", "dark"), ("locale", "en-GB")] {
        browser.cookies.insert(name.into(), value.into());
    }
    let mut head = browser.head();
    head.headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
    assert!(head.headers.contains_key(COOKIE));
    head
}

/// A request of somebody who brought a token.
fn of_caller(signer: &Signer, number: usize) -> RequestContext {
    support::request().with_caller(Caller {
        realm: ISSUER.into(),
        subject: Subject::parse(&subject(number)).unwrap(),
        scopes: Scopes::default(),
        token: AccessToken::new(token(signer, number, &Value::Null)),
    })
}

/// A request with a token that is good for whoever has it.
fn unbound(signer: &Signer, number: usize) -> Parts {
    with(AUTHORIZATION, &format!("Bearer {}", token(signer, number, &Value::Null)))
}

/// Somebody's access token, bound to a key if `cnf` names one.
fn token(signer: &Signer, number: usize, cnf: &Value) -> String {
    let mut claims = signer::claims();
    claims["sub"] = json!(subject(number));
    if !cnf.is_null() {
        claims["cnf"] = cnf.clone();
    }
    signer.sign(&signer.header(), &claims)
}

fn subject(number: usize) -> String {
    format!("u_{number}")
}

fn with(name: HeaderName, value: &str) -> Parts {
    support::head(&[(name, value)])
}

criterion_group! {
    name = authenticate;
    config = CpuTime::criterion();
    targets = all
}
criterion_main!(authenticate);
