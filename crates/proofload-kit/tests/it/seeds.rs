//! Every seed of the fuzz targets, so that what fuzzing looks at is looked at by every run of the tests.

#[path = "../../../../fuzz/src/replay.rs"]
mod replay;
#[path = "../../../../fuzz/src/kit.rs"]
#[expect(unreachable_pub, reason = "they are the library of the fuzz targets, too")]
mod targets;

use replay::check;

#[test]
fn envelope() {
    check("envelope", targets::envelope);
}

#[test]
fn invalidation() {
    check("invalidation", targets::invalidation);
}
