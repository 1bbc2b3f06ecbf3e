//! What the terminal shows of a suite: a line for each test when it is over, and at the end the tests, the
//! requirement matrix and the overall grade.

use proofload_core::suite::{
    ProofRow, ProofVerdict, RequirementRow, SuiteResult, TestRow, TestState,
};
use proofload_core::units::{human_count, human_ns};

use crate::load_text::counted;
use crate::style::{Style, Tone};
use crate::summary::grade::{beside, meaning};
use crate::summary::{SummaryOptions, errors_cell, grade_tone, heading, ms_cell, wrapped};
use crate::text::{Column, Line, Table, joined, width_of};

/// Widest column of ids; longer ones push their line to the right.
const MAX_ID: usize = 12;

/// A test that is over, in one line.
#[must_use]
pub fn test_line(row: &TestRow, style: &Style) -> String {
    let mut line = Line::new(style);
    let (mark, tone) = mark(style, row);
    line.push(mark, tone).text(" ").push(&row.name, Tone::Bold);
    line.dim(&format!("  {}  ", row.kind));
    let (outcome, tone) = outcome(row);
    line.push(&outcome, tone);
    let mut facts = Vec::new();
    if row.total_requests > 0 {
        facts.push(counted(row.total_requests, "request"));
        facts.push(format!("p95 {}", ms_cell(row.p95_latency_ms).0));
        facts.push(format!("{} errors", errors_cell(row.failed, row.total_requests).0));
    }
    if row.state != TestState::NotRun {
        facts.push(human_ns(row.duration_seconds * 1e9));
    }
    facts.extend(row.reason.clone());
    for fact in facts {
        let mut part = Line::new(style);
        part.dim(&format!(" {} ", style.symbols().dot)).text(&fact);
        line.append(&part);
    }
    line.render() + "\n"
}

/// The end of a suite: lines that end with a line break, none wider than the style allows.
#[must_use]
pub fn suite_summary(result: &SuiteResult, options: &SummaryOptions<'_>) -> String {
    let style = &options.style;
    let sections = [
        head(style, result),
        tests(style, &result.tests),
        requirements(style, &result.requirements),
        grade(result, options),
    ];
    joined(&sections)
}

fn head(style: &Style, result: &SuiteResult) -> Vec<Line> {
    let suite = &result.suite;
    let mut title = Line::new(style);
    title.push(if suite.name.is_empty() { "Suite" } else { &suite.name }, Tone::Bold);
    title.dim(&format!("  {}", human_ns(suite.duration_seconds * 1e9)));
    if !suite.only.is_empty() {
        title.dim(&format!("  only {}", suite.only.join(", ")));
    }
    let mut lines = vec![title];
    if suite.interrupted {
        let mut line = Line::new(style);
        line.push("Interrupted", Tone::LoudFair)
            .text(": tests that were not run are shown as such");
        lines.push(line);
    }
    lines
}

fn tests(style: &Style, tests: &[TestRow]) -> Vec<Line> {
    let columns = [
        Column::words("", 0),
        Column::name("test"),
        Column::words("kind", 3),
        Column::number("requests", 2),
        Column::number("errors", 1),
        Column::number("p95", 1),
        Column::number("time", 4),
        Column::words("grade", 0),
    ];
    let mut table = Table::new(style, &columns);
    for row in tests {
        let (mark, tone) = mark(style, row);
        let was_run = row.total_requests > 0;
        let only_if = |cell: (String, Tone)| if was_run { cell } else { Default::default() };
        table.row(vec![
            (mark.to_owned(), tone),
            (row.name.clone(), Tone::Plain),
            (row.kind.clone(), Tone::Dim),
            only_if((human_count(row.total_requests), Tone::Plain)),
            only_if(errors_cell(row.failed, row.total_requests)),
            only_if(ms_cell(row.p95_latency_ms)),
            only_if((human_ns(row.duration_seconds * 1e9), Tone::Dim)),
            outcome(row),
        ]);
    }
    let mut lines = vec![heading(style, "Tests", "")];
    let mut rows = table.lines().into_iter();
    lines.extend(rows.next());
    for (row, line) in tests.iter().zip(rows) {
        lines.push(line);
        if let Some(reason) = &row.reason {
            let mut intro = Line::new(style);
            intro.pad_to(5);
            lines.extend(wrapped(style, intro, reason, Tone::Dim, 5));
        }
    }
    lines
}

/// Grade, or what became of it instead.
fn outcome(row: &TestRow) -> (String, Tone) {
    match (row.state, row.grade) {
        (TestState::NotRun, _) => ("not run".to_owned(), Tone::Dim),
        (TestState::Failed, _) => ("could not run".to_owned(), Tone::LoudBad),
        (TestState::Interrupted, _) => ("interrupted".to_owned(), Tone::LoudFair),
        (TestState::Finished, None) => ("no grade".to_owned(), Tone::Plain),
        (TestState::Finished, Some(grade)) if !row.trustworthy => {
            (format!("{grade}, SUSPECT"), Tone::LoudBad)
        }
        (TestState::Finished, Some(grade)) => (grade.to_string(), grade_tone(grade)),
    }
}

fn mark(style: &Style, row: &TestRow) -> (&'static str, Tone) {
    let symbols = style.symbols();
    match (row.state, row.exit_code) {
        (TestState::NotRun, _) => (symbols.none, Tone::Dim),
        (TestState::Finished, Some(0)) if row.trustworthy => (symbols.good, Tone::Good),
        (TestState::Finished, Some(0 | 1)) | (TestState::Interrupted, _) => {
            (symbols.fair, Tone::Fair)
        }
        (TestState::Finished | TestState::Failed, _) => (symbols.bad, Tone::Bad),
    }
}

