//! The lexical rules of HTTP (RFC 9110 §5.5, §5.6): tokens, field values, lists.

/// One bit a class: which bytes may stand where.
const TOKEN: u8 = 1;
const VALUE: u8 = 2;
const TARGET: u8 = 4;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let b = byte as u8;
        let mut class = 0;
        if b.is_ascii_alphanumeric()
            || matches!(
                b,
                b'!' | b'#'
                    | b'$'
                    | b'%'
                    | b'&'
                    | b'\''
                    | b'*'
                    | b'+'
                    | b'-'
                    | b'.'
                    | b'^'
                    | b'_'
                    | b'`'
                    | b'|'
                    | b'~'
            )
        {
            class |= TOKEN;
        }
        if b == b'\t' || (b >= 0x20 && b != 0x7f) {
            class |= VALUE;
        }
        if b > 0x20 && b < 0x7f && b != b'#' {
            class |= TARGET;
        }
        table[byte] = class;
        byte += 1;
    }
    table
}

pub(crate) fn is_token_byte(byte: u8) -> bool {
    CLASSES[byte as usize] & TOKEN != 0
}

/// A non-empty token: method or field name.
pub(crate) fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| is_token_byte(b))
}

/// No control characters except the tab. Bytes above 0x7f are opaque and allowed.
pub(crate) fn is_field_value(bytes: &[u8]) -> bool {
    // Folding instead of `all` lets the compiler use vector instructions: values are short and
    // nearly always valid, so leaving early gains nothing.
    bytes.iter().fold(true, |ok, &b| ok & ((b >= 0x20 && b != 0x7f) | (b == b'\t')))
}

/// Visible ASCII without `#`: what may stand in a request target.
pub(crate) fn is_target(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().all(|&b| CLASSES[b as usize] & TARGET != 0)
}

/// Without surrounding spaces and tabs.
pub(crate) fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

/// Whether a comma-separated list has this member, in any case.
pub(crate) fn list_has(value: &[u8], member: &str) -> bool {
    value.split(|&b| b == b',').any(|part| trim(part).eq_ignore_ascii_case(member.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_bytes() {
        assert!(is_token(b"X-Content_type~!"));
        for bad in [b"".as_slice(), b"a b", b"a:", b"(a)", b"\xe4", b"a\x7f"] {
            assert!(!is_token(bad), "{bad:?}");
        }
        assert!(is_field_value(b"a b\t\xe4"));
        for bad in [b"\r".as_slice(), b"\n", b"\0", b"\x7f", b"\x1f"] {
            assert!(!is_field_value(bad), "{bad:?}");
        }
        assert!(is_target(b"/a?b=%20&c[]=1"));
        for bad in [b"".as_slice(), b"/a b", b"/a\r\n", b"/\xe4", b"/a#b", b"/\x7f"] {
            assert!(!is_target(bad), "{bad:?}");
        }
    }

    #[test]
    fn lists() {
        assert!(list_has(b"keep-alive , CLOSE", "close"));
        assert!(!list_has(b"closed", "close"));
        assert!(!list_has(b"", "close"));
    }
}
