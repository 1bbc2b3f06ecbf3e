//! Replays the seeds of a target in an ordinary test. Included by the tests of the crates whose
//! parsers are fuzzed; it is not part of the fuzz targets' library.
//!
//! A seed named `good-…` is taken, one named `bad-…` is refused; of others only the promises of the
//! target are checked.

use std::path::Path;

/// Runs a target on its seeds.
pub(crate) fn check(target: &str, run: impl Fn(&[u8]) -> bool) {
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
