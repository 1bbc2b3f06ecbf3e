//! The key figures in a baseline's head: for people who review it.

use crate::compare::RunEvidence;
use crate::compare::evidence::{Figures, PhaseEvidence};
use crate::units::{human_count, human_ns, human_rate, human_ratio};
use serde::Serialize;
use std::collections::BTreeMap;

/// A phase; of several runs the medians.
#[derive(Debug, Serialize)]
pub(super) struct PhaseTable {
    name: String,
    #[serde(flatten)]
    figures: Table,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    monitors: BTreeMap<String, f64>,
    #[serde(rename = "request", skip_serializing_if = "Vec::is_empty")]
    requests: Vec<RequestTable>,
}

/// A request.
#[derive(Debug, Serialize)]
struct RequestTable {
    name: String,
    #[serde(flatten)]
    figures: Table,
}

#[derive(Debug, Serialize)]
struct Table {
    requests: String,
    per_second: String,
    error_rate: String,
    avg: String,
    p50: String,
    p95: String,
    p99: String,
}

/// The phases of the first run, with the medians over all runs.
pub(super) fn tables(runs: &[RunEvidence]) -> Vec<PhaseTable> {
    let phases = runs.iter().take(1).flat_map(|run| &run.phases);
    phases.map(|phase| table(phase, runs)).collect()
}

fn table(phase: &PhaseEvidence, runs: &[RunEvidence]) -> PhaseTable {
    let phases: Vec<&PhaseEvidence> =
        runs.iter().filter_map(|run| run.phase(&phase.name)).collect();
    let monitor = |name: &String| {
        let values = phases.iter().filter_map(|phase| phase.monitors.get(name).copied());
        Some((name.clone(), median(values.collect())?))
    };
    let requests = phase.requests.iter().map(|request| {
        let all: Vec<&Figures> = phases
            .iter()
            .filter_map(|phase| phase.request(&request.name))
            .map(|request| &request.figures)
            .collect();
        RequestTable { name: request.name.name.clone(), figures: of_figures(&all) }
    });
    PhaseTable {
        name: phase.name.clone(),
        figures: of_figures(&phases.iter().map(|phase| &phase.all).collect::<Vec<_>>()),
        monitors: phase.monitors.keys().filter_map(monitor).collect(),
        requests: if phase.requests.len() > 1 { requests.collect() } else { Vec::new() },
    }
}

fn of_figures(runs: &[&Figures]) -> Table {
    let text = |of: &dyn Fn(&Figures) -> Option<f64>, human: &dyn Fn(f64) -> String| {
        let values = runs.iter().filter_map(|figures| of(figures)).collect();
        median(values).map_or_else(|| "–".to_owned(), human)
    };
    let quantile = |q: f64| {
        text(&|figures| figures.response.value_at_quantile(q).map(|ns| ns as f64), &human_ns)
    };
    Table {
        requests: text(&|f| Some(f.requests() as f64), &|count| human_count(count as u64)),
        per_second: text(
            &|f| (f.seconds > 0.0).then(|| f.requests() as f64 / f.seconds),
            &human_rate,
        ),
        error_rate: text(
            &|f| (f.requests() > 0).then(|| f.failed as f64 / f.requests() as f64),
            &human_ratio,
        ),
        avg: text(&|f| f.response.mean(), &human_ns),
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
    }
}

/// The middle value, or the lower of two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len().checked_sub(1)? / 2).copied()
}
