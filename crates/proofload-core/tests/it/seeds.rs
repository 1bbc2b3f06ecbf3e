//! Every seed of the fuzz targets, so that what fuzzing looks at is looked at by every run of the tests.

#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../../fuzz/src/core.rs"]
#[expect(unreachable_pub, reason = "they are the library of the fuzz targets, too")]
mod targets;

use replay::check;

#[test]
fn plan() {
    check("plan", targets::plan);
}

#[test]
fn data_feed() {
    check("data_feed", targets::data_feed);
}

#[test]
fn template() {
    check("template", targets::template);
}

#[test]
fn inspect() {
    check("inspect", targets::inspect);
}

#[test]
fn threshold() {
    check("threshold", targets::threshold);
}

#[test]
fn bound() {
    check("bound", targets::bound);
}

#[test]
fn histogram() {
    check("histogram", targets::histogram);
}

#[test]
fn result() {
    check("result", targets::result);
}
