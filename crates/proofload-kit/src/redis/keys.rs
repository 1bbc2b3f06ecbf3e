//! The names of everything a cache has in Redis.
//!
//! With PREFIX for `{namespace:cache}:`, braces included: `PREFIX v:key` (without the space) values,
//! `PREFIX l:key` leases, `PREFIX g:tag` the epoch at which a tag was invalidated (0: not yet),
//! `PREFIX epoch` and `PREFIX fence` (the last lease's number). `namespace:invalidations` is the channel.
//!
//! What is in the braces decides where a cluster keeps a key: all keys of a cache are in one place, as its
//! scripts need it.

/// The names of one cache.
#[derive(Debug)]
pub(super) struct Keys {
    prefix: String,
}

impl Keys {
    /// A colon or a brace in the name of a cache is escaped: names of one cache must not begin like
    /// another's.
    pub(super) fn new(namespace: &str, cache: &str) -> Self {
        let mut prefix = format!("{{{namespace}:");
        for character in cache.chars() {
            match character {
                '%' => prefix.push_str("%25"),
                ':' => prefix.push_str("%3A"),
                '{' => prefix.push_str("%7B"),
                '}' => prefix.push_str("%7D"),
                other => prefix.push(other),
            }
        }
        prefix.push_str("}:");
        Self { prefix }
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
        assert_eq!(keys.value("1:a"), "{app:users}:v:1:a");
        assert_eq!(keys.lease("1"), "{app:users}:l:1");
        assert_eq!(keys.tag("t"), "{app:users}:g:t");
        for other in ["users:v", "users}:v", "user", "users2", "{app:users}", "users}:v:1{"] {
            let other = Keys::new("app", other);
            for (own, others) in [(&keys, &other), (&other, &keys)] {
                assert!(!others.value("x").starts_with(&own.prefix), "{others:?}");
            }
            // What a cluster looks at: from the first brace to the next.
            let prefix = &other.prefix;
            assert_eq!(prefix.find('}'), Some(prefix.len() - 2), "{prefix}");
        }
        for (one, other) in [("a%3Ab", "a:b"), ("a%7Bb", "a{b"), ("%", "%25")] {
            assert_ne!(Keys::new("app", one).prefix, Keys::new("app", other).prefix);
        }
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
