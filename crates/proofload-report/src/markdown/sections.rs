//! The parts of the summary, in the order in which they are read.

use proofload_core::cost::money_text;
use proofload_core::result::{
    BoundRow, ExpectationRow, PhaseResult, RequestRow, RunResult, StepRow, ThresholdRow,
};
use proofload_core::units::{human_count, human_ns, human_rate, human_ratio};
use proofload_core::verdict::Grade;

use super::table::{Section, Table};
use super::text::{code, plain};
use super::{comparison, improvement, repeats};
use crate::load_text::counted;
use crate::steps::{StepOutcome, are_measured, load, of_phases, words};

/// Rows of what is open to see.
pub(super) const MAX_OPEN: usize = 50;
/// Rows of what is folded away.
pub(super) const MAX_FOLDED: usize = 150;

/// Every part that has something to say.
pub(super) fn all(result: &RunResult) -> Vec<Section> {
    let mut sections = vec![Some(verdict(result))];
    sections.extend(improvement::sections(result).into_iter().map(Some));
    let compared = comparison::sections(result).into_iter().map(Some);
    if result.summary.limits_met < result.summary.limits {
        sections.push(broken(result));
        sections.extend(compared);
    } else {
        // Worse than before is worse than a target that is missed.
        sections.extend(compared);
        sections.push(broken(result));
    }
    sections.extend(repeats::sections(result).into_iter().map(Some));
    sections.extend([
        phases(result),
        steps(result),
        errors(result),
        marks(result),
        cost(result),
        expectations(result),
        requests(result),
        checks(result),
    ]);
    sections.into_iter().flatten().collect()
}

/// What the measurement was made with.
pub(super) fn foot(result: &RunResult) -> String {
    let run = &result.run;
    let mut facts = vec![format!("proofload {}", plain(&short(&run.tool_version)))];
    if !run.started.is_empty() {
        facts.push(format!("started {}", plain(&short(&run.started))));
    }
    for (name, value) in result.environment.iter().take(12) {
        facts.push(format!("{} {}", plain(&short(name)), plain(&short(value))));
    }
    format!("<sub>{}</sub>\n", facts.join(" · "))
}

fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

fn verdict(result: &RunResult) -> Section {
    let summary = &result.summary;
    let (sign, word) = match summary.grade {
        Some(grade @ (Grade::Excellent | Grade::Good)) => ("✅", grade.name()),
        Some(grade @ Grade::Fair) => ("⚠️", grade.name()),
        Some(grade @ Grade::Poor) => ("❌", grade.name()),
        None => ("ℹ️", "no grade: nothing was expected"),
    };
    // A good grade for numbers that are in doubt, or for a part of a run, is no reason for green.
    let is_in_doubt = !summary.trustworthy || result.run.interrupted || result.run.incomplete;
    let sign = if sign == "✅" && is_in_doubt { "⚠️" } else { sign };
    let has_regressed = result.comparison.as_ref().is_some_and(|found| found.has_regressed);
    let (sign, more) = if has_regressed { ("❌", ", worse than before") } else { (sign, "") };
    let mut facts = Vec::new();
    if summary.limits > 0 {
        facts.push(format!("{} of {} limits kept", summary.limits_met, summary.limits));
    }
    if summary.targets > 0 {
        facts.push(format!("{} of {} targets met", summary.targets_met, summary.targets));
    }
    facts.push(format!(
        "{}, {} failed",
        counted(summary.total_requests, "request"),
        share(summary.failed, summary.total_requests)
    ));
    facts.push(human_ns(result.run.duration_seconds * 1e9));
    facts.push(code(&result.run.target));
    let mut text =
        format!("## {sign} {word}{more} · {}\n\n{}\n\n", code(&result.run.name), facts.join(" · "));
    if result.run.interrupted {
        text.push_str(
            "> [!WARNING]\n> The run was **interrupted**: this is what there was until then.\n\n",
        );
    }
    if result.run.incomplete {
        text.push_str(
            "> [!WARNING]\n> The run is **incomplete**: it was cut off, or a load generator was lost.\n\n",
        );
    }
    let mut section = Section { before: text, ..Section::default() };
    if !summary.trustworthy {
        section.before.push_str(
            "> [!CAUTION]\n> **The measurement is suspect**: the load generator may have been the \
             bottleneck.\n",
        );
        let doubts = result.test_results.iter().flat_map(|phase| {
            let reasons = phase.trust.reasons.iter();
            reasons.map(move |row| format!("> - {}: {}", code(&phase.scenario), plain(&row.text)))
        });
        section.rows = doubts.collect();
        section.hidden = section.rows.len().saturating_sub(MAX_OPEN);
        section.rows.truncate(MAX_OPEN);
        section.after = "\n".to_owned();
    }
    section
}

fn share(part: u64, all: u64) -> String {
    if all == 0 { "0%".to_owned() } else { human_ratio(part as f64 / all as f64) }
}

