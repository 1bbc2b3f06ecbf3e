//! The end of the summary: can the measurement be trusted, how good was it, what does it mean.

use proofload_core::result::{PhaseResult, RunResult};
use proofload_core::units::{human_count, human_ratio};
use proofload_core::verdict::ExitCode;

use super::{MAX_ROWS, SummaryOptions, and_more, grade_tone, ms_text, wrapped};
use crate::style::{Style, Tone};
use crate::text::{Line, width_of};

/// Narrower terminals get the facts below the grade instead of beside it.
const BESIDE: usize = 64;

pub(super) fn lines(style: &Style, result: &RunResult, options: &SummaryOptions<'_>) -> Vec<Line> {
    let mut lines = Vec::new();
    if result.test_results.iter().any(|phase| phase.was_run) {
        lines.push(generator(style, result));
        lines.extend(doubts(style, result));
        lines.push(Line::new(style));
    }
    lines.extend(grade(style, result, options));
    lines
}

/// The generator's health in one line, and what follows from it.
fn generator(style: &Style, result: &RunResult) -> Line {
    let mut line = Line::new(style);
    line.push("Measurement  ", Tone::Bold);
    if result.summary.trustworthy {
        line.push("trustworthy", Tone::LoudGood);
    } else {
        line.push("SUSPECT", Tone::LoudBad);
    }
    let largest = |of: fn(&PhaseResult) -> Option<f64>| {
        result.test_results.iter().filter_map(of).reduce(f64::max)
    };
    let mut facts = Vec::new();
    if let Some(share) = largest(|phase| phase.generator.cpu_share) {
        let mut text = format!("generator {} busy", whole_percent(share));
        if let Some(peak) = largest(|phase| phase.generator.cpu_share_peak) {
            text.push_str(&format!(" (peak {})", whole_percent(peak)));
        }
        facts.push(text);
    }
    let p99 = |phase: &PhaseResult| {
        phase.generator.start_lag.percentiles.get("p99").map(|row| row.value_ms)
    };
    if let Some(lag) = largest(p99) {
        facts.push(format!("start lag p99 {}", ms_text(Some(lag))));
    }
    let connections = result.test_results.iter().map(|p| p.generator.open_connections_max).max();
    if let Some(connections) = connections.filter(|&count| count > 0) {
        facts.push(format!("{} connections", human_count(connections.into())));
    }
    for fact in facts {
        let mut part = Line::new(style);
        part.dim(&format!(" {} {fact}", style.symbols().dot));
        line.append_if_fits(&part);
    }
    line
}

fn whole_percent(share: f64) -> String {
    if share.is_finite() { format!("{:.0}%", share * 100.0) } else { human_ratio(share) }
}

/// Why the measurement is not to be trusted, phase by phase.
fn doubts(style: &Style, result: &RunResult) -> Vec<Line> {
    let doubts: Vec<_> = result
        .test_results
        .iter()
        .flat_map(|phase| phase.trust.reasons.iter().map(move |reason| (phase, reason)))
        .collect();
    let mut lines = Vec::new();
    for (phase, reason) in doubts.iter().take(MAX_ROWS) {
        let mut intro = Line::new(style);
        intro.push(&format!("  {} ", style.symbols().fair), Tone::Fair);
        if result.test_results.len() > 1 {
            intro.text(&format!("{}: ", phase.scenario));
        }
        lines.extend(wrapped(style, intro, &reason.text, Tone::Plain, 4));
    }
    lines.extend(and_more(style, doubts.len().saturating_sub(MAX_ROWS), "reasons"));
    lines
}

/// The grade in a box, with what it means beside it.
fn grade(style: &Style, result: &RunResult, options: &SummaryOptions<'_>) -> Vec<Line> {
    let (word, tone) = result
        .summary
        .grade
        .map_or(("NO GRADE", Tone::Bold), |grade| (grade.name(), grade_tone(grade)));
    // A good grade for numbers that are in doubt is no reason for green.
    let is_in_doubt = tone == Tone::LoudGood && !result.summary.trustworthy;
    let tone = if is_in_doubt { Tone::LoudFair } else { tone };
    beside(style, word, tone, facts(style, result, options))
}

