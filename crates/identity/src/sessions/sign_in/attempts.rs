//! The cookies of sign-ins under way: one for each, so that two tabs do not disturb each other.

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;

use crate::hex::hex;
use crate::oidc::Attempt;
use crate::seal::Keyring;

/// How long a person may take to sign in.
pub(super) const LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How long a browser keeps the cookie: longer, so that who comes back late is told so, and not that cookies are blocked.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// How many sign-ins one browser may have under way.
const MOST: usize = 5;
/// How many cookies one answer removes at most.
const MOST_REMOVED: usize = 10;
/// What a cookie is sealed as.
const CONTEXT: &str = "login";
/// Digits of the state's hash in the name of a cookie.
const DIGITS: usize = 8;

pub(super) struct Attempts {
    prefix: &'static str,
    secure: bool,
}

impl Attempts {
    /// Cookies for pages that come over TLS, or not.
    pub(super) fn new(secure: bool) -> Self {
        let prefix = if secure { "__Host-Http-triptych-login-" } else { "triptych-dev-login-" };
        Self { prefix, secure }
    }

    /// `Set-Cookie` headers that keep `attempt`, and remove what makes room for it.
    pub(super) fn remember(
        &self,
        keyring: &Keyring,
        headers: &HeaderMap,
        attempt: &Attempt,
    ) -> Vec<HeaderValue> {
        let mut living = vec![];
        let mut gone = vec![];
        for (name, value) in self.cookies(headers) {
            match open(keyring, value).filter(|it| attempt.begun.duration_since(it.begun) <= LIFETIME) {
                Some(other) => living.push((other.begun, name)),
                None => gone.push(name),
            }
        }
        living.sort_unstable();
        let too_many = (living.len() + 1).saturating_sub(MOST);
        gone.extend(living.iter().take(too_many).map(|(_, name)| *name));
        let removed = gone.into_iter().take(MOST_REMOVED).map(|name| self.set_cookie(name, "", 0));
        let plain = serde_json::to_vec(attempt).expect("strings and numbers always serialize");
        let sealed = URL_SAFE_NO_PAD.encode(keyring.seal(CONTEXT, &plain));
        let kept = self.set_cookie(&self.name(&attempt.state), &sealed, KEPT.as_secs());
        removed.chain([kept]).collect()
    }

    /// The attempt whose cookie is named after `state`.
    pub(super) fn recall(&self, keyring: &Keyring, headers: &HeaderMap, state: &str) -> Option<Attempt> {
        let wanted = self.name(state);
        self.cookies(headers).filter(|(name, _)| *name == wanted).find_map(|(_, value)| open(keyring, value))
    }

    /// The `Set-Cookie` header that removes the attempt of `state`.
    pub(super) fn forget(&self, state: &str) -> HeaderValue {
        self.set_cookie(&self.name(state), "", 0)
    }

    /// Names and values of the cookies whose name is one of ours.
    fn cookies<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let prefix = self.prefix;
        // Pair by pair: another's cookie may hold any bytes.
        let pairs =
            headers.get_all(COOKIE).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
        let pairs = pairs.filter_map(|pair| str::from_utf8(pair).ok()?.trim().split_once('='));
        pairs.filter(move |(name, _)| {
            let digits = name.strip_prefix(prefix);
            digits.is_some_and(|it| it.len() == DIGITS && it.bytes().all(|b| b.is_ascii_hexdigit()))
        })
    }

    fn name(&self, state: &str) -> String {
        let hash = hex(digest::digest(&digest::SHA256, state.as_bytes()).as_ref());
        [self.prefix, &hash[..DIGITS]].concat()
    }

    /// `Lax`, since it is another site that sends the browser back.
    fn set_cookie(&self, name: &str, value: &str, seconds: i64) -> HeaderValue {
        let secure = if self.secure { " Secure;" } else { "" };
        let cookie = format!("{name}={value}; Path=/; Max-Age={seconds};{secure} HttpOnly; SameSite=Lax");
        let mut cookie = HeaderValue::try_from(cookie).expect("names and base64 are visible ASCII");
        cookie.set_sensitive(true);
        cookie
    }
}

