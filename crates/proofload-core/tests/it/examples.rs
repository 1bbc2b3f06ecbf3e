//! The plans in `examples/`: each parses, fits the JSON Schema, and comes back from its own print.

use std::path::{Path, PathBuf};

use proofload_core::plan::{Inputs, Overrides, Plan, PlanErrors};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples")
}

pub(crate) fn load(path: &str) -> Result<Plan, PlanErrors> {
    let read = |path: &str| std::fs::read(path);
    let inputs = Inputs { load: &read, ..Inputs::NONE };
    Plan::load(path, &Overrides::default(), &inputs)
}

/// Every whole plan there is; files that are only included have no phases.
pub(crate) fn plans() -> Vec<(String, String)> {
    let mut plans: Vec<(String, String)> = std::fs::read_dir(folder())
        .expect("examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("a text");
            (path.to_string_lossy().into_owned(), text)
        })
        .filter(|(_, text)| text.contains("[[phase]]"))
        .collect();
    plans.sort();
    assert!(plans.len() >= 6, "{plans:?}");
    plans
}

#[test]
fn every_example_is_right_and_short() {
    for (path, _) in plans() {
        let plan = load(&path).unwrap_or_else(|errors| panic!("{errors}"));
        let seconds: f64 =
            plan.phases.iter().filter_map(|p| p.load.duration()).map(|d| d.as_secs_f64()).sum();
        let each: Vec<_> = plan.phases.iter().map(|p| (&p.name, p.load.duration())).collect();
        // As long as a reader waits.
        assert!(seconds <= 75.0, "{path} takes {seconds} s: {each:?}");
    }
}
