//! What reading an answer costs: a usual head, a large one, a chunked body, and an answer in pieces.
//!
//! `cargo bench -p proofload-engine --bench http_parser`. Every call reads a whole answer, as it
//! comes from the network in one read (or several), the way a connection does. The entry for fuzzing
//! is what is measured: it copies the input and the parts of the answer, some tens of nanoseconds
//! and the same for every version of the parser.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use proofload_engine::http::h1::fuzz::{Mode, Verdict, parse};

/// What most requests do: only the status is looked at.
const DISCARD: Mode = Mode { keep: false, head_request: false };
/// What a check or an extraction needs.
const KEEP: Mode = Mode { keep: true, head_request: false };

fn main() {
    divan::main();
}

/// 241 bytes of head as nginx sends it for a small static file, then 150 bytes of body.
fn nginx() -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\n\
                Server: nginx/1.24.0 (Ubuntu)\r\n\
                Date: Sat, 01 Aug 2026 10:00:00 GMT\r\n\
                Content-Type: text/html\r\n\
                Content-Length: 150\r\n\
                Last-Modified: Fri, 31 Jul 2026 09:00:00 GMT\r\n\
                Connection: keep-alive\r\n\
                ETag: \"66a9f4c0-96\"\r\n\
                Accept-Ranges: bytes\r\n\r\n";
    [head.as_bytes(), &[b'x'; 150]].concat()
}

/// 3.9 KB of head with 60 lines, as a service behind several proxies sends it.
fn large_head() -> Vec<u8> {
    let lines: String = (0..57)
        .map(|n| {
            format!("X-Service-Header-{n:02}: {n:02} 0123456789abcdef0123456789abcdef012345\r\n")
        })
        .collect();
    format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok").into_bytes()
}

/// 2 KiB of body in 16 chunks.
fn chunked() -> Vec<u8> {
    let chunk = format!("80\r\n{}\r\n", "x".repeat(128));
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(16))
        .into_bytes()
}

fn bench(bencher: Bencher<'_, '_>, input: &[u8], piece: usize, mode: Mode) {
    let is_answer = |verdict: &Verdict| matches!(verdict, Verdict::Answer { status: 200, .. });
    assert!(is_answer(&parse(input, [], mode)), "what is measured is an answer");
    bencher
        .counter(BytesCount::of_slice(input))
        .bench_local(|| is_answer(&parse(black_box(input), std::iter::repeat(piece), mode)));
}

#[divan::bench]
fn nginx_head_and_small_body(bencher: Bencher<'_, '_>) {
    bench(bencher, &nginx(), usize::MAX, DISCARD);
}

#[divan::bench]
fn nginx_head_and_small_body_kept(bencher: Bencher<'_, '_>) {
    bench(bencher, &nginx(), usize::MAX, KEEP);
}

/// The usual answer cut in the middle of its head: what has come moves to the connection.
#[divan::bench]
fn nginx_in_two_pieces(bencher: Bencher<'_, '_>) {
    bench(bencher, &nginx(), 200, KEEP);
}

#[divan::bench]
fn head_of_4_kilobytes(bencher: Bencher<'_, '_>) {
    bench(bencher, &large_head(), usize::MAX, DISCARD);
}

#[divan::bench]
fn chunked_body(bencher: Bencher<'_, '_>) {
    bench(bencher, &chunked(), usize::MAX, DISCARD);
}

#[divan::bench]
fn chunked_body_kept(bencher: Bencher<'_, '_>) {
    bench(bencher, &chunked(), usize::MAX, KEEP);
}
