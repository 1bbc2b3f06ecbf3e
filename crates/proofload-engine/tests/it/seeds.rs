//! Every seed of the fuzz targets, so that what fuzzing looks at is looked at by every run of the tests.

#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../../fuzz/src/engine.rs"]
#[expect(unreachable_pub, reason = "they are the library of the fuzz targets, too")]
mod targets;

use replay::check;

#[test]
fn http_response() {
    check("http_response", targets::http_response);
}

#[test]
fn content_decoding() {
    check("content_decoding", targets::content_decoding);
}

#[test]
fn redirect() {
    check("redirect", targets::redirect);
}
