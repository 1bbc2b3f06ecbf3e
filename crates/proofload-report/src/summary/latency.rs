//! The distribution of response times, as a picture.

use proofload_core::metrics::Histogram;
use proofload_core::result::PhaseResult;
use proofload_core::units::{human_count, human_ns};

use super::heading;
use crate::style::{Style, Tone};
use crate::text::{Line, bar, latency_bars, width_of};

/// Widest bar.
const BAR: usize = 50;
/// Percentiles that are marked beside their bar.
const MARKS: [(f64, &str); 3] = [(0.5, "p50"), (0.95, "p95"), (0.99, "p99")];

pub(super) fn lines(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let mut response = Histogram::default();
    for phase in phases {
        response.merge(&phase.histograms.response_successful);
        response.merge(&phase.histograms.response_failed);
    }
    let Some(max) = response.max() else { return Vec::new() };
    let buckets: Vec<(f64, u64)> =
        response.buckets().map(|bucket| (bucket.high_ns.min(max) as f64, bucket.count)).collect();
    let bars = latency_bars(&buckets);
    let largest = bars.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let count_width = width_of(&human_count(largest));
    let bounds: Vec<String> = bars.iter().map(|bar| human_ns(bar.up_to_ns)).collect();
    let bound_width = bounds.iter().map(|bound| width_of(bound)).max().unwrap_or(0);
    let marks = |low: f64, high: f64| {
        let within = |q: f64| {
            response.value_at_quantile(q).is_some_and(|ns| low < ns as f64 && ns as f64 <= high)
        };
        MARKS
            .iter()
            .filter(|(q, _)| within(*q))
            .map(|(_, name)| *name)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let remark = if phases.len() > 1 { "all phases, successes and failures" } else { "" };
    let mut lines = vec![heading(style, "Response times", remark)];
    let mut low = -1.0;
    for (at, (each, bound)) in bars.iter().zip(&bounds).enumerate() {
        let is_last = at + 1 == bars.len();
        let mut line = Line::new(style);
        line.text(&format!("  ≤ {bound:>bound_width$}  "));
        let marks = marks(low, if is_last { f64::INFINITY } else { each.up_to_ns });
        low = each.up_to_ns;
        let facts = format!(
            "{:>6}  {:>count_width$}",
            percent(each.count as f64 / response.count() as f64),
            human_count(each.count)
        );
        let room = line.room().saturating_sub(width_of(&facts) + 2 + "  p50 p95 p99".len());
        let room = room.min(BAR);
        let picture = bar(each.count as f64 / largest as f64, room, style);
        let blanks = " ".repeat(room.saturating_sub(width_of(&picture)));
        line.push(&picture, Tone::Good).text(&blanks).text("  ").text(&facts);
        line.dim(&format!("  {marks}"));
        lines.push(line);
    }
    lines
}

/// One decimal, so that points stand below each other; what is not nothing is never shown as 0.
fn percent(share: f64) -> String {
    match share * 100.0 {
        0.0 => "0%".to_owned(),
        percent if percent < 0.1 => "<0.1%".to_owned(),
        percent => format!("{percent:.1}%"),
    }
}
