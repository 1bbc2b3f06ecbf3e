//! Private parts for fuzz targets and tests of foreign input.

use super::decode;
use super::exchange::Failure;

/// Undoes the codings that a `Content-Encoding` value names.
///
/// # Errors
/// As of an exchange: an unknown coding, a broken body, or more than `max_bytes` of it.
pub fn decode(content_encoding: &[u8], body: &[u8], max_bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut out = Vec::new();
    let codings = decode::codings(std::iter::once(content_encoding));
    decode::decode(&codings, body, max_bytes, &mut out).map(|()| out)
}
