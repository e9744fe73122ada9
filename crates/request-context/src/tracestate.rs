//! `tracestate`: what each vendor of the trace keeps in it (<https://www.w3.org/TR/trace-context/#tracestate-header>).

use http::{HeaderMap, HeaderValue};

use crate::trace::TRACESTATE;

/// A list with more members is none.
const MOST_MEMBERS: usize = 32;
/// A longer list loses members, the long ones first.
const LONGEST: usize = 512;
const LONG_MEMBER: usize = 128;

/// The members that are well formed, of all the header's lines, as one line.
pub(crate) fn read(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut lines = headers.get_all(TRACESTATE).iter().peekable();
    lines.peek()?;
    let mut members: Vec<&str> = vec![];
    for member in lines.flat_map(|line| line.to_str().unwrap_or_default().split(',')) {
        let member = member.trim_matches([' ', '\t']);
        if is_member(member) && !members.iter().any(|known| key(known) == key(member)) {
            // Before there are many, since each is compared with all.
            if members.len() == MOST_MEMBERS {
                return None;
            }
            members.push(member);
        }
    }
    if length(&members) > LONGEST {
        members.retain(|member| member.len() <= LONG_MEMBER);
    }
    while length(&members) > LONGEST {
        members.pop();
    }
    if members.is_empty() { None } else { HeaderValue::try_from(members.join(",")).ok() }
}

fn length(members: &[&str]) -> usize {
    members.iter().map(|member| member.len() + 1).sum::<usize>().saturating_sub(1)
}

fn key(member: &str) -> &str {
    member.split_once('=').map_or(member, |(key, _)| key)
}

/// `key=value`; the key may name a tenant, `tenant@system`.
fn is_member(member: &str) -> bool {
    let Some((key, value)) = member.split_once('=') else { return false };
    let key = match key.split_once('@') {
        None => is_name(key, 256),
        Some((tenant, system)) => is_name(tenant, 241) && is_name(system, 14),
    };
    let visible = |b: u8| matches!(b, b' '..=b'~') && b != b',' && b != b'=';
    key && (1..=256).contains(&value.len()) && value.bytes().all(visible)
}

/// A digit may come first in a tenant, and since the second level of the recommendation in any key.
fn is_name(name: &str, longest: usize) -> bool {
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let goes_on = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-' | b'*' | b'/');
    begins && name.len() <= longest && name.bytes().all(goes_on)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(lines: &[&str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(TRACESTATE, HeaderValue::from_str(line).unwrap());
        }
        read(&headers).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn what_is_kept() {
        let long = format!("long={}", "x".repeat(200));
        let short: Vec<_> = (0..30).map(|n| format!("s{n}={}", "y".repeat(15))).collect();
        let too_long = [&[long][..], &short].concat().join(",");
        let many = (0..33).map(|n| format!("k{n}=1")).collect::<Vec<_>>().join(",");
        for (lines, expected) in [
            (&[][..], None),
            (&[""], None),
            (&["a=1, b=2\t,,c=3 "], Some("a=1,b=2,c=3")),
            (&["a=1", "b=2"], Some("a=1,b=2")),
            (&["tenant@system=1,0t@s=2"], Some("tenant@system=1,0t@s=2")),
            (&["A=1,b,c=,d=x=y,@f=1,g@=1,a b=1,h=ok"], Some("h=ok")),
            (&["a=1,b=2,a=3"], Some("a=1,b=2")),
            (&[many.as_str()], None),
        ] {
            assert_eq!(kept(lines).as_deref(), expected, "{lines:?}");
        }
        let shortened = kept(&[&too_long]).unwrap();
        assert!(shortened.starts_with("s0=") && (490..=512).contains(&shortened.len()), "{shortened}");
    }

    proptest! {
        #[test]
        fn whatever_comes_what_is_kept_is_well_formed_and_kept_again(line in "[ -~\t]{0,700}") {
            if let Some(once) = kept(&[&line]) {
                prop_assert!(once.len() <= LONGEST && once.split(',').count() <= MOST_MEMBERS);
                prop_assert!(once.split(',').all(is_member));
                prop_assert_eq!(kept(&[&once]), Some(once));
            }
        }

        #[test]
        fn good_members_are_never_lost(members in prop::collection::btree_map("[a-z][a-z0-9_*/-]{0,5}", "[a-zA-Z0-9:!/]{1,7}", 1..=30)) {
            let list: Vec<_> = members.iter().map(|(key, value)| format!("{key}={value}")).collect();
            let list = list.join(",");
            prop_assert_eq!(kept(&[&list]), Some(list));
        }
    }
}
