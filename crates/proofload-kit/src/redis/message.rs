//! What processes tell each other: which cache invalidated what, and who says so.
//!
//! Version (1), 8 bytes origin, 2 bytes length of the cache's name, the name, one byte kind, the text of the target.

use crate::cache::remote::Target;

const VERSION: u8 = 1;
/// Longest message that is read.
const MAX_BYTES: usize = 1 << 20;
/// Longest text that is sent.
const MAX_TEXT_BYTES: usize = 512 * 1024;

/// One invalidation, as it was heard.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    /// Which of all caches of that name, in all processes.
    pub(super) origin: u64,
    pub(super) cache: &'a str,
    pub(super) target: Target,
}

/// A target that is too long to be sent becomes a larger one.
pub(super) fn encode(origin: u64, cache: &str, target: &Target) -> Vec<u8> {
    let (kind, text) = match target {
        Target::Key(text) | Target::Prefix(text) if text.len() > MAX_TEXT_BYTES => {
            (b'p', &text[..text.floor_char_boundary(MAX_TEXT_BYTES)])
        }
        Target::Glob(text) | Target::Tag(text) if text.len() > MAX_TEXT_BYTES => (b'a', ""),
        Target::Key(text) => (b'k', text.as_str()),
        Target::Prefix(text) => (b'p', text.as_str()),
        Target::Glob(text) => (b'g', text.as_str()),
        Target::Tag(text) => (b't', text.as_str()),
        Target::All => (b'a', ""),
    };
    let mut out = Vec::with_capacity(12 + cache.len() + text.len());
    out.push(VERSION);
    out.extend_from_slice(&origin.to_be_bytes());
    // Names of caches are short; a longer one would be cut off at no character's end, so it is not sent at all.
    let cache = if cache.len() <= usize::from(u16::MAX) { cache } else { "" };
    out.extend_from_slice(&(cache.len() as u16).to_be_bytes());
    out.extend_from_slice(cache.as_bytes());
    out.push(kind);
    out.extend_from_slice(text.as_bytes());
    out
}

/// `None` for anything that is no message of this version.
pub(super) fn decode(bytes: &[u8]) -> Option<Message<'_>> {
    if bytes.len() > MAX_BYTES {
        return None;
    }
    let (&version, rest) = bytes.split_first()?;
    if version != VERSION {
        return None;
    }
    let (origin, rest) = rest.split_first_chunk::<8>()?;
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (cache, rest) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
    let (&kind, text) = rest.split_first()?;
    let text = str::from_utf8(text).ok()?.to_owned();
    let target = match kind {
        b'k' => Target::Key(text),
        b'p' => Target::Prefix(text),
        b'g' => Target::Glob(text),
        b't' => Target::Tag(text),
        b'a' if text.is_empty() => Target::All,
        _ => return None,
    };
    let cache = str::from_utf8(cache).ok()?;
    Some(Message { origin: u64::from_be_bytes(*origin), cache, target })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_message_reads_as_it_was_written() {
        for target in [
            Target::Key("user:1".into()),
            Target::Prefix(String::new()),
            Target::Glob("a*".into()),
            Target::Tag("ä".into()),
            Target::All,
        ] {
            let bytes = encode(7, "users", &target);
            assert_eq!(decode(&bytes), Some(Message { origin: 7, cache: "users", target }));
        }
    }

    #[test]
    fn anything_else_is_nothing() {
        let good = encode(7, "users", &Target::All);
        for end in 0..good.len() {
            assert_eq!(decode(&good[..end]), None);
        }
        let mut other = good.clone();
        other[0] = 2;
        assert_eq!(decode(&other), None);
        let mut trailing = good;
        trailing.push(b'x');
        assert_eq!(decode(&trailing), None);
    }

    proptest! {
        #[test]
        fn foreign_messages_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = decode(&bytes);
        }
    }
}
