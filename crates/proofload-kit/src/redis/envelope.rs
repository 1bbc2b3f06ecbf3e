//! How an entry stands in Redis: a small binary header, then the encoded value, compressed above a
//! size. Whatever is read may have been written by somebody else.
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `PLK` and the version, 1 |
//! | 1 | flags: 1 there is a value, 2 it is compressed |
//! | 8 each | written, fresh until, keep until (ms since 1970), epoch |
//! | 1 | number of tags, each: 2 bytes length, then UTF-8 |
//! | 4 | the value's length, without compression |
//! | rest | the value |
//!
//! Numbers are big endian. `lua/claim.lua` reads the header, too, and `lua/put.lua` writes the epoch.

use std::sync::Arc;

use bytes::Bytes;

use crate::cache::remote::Stored;

/// `PLK` and the version.
const MAGIC: [u8; 4] = *b"PLK\x01";
const HAS_VALUE: u8 = 1;
const COMPRESSED: u8 = 2;
/// Where the times stand.
pub(super) const TIMES_AT: usize = 5;
/// Where the epoch stands.
pub(super) const EPOCH_AT: usize = 29;
/// Where what follows the epoch begins.
pub(super) const AFTER_EPOCH: usize = EPOCH_AT + 8;
/// Most bytes of tags; the header is not larger than this and [`FIXED_BYTES`].
const MAX_TAG_BYTES: usize = 16 * 1024;
/// The header without tags, and the value's length.
const FIXED_BYTES: usize = AFTER_EPOCH + 1 + 4;

/// Most bytes of an envelope whose value has at most `max_value_bytes`.
pub(super) fn max_bytes(max_value_bytes: usize) -> usize {
    max_value_bytes + MAX_TAG_BYTES + FIXED_BYTES
}

/// Why bytes in Redis are not an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotOurs {
    #[error("it does not begin as an entry does")]
    Magic,
    #[error("it ends too early")]
    CutOff,
    #[error("a flag is unknown, or compression is not compiled in")]
    Flags,
    #[error("a tag is not UTF-8")]
    Tag,
    #[error("the value is larger than allowed")]
    TooLarge,
    #[cfg(feature = "compression")]
    #[error("the value cannot be decompressed")]
    Compression,
    #[error("the value is not as long as it should be")]
    Length,
}

/// Why an entry cannot stand in Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooLarge {
    pub(super) bytes: usize,
    pub(super) limit: usize,
}

/// An entry as bytes. Values of more than `compress_above` bytes are compressed where that makes them smaller.
pub(super) fn encode(
    stored: &Stored,
    compress_above: usize,
    max_value_bytes: usize,
) -> Result<Vec<u8>, TooLarge> {
    let value = stored.value.as_deref().unwrap_or_default();
    if value.len() > max_value_bytes {
        return Err(TooLarge { bytes: value.len(), limit: max_value_bytes });
    }
    let tag_bytes: usize = stored.tags.iter().map(|tag| tag.len() + 2).sum();
    if tag_bytes > MAX_TAG_BYTES || stored.tags.len() > usize::from(u8::MAX) {
        return Err(TooLarge { bytes: tag_bytes, limit: MAX_TAG_BYTES });
    }
    let compressed = compress(value, compress_above);
    let mut flags = 0;
    if stored.value.is_some() {
        flags |= HAS_VALUE;
    }
    if compressed.is_some() {
        flags |= COMPRESSED;
    }
    let body = compressed.as_deref().unwrap_or(value);
    let mut out = Vec::with_capacity(FIXED_BYTES + tag_bytes + body.len());
    out.extend_from_slice(&MAGIC);
    out.push(flags);
    for number in [stored.written_ms, stored.fresh_until_ms, stored.keep_until_ms, stored.epoch] {
        out.extend_from_slice(&number.to_be_bytes());
    }
    out.push(stored.tags.len() as u8);
    for tag in &stored.tags {
        out.extend_from_slice(&(tag.len() as u16).to_be_bytes());
        out.extend_from_slice(tag.as_bytes());
    }
    out.extend_from_slice(&(value.len() as u32).to_be_bytes());
    out.extend_from_slice(body);
    Ok(out)
}

