//! The chunked transfer coding (RFC 9112 §7.1), undone in place.
//!
//! The data of the chunks is moved together at the front of the piece that arrived, so an
//! unchunked body needs no memory of its own. Strict where laxness lets two readers disagree about
//! where a message ends: CRLF only, hexadecimal digits only. Spaces after the size (old Apache
//! pads with them) and extensions are skipped.

use super::head::{malformed, too_large};
use crate::http::exchange::Failure;
use crate::http::syntax;

/// Decoder of one chunked body.
#[derive(Debug)]
pub(super) struct Chunked {
    state: State,
    /// Size of the present chunk, then what is left of it.
    size: u64,
    /// Bytes of this size line, or of all trailers, so far.
    extra_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first digit of a size.
    SizeStart,
    Size,
    /// Spaces after the size.
    SizePadding,
    Extension,
    SizeLineFeed,
    Data,
    DataCarriageReturn,
    DataLineFeed,
    /// At the beginning of a trailer line.
    TrailerStart,
    TrailerName,
    TrailerValue,
    TrailerLineFeed,
    EndLineFeed,
    Done,
}

/// What came of a piece of a chunked body.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unchunked {
    /// How many bytes of data stand at the front of the piece now.
    pub(super) data: usize,
    /// How many bytes of the piece belong to the body.
    pub(super) consumed: usize,
    /// The body is complete.
    pub(super) done: bool,
}

impl Chunked {
    pub(super) const fn new() -> Self {
        Self { state: State::SizeStart, size: 0, extra_bytes: 0 }
    }

    /// Decodes a piece. With `keep` the data is moved to the front, otherwise only counted.
    pub(super) fn decode(
        &mut self,
        piece: &mut [u8],
        keep: bool,
        max_extra_bytes: usize,
    ) -> Result<Unchunked, Failure> {
        let (mut at, mut data) = (0, 0);
        while at < piece.len() && self.state != State::Done {
            if self.state == State::Data {
                let left = usize::try_from(self.size).unwrap_or(usize::MAX);
                let length = left.min(piece.len() - at);
                if keep && data != at {
                    piece.copy_within(at..at + length, data);
                }
                data += length;
                at += length;
                self.size -= length as u64;
                if self.size == 0 {
                    self.state = State::DataCarriageReturn;
                }
            } else {
                self.state = self.step(piece[at], max_extra_bytes)?;
                at += 1;
            }
        }
        Ok(Unchunked { data, consumed: at, done: self.state == State::Done })
    }

    fn step(&mut self, byte: u8, max_extra_bytes: usize) -> Result<State, Failure> {
        Ok(match (self.state, byte) {
            (State::SizeStart, _) => {
                self.extra_bytes = 0;
                self.size = hex(byte).ok_or_else(|| malformed("chunk size is not a number"))?;
                State::Size
            }
            (State::Size | State::SizePadding, b'\r') => State::SizeLineFeed,
            (State::Size | State::SizePadding, b';') => State::Extension,
            (State::Size | State::SizePadding, b' ' | b'\t') => {
                self.count_extra(max_extra_bytes)?;
                State::SizePadding
            }
            (State::Size, _) => {
                let digit = hex(byte).ok_or_else(|| malformed("chunk size is not a number"))?;
                if self.size >> 60 != 0 {
                    return Err(malformed("chunk size is too large"));
                }
                self.size = self.size << 4 | digit;
                self.count_extra(max_extra_bytes)?;
                State::Size
            }
            (State::SizePadding, _) => return Err(malformed("chunk size is not a number")),
            (State::Extension, b'\r') => State::SizeLineFeed,
            (State::Extension, _) => {
                self.count_extra(max_extra_bytes)?;
                if !syntax::is_field_value(&[byte]) {
                    return Err(malformed("chunk extension has a control character"));
                }
                State::Extension
            }
            (State::SizeLineFeed, b'\n') if self.size == 0 => State::TrailerStart,
            (State::SizeLineFeed, b'\n') => State::Data,
            (State::SizeLineFeed, _) => return Err(malformed("chunk size line ends in a bare CR")),
            (State::DataCarriageReturn, b'\r') => State::DataLineFeed,
            (State::DataLineFeed, b'\n') => State::SizeStart,
            (State::DataCarriageReturn | State::DataLineFeed, _) => {
                return Err(malformed("chunk is longer than its size"));
            }
            (State::TrailerStart, b'\r') => State::EndLineFeed,
            (State::TrailerName, b':') => State::TrailerValue,
            (State::TrailerStart | State::TrailerName, _) => {
                self.count_extra(max_extra_bytes)?;
                if !syntax::is_token_byte(byte) {
                    return Err(malformed("trailer is not a header line"));
                }
                State::TrailerName
            }
            (State::TrailerValue, b'\r') => State::TrailerLineFeed,
            (State::TrailerValue, _) => {
                self.count_extra(max_extra_bytes)?;
                if !syntax::is_field_value(&[byte]) {
                    return Err(malformed("trailer has a control character"));
                }
                State::TrailerValue
            }
            (State::TrailerLineFeed, b'\n') => State::TrailerStart,
            (State::EndLineFeed, b'\n') => State::Done,
            (State::TrailerLineFeed | State::EndLineFeed, _) => {
                return Err(malformed("trailer ends in a bare CR"));
            }
            (State::Data | State::Done, _) => unreachable!("handled by the caller"),
        })
    }

