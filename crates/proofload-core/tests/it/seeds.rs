//! Every seed of the fuzz targets, so that what fuzzing looks at is looked at by every run of the tests.
//!
//! A seed named `good-…` is taken, one named `bad-…` is refused; of others only the promises of the
//! target are checked.

use std::path::Path;

#[path = "../../../../fuzz/src/core.rs"]
#[expect(unreachable_pub, reason = "they are the library of the fuzz targets, too")]
mod targets;

/// Runs a target on its seeds.
fn check(target: &str, run: impl Fn(&[u8]) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds = 0;
    for entry in std::fs::read_dir(&folder).expect("the target has seeds") {
        let path = entry.expect("an entry").path();
        let input = std::fs::read(&path).expect("a readable file");
        let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| run(&input)))
            .unwrap_or_else(|_| panic!("{} breaks a promise", path.display()));
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let kind = name.as_deref().and_then(|name| name.split_once('-')).map(|(kind, _)| kind);
        match kind {
            Some("good") => assert!(taken, "{} is refused", path.display()),
            Some("bad") => assert!(!taken, "{} is taken", path.display()),
            _ => {}
        }
        seeds += 1;
    }
    assert!(seeds > 3, "{} has {seeds} seeds", folder.display());
}

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