/// The requirement matrix: what is required, what proves it, what was measured, what has become of it.
pub(crate) fn requirements(style: &Style, rows: &[RequirementRow]) -> Vec<Line> {
    if rows.is_empty() {
        return Vec::new();
    }
    let [proven, failed, unproven] =
        [ProofVerdict::Proven, ProofVerdict::Failed, ProofVerdict::Unproven]
            .map(|verdict| rows.iter().filter(|row| row.verdict == verdict).count());
    let remark = format!("{proven} proven, {failed} failed, {unproven} unproven");
    let ids = rows.iter().map(|row| width_of(&row.id)).max().unwrap_or(0).min(MAX_ID);
    let verdict_at = 2 + ids + 2;
    let text_at = verdict_at + width_of(ProofVerdict::Unproven.word()) + 2;
    let mut proofs = proof_lines(style, rows, text_at).into_iter();
    let mut lines = vec![heading(style, "Requirements", &remark)];
    for row in rows {
        let mut line = Line::new(style);
        line.text("  ").push(&row.id, Tone::Bold).pad_to(verdict_at);
        line.push(row.verdict.word(), tone_of(row.verdict)).text("  ").pad_to(text_at);
        lines.extend(wrapped(style, line, &row.text, Tone::Plain, text_at));
        lines.extend(proofs.by_ref().take(row.proofs.len()));
        if let Some(reason) = &row.reason {
            let mut line = Line::new(style);
            line.pad_to(text_at);
            lines.extend(wrapped(style, line, reason, Tone::Fair, text_at));
        }
    }
    lines
}

/// One line for each proof of all requirements, in columns.
fn proof_lines(style: &Style, rows: &[RequirementRow], indent: usize) -> Vec<Line> {
    let columns = [
        Column::words("", 0),
        Column::name(""),
        Column::words("", 1),
        Column::number("", 0),
        Column::words("", 2),
    ];
    let mut table = Table::new(style, &columns).indented(indent);
    for proof in rows.iter().flat_map(|row| &row.proofs) {
        table.row(proof_cells(style, proof));
    }
    table.lines()
}

fn proof_cells(style: &Style, proof: &ProofRow) -> Vec<(String, Tone)> {
    let symbols = style.symbols();
    let mark = match proof.verdict {
        ProofVerdict::Proven => symbols.good,
        ProofVerdict::Failed => symbols.bad,
        ProofVerdict::Unproven => symbols.none,
    };
    let tone = tone_of(proof.verdict);
    let place = match &proof.phase {
        Some(phase) if *phase != proof.test => format!("{}: {phase}", proof.test),
        _ => proof.test.clone(),
    };
    let measure = if proof.measure.is_empty() { "its limits" } else { &proof.measure };
    let bound = proof.bound.as_ref().map(|bound| bound.text.clone()).unwrap_or_default();
    vec![
        (mark.to_owned(), tone),
        (place, Tone::Dim),
        (measure.to_owned(), Tone::Dim),
        (proof.measured_text.clone(), tone),
        (bound, Tone::Dim),
    ]
}

const fn tone_of(verdict: ProofVerdict) -> Tone {
    match verdict {
        ProofVerdict::Proven => Tone::Good,
        ProofVerdict::Unproven => Tone::Fair,
        ProofVerdict::Failed => Tone::Bad,
    }
}

fn grade(result: &SuiteResult, options: &SummaryOptions<'_>) -> Vec<Line> {
    let (style, summary) = (&options.style, &result.summary);
    let (word, tone) =
        summary.grade.map_or(("NO GRADE", Tone::Bold), |grade| (grade.name(), grade_tone(grade)));
    let is_in_doubt = tone == Tone::LoudGood && (!summary.trustworthy || summary.unproven > 0);
    let tone = if is_in_doubt { Tone::LoudFair } else { tone };
    let mut ran = Line::new(style);
    let passed = summary.tests_passed;
    ran.push(
        &format!("{passed} of {} passed", counted(summary.total_tests, "test")),
        if passed < summary.tests_run { Tone::Bad } else { Tone::Plain },
    );
    let not_run = summary.total_tests - summary.tests_run.min(summary.total_tests);
    if not_run > 0 {
        ran.text(", ").push(&format!("{not_run} not run to the end"), Tone::Fair);
    }
    if !summary.trustworthy {
        ran.text(", ").push("but SUSPECT", Tone::LoudBad);
    }
    let mut facts = vec![ran];
    if summary.requirements > 0 {
        let mut line = Line::new(style);
        let (proven, all) = (summary.proven, summary.requirements);
        line.push(
            &format!("{proven} of {} proven", counted(all, "requirement")),
            if proven < all { Tone::Fair } else { Tone::Plain },
        );
        if summary.failed > 0 {
            line.text(", ").push(&format!("{} failed", summary.failed), Tone::Bad);
        }
        facts.push(line);
    }
    let mut exit = Line::new(style);
    exit.dim(&format!("exit code {}: ", options.exit_code.code()));
    exit.text(meaning(options.exit_code, summary.grade.is_some()));
    facts.push(exit);
    if let Some(path) = options.result_path {
        let mut line = Line::new(style);
        line.dim("result: ").text(path);
        facts.push(line);
    }
    beside(style, word, tone, facts)
}
