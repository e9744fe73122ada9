use http::Request;
use http::header::COOKIE;
use jiff::SignedDuration;
use request_context::{Deadline, RequestId, Trace};
use serde_json::json;
use store::SharedStore;

use super::*;
use crate::{IdentitySettings, Provider, SessionSettings};

/// Nothing of this provider is reached: whoever asks it fails.
fn sessions() -> Sessions {
    let settings = json!({
        "issuer": "http://127.0.0.1:9", "client_secret": "hush", "authorization_url": "http://127.0.0.1:9/a",
    });
    let settings: IdentitySettings = serde_json::from_value(settings).unwrap();
    let provider = Provider::new(&settings, "web-bff").unwrap();
    let public_url = PublicUrl::try_from(Url::parse("https://shop.example/web").unwrap()).unwrap();
    let session = SessionSettings { single_replica: true, ..SessionSettings::default() };
    Sessions::new(&provider, &session, &public_url, &SharedStore::memory()).unwrap()
}

#[tokio::test]
async fn an_attempt_is_good_for_ten_minutes() {
    let sessions = sessions();
    for (age, trouble) in [
        (SignedDuration::from_secs(610), SignInTrouble::Expired),
        (SignedDuration::from_secs(590), SignInTrouble::Unavailable),
    ] {
        let begun = Timestamp::now() - age;
        let attempt = Attempt::new("/orders".into(), None, begun);
        let (mut head, ()) = Request::new(()).into_parts();
        let cookies = sessions.0.sign_in.attempts.remember(&sessions.0.keyring, &head.headers, &attempt);
        let cookie = cookies[0].to_str().unwrap().split(';').next().unwrap();
        head.headers.insert(COOKIE, cookie.parse().unwrap());
        let ctx = RequestContext::new(
            RequestId::generate(),
            Trace::start(),
            Deadline::after(Duration::from_secs(10)),
        );
        let answer =
            SignInAnswer { code: Some("c".into()), state: Some(attempt.state), iss: None, error: None };
        let error = sessions.finish(&ctx, &head, &answer).await.unwrap_err();
        let again = "https://shop.example/web/auth/login?returnTo=%2Forders";
        assert_eq!((error.trouble, error.again.as_str()), (trouble, again), "{age}");
        assert_eq!(error.cookies.len(), 1, "the attempt is removed");
    }
}
