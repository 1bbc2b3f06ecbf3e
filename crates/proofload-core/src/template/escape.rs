//! Escaping in place, at the end of a buffer.
//!
//! Most values need no escaping: they are scanned once and stay. Where one does, the buffer grows
//! and the bytes move from the back to the front, so nothing is allocated beside it.

use super::RenderError;
use super::ir::Escape;

/// Escapes what stands from `start` on.
pub(super) fn apply(escape: Escape, out: &mut Vec<u8>, start: usize) -> Result<(), RenderError> {
    match escape {
        Escape::None => {}
        Escape::Json => json(out, start),
        Escape::Query => percent(out, start, &UNRESERVED),
        Escape::Path => percent(out, start, &PATH),
        Escape::Header => {
            if out[start..].iter().any(|b| matches!(b, b'\r' | b'\n' | 0)) {
                return Err(RenderError::HeaderValue);
            }
        }
    }
    Ok(())
}

/// A set of bytes.
type ByteSet = [bool; 256];

const fn byte_set(extra: &[u8]) -> ByteSet {
    let mut set = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        set[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < extra.len() {
        set[extra[at] as usize] = true;
        at += 1;
    }
    set
}

/// Unreserved characters (RFC 3986, section 2.3).
const UNRESERVED: ByteSet = byte_set(b"-._~");

/// What may stand in a path: `pchar` and `/` (RFC 3986, section 3.3).
const PATH: ByteSet = byte_set(b"-._~/:@!$&'()*+,;=");

const HEX: &[u8; 16] = b"0123456789ABCDEF";

fn percent(out: &mut Vec<u8>, start: usize, keep: &ByteSet) {
    expand(
        out,
        start,
        |byte| if keep[byte as usize] { 0 } else { 2 },
        |byte, to| {
            to.copy_from_slice(&[b'%', HEX[(byte >> 4) as usize], HEX[(byte & 15) as usize]]);
        },
    );
}

/// Escapes for the inside of a JSON string (RFC 8259, section 7).
pub(super) fn json(out: &mut Vec<u8>, start: usize) {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    expand(out, start, extra, |byte, to| {
        to[0] = b'\\';
        match byte {
            b'\n' => to[1] = b'n',
            b'\r' => to[1] = b'r',
            b'\t' => to[1] = b't',
            0x08 => to[1] = b'b',
            0x0c => to[1] = b'f',
            0..0x20 => {
                to[1..6].copy_from_slice(b"u00__");
                to[4] = HEX[(byte >> 4) as usize];
                to[5] = HEX[(byte & 15) as usize];
            }
            other => to[1] = other,
        }
    });
}

/// A text as JSON, with quotes.
pub(crate) fn json_text(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    json(&mut out, 0);
    format!("\"{}\"", String::from_utf8_lossy(&out))
}

/// Makes room for bytes that grow by `extra` each, and lets `write` fill it.
fn expand(
    out: &mut Vec<u8>,
    start: usize,
    extra: impl Fn(u8) -> usize,
    write: impl Fn(u8, &mut [u8]),
) {
    let growth: usize = out[start..].iter().map(|&byte| extra(byte)).sum();
    if growth == 0 {
        return;
    }
    let mut read = out.len();
    out.resize(out.len() + growth, 0);
    let mut to = out.len();
    while to > read {
        read -= 1;
        let byte = out[read];
        let width = 1 + extra(byte);
        to -= width;
        if width == 1 {
            out[to] = byte;
        } else {
            write(byte, &mut out[to..to + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_break_out() {
        let check = |escape: Escape, value: &str, expect: &str| {
            let mut out = b"before ".to_vec();
            let start = out.len();
            out.extend_from_slice(value.as_bytes());
            apply(escape, &mut out, start).expect("can be escaped");
            assert_eq!(String::from_utf8_lossy(&out), format!("before {expect}"));
        };
        check(Escape::None, "a\"b", "a\"b");
        check(Escape::Json, "", "");
        check(Escape::Json, "plain ä", "plain ä");
        check(
            Escape::Json,
            "a\"b\\c\n\r\t\u{8}\u{c}\u{1}\u{1f}",
            "a\\\"b\\\\c\\n\\r\\t\\b\\f\\u0001\\u001F",
        );
        check(Escape::Query, "a b&c=d/ä~", "a%20b%26c%3Dd%2F%C3%A4~");
        check(Escape::Path, "a b/c?d#e:f", "a%20b/c%3Fd%23e:f");
        check(Escape::Header, "Bearer x", "Bearer x");
    }

    #[test]
    fn line_breaks_are_refused_in_headers() {
        for value in ["a\r\nx-evil: 1", "a\n", "\0"] {
            let mut out = value.as_bytes().to_vec();
            assert_eq!(apply(Escape::Header, &mut out, 0), Err(RenderError::HeaderValue));
        }
    }

    #[test]
    fn json_escapes_are_read_back() {
        let all: String = (0..0x250_u32).filter_map(char::from_u32).collect();
        let mut out = all.clone().into_bytes();
        json(&mut out, 0);
        let text = format!("\"{}\"", String::from_utf8(out).expect("UTF-8"));
        assert_eq!(serde_json::from_str::<String>(&text).expect("JSON"), all);
    }
}
