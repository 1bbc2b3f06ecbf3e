//! Runs of the same plan: how far they lie apart, and each by itself.

use proofload_core::result::{RepeatRow, RunResult};
use proofload_core::units::{human_count, human_ns, human_rate, human_ratio};

use super::sections::{MAX_FOLDED, MAX_OPEN};
use super::table::{Section, Table};
use super::text::{code, plain};
use crate::repeats::remark;

/// Both parts; nothing where there was one run.
pub(super) fn sections(result: &RunResult) -> Vec<Section> {
    let Some(repeats) = &result.repeats else { return Vec::new() };
    let columns = [
        "phase",
        "measure",
        ">together",
        ">95% interval",
        ">least",
        ">median",
        ">most",
        ">deviation",
    ];
    let mut spread = Table::new(&columns, MAX_OPEN);
    for row in &repeats.spread {
        let texts = [
            &row.pooled_text,
            &row.interval_text,
            &row.least_text,
            &row.median_text,
            &row.most_text,
            &row.deviation_text,
        ]
        .map(|text| if text.is_empty() { "–".to_owned() } else { plain(text) });
        let [pooled, interval, least, median, most, deviation] = texts;
        let (phase, measure) = (code(&row.phase), plain(&row.measure));
        spread.row(|| [phase, measure, pooled, interval, least, median, most, deviation]);
    }
    let columns = ["run", "grade", ">requests", ">rate", ">failed", ">p50", ">p95", ">p99"];
    let mut runs = Table::new(&columns, MAX_FOLDED);
    repeats.runs.iter().for_each(|run| runs.row(|| of_run(run)));
    let mut spread = spread.under(&format!("{} runs", repeats.runs.len()));
    if let Some(text) = remark(repeats) {
        spread.after = format!("\n{}\n\n", plain(&text));
    }
    vec![spread, runs.under("Each run")]
}

fn of_run(run: &RepeatRow) -> [String; 8] {
    let none = || "–".to_owned();
    let ms = |ms: Option<f64>| ms.map_or_else(none, |ms| human_ns(ms * 1e6));
    let mut grade = run.grade.map_or("no grade", |grade| grade.name()).to_owned();
    if !run.completed {
        "stopped, not counted".clone_into(&mut grade);
    } else if !run.trustworthy {
        grade.push_str(", suspect");
    }
    let failed = match run.total_requests {
        0 => none(),
        all => human_ratio(run.failed as f64 / all as f64),
    };
    [
        run.number.to_string(),
        grade,
        human_count(run.total_requests),
        run.requests_per_second.map_or_else(none, human_rate),
        failed,
        ms(run.median_latency_ms),
        ms(run.p95_latency_ms),
        ms(run.p99_latency_ms),
    ]
}