/// The entry in `bytes`. The value shares their memory unless it was compressed.
pub(super) fn decode(bytes: &Bytes, max_value_bytes: usize) -> Result<Stored, NotOurs> {
    let mut rest = Cursor { bytes, at: 0 };
    if rest.take(4)? != MAGIC {
        return Err(NotOurs::Magic);
    }
    let flags = rest.u8()?;
    if flags & !(HAS_VALUE | COMPRESSED) != 0 || flags == COMPRESSED {
        return Err(NotOurs::Flags);
    }
    let (written_ms, fresh_until_ms, keep_until_ms, epoch) =
        (rest.u64()?, rest.u64()?, rest.u64()?, rest.u64()?);
    let count = rest.u8()?;
    let mut tags = Vec::with_capacity(usize::from(count));
    let mut tag_bytes = 0;
    for _ in 0..count {
        let length = usize::from(rest.u16()?);
        tag_bytes += length + 2;
        if tag_bytes > MAX_TAG_BYTES {
            return Err(NotOurs::TooLarge);
        }
        let tag = str::from_utf8(rest.take(length)?).map_err(|_| NotOurs::Tag)?;
        tags.push(Arc::from(tag));
    }
    let length = rest.u32()? as usize;
    if length > max_value_bytes {
        return Err(NotOurs::TooLarge);
    }
    let body = bytes.slice(rest.at..);
    let value = if flags & COMPRESSED != 0 {
        decompress(&body, length)?
    } else if body.len() == length {
        body
    } else {
        return Err(NotOurs::Length);
    };
    if flags & HAS_VALUE == 0 && length > 0 {
        return Err(NotOurs::Flags);
    }
    let value = (flags & HAS_VALUE != 0).then_some(value);
    Ok(Stored { value, written_ms, fresh_until_ms, keep_until_ms, epoch, tags })
}

/// The compressed value, if that is worth it.
#[cfg(feature = "compression")]
fn compress(value: &[u8], above: usize) -> Option<Vec<u8>> {
    if value.len() <= above || u32::try_from(value.len()).is_err() {
        return None;
    }
    let compressed = lz4_flex::block::compress(value);
    (compressed.len() + 4 < value.len()).then_some(compressed)
}

#[cfg(not(feature = "compression"))]
fn compress(_value: &[u8], _above: usize) -> Option<Vec<u8>> {
    None
}

#[cfg(feature = "compression")]
fn decompress(body: &[u8], length: usize) -> Result<Bytes, NotOurs> {
    /// No byte of LZ4 stands for more than this many.
    const MAX_RATIO: usize = 255;
    // A few bytes cannot make us allocate what they only claim to hold.
    if length > body.len().saturating_mul(MAX_RATIO) {
        return Err(NotOurs::Compression);
    }
    let mut value = vec![0; length];
    match lz4_flex::block::decompress_into(body, &mut value) {
        Ok(written) if written == length => Ok(value.into()),
        _ => Err(NotOurs::Compression),
    }
}

#[cfg(not(feature = "compression"))]
fn decompress(_body: &[u8], _length: usize) -> Result<Bytes, NotOurs> {
    Err(NotOurs::Flags)
}