    /// Bounds what a server can send without it being data: leading zeros, padding and extensions
    /// of one size line, all trailers together.
    fn count_extra(&mut self, max_bytes: usize) -> Result<(), Failure> {
        self.extra_bytes += 1;
        if self.extra_bytes > max_bytes { Err(too_large(max_bytes)) } else { Ok(()) }
    }
}

fn hex(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(text: &[u8], step: usize) -> Result<(Vec<u8>, bool, usize), Failure> {
        let mut decoder = Chunked::new();
        let (mut body, mut done, mut consumed) = (Vec::new(), false, 0);
        for piece in text.chunks(step) {
            let mut piece = piece.to_vec();
            let result = decoder.decode(&mut piece, true, 64)?;
            body.extend_from_slice(&piece[..result.data]);
            consumed += result.consumed;
            done = result.done;
        }
        Ok((body, done, consumed))
    }

    #[test]
    fn joins_chunks() {
        for (text, body, done) in [
            ("0\r\n\r\n", "", true),
            ("5\r\nhello\r\n0\r\n\r\n", "hello", true),
            ("5\r\nhello\r\n1\r\n \r\n00A\r\n0123456789\r\n0\r\n\r\n", "hello 0123456789", true),
            ("5 \t\r\nhello\r\n0;a=b\r\n\r\n", "hello", true),
            ("5;x=\"ä\"\r\nhello\r\n0\r\nA: b\r\nC:\r\n\r\n", "hello", true),
            ("5\r\nhello\r\n0\r\nA: b\r\n", "hello", false),
            ("5\r\nhel", "hel", false),
            ("", "", false),
        ] {
            for step in 1..=text.len().max(1) {
                let (data, complete, consumed) = decode(text.as_bytes(), step).unwrap();
                assert_eq!((data.as_slice(), complete), (body.as_bytes(), done), "{text:?} {step}");
                assert_eq!(consumed, text.len());
            }
        }
    }

    #[test]
    fn stops_at_the_end() {
        let (body, done, consumed) = decode(b"1\r\na\r\n0\r\n\r\nHTTP/1.1", 100).unwrap();
        assert_eq!((body.as_slice(), done, consumed), (b"a".as_slice(), true, 11));
    }

    #[test]
    fn refuses() {
        let endless = format!("5;{}", "x".repeat(65));
        let zeros = "0".repeat(70);
        let trailers = format!("0\r\n{}", "a: b\r\n".repeat(30));
        for (text, detail) in [
            ("x\r\n", "not a number"),
            ("-1\r\n", "not a number"),
            ("0x5\r\n", "not a number"),
            ("\r\n", "not a number"),
            ("5\nhello", "not a number"),
            ("5 5\r\n", "not a number"),
            ("5\rhello", "bare CR"),
            ("10000000000000000\r\n", "too large"),
            ("fffffffffffffffff\r\n", "too large"),
            ("5;a\nb\r\n", "control"),
            ("5\r\nhello!", "longer"),
            ("5\r\nhello\r!", "longer"),
            ("5\r\nhello\n", "longer"),
            ("0\r\nab c\r\n", "not a header line"),
            ("0\r\n\n", "not a header line"),
            ("0\r\na: \0\r\n", "control"),
            ("0\r\na: b\rc", "bare CR"),
            ("0\r\n\rX", "bare CR"),
            (&endless, "larger than 64"),
            (&zeros, "larger than 64"),
            (&trailers, "larger than 64"),
        ] {
            for step in [1, 2, text.len()] {
                let failure = decode(text.as_bytes(), step).unwrap_err();
                assert!(failure.detail.contains(detail), "{text:?}: {failure}");
            }
        }
    }
}
