//! The names of everything a cache has in Redis.
//!
//! `{namespace}:{cache}:v:{key}` values, `…:l:{key}` leases, `…:g:{tag}` the epoch at which a tag was
//! invalidated, `…:epoch`, `…:fence` (the last lease's number) and `…:longest` (until when entries
//! with tags are kept, in ms since 1970). `{namespace}:invalidations` is the channel.

/// The names of one cache.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// A colon in the name of a cache is escaped: names of one cache must not begin like another's.
    pub(super) fn new(namespace: &str, cache: &str) -> Self {
        let cache = cache.replace('%', "%25").replace(':', "%3A");
        Self { prefix: format!("{namespace}:{cache}:") }
    }

    pub(super) fn value(&self, key: &str) -> String {
        format!("{}v:{key}", self.prefix)
    }

    pub(super) fn lease(&self, key: &str) -> String {
        format!("{}l:{key}", self.prefix)
    }

    pub(super) fn tag(&self, tag: &str) -> String {
        format!("{}g:{tag}", self.prefix)
    }

    pub(super) fn tags(&self) -> String {
        self.tag("")
    }

    pub(super) fn epoch(&self) -> String {
        format!("{}epoch", self.prefix)
    }

    pub(super) fn fence(&self) -> String {
        format!("{}fence", self.prefix)
    }

    pub(super) fn longest(&self) -> String {
        format!("{}longest", self.prefix)
    }
}

/// The channel of a namespace.
pub(super) fn channel(namespace: &str) -> String {
    format!("{namespace}:invalidations")
}

/// A pattern for `SCAN` that matches what begins with `prefix`, whatever characters that has.
pub(super) fn begins_with(prefix: &str) -> String {
    let mut pattern = String::with_capacity(prefix.len() + 8);
    for character in prefix.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '^' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('*');
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_caches_do_not_overlap() {
        let keys = Keys::new("app", "users");
        assert_eq!(keys.value("1:a"), "app:users:v:1:a");
        assert_eq!(keys.lease("1"), "app:users:l:1");
        assert_eq!(keys.tag("t"), "app:users:g:t");
        let other = Keys::new("app", "users:v");
        assert!(!other.lease("x").starts_with(&keys.value("")));
        assert_ne!(Keys::new("app", "a%3Ab").value(""), Keys::new("app", "a:b").value(""));
    }

    #[test]
    fn patterns_are_literal() {
        for (prefix, expect) in [
            ("app:users:v:", "app:users:v:*"),
            ("a*b?c", "a\\*b\\?c*"),
            ("[x]^\\", "\\[x\\]\\^\\\\*"),
            ("ä", "ä*"),
        ] {
            assert_eq!(begins_with(prefix), expect);
        }
    }
}
