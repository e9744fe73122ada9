//! The parameters of a request, from its query and its form.

use std::collections::BTreeMap;

use url::form_urlencoded;

/// Parameters by name. One without a value counts as left out (RFC 6749 §3.1).
pub(super) struct Parameters(BTreeMap<String, String>);

/// A parameter came twice, which none may (RFC 6749 §3.1).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Repeated(pub(super) String);

impl Parameters {
    /// Those of a query and a form together; a route that takes but one passes nothing for the other.
    pub(super) fn read(query: Option<&str>, form: &[u8]) -> Result<Self, Repeated> {
        let query = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let mut parameters = BTreeMap::new();
        for (name, value) in query.chain(form_urlencoded::parse(form)) {
            if value.is_empty() {
                continue;
            }
            if parameters.contains_key(&*name) {
                return Err(Repeated(name.into_owned()));
            }
            parameters.insert(name.into_owned(), value.into_owned());
        }
        Ok(Self(parameters))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Whether `word` is one of those in the parameter, which are separated by spaces.
    pub(super) fn lists(&self, name: &str, word: &str) -> bool {
        self.get(name).is_some_and(|value| value.split(' ').any(|listed| listed == word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn query_and_form_are_one_and_nothing_comes_twice() {
        let read = |query, form: &str| Parameters::read(query, form.as_bytes());
        let parameters = read(Some("a=1&b=&scope=openid+profile"), "b=2%263&b=").unwrap();
        assert_eq!(
            (parameters.get("a"), parameters.get("b"), parameters.get("c")),
            (Some("1"), Some("2&3"), None)
        );
        assert!(parameters.lists("scope", "profile") && !parameters.lists("scope", "prof"));
        assert_eq!(read(Some("a=1"), "a=1").err(), Some(Repeated("a".to_owned())));
    }
}
