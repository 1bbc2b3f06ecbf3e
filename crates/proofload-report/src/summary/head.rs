//! What was run, against what, and for how long.

use proofload_core::result::RunResult;
use proofload_core::units::human_ns;

use crate::load_text::counted;
use crate::style::{Style, Tone};
use crate::text::Line;

pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let run = &result.run;
    let mut title = Line::new(style);
    title.push(if run.name.is_empty() { "Proofload" } else { &run.name }, Tone::Bold);
    if !run.target.is_empty() {
        title.dim(" → ").text(&run.target);
    }
    let mut facts = Line::new(style);
    facts.text(&human_ns(run.duration_seconds * 1e9));
    let mut fact = |text: &str| {
        let mut part = Line::new(style);
        part.dim(&format!(" {} ", style.symbols().dot)).text(text);
        facts.append_if_fits(&part);
    };
    fact(&counted(result.test_results.len() as u64, "phase"));
    if let Some(workers) = result.environment.get("workers") {
        let text = workers.parse().map_or_else(|_| workers.clone(), |n| counted(n, "worker"));
        fact(&text);
    }
    if !run.started.is_empty() {
        fact(&run.started);
    }
    let mut lines = vec![title, facts];
    if run.interrupted {
        let mut line = Line::new(style);
        line.push("Interrupted", Tone::LoudFair).text(": what was measured until then is shown");
        lines.push(line);
    }
    if run.incomplete {
        let mut line = Line::new(style);
        line.push("Incomplete", Tone::LoudBad)
            .text(": it was cut off, or a part of the load generators was lost");
        lines.push(line);
    }
    lines
}
