//! A suite: what became of its tests, and which requirement is proven.

use proofload_core::suite::{
    ProofRow, ProofVerdict, RequirementRow, SuiteResult, TestRow, TestState,
};
use proofload_core::units::{human_count, human_ns, human_ratio};
use proofload_core::verdict::Grade;

use super::sections::MAX_FOLDED;
use super::table::{Section, Table};
use super::text::{code, plain};

/// Every part of it.
pub(super) fn sections(result: &SuiteResult) -> Vec<Section> {
    let sections = [Some(verdict(result)), matrix(&result.requirements), tests(result)];
    sections.into_iter().flatten().collect()
}

fn verdict(result: &SuiteResult) -> Section {
    let summary = &result.summary;
    let (sign, word) = match (summary.exit_code, summary.grade) {
        (0, Some(grade)) => ("✅", grade.name()),
        (0, None) => ("ℹ️", "no grade: nothing was expected"),
        (_, Some(grade @ Grade::Fair)) => ("⚠️", grade.name()),
        (_, Some(grade)) => ("❌", grade.name()),
        (_, None) => ("❌", "no grade"),
    };
    let mut facts =
        vec![format!("{} of {} tests passed", summary.tests_passed, summary.total_tests)];
    if summary.tests_failed_to_start > 0 {
        facts.push(format!("{} could not start", summary.tests_failed_to_start));
    }
    if summary.requirements > 0 {
        facts.push(format!("{} of {} requirements proven", summary.proven, summary.requirements));
    }
    facts.push(human_ns(result.suite.duration_seconds * 1e9));
    let mut before =
        format!("## {sign} {word} · {}\n\n{}\n\n", code(&result.suite.name), facts.join(" · "));
    if result.suite.interrupted {
        before.push_str("> [!WARNING]\n> The suite was **interrupted**.\n\n");
    }
    if !summary.trustworthy {
        before.push_str("> [!CAUTION]\n> **A measurement is suspect**: see its own report.\n\n");
    }
    Section { before, ..Section::default() }
}

/// The matrix: what failed first, what is proven last.
pub(super) fn matrix(rows: &[RequirementRow]) -> Option<Section> {
    let columns = ["", "requirement", "proven by", "measure", ">measured", "bound"];
    let mut table = Table::new(&columns, MAX_FOLDED);
    for verdict in [ProofVerdict::Failed, ProofVerdict::Unproven, ProofVerdict::Proven] {
        for row in rows.iter().filter(|row| row.verdict == verdict) {
            if row.proofs.is_empty() {
                table.row(|| {
                    let reason = row.reason.as_deref().unwrap_or("nobody");
                    let cells = [sign(row.verdict), requirement(row), plain(reason)];
                    let [sign, name, reason] = cells;
                    [sign, name, reason, String::new(), String::new(), String::new()]
                });
            }
            for proof in &row.proofs {
                table.row(|| proof_cells(row, proof));
            }
        }
    }
    (!table.is_empty()).then(|| table.under("Requirements"))
}

fn sign(verdict: ProofVerdict) -> String {
    let sign = match verdict {
        ProofVerdict::Proven => "✅",
        ProofVerdict::Unproven => "❔",
        ProofVerdict::Failed => "❌",
    };
    format!("{sign} {}", verdict.word())
}

fn requirement(row: &RequirementRow) -> String {
    format!("{} {}", code(&row.id), plain(&row.text)).trim_end().to_owned()
}

fn proof_cells(row: &RequirementRow, proof: &ProofRow) -> [String; 6] {
    let place = match &proof.phase {
        Some(phase) => format!("{}, {}", code(&proof.test), code(phase)),
        None => code(&proof.test),
    };
    let measure =
        if proof.measure.is_empty() { "its own limits".to_owned() } else { code(&proof.measure) };
    let measured = match &proof.reason {
        Some(reason) => plain(reason),
        None => plain(&proof.measured_text),
    };
    let bound = proof.bound.as_ref().map_or(String::new(), |bound| plain(&bound.text));
    [sign(proof.verdict), requirement(row), place, measure, measured, bound]
}

fn tests(result: &SuiteResult) -> Option<Section> {
    let columns = ["test", "kind", ">requests", ">failed", ">p95", "result"];
    let mut table = Table::new(&columns, MAX_FOLDED);
    for row in &result.tests {
        table.row(|| test(row));
    }
    (!table.is_empty()).then(|| table.under("Tests"))
}

fn test(row: &TestRow) -> [String; 6] {
    let outcome = match row.state {
        TestState::Finished => row.grade.map_or("finished", |grade| grade.name()).to_owned(),
        TestState::Interrupted => "interrupted".to_owned(),
        TestState::Failed => "could not start".to_owned(),
        TestState::NotRun => "not run".to_owned(),
    };
    let outcome = match &row.reason {
        Some(reason) => format!("{outcome}: {}", plain(reason)),
        None => outcome,
    };
    let failed = match row.total_requests {
        0 => "–".to_owned(),
        all => human_ratio(row.failed as f64 / all as f64),
    };
    [
        code(&row.name),
        plain(&row.kind),
        human_count(row.total_requests),
        failed,
        row.p95_latency_ms.map_or_else(|| "–".to_owned(), |ms| human_ns(ms * 1e6)),
        outcome,
    ]
}
