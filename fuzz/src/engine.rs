//! Targets of `proofload-engine`: what servers answer.

use proofload_core::metrics::ErrorKind;
use proofload_engine::http::fuzz::decode;
use proofload_engine::http::h1::fuzz::{MAX_BODY_BYTES, MAX_HEAD_BYTES, Mode, Verdict, parse};
use proofload_engine::http::redirect::{self, Redirect};
use proofload_engine::http::{Headers, Origin, Request};

/// Largest decoded body, in bytes.
const MAX_DECODED_BYTES: usize = 1 << 16;

const KEEP: Mode = Mode { keep: true, head_request: false };
const DISCARD: Mode = Mode { keep: false, head_request: false };
const HEAD: Mode = Mode { keep: true, head_request: true };

/// Splits at the first line feed.
fn line(data: &[u8]) -> (&[u8], &[u8]) {
    let end = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    (&data[..end], data.get(end + 1..).unwrap_or_default())
}

/// Lengths of pieces from 1 to 32 that depend on nothing but the input, so that a finding can be
/// repeated from its bytes alone.
fn lengths(data: &[u8]) -> impl Iterator<Item = usize> {
    let mut state = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |state, &byte| {
        (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    std::iter::repeat_with(move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 59) as usize + 1
    })
}

/// An HTTP/1.1 answer and whatever follows it.
///
/// However it is cut into pieces, it means the same; limits are kept; the answer alone, without
/// what follows it, is the same answer; whether the body is kept changes nothing but the body.
pub fn http_response(data: &[u8]) -> bool {
    for mode in [KEEP, DISCARD, HEAD] {
        let whole = parse(data, [], mode);
        assert_eq!(parse(data, std::iter::repeat(1), mode), whole, "byte by byte, {mode:?}");
        assert_eq!(parse(data, lengths(data), mode), whole, "in pieces, {mode:?}");
        let Verdict::Answer { head, body, body_bytes, consumed, .. } = &whole else { continue };
        assert!(head.starts_with(b"HTTP/1.") && head.ends_with(b"\n"), "{whole:?}");
        assert!(head.len() <= MAX_HEAD_BYTES && body.len() <= MAX_BODY_BYTES, "{whole:?}");
        assert!(!mode.keep || *body_bytes == body.len() as u64, "{whole:?}");
        assert!(!mode.head_request || body.is_empty(), "{whole:?}");
        assert!(*consumed <= data.len(), "{whole:?}");
        assert_eq!(parse(&data[..*consumed], [], mode), whole, "without what follows");
    }
    let mut kept = parse(data, [], KEEP);
    let Verdict::Answer { body, .. } = &mut kept else { return false };
    body.clear();
    assert_eq!(parse(data, [], DISCARD), kept, "discarded");
    true
}

/// A line with the value of `Content-Encoding`, then the coded body.
///
/// The bound is kept, whatever is announced; with exactly the size of the result as the bound the
/// result is the same, and with one byte less the body is too large.
pub fn content_decoding(data: &[u8]) -> bool {
    let (header, body) = line(data);
    let decoded = match decode(header, body, MAX_DECODED_BYTES) {
        Ok(decoded) => decoded,
        Err(failure) => {
            assert!(matches!(failure.kind, ErrorKind::Decode | ErrorKind::BodyTooLarge));
            return false;
        }
    };
    // Between layers, and where nothing is to be undone, the size is another one.
    let codings =
        header.split(|&byte| byte == b',').filter(|coding| !coding.trim_ascii().is_empty());
    let is_single = codings.count() == 1 && !header.trim_ascii().eq_ignore_ascii_case(b"identity");
    if is_single {
        let length = decoded.len();
        assert!(length <= MAX_DECODED_BYTES, "{length} bytes");
        assert_eq!(decode(header, body, length).as_deref(), Ok(&*decoded));
        if let Some(less) = length.checked_sub(1) {
            let kind = decode(header, body, less).map_err(|failure| failure.kind);
            assert_eq!(kind, Err(ErrorKind::BodyTooLarge));
        }
    }
    true
}

/// A line with the URL of a request, a line with the status of its answer, then the value of
/// `Location`.
///
/// Where it leads can be requested: the target is one word that begins with `/`, and origin and
/// target are a URL that means the same. Credentials do not go to another origin, and only
/// another scheme, host or port is one.
pub fn redirect(data: &[u8]) -> bool {
    let (url, rest) = line(data);
    let (status, location) = line(rest);
    let (Ok(url), Ok(status)) = (str::from_utf8(url), str::from_utf8(status)) else { return false };
    let (Ok((origin, target)), Ok(status)) = (Origin::parse(url), status.parse()) else {
        return false;
    };
    let mut headers = Headers::new();
    for name in ["Authorization", "Cookie", "Content-Type", "X-Other"] {
        headers.push(name, "1").expect("a valid header");
    }
    let request = |method| Request {
        method,
        origin: &origin,
        target: target.as_bytes(),
        headers: &headers,
        body: b"body",
        timeout: None,
    };
    let mut followed = false;
    for method in ["GET", "HEAD", "POST", "PUT"] {
        let request = request(method);
        match redirect::next(&request, status, Some(location)) {
            Ok(Some(next)) => {
                check_redirect(&request, &next);
                followed = true;
            }
            Ok(None) => assert!(!matches!(status, 301 | 302 | 303 | 307 | 308)),
            Err(failure) => assert_eq!(failure.kind, ErrorKind::Redirect),
        }
    }
    followed
}

fn check_redirect(request: &Request<'_>, next: &Redirect) {
    assert!(next.target.starts_with('/'), "{next:?}");
    assert!(next.target.bytes().all(|byte| byte.is_ascii_graphic()), "{next:?}");
    let again = Origin::parse(&next.origin.url(&next.target));
    assert_eq!(again.as_ref(), Ok(&(next.origin.clone(), next.target.clone())), "{next:?}");
    assert_eq!(next.cross_origin, next.origin != *request.origin);
    let headers = next.headers(request.headers);
    let names: Vec<_> = headers.iter().map(|(name, _)| name).collect();
    let has = |name: &str| names.iter().any(|n| n.eq_ignore_ascii_case(name));
    assert_eq!(has("authorization"), !next.cross_origin, "{next:?}");
    assert_eq!(has("cookie"), !next.cross_origin, "{next:?}");
    assert_eq!(has("content-type"), !next.to_get, "{next:?}");
    assert!(has("x-other"));
    assert_eq!(next.body(request).is_empty(), next.to_get);
}
