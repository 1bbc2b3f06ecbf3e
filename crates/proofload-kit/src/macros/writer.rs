//! Keys and tags of calls, written into a buffer that is used again for the next call of the thread.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use crate::key::KeyPart;

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