/// A word in a box, with facts beside it, or below it where there is no room: paths are to be copied, so they are not
/// cut for the sake of the box.
pub(crate) fn beside(style: &Style, word: &str, tone: Tone, facts: Vec<Line>) -> Vec<Line> {
    let picture = boxed(style, word);
    let mut lines = Vec::new();
    if style.width < BESIDE {
        for part in &picture {
            let mut line = Line::new(style);
            line.push(part, tone);
            lines.push(line);
        }
        lines.extend(facts);
        return lines;
    }
    let column = width_of(&picture[0]) + 3;
    let (facts, below): (Vec<Line>, Vec<Line>) =
        facts.into_iter().partition(|fact| column + fact.width() <= style.width);
    for at in 0..picture.len().max(facts.len()) {
        let mut line = Line::new(style);
        if let Some(part) = picture.get(at) {
            line.push(part, tone);
        }
        line.pad_to(column);
        if let Some(fact) = facts.get(at) {
            line.append(fact);
        }
        lines.push(line);
    }
    lines.extend(below);
    lines
}

fn boxed(style: &Style, word: &str) -> Vec<String> {
    let inner = word.len() + 6;
    let [left_top, right_top, left_bottom, right_bottom, side, rule] = if style.unicode {
        ["╔", "╗", "╚", "╝", "║", "═"]
    } else {
        ["+", "+", "+", "+", "|", "="]
    };
    let rule = rule.repeat(inner);
    vec![
        format!("{left_top}{rule}{right_top}"),
        format!("{side}   {word}   {side}"),
        format!("{left_bottom}{rule}{right_bottom}"),
    ]
}

/// Targets and limits, the exit code and what it means, where the result is.
fn facts(style: &Style, result: &RunResult, options: &SummaryOptions<'_>) -> Vec<Line> {
    let summary = &result.summary;
    let mut met = Line::new(style);
    if summary.targets == 0 && summary.limits == 0 {
        met.text("nothing was expected");
    } else {
        let tone = |met: u32, all: u32, missed: Tone| if met < all { missed } else { Tone::Plain };
        met.push(
            &format!("{} of {} targets met", summary.targets_met, summary.targets),
            tone(summary.targets_met, summary.targets, Tone::Fair),
        );
        met.text(", ").push(
            &format!("{} of {} limits kept", summary.limits_met, summary.limits),
            tone(summary.limits_met, summary.limits, Tone::Bad),
        );
    }
    if !summary.trustworthy {
        met.text(", ").push("but SUSPECT", Tone::LoudBad);
    }
    let mut exit = Line::new(style);
    exit.dim(&format!("exit code {}: ", options.exit_code.code()));
    exit.text(meaning(options.exit_code, summary.grade.is_some()));
    let mut facts = vec![met, exit];
    let files = [("result: ", options.result_path), ("report: ", options.report_path)];
    for (what, path) in files {
        if let Some(path) = path {
            let mut line = Line::new(style);
            line.dim(what).text(path);
            facts.push(line);
        }
    }
    facts
}

/// An exit code in words.
pub(crate) const fn meaning(code: ExitCode, has_grade: bool) -> &'static str {
    match code {
        ExitCode::Passed if has_grade => "passed",
        ExitCode::Passed => "nothing to fail",
        ExitCode::Fair => "every limit kept, too few targets met",
        ExitCode::Poor => "failed",
        ExitCode::NotTrustworthy => "the measurement is not trustworthy (--strict)",
        ExitCode::Incomplete => "cut off, or a part of the load generators was lost",
        ExitCode::Usage => "bad command line",
        ExitCode::BadInput => "bad plan or input file",
        ExitCode::TargetUnreachable => "the target was unreachable",
        ExitCode::Internal => "a bug of Proofload",
        ExitCode::CannotWrite => "the result could not be written",
        ExitCode::Interrupted => "interrupted",
    }
}
