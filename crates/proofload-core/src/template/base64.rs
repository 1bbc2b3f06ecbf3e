//! Base64 with padding (RFC 4648, section 4).

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Encodes what stands from `start` on, in place.
pub(super) fn encode_from(out: &mut Vec<u8>, start: usize) {
    let len = out.len() - start;
    out.resize(start + len.div_ceil(3) * 4, 0);
    // From the end to the front: a group of four is never written before its three bytes, and
    // those in front of it, have been read.
    for group in (0..len.div_ceil(3)).rev() {
        let from = start + group * 3;
        let available = (len - group * 3).min(3);
        let mut bytes = [0_u8; 3];
        bytes[..available].copy_from_slice(&out[from..from + available]);
        let bits = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
        let to = start + group * 4;
        for (index, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            out[to + index] =
                if index <= available { ALPHABET[(bits >> shift & 63) as usize] } else { b'=' };
        }
    }
}

/// Encodes bytes.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let mut out = bytes.to_vec();
    encode_from(&mut out, 0);
    String::from_utf8(out).unwrap_or_default()
}

/// Decodes a text; `None` if it is not Base64 with padding.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let groups = text.len() / 4;
    let mut out = Vec::with_capacity(groups * 3);
    for (at, group) in text.chunks_exact(4).enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && at + 1 != groups) {
            return None;
        }
        let mut bits = 0_u32;
        for &byte in &group[..4 - padding] {
            let value = ALPHABET.iter().position(|a| *a == byte)?;
            bits = bits << 6 | value as u32;
        }
        bits <<= 6 * padding;
        out.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_rfc() {
        for (plain, coded) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), coded);
            assert_eq!(decode(coded).as_deref(), Some(plain.as_bytes()));
        }
        for bad in ["Zg=", "Z===", "Zg==Zg==", "Zm9*", "===="] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
