//! Markdown.

use std::fmt::Write as _;

/// What stands above the tables: how they were made, and on what.
pub(crate) fn heading(rounds: u32, lookups: u32, seed: u64) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "# What the parts of proofload-kit cost\n\n\
         Written by `cargo run --release -p proofload-kit-bench -- --write bench/kit/RESULTS.md`: {rounds} rounds of {lookups} calls, \
         seed {seed}, {cores} cores, {}. How to read it: [README.md](README.md).\n",
        processor()
    )
}

fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or_else(|| "processor unknown".to_owned(), |(_, name)| name.trim().to_owned())
}

/// A section with a table; numbers are set to the right.
pub(crate) fn section(title: &str, intro: &str, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut text = format!("\n## {title}\n\n{intro}\n\n| {} |\n", head.join(" | "));
    let rules: Vec<&str> =
        (0..head.len()).map(|column| if column == 0 { "---" } else { "---:" }).collect();
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "| {} |", rules.join(" | "));
    for row in rows {
        let _ = writeln!(text, "| {} |", row.join(" | "));
    }
    text
}
