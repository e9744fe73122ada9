//! W3C Baggage (<https://www.w3.org/TR/baggage/>): what those who take part in a request tell each other about it.

use http::{HeaderMap, HeaderName, HeaderValue};

/// `baggage`.
pub const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// The least that everybody must hand on, and the most that we do.
const MOST_MEMBERS: usize = 64;
const LONGEST: usize = 8192;

/// The baggage of a request: `key=value;property,key=value`, percent-encoded as it came. For services, never for
/// identity providers; nothing is decided by it. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Baggage(HeaderValue);

impl Baggage {
    /// The members that are well formed, of all the header's lines, as many as there may be; `None` if there are none.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(BAGGAGE).iter();
        let members = lines.flat_map(|line| line.to_str().unwrap_or_default().split(','));
        let mut list = String::new();
        for member in members.filter_map(member).take(MOST_MEMBERS) {
            if list.len() + usize::from(!list.is_empty()) + member.len() > LONGEST {
                break;
            }
            if !list.is_empty() {
                list.push(',');
            }
            list.push_str(member);
        }
        if list.is_empty() { None } else { HeaderValue::try_from(list).ok().map(Self) }
    }

    /// The value of the first member with this key, percent-encoded.
    pub fn get(&self, key: &str) -> Option<&str> {
        let members = self.0.to_str().ok()?.split(',');
        let mut values = members.filter_map(|member| member.split(';').next()?.split_once('='));
        values.find(|(known, _)| known.trim() == key).map(|(_, value)| value.trim())
    }

    /// All of it, for whoever is asked on the request's behalf.
    pub fn header_value(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The member without the space around it, if it is one.
fn member(text: &str) -> Option<&str> {
    let text = text.trim_matches(SPACE);
    let mut parts = text.split(';');
    let (key, value) = parts.next()?.split_once('=')?;
    let good =
        is_token(key.trim_matches(SPACE)) && is_value(value.trim_matches(SPACE)) && parts.all(is_property);
    good.then_some(text)
}

const SPACE: [char; 2] = [' ', '\t'];

/// A key, or a key and a value.
fn is_property(text: &str) -> bool {
    match text.split_once('=') {
        Some((key, value)) => is_token(key.trim_matches(SPACE)) && is_value(value.trim_matches(SPACE)),
        None => is_token(text.trim_matches(SPACE)),
    }
}

fn is_token(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(allowed)
}

/// `baggage-octet`: visible, without quotes, commas, semicolons and backslashes.
fn is_value(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'"' | b',' | b';' | b'\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(BAGGAGE, HeaderValue::from_str(line).unwrap());
        }
        Baggage::read(&headers).map(|baggage| baggage.0.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_kept() {
        for (lines, expected) in [
            (&[][..], None),
            (&[" , "], None),
            (&["a=1, b = 2 ;p;q=3\t"], Some("a=1,b = 2 ;p;q=3")),
            (&["a=1", "b=%20"], Some("a=1,b=%20")),
            (&["a=", "b=x=y"], Some("a=,b=x=y")),
            (&["a", "=1", "b c=1", "d=1 2", "e=\"x\"", "f=1;", "g=1;p=\\", "h=ok"], Some("h=ok")),
        ] {
            assert_eq!(kept(lines).as_deref(), expected, "{lines:?}");
        }
        let many = (0..65).map(|n| format!("k{n}=1")).collect::<Vec<_>>();
        assert_eq!(kept(&[&many.join(",")]).unwrap(), many[..64].join(","));
        let (fits, long) = (format!("a={}", "x".repeat(8188)), format!("a={}", "x".repeat(8192)));
        assert_eq!(kept(&[&format!("{fits},b=1")]).unwrap(), fits);
        assert_eq!(kept(&[&long]), None);
    }

    #[test]
    fn a_member_is_found_by_its_key() {
        let headers =
            HeaderMap::from_iter([(BAGGAGE, HeaderValue::from_static("a = 1;p=9, tier=gold%20plus,a=2"))]);
        let baggage = Baggage::read(&headers).unwrap();
        let found = ["a", "tier", "p"].map(|key| baggage.get(key));
        assert_eq!(found, [Some("1"), Some("gold%20plus"), None]);
    }

    proptest! {
        #[test]
        fn whatever_comes_what_is_kept_is_well_formed_and_kept_again(line in "[ -~\t]{0,300}") {
            if let Some(once) = kept(&[&line]) {
                prop_assert!(once.split(',').all(|part| member(part) == Some(part)));
                prop_assert_eq!(kept(&[&once]), Some(once));
            }
        }
    }
}