/// What stands against the grade: limits first, then targets.
fn broken(result: &RunResult) -> Option<Section> {
    let mut table = Table::new(&["", "where", "measure", ">measured", "limit", "target"], MAX_OPEN);
    let rows = || {
        let phases = result.test_results.iter().filter(|phase| phase.was_run);
        phases.flat_map(|phase| phase.expectations.iter().map(move |row| (phase, row)))
    };
    for phase in result.test_results.iter().filter(|p| p.was_run && p.total_requests == 0) {
        table.row(|| ["❌", &code(&phase.scenario), "requests", "0", "", ""].map(str::to_owned));
    }
    for (phase, row) in rows().filter(|(_, row)| row.limit_met == Some(false)) {
        table.row(|| expectation(phase, row));
    }
    for row in result.thresholds.iter().filter(|row| !row.met) {
        table.row(|| threshold(row));
    }
    let is_missed =
        |row: &ExpectationRow| row.limit_met != Some(false) && row.target_met == Some(false);
    for (phase, row) in rows().filter(|(_, row)| is_missed(row)) {
        table.row(|| expectation(phase, row));
    }
    let heading = if result.summary.limits_met < result.summary.limits {
        "Broken limits"
    } else {
        "Missed targets"
    };
    (!table.is_empty()).then(|| table.under(heading))
}

fn expectation(phase: &PhaseResult, row: &ExpectationRow) -> [String; 6] {
    let bound = |row: &Option<BoundRow>| row.as_ref().map_or(String::new(), |row| plain(&row.text));
    let sign = match (row.limit_met, row.target_met) {
        (Some(false), _) => "❌",
        (_, Some(false)) => "⚠️",
        _ => "✅",
    };
    [
        sign.to_owned(),
        code(&phase.scenario),
        code(&row.measure),
        plain(&row.measured_text),
        bound(&row.limit),
        bound(&row.target),
    ]
}

fn threshold(row: &ThresholdRow) -> [String; 6] {
    [
        if row.met { "✅" } else { "❌" }.to_owned(),
        "run".to_owned(),
        code(&row.metric),
        plain(&row.measured_text),
        code(&row.condition),
        String::new(),
    ]
}

fn phases(result: &RunResult) -> Option<Section> {
    let columns = [
        "phase",
        ">users",
        ">requests",
        ">per second",
        ">failed",
        ">p50",
        ">p95",
        ">p99",
        ">max",
        "grade",
    ];
    let mut table = Table::new(&columns, MAX_OPEN);
    for phase in &result.test_results {
        table.row(|| phase_cells(phase));
    }
    (!table.is_empty()).then(|| table.under("Phases"))
}

/// Each step by itself: where a service holds, and where it no longer does.
fn steps(result: &RunResult) -> Option<Section> {
    let columns = [
        "phase",
        ">step",
        ">requests",
        ">per second",
        ">failed",
        ">p50",
        ">p95",
        ">p99",
        "by itself",
    ];
    let mut table = Table::new(&columns, MAX_OPEN);
    for (_, phase, steps, _) in of_phases(&result.test_results, MAX_OPEN) {
        for step in steps.iter().filter(|_| are_measured(steps)) {
            table.row(|| step_cells(phase, step));
        }
    }
    (!table.is_empty()).then(|| table.under("Steps"))
}

fn step_cells(phase: &PhaseResult, step: &StepRow) -> [String; 9] {
    let mark = match StepOutcome::of(step) {
        StepOutcome::Kept => "✅ ",
        StepOutcome::Missed(_) => "⚠️ ",
        StepOutcome::Broken(_) => "❌ ",
        StepOutcome::NotJudged => "",
    };
    [
        code(&phase.scenario),
        load(step),
        human_count(step.total_requests),
        step.requests_per_second.map_or_else(|| "–".to_owned(), human_rate),
        share(step.failed, step.total_requests),
        ms(step.median_latency_ms),
        ms(step.p95_latency_ms),
        ms(step.p99_latency_ms),
        format!("{mark}{}", plain(&words(step))),
    ]
}

fn phase_cells(phase: &PhaseResult) -> [String; 10] {
    let name = code(&phase.scenario);
    if !phase.was_run {
        let mut cells = <[String; 10]>::default();
        (cells[0], cells[9]) = (name, "not run".to_owned());
        return cells;
    }
    let mut grade = phase.grade.map_or("–", Grade::name).to_owned();
    if let Some(why) = &phase.ended_early {
        grade.push_str(&format!(", ended early: {}", plain(why)));
    }
    [
        name,
        human_count(phase.users_max.into()),
        human_count(phase.total_requests),
        phase.requests_per_second.map_or_else(|| "–".to_owned(), human_rate),
        share(phase.failed, phase.total_requests),
        ms(phase.median_latency_ms),
        ms(phase.p95_latency_ms),
        ms(phase.p99_latency_ms),
        ms(phase.max_latency_ms),
        grade,
    ]
}

fn ms(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |ms| human_ns(ms * 1e6))
}

