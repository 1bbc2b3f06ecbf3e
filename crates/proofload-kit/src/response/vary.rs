//! Which headers of a request the answer depends on: those that were configured, and those the service itself
//! names in `Vary`.

use http::header::VARY;
use http::{HeaderMap, HeaderName};
use sha2::{Digest as _, Sha256};

/// Names of headers, sorted, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Vary(Vec<HeaderName>);

impl Vary {
    pub(super) fn new(names: impl IntoIterator<Item = HeaderName>) -> Self {
        let mut names: Vec<HeaderName> = names.into_iter().collect();
        names.sort_by(|one, other| one.as_str().cmp(other.as_str()));
        names.dedup();
        Self(names)
    }

    /// What a response names. None: `Vary: *`, or something that cannot be read; no other request has this answer.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let mut names = Vec::new();
        for field in headers.get_all(VARY) {
            for name in
                field.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty())
            {
                if name == "*" {
                    return None;
                }
                names.push(HeaderName::from_bytes(name.as_bytes()).ok()?);
            }
        }
        Some(Self::new(names))
    }

    /// All names of both.
    pub(super) fn and(&self, other: &Self) -> Self {
        Self::new(self.0.iter().chain(&other.0).cloned())
    }

    /// Whether all names of the other are among these.
    pub(super) fn covers(&self, other: &Self) -> bool {
        other.0.iter().all(|name| self.contains(name))
    }

    pub(super) fn contains(&self, name: &HeaderName) -> bool {
        self.0.contains(name)
    }

    pub(super) fn names(&self) -> &[HeaderName] {
        &self.0
    }

    /// What the request has in these headers, as part of a hash. Names and lengths are hashed too, so that no value can
    /// look like another header's; blanks around values and between several fields of a name do not matter.
    pub(super) fn hash(&self, headers: &HeaderMap, hash: &mut Sha256) {
        for name in &self.0 {
            hash.update((name.as_str().len() as u64).to_le_bytes());
            hash.update(name.as_str());
            let values = headers.get_all(name);
            hash.update((values.iter().count() as u64).to_le_bytes());
            for value in values {
                let value = value.as_bytes().trim_ascii();
                hash.update((value.len() as u64).to_le_bytes());
                hash.update(value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(name, HeaderValue::from_static(value));
        }
        headers
    }

    fn check(fields: &[(&'static str, &'static str)], expect: Option<&[&str]>) {
        let vary = Vary::of(&headers(fields));
        let names = vary
            .as_ref()
            .map(|vary| vary.names().iter().map(HeaderName::as_str).collect::<Vec<_>>());
        assert_eq!(names.as_deref(), expect, "{fields:?}");
    }

    #[test]
    fn names_are_read() {
        check(&[], Some(&[]));
        check(&[("vary", "Accept-Encoding")], Some(&["accept-encoding"]));
        check(&[("vary", "b, A ,b"), ("vary", "c")], Some(&["a", "b", "c"]));
        check(&[("vary", "*")], None);
        check(&[("vary", "a, *")], None);
        check(&[("vary", "a b")], None);
        check(&[("vary", ",")], Some(&[]));
    }

    #[test]
    fn values_decide_the_hash() {
        let vary = Vary::new([HeaderName::from_static("a"), HeaderName::from_static("b")]);
        let hash = |fields: &[(&'static str, &'static str)]| {
            let mut hash = Sha256::new();
            vary.hash(&headers(fields), &mut hash);
            hash.finalize()
        };
        assert_eq!(hash(&[("a", "1"), ("x", "9")]), hash(&[("a", " 1 ")]));
        assert_ne!(hash(&[("a", "1")]), hash(&[("b", "1")]));
        assert_ne!(hash(&[("a", "1")]), hash(&[("a", "")]));
        assert_ne!(hash(&[("a", "")]), hash(&[]));
        assert_ne!(hash(&[("a", "1"), ("b", "2")]), hash(&[("a", "12"), ("b", "")]));
        assert_ne!(hash(&[("a", "1"), ("a", "2")]), hash(&[("a", "1")]));
    }

    #[test]
    fn more_names_cover_fewer() {
        let (a, b) = (HeaderName::from_static("a"), HeaderName::from_static("b"));
        let both = Vary::new([b.clone(), a.clone()]);
        assert!(both.covers(&Vary::new([a.clone()])) && both.covers(&Vary::default()));
        assert!(!Vary::new([a.clone()]).covers(&both));
        assert_eq!(Vary::new([a]).and(&Vary::new([b])), both);
    }
}
