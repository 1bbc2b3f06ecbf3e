//! Writes the HTML report of a result: `cargo run -p proofload-report --example report -- result.json report.html`.

use std::path::Path;

use proofload_core::verdict::{ExitCode, RunEnd};
use proofload_report::html::{HtmlOptions, page};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [from, to] = arguments.as_slice() else {
        return Err("give the result file and the page to write".into());
    };
    let result = proofload_report::json::from_bytes(&std::fs::read(from)?)?;
    let exit_code = ExitCode::of_run(RunEnd {
        grade: result.summary.grade,
        is_trustworthy: result.summary.trustworthy,
        is_strict: false,
        is_interrupted: result.run.interrupted,
        is_incomplete: result.run.incomplete,
    });
    let href = Path::new(from).file_name().and_then(|name| name.to_str());
    let options =
        HtmlOptions { result_href: href, embed_result: true, ..HtmlOptions::new(exit_code) };
    std::fs::write(to, page(&result, &options))?;
    Ok(())
}