/// By kind over all phases, most frequent first, with one example.
fn errors(result: &RunResult) -> Option<Section> {
    let mut kinds: Vec<(&str, &str, u64, String)> = Vec::new();
    for row in result.test_results.iter().flat_map(|phase| &phase.errors) {
        let example = || {
            row.samples.first().map_or(String::new(), |sample| {
                format!("{} {}", code(&sample.request), code(&sample.message))
            })
        };
        if let Some(kind) = kinds.iter_mut().find(|kind| kind.0 == row.kind) {
            kind.2 = kind.2.saturating_add(row.count);
            if kind.3.is_empty() {
                kind.3 = example();
            }
        } else {
            kinds.push((&row.kind, &row.description, row.count, example()));
        }
    }
    kinds.sort_by_key(|kind| std::cmp::Reverse(kind.2));
    let mut table = Table::new(&[">count", ">of all", "error", "for example"], MAX_OPEN);
    for (_, words, count, example) in &kinds {
        let of_all = share(*count, result.summary.total_requests);
        table.row(|| [human_count(*count), of_all, plain(words), example.clone()]);
    }
    (!table.is_empty()).then(|| table.under("Errors"))
}

/// Alerts and what else happened that is worth a look.
fn marks(result: &RunResult) -> Option<Section> {
    let mut table = Table::new(&["", ">at", "what happened"], MAX_OPEN);
    for mark in result.marks.iter().filter(|mark| mark.level != "info") {
        let sign = if mark.level == "critical" { "❌" } else { "⚠️" };
        table.row(|| [sign.to_owned(), human_ns(mark.at_seconds * 1e9), code(&mark.text)]);
    }
    (!table.is_empty()).then(|| table.under("Alerts"))
}

/// What the answers have cost, with the cache and without it.
fn cost(result: &RunResult) -> Option<Section> {
    let cost = result.cost.as_ref()?;
    let amount = |amount: f64| plain(&money_text(amount, &cost.currency));
    let columns = ["", ">cache hits", ">without cache", ">with cache", ">saved"];
    let mut table = Table::new(&columns, MAX_OPEN);
    let row = |name: String, hits: Option<f64>, amounts: [f64; 3]| {
        let [without, with, saved] = amounts.map(amount);
        [name, hits.map_or_else(|| "–".to_owned(), human_ratio), without, with, saved]
    };
    if let Some(run) = &cost.run {
        let amounts = [run.without_cache, run.with_cache, run.saved];
        table.row(|| row("this run".to_owned(), cost.cache_hit_rate, amounts));
    }
    if let Some(month) = &cost.month {
        let assumed = if month.hit_rate_assumed { ", hits assumed" } else { "" };
        let name = format!("{} days{assumed}", month.days);
        let amounts = [month.without_cache, month.with_cache, month.saved];
        table.row(|| row(name, Some(month.cache_hit_rate), amounts));
    }
    (!table.is_empty()).then(|| table.under("Cost"))
}

fn expectations(result: &RunResult) -> Option<Section> {
    let mut table =
        Table::new(&["", "where", "measure", ">measured", "limit", "target"], MAX_FOLDED);
    for phase in &result.test_results {
        for row in &phase.expectations {
            table.row(|| expectation(phase, row));
        }
    }
    for row in &result.thresholds {
        table.row(|| threshold(row));
    }
    let summary = format!("Everything that was expected ({})", table.len());
    (!table.is_empty()).then(|| table.folded(&summary))
}

fn requests(result: &RunResult) -> Option<Section> {
    let columns =
        ["phase", "request", ">requests", ">per second", ">failed", ">p50", ">p95", ">p99", ">max"];
    let mut table = Table::new(&columns, MAX_FOLDED);
    for phase in &result.test_results {
        for row in &phase.requests {
            table.row(|| request(phase, row));
        }
    }
    let summary = format!("Requests ({})", table.len());
    (!table.is_empty()).then(|| table.folded(&summary))
}

fn request(phase: &PhaseResult, row: &RequestRow) -> [String; 9] {
    let percentile =
        |name: &str| ms(row.response_time.percentiles.get(name).map(|row| row.value_ms));
    [
        code(&phase.scenario),
        code(&row.name),
        human_count(row.total_requests),
        row.requests_per_second.map_or_else(|| "–".to_owned(), human_rate),
        share(row.failed, row.total_requests),
        percentile("p50"),
        percentile("p95"),
        percentile("p99"),
        ms(row.response_time.max_ms),
    ]
}

fn checks(result: &RunResult) -> Option<Section> {
    let mut table = Table::new(&["", "phase", "check", ">held", ">failed"], MAX_FOLDED);
    for phase in &result.test_results {
        for row in &phase.checks {
            let sign = if row.fails == 0 { "✅" } else { "❌" };
            let held = row.rate.map_or_else(|| "–".to_owned(), human_ratio);
            table.row(|| {
                let (phase, name) = (code(&phase.scenario), code(&row.name));
                [sign.to_owned(), phase, name, held, human_count(row.fails)]
            });
        }
    }
    let summary = format!("Checks ({})", table.len());
    (!table.is_empty()).then(|| table.folded(&summary))
}
