//! The answer parser as a whole: the same bytes must mean the same however they arrive.

use proofload_core::metrics::ErrorKind;
use proptest::prelude::*;

use super::fuzz::{Mode, Verdict, parse};

const KEEP: Mode = Mode { keep: true, head_request: false };
const DISCARD: Mode = Mode { keep: false, head_request: false };
const HEAD: Mode = Mode { keep: true, head_request: true };

/// Parses whole, byte by byte and cut at every place, and insists on one verdict.
fn everywhere(input: &[u8], mode: Mode) -> Verdict {
    let whole = parse(input, [], mode);
    assert_eq!(parse(input, std::iter::repeat(1), mode), whole, "byte by byte");
    for cut in 1..input.len() {
        assert_eq!(parse(input, [cut], mode), whole, "cut at {cut}");
    }
    whole
}

/// Expects status, body, bytes left over, and whether the connection may be kept.
fn check(input: &str, mode: Mode, expected: (u16, &str, usize, bool)) {
    let Verdict::Answer { status, body, body_bytes, consumed, keep_alive, head } =
        everywhere(input.as_bytes(), mode)
    else {
        panic!("{input:?}: {:?}", parse(input.as_bytes(), [], mode));
    };
    let body = String::from_utf8(body).unwrap();
    assert_eq!((status, body.as_str(), input.len() - consumed, keep_alive), expected, "{input:?}");
    assert!(head.starts_with(b"HTTP/1.") && head.ends_with(b"\n"), "{input:?}");
    if mode.keep {
        assert_eq!(body_bytes, body.len() as u64, "{input:?}");
    }
}

#[test]
fn complete_answers() {
    for (input, mode, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", KEEP, (200, "hello", 0, true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", DISCARD, (200, "", 0, true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", KEEP, (200, "", 0, true)),
        ("HTTP/1.1 200 OK\nContent-Length: 1\n\nx", KEEP, (200, "x", 0, true)),
        ("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", KEEP, (200, "x", 0, false)),
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", KEEP, (200, "until the end", 0, false)),
        ("HTTP/1.1 200 OK\r\n\r\n", KEEP, (200, "", 0, false)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\nT: u\r\n\r\n",
            KEEP,
            (200, "abcde", 0, true),
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
            DISCARD,
            (200, "", 0, true),
        ),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", KEEP, (204, "", 0, true)),
        ("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", KEEP, (304, "", 0, true)),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", HEAD, (200, "", 0, true)),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", HEAD, (200, "", 0, true)),
        ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n", KEEP, (101, "", 0, false)),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\n\
             HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
            KEEP,
            (200, "x", 0, true),
        ),
    ] {
        check(input, mode, expected);
    }
}

/// What follows an answer depends on the cut only in how much of it was read.
#[test]
fn junk_after_an_answer_is_seen() {
    for (input, surplus) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxJUNK", 4),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1", 8),
        ("HTTP/1.1 204 No Content\r\n\r\nx", 1),
    ] {
        let Verdict::Answer { consumed, .. } = parse(input.as_bytes(), [], KEEP) else {
            panic!("{input:?}");
        };
        assert_eq!(input.len() - consumed, surplus, "{input:?}");
    }
}

#[test]
fn failures() {
    let interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(33);
    let bomb = format!("HTTP/1.1 200 OK\r\n{}", "X-Y: z\r\n".repeat(1000));
    let line = format!("HTTP/1.1 200 OK\r\nX: {}", "z".repeat(5000));
    let big = format!("HTTP/1.1 200 OK\r\n\r\n{}", "z".repeat(4097));
    for (input, kind) in [
        ("", ErrorKind::Closed),
        ("HTTP", ErrorKind::Truncated),
        ("HTTP/1.1 200 OK\r\nContent-Le", ErrorKind::Truncated),
        ("HTTP/1.1 100 Continue\r\n\r\n", ErrorKind::Truncated),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", ErrorKind::Truncated),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            ErrorKind::Truncated,
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", ErrorKind::Truncated),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz", ErrorKind::Malformed),
        ("<html>", ErrorKind::Malformed),
        ("\r\n", ErrorKind::Malformed),
        ("HTTP/1.1 2x0 OK\r\n", ErrorKind::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", ErrorKind::Malformed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 4097\r\n\r\n", ErrorKind::BodyTooLarge),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", ErrorKind::Malformed),
        (&interim, ErrorKind::Malformed),
        (&bomb, ErrorKind::HeadTooLarge),
        (&line, ErrorKind::HeadTooLarge),
        (&big, ErrorKind::BodyTooLarge),
    ] {
        let short: String = input.chars().take(60).collect();
        match everywhere(input.as_bytes(), KEEP) {
            Verdict::Failed(found, detail) => assert_eq!(found, kind, "{short:?}: {detail}"),
            answer @ Verdict::Answer { .. } => panic!("{short:?}: {answer:?}"),
        }
    }
}

