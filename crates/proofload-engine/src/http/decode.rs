//! Undoes content codings (RFC 9110 §8.4) of a kept body, within a bound.

use std::io::{self, Read};

use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use proofload_core::metrics::ErrorKind;
use ruzstd::decoding::StreamingDecoder;

use super::exchange::Failure;
use super::syntax;

/// Codings on top of each other that are undone; more is an attack.
const MAX_LAYERS: usize = 4;
/// Largest zstd window (RFC 9659).
const MAX_ZSTD_WINDOW_BYTES: u64 = 8 << 20;
const BROTLI_BUFFER_BYTES: usize = 4096;

/// The codings named in the `Content-Encoding` lines of a head, in the order they were applied.
pub(crate) fn codings<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<&'a [u8]> {
    values
        .flat_map(|value| value.split(|&byte| byte == b','))
        .map(syntax::trim)
        .filter(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"identity"))
        .collect()
}

/// Undoes `codings` (in the order they were applied) of a complete body into `out`.
///
/// An empty body stays empty: servers announce codings also for answers without content.
pub(crate) fn decode(
    codings: &[&[u8]],
    body: &[u8],
    max_bytes: usize,
    out: &mut Vec<u8>,
) -> Result<(), Failure> {
    out.clear();
    if codings.len() > MAX_LAYERS {
        return Err(Failure::new(ErrorKind::Decode, "too many content codings"));
    }
    out.extend_from_slice(body);
    if body.is_empty() {
        return Ok(());
    }
    for coding in codings.iter().rev() {
        let input = std::mem::take(out);
        let name = String::from_utf8_lossy(coding).to_ascii_lowercase();
        let result = match name.as_str() {
            "gzip" | "x-gzip" => read_all(MultiGzDecoder::new(&input[..]), max_bytes, out),
            "deflate" if is_zlib(&input) => read_all(ZlibDecoder::new(&input[..]), max_bytes, out),
            "deflate" => read_all(DeflateDecoder::new(&input[..]), max_bytes, out),
            "br" => {
                let reader =
                    brotli_decompressor::Decompressor::new(&input[..], BROTLI_BUFFER_BYTES);
                read_all(reader, max_bytes, out)
            }
            "zstd" => read_zstd(&input, max_bytes, out),
            _ => {
                let detail = format!("unknown content coding `{name}`");
                return Err(Failure::new(ErrorKind::Decode, detail));
            }
        };
        result.map_err(|error| Failure::new(ErrorKind::Decode, format!("{name}: {error}")))?;
        if out.len() > max_bytes {
            return Err(Failure::new(
                ErrorKind::BodyTooLarge,
                format!("the body is larger than {max_bytes} bytes when decompressed"),
            ));
        }
    }
    Ok(())
}

/// Reads one byte more than allowed at most, so that the caller can tell.
fn read_all(reader: impl Read, max_bytes: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let left = (max_bytes + 1).saturating_sub(out.len());
    reader.take(left as u64).read_to_end(out).map(drop)
}

/// A zstd body may be several frames.
fn read_zstd(input: &[u8], max_bytes: usize, out: &mut Vec<u8>) -> io::Result<()> {
    let mut rest = input;
    while !rest.is_empty() && out.len() <= max_bytes {
        let frame = StreamingDecoder::new_with_max_window_size(&mut rest, MAX_ZSTD_WINDOW_BYTES)
            .map_err(io::Error::other)?;
        read_all(frame, max_bytes, out)?;
    }
    Ok(())
}

/// `deflate` means the zlib format, but some servers send the bare stream. A zlib header is told by
/// its method and check bits (RFC 1950 §2.2).
fn is_zlib(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..]
        if method & 0x0f == 8 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    const TEXT: &[u8] = b"hello hello hello hello";
    /// `TEXT` by brotli and zstd, whose encoders are not dependencies: one uncompressed meta-block,
    /// one raw block.
    const BROTLI: &[u8] = b"\x0b\x0b\x80hello hello hello hello\x03";

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn bare(data: &[u8]) -> Vec<u8> {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn check(header: &str, body: &[u8], max: usize) -> Result<Vec<u8>, ErrorKind> {
        let mut out = vec![1, 2, 3];
        decode(&codings([header.as_bytes()].into_iter()), body, max, &mut out)
            .map(|()| out)
            .map_err(|failure| failure.kind)
    }

    #[test]
    fn undoes_each_coding() {
        for (header, body) in [
            ("gzip", gzip(TEXT)),
            ("X-GZIP", gzip(TEXT)),
            ("deflate", zlib(TEXT)),
            ("deflate", bare(TEXT)),
            ("br", BROTLI.to_vec()),
            ("zstd", zstd(TEXT)),
            ("identity", TEXT.to_vec()),
            ("deflate, gzip", gzip(&zlib(TEXT))),
            ("gzip, identity , gzip", gzip(&gzip(TEXT))),
        ] {
            assert_eq!(check(header, &body, 100).as_deref(), Ok(TEXT), "{header}");
        }
    }

    #[test]
    fn joins_members_and_frames() {
        let twice = [TEXT, TEXT].concat();
        assert_eq!(check("gzip", &[gzip(TEXT), gzip(TEXT)].concat(), 100), Ok(twice.clone()));
        assert_eq!(check("zstd", &[zstd(TEXT), zstd(TEXT)].concat(), 100), Ok(twice));
    }

    #[test]
    fn an_empty_body_is_not_an_error() {
        assert_eq!(check("gzip", b"", 10), Ok(vec![]));
    }

    #[test]
    fn refuses_garbage_and_unknown_codings() {
        for header in ["gzip", "deflate", "br", "zstd", "exi", "a,b,c,d,e"] {
            assert_eq!(
                check(header, b"\xff\xffnot compressed", 100),
                Err(ErrorKind::Decode),
                "{header}"
            );
        }
        for (header, whole) in [("gzip", gzip(TEXT)), ("zstd", zstd(TEXT)), ("br", BROTLI.to_vec())]
        {
            let cut = &whole[..whole.len() - 5];
            assert_eq!(check(header, cut, 100), Err(ErrorKind::Decode), "{header}");
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_the_bound() {
        let zeros = vec![0; 1 << 20];
        for (header, body) in
            [("gzip", gzip(&zeros)), ("deflate", zlib(&zeros)), ("zstd", zstd(&zeros))]
        {
            assert_eq!(check(header, &body, 1 << 16), Err(ErrorKind::BodyTooLarge), "{header}");
            assert_eq!(check(header, &body, 1 << 20).map(|out| out.len()), Ok(1 << 20), "{header}");
        }
        let layers = gzip(&gzip(&zeros));
        assert_eq!(check("gzip, gzip", &layers, 1 << 16), Err(ErrorKind::BodyTooLarge));
    }
}
