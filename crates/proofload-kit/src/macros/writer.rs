//! Keys and tags of calls, written into a buffer that is used again for the next call of the thread.

use std::cell::Cell;
use std::fmt::{self, Display, Write as _};

/// A buffer that grew beyond this is not kept.
const LONGEST_KEPT: usize = 4096;

thread_local! {
    static BUFFER: Cell<String> = const { Cell::new(String::new()) };
}

/// Writes a key or a tag.
#[derive(Debug)]
pub struct Writer {
    text: String,
}

impl Writer {
    /// Text of the attribute, as it is.
    #[inline]
    pub fn text(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A value as people read it, with nothing in it that has a meaning in keys.
    #[inline]
    pub(super) fn display<T: Display + ?Sized>(&mut self, value: &T) {
        // Writing into a string fails only when the value's `Display` does: it has written what it can.
        let _ = write!(Escaped(&mut self.text), "{value}");
    }
}

/// Writes text percent-encoded where it would act as a separator or as a wildcard.
struct Escaped<'a>(&'a mut String);

impl fmt::Write for Escaped<'_> {
    #[inline]
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(has_meaning) {
            let (plain, marked) = rest.split_at(at);
            self.0.push_str(plain);
            write!(self.0, "%{:02X}", marked.as_bytes()[0])?;
            rest = &marked[1..];
        }
        self.0.push_str(rest);
        Ok(())
    }
}

/// Separators and wildcards. All are ASCII, so that they are never part of another character.
fn has_meaning(byte: u8) -> bool {
    matches!(byte, b':' | b'%' | b'*' | b'?' | b'[' | b']' | b'\\' | b'\0'..=b' ' | 0x7f)
}

/// What is written, in a buffer of its own.
pub(crate) fn written(write: impl FnOnce(&mut Writer)) -> String {
    let mut writer = Writer { text: String::new() };
    write(&mut writer);
    writer.text
}

/// Lets `read` see what is written. Allocates nothing once the thread has a buffer.
///
/// The buffer is taken out while it is used: a `Display` that itself calls a cached function finds another.
#[inline]
pub(crate) fn with_written<R>(write: impl FnOnce(&mut Writer), read: impl FnOnce(&str) -> R) -> R {
    let mut writer = Writer { text: BUFFER.take() };
    writer.text.clear();
    write(&mut writer);
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
    fn values_have_no_meaning_in_keys() {
        let check = |value: &dyn Display, expect: &str| {
            assert_eq!(written(|writer| writer.display(value)), expect);
        };
        check(&42, "42");
        check(&"Ada", "Ada");
        check(&"a:b", "a%3Ab");
        check(&"*?[]\\%", "%2A%3F%5B%5D%5C%25");
        check(&"Zoë 漢", "Zoë%20漢");
        check(&"\r\n", "%0D%0A");
        check(&"", "");
        check(&'x', "x");
    }

    #[test]
    fn a_buffer_in_use_is_not_shared() {
        let inner = |writer: &mut Writer| {
            writer.text(&with_written(|writer| writer.text("in"), str::to_owned))
        };
        let outer = |writer: &mut Writer| {
            writer.text("out:");
            inner(writer);
        };
        assert_eq!(with_written(outer, str::to_owned), "out:in");
        assert_eq!(with_written(inner, str::to_owned), "in");
    }
}
