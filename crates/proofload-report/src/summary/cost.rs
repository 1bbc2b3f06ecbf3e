//! What the answers have cost, with the cache and without it.

use proofload_core::cost::{CostResult, CostRow, Money, MonthCost, money_text};
use proofload_core::result::RunResult;
use proofload_core::units::{human_count, human_ratio};

use super::{heading, wrapped};
use crate::style::{Style, Tone};
use crate::text::Line;

/// Where the values stand.
const INDENT: usize = 15;

pub(super) fn lines(style: &Style, result: &RunResult) -> Vec<Line> {
    let Some(cost) = &result.cost else { return Vec::new() };
    let price = Money::from_units(cost.per_miss).exact_text(&cost.currency);
    let mut lines = vec![heading(style, "Cost", &format!("{price} for each miss of the cache"))];
    match &cost.run {
        Some(run) => lines.extend(row(style, "this run", &run_text(cost, run), Tone::Plain)),
        None => {
            let text =
                "unknown: no answer said whether it came from a cache; see `cache` in the plan";
            lines.extend(row(style, "this run", text, Tone::Fair));
        }
    }
    let uncounted = cost.total_requests.saturating_sub(cost.counted_responses);
    if cost.run.is_some() && uncounted > 0 {
        let text = format!(
            "{} of {} requests, whose answers did not say whether they came from a cache",
            human_count(uncounted),
            human_count(cost.total_requests)
        );
        lines.extend(row(style, "not counted", &text, Tone::Fair));
    }
    if let Some(month) = &cost.month {
        let label = format!("{} days", month.days);
        lines.extend(row(style, &label, &month_text(cost, month), Tone::Plain));
    }
    lines
}

/// `$0.72 instead of $3.60 without the cache, $2.88 saved`
fn amounts(cost: &CostResult, without: f64, with: f64, saved: f64) -> String {
    let text = |amount| money_text(amount, &cost.currency);
    format!("{} instead of {} without the cache, {} saved", text(with), text(without), text(saved))
}

fn run_text(cost: &CostResult, run: &CostRow) -> String {
    let hits = human_ratio(cost.cache_hit_rate.unwrap_or(0.0));
    format!("{} ({hits} hits)", amounts(cost, run.without_cache, run.with_cache, run.saved))
}

fn month_text(cost: &CostResult, month: &MonthCost) -> String {
    let hits = human_ratio(month.cache_hit_rate);
    let basis = match (month.requests, month.hit_rate_assumed) {
        (Some(requests), false) => format!("{} requests", human_count(requests)),
        (Some(requests), true) => {
            format!("{} requests, {hits} hits assumed", human_count(requests))
        }
        (None, false) => "by the bill without it".to_owned(),
        (None, true) => format!("by the bill without it, {hits} hits assumed"),
    };
    format!("{} ({basis})", amounts(cost, month.without_cache, month.with_cache, month.saved))
}

fn row(style: &Style, label: &str, text: &str, tone: Tone) -> Vec<Line> {
    let mut line = Line::new(style);
    line.dim(&format!("  {label}")).pad_to(INDENT);
    wrapped(style, line, text, tone, INDENT)
}
