//! Keys and tags of calls, written into a buffer that is used again for the next call of the thread.

use std::cell::Cell;

use crate::Key;

/// A buffer that grew beyond this is not kept.
const LONGEST_KEPT: usize = 4096;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Writes a key, a tag or a pattern.
#[derive(Debug)]
pub struct Writer {
    text: String,
    /// Values are not to act as wildcards.
    pattern: bool,
}

impl Writer {
    /// Text of the attribute, as it is.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A value of the function's.
    #[inline]
    pub(super) fn value(&mut self, write: impl FnOnce(&mut String)) {
        let from = self.text.len();
        write(&mut self.text);
        if self.pattern {
            self.tame(from);
        }
    }

    /// Puts a backslash before what is a wildcard in patterns.
    fn tame(&mut self, from: usize) {
        let value = self.text.split_off(from);
        for c in value.chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                self.text.push('\\');
            }
            self.text.push(c);
        }
    }
}

/// A tag or the beginning of keys, in a buffer of its own.
pub(super) fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer { text: String::new(), pattern: false };
    write(&mut writer);
    writer.text
}

/// A key, in a buffer of its own.
pub(super) fn written_key(write: impl FnOnce(&mut Writer)) -> String {
    let mut key = written(write);
    Key::limit(&mut key);
    key
}

/// A pattern, in a buffer of its own.
pub(super) fn written_pattern(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer { text: String::new(), pattern: true };
    write(&mut writer);
    writer.text
}

/// Lets `read` see the key that is written. Allocates nothing once the thread has a buffer.
///
/// The buffer is taken out while it is used: a value that calls a cached function to write itself finds another.
#[inline]
pub(super) fn with_key<R>(write: impl FnOnce(&mut Writer), read: impl FnOnce(&str) -> R) -> R {
    let mut writer = Writer { text: BUFFER.take(), pattern: false };
    writer.text.clear();
    write(&mut writer);
    Key::limit(&mut writer.text);
    let result = read(&writer.text);
    if writer.text.capacity() <= LONGEST_KEPT {
        BUFFER.set(writer.text);
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_no_wildcards() {
        let check = |value: &str, expect: &str| {
            let pattern = |writer: &mut Writer| {
                writer.text("*:");
                writer.value(|key| key.push_str(value));
            };
            assert_eq!(written_pattern(pattern), format!("*:{expect}"));
            assert_eq!(written(pattern), format!("*:{value}"));
        };
        check("42", "42");
        check("a*b?", "a\\*b\\?");
        check("[x]\\", "\\[x\\]\\\\");
        check("Zoë", "Zoë");
    }

    #[test]
    fn a_buffer_in_use_is_not_shared() {
        let inner =
            |writer: &mut Writer| writer.text(&with_key(|writer| writer.text("in"), str::to_owned));
        let outer = |writer: &mut Writer| {
            writer.text("out:");
            inner(writer);
        };
        assert_eq!(with_key(outer, str::to_owned), "out:in");
        assert_eq!(with_key(inner, str::to_owned), "in");
    }

    #[test]
    fn keys_are_as_those_made_by_hand() {
        let long = "x".repeat(300);
        let write = |writer: &mut Writer| {
            writer.text("f:7:");
            writer.value(|key| key.push_str(&long));
        };
        let by_hand = Key::of("f").with(7).with(&*long).into_string();
        assert_eq!(with_key(write, str::to_owned), by_hand);
        assert_eq!(written_key(write), by_hand);
    }
}