#[test]
fn a_discarded_body_has_no_limit() {
    let big = format!("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n{}", "z".repeat(100_000));
    for pieces in [vec![], vec![1], vec![50, 1000]] {
        let verdict = parse(big.as_bytes(), pieces, DISCARD);
        assert!(matches!(verdict, Verdict::Answer { body_bytes: 100_000, .. }), "{verdict:?}");
    }
}

/// Pieces of answers, right and wrong, in any order.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let words = proptest::sample::select(vec![
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.0 404 \r\n",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n",
        "Content-Length: 5\r\n",
        "content-length: 3, 3\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Connection: close\r\n",
        "Set-Cookie: a=b\r\n",
        "X: y\n",
        "\r\n",
        "\n",
        "\r",
        ":",
        " ",
        "hello",
        "5\r\nhello\r\n",
        "a;x=y\r\n0123456789\r\n",
        "0\r\n",
        "0\r\n\r\n",
        "\0",
        "\u{e4}",
    ]);
    proptest::collection::vec(words, 0..14).prop_map(|words| words.concat().into_bytes())
}

fn begins_well() -> impl Strategy<Value = Vec<u8>> {
    soup().prop_map(|rest| [b"HTTP/1.1 200 OK\r\n".as_slice(), &rest].concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn cuts_do_not_matter(
        input in prop_oneof![soup(), begins_well()],
        pieces in proptest::collection::vec(1_usize..20, 0..30),
        keep: bool,
        head_request: bool,
    ) {
        let mode = Mode { keep, head_request };
        let whole = parse(&input, [], mode);
        prop_assert_eq!(&parse(&input, pieces, mode), &whole);
        prop_assert_eq!(&parse(&input, std::iter::repeat(1), mode), &whole);
    }

    /// A head that `httparse` takes is taken here, with the same status and headers, and one that
    /// it refuses is not taken, apart from what is decided differently on purpose.
    #[test]
    fn agrees_with_httparse(input in begins_well()) {
        let end = input.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        let head = &input[..end.unwrap_or(input.len())];
        let mut slots = [httparse::EMPTY_HEADER; 64];
        let mut other = httparse::Response::new(&mut slots);
        let other_result = other.parse(head);
        // Framing headers carry meaning for us only; leave judging them to the other tests.
        let framed = String::from_utf8_lossy(head).to_ascii_lowercase();
        if framed.contains("content-length") || framed.contains("transfer-encoding") {
            return Ok(());
        }
        let ours = parse(head, [], HEAD);
        match (other_result, ours) {
            (Ok(httparse::Status::Complete(length)), Verdict::Answer { status, head, .. }) => {
                prop_assert_eq!(Some(status), other.code);
                prop_assert_eq!(head.len(), length);
                let mine: Vec<_> = crate::http::response::byte_lines(
                    &head[head.iter().position(|&byte| byte == b'\n').unwrap() + 1..],
                ).collect();
                let theirs: Vec<_> =
                    other.headers.iter().map(|header| (header.name.as_bytes(), header.value)).collect();
                prop_assert_eq!(mine, theirs);
            }
            (Ok(httparse::Status::Complete(_)), failed) => {
                prop_assert!(false, "httparse takes it: {:?}", failed);
            }
            (Ok(httparse::Status::Partial) | Err(_), Verdict::Failed(..)) => {}
            (other, answer) => prop_assert!(false, "httparse says {other:?}: {answer:?}"),
        }
    }
}