/// Reads from the front; running out is an error, never a panic.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], NotOurs> {
        let end = self.at.checked_add(count).ok_or(NotOurs::CutOff)?;
        let taken = self.bytes.get(self.at..end).ok_or(NotOurs::CutOff)?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], NotOurs> {
        self.take(N)?.try_into().map_err(|_| NotOurs::CutOff)
    }

    fn u8(&mut self) -> Result<u8, NotOurs> {
        Ok(u8::from_be_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, NotOurs> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, NotOurs> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, NotOurs> {
        Ok(u64::from_be_bytes(self.array()?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MAX: usize = 1 << 20;

    fn entry(value: Option<&[u8]>, tags: &[&str]) -> Stored {
        Stored {
            value: value.map(Bytes::copy_from_slice),
            written_ms: 1,
            fresh_until_ms: 2,
            keep_until_ms: 3,
            epoch: 4,
            tags: tags.iter().map(|&tag| Arc::from(tag)).collect(),
        }
    }

    fn encoded(stored: &Stored) -> Bytes {
        encode(stored, 1024, MAX).expect("small enough").into()
    }

    #[test]
    fn an_entry_reads_as_it_was_written() {
        let large = b"all work and no play ".repeat(1000);
        for value in [None, Some(&b""[..]), Some(b"{\"a\":1}"), Some(&large)] {
            for tags in [&[][..], &["user:1"], &["", "ä", "user:1"]] {
                let stored = entry(value, tags);
                assert_eq!(decode(&encoded(&stored), MAX), Ok(stored));
            }
        }
    }

    #[cfg(feature = "compression")]
    #[test]
    fn large_values_are_compressed_and_noise_is_not() {
        let text = b"all work and no play ".repeat(1000);
        assert!(encoded(&entry(Some(&text), &[])).len() < text.len() / 10);
        let noise: Vec<u8> = (0..10_000).map(|_| fastrand::u8(..)).collect();
        let bytes = encoded(&entry(Some(&noise), &[]));
        assert_eq!(bytes.len(), noise.len() + FIXED_BYTES);
        assert_eq!(bytes[4], HAS_VALUE);
    }

    #[test]
    fn the_epoch_stands_where_the_scripts_write_it() {
        let bytes = encoded(&entry(Some(b"x"), &["t"]));
        assert_eq!(bytes[EPOCH_AT..AFTER_EPOCH], 4_u64.to_be_bytes());
    }

    #[test]
    fn what_is_too_large_is_neither_written_nor_read() {
        let stored = entry(Some(&[0; 11]), &[]);
        assert_eq!(encode(&stored, 1024, 10), Err(TooLarge { bytes: 11, limit: 10 }));
        let bytes = Bytes::from(encode(&stored, 1024, 11).expect("fits"));
        assert_eq!(decode(&bytes, 10), Err(NotOurs::TooLarge));
        let many = vec!["t"; 256];
        assert!(encode(&entry(None, &many), 1024, MAX).is_err());
        let long = "t".repeat(MAX_TAG_BYTES);
        assert!(encode(&entry(None, &[&long]), 1024, MAX).is_err());
    }

    #[test]
    fn foreign_bytes_are_refused() {
        let good = encoded(&entry(Some(b"value"), &["tag"]));
        let changed = |at: usize, byte: u8| {
            let mut bytes = good.to_vec();
            bytes[at] = byte;
            Bytes::from(bytes)
        };
        for (bytes, expect) in [
            (Bytes::new(), NotOurs::CutOff),
            (Bytes::from_static(b"{\"a\":1}"), NotOurs::Magic),
            (changed(3, 2), NotOurs::Magic),
            (changed(4, 8), NotOurs::Flags),
            (changed(4, COMPRESSED), NotOurs::Flags),
            (changed(4, 0), NotOurs::Flags),
            (changed(37, 0), NotOurs::Length),
            (changed(38, 255), NotOurs::TooLarge),
            (changed(40, 0xff), NotOurs::Tag),
            (good.slice(..AFTER_EPOCH), NotOurs::CutOff),
            (good.slice(..good.len() - 1), NotOurs::Length),
            ([&good[..], b"x"].concat().into(), NotOurs::Length),
        ] {
            assert_eq!(decode(&bytes, MAX), Err(expect), "{bytes:?}");
        }
    }

    #[cfg(feature = "compression")]
    #[test]
    fn decompression_is_bounded_by_what_is_there() {
        let text = b"all work and no play ".repeat(1000);
        let good = encoded(&entry(Some(&text), &[]));
        let claims = |length: u32| {
            let mut bytes = good.to_vec();
            bytes[38..42].copy_from_slice(&length.to_be_bytes());
            decode(&bytes.into(), 1 << 30)
        };
        assert!(claims(text.len() as u32).is_ok());
        for length in [0, text.len() as u32 - 1, text.len() as u32 + 1, 1 << 29, u32::MAX] {
            assert!(claims(length).is_err(), "{length}");
        }
    }

    proptest! {
        #[test]
        fn any_entry_reads_as_it_was_written(
            value in proptest::option::of(proptest::collection::vec(0_u8..4, 0..5000)),
            tags in proptest::collection::vec(".{0,20}", 0..10),
            numbers in any::<[u64; 4]>(),
        ) {
            let stored = Stored {
                value: value.map(Bytes::from),
                written_ms: numbers[0],
                fresh_until_ms: numbers[1],
                keep_until_ms: numbers[2],
                epoch: numbers[3],
                tags: tags.into_iter().map(Arc::from).collect(),
            };
            prop_assert_eq!(decode(&encoded(&stored), MAX), Ok(stored));
        }

        #[test]
        fn damage_is_an_error_or_an_entry_but_never_a_panic(
            at in 0_usize..80, byte in any::<u8>(), cut in 0_usize..80,
        ) {
            let mut bytes = encoded(&entry(Some(&[7; 40]), &["tag"])).to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            bytes.truncate(cut.max(1));
            let _ = decode(&bytes.into(), MAX);
        }
    }
}
