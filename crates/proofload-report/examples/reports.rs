//! Writes reports of results that are made up, to be looked at: `cargo run -p proofload-report --example reports --
//! FOLDER`.

#[path = "../tests/it/courses.rs"]
mod courses;

use std::path::PathBuf;

use proofload_core::verdict::{ExitCode, RunEnd};
use proofload_report::html::{HtmlOptions, page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("give a folder")?);
    for (name, result) in courses::all() {
        let end = RunEnd {
            grade: result.summary.grade,
            is_trustworthy: result.summary.trustworthy,
            ..RunEnd::default()
        };
        let options = HtmlOptions::new(ExitCode::of_run(end));
        std::fs::write(folder.join(format!("{name}.html")), page(&result, &options))?;
    }
    Ok(())
}