fn open(keyring: &Keyring, value: &str) -> Option<Attempt> {
    let plain = keyring.open(CONTEXT, &URL_SAFE_NO_PAD.decode(value).ok()?)?;
    serde_json::from_slice(&plain).ok()
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    /// A browser: it keeps what it is told to keep.
    #[derive(Default)]
    struct Jar(Vec<(String, String)>);

    impl Jar {
        fn take(&mut self, cookies: &[HeaderValue]) {
            for cookie in cookies {
                let cookie = cookie.to_str().unwrap();
                let (pair, rest) = cookie.split_once(';').unwrap();
                let (name, value) = pair.split_once('=').unwrap();
                self.0.retain(|(kept, _)| kept != name);
                if !rest.contains("Max-Age=0;") {
                    self.0.push((name.to_owned(), value.to_owned()));
                }
            }
        }

        fn headers(&self) -> HeaderMap {
            let pairs: Vec<_> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let mut headers = HeaderMap::new();
            headers.append(COOKIE, "theme=dark".parse().unwrap());
            // Others set what they like, and a proxy joins it with ours.
            let line = ["name=\u{e9}; ", &pairs.join("; ")].concat();
            headers.append(COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
            headers
        }
    }

    fn begun(seconds: i64) -> Attempt {
        Attempt::new(format!("/{seconds}"), None, Timestamp::from_second(1_800_000_000 + seconds).unwrap())
    }

    #[test]
    fn two_tabs_have_a_cookie_each_and_a_sixth_replaces_the_oldest() {
        let (attempts, keyring, mut jar) = (Attempts::new(true), Keyring::random(), Jar::default());
        let all = [3, 1, 2, 4, 5, 6].map(begun);
        for (n, attempt) in all.iter().enumerate() {
            let cookies = attempts.remember(&keyring, &jar.headers(), attempt);
            jar.take(&cookies);
            assert_eq!(jar.0.len(), (n + 1).min(MOST));
        }
        for attempt in &all {
            let recalled = attempts.recall(&keyring, &jar.headers(), &attempt.state);
            let expected = (attempt.return_to != "/1").then_some(&attempt.return_to);
            assert_eq!(recalled.map(|it| it.return_to).as_ref(), expected);
        }
    }

    #[test]
    fn old_and_foreign_cookies_make_room_first() {
        let (attempts, keyring, mut jar) = (Attempts::new(true), Keyring::random(), Jar::default());
        jar.take(&attempts.remember(&Keyring::random(), &jar.headers(), &begun(0)));
        jar.take(&attempts.remember(&keyring, &jar.headers(), &begun(1)));
        assert_eq!(jar.0.len(), 1);
        jar.take(&attempts.remember(&keyring, &jar.headers(), &begun(602)));
        assert_eq!(jar.0.len(), 1);
        jar.take(&attempts.remember(&keyring, &jar.headers(), &begun(1202)));
        assert_eq!(jar.0.len(), 2);
    }

    #[test]
    fn an_attempt_is_recalled_by_its_state_alone_and_forgotten() {
        let (attempts, keyring, mut jar) = (Attempts::new(true), Keyring::random(), Jar::default());
        let attempt = begun(0);
        jar.take(&attempts.remember(&keyring, &jar.headers(), &attempt));
        let recalled = attempts.recall(&keyring, &jar.headers(), &attempt.state).unwrap();
        assert_eq!((recalled.state, recalled.nonce), (attempt.state.clone(), attempt.nonce));
        for state in ["", "state", &attempt.state[1..]] {
            assert!(attempts.recall(&keyring, &jar.headers(), state).is_none());
        }
        assert!(attempts.recall(&Keyring::random(), &jar.headers(), &attempt.state).is_none());
        jar.take(&[attempts.forget(&attempt.state)]);
        assert!(jar.0.is_empty());
    }

    #[test]
    fn cookies_are_those_of_the_scheme_and_keep_no_secret_readable() {
        let attempt = begun(0);
        for (secure, expected) in [
            (true, "__Host-Http-triptych-login-; Path=/; Max-Age=86400; Secure; HttpOnly; SameSite=Lax"),
            (false, "triptych-dev-login-; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"),
        ] {
            let cookies = Attempts::new(secure).remember(&Keyring::random(), &HeaderMap::new(), &attempt);
            let [cookie] = &cookies[..] else { panic!("one cookie") };
            assert!(cookie.is_sensitive());
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let (value, attributes) = rest.split_once(';').unwrap();
            assert_eq!(format!("{};{attributes}", &name[..name.len() - DIGITS]), expected);
            assert!(!value.contains(&attempt.state) && !value.contains(&attempt.nonce));
        }
    }

    #[test]
    fn a_cookie_with_the_longest_path_fits_a_browser() {
        let attempt = Attempt::new("/".repeat(1024), Some([7; 32]), Timestamp::now());
        let cookies = Attempts::new(true).remember(&Keyring::random(), &HeaderMap::new(), &attempt);
        assert!(cookies[0].len() < 4096, "{}", cookies[0].len());
    }
}
