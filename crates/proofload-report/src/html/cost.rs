//! What the answers have cost, with the cache and without it.

use maud::{Markup, html};
use proofload_core::cost::{CostResult, Money, MonthCost, money_text};

use super::text::{count, label, ratio, scroll};
use super::view::View;

/// The section with the cost of the run and of a month; empty if the plan names no price.
#[must_use]
pub fn cost(view: &View<'_>) -> Markup {
    let Some(cost) = &view.result.cost else { return html! {} };
    let price = Money::from_units(cost.per_miss).exact_text(&cost.currency);
    let uncounted = cost.total_requests.saturating_sub(cost.counted_responses);
    html! {
        section #cost aria-labelledby="cost-h" {
            h2 #cost-h { "Cost" }
            p.note { (label(&price, 60)) " for each answer that does not come from the cache." }
            @if cost.run.is_none() && cost.month.is_none() {
                p { "Unknown: no answer said whether it came from a cache; see " code { "cache" } " in the plan." }
            } @else { (scroll("Cost", &table(cost))) }
            @if cost.run.is_some() && uncounted > 0 {
                p.note {
                    "Not counted: " (count(uncounted)) " of " (count(cost.total_requests))
                    " requests, whose answers did not say whether they came from a cache."
                }
            }
        }
    }
}

fn table(cost: &CostResult) -> Markup {
    html! {
        table {
            thead { tr {
                th scope="col" { "Over" } th.n scope="col" { "Cache hits" } th.n scope="col" { "Without the cache" }
                th.n scope="col" { "With it" } th.n scope="col" { "Saved" }
            } }
            tbody {
                @if let Some(run) = &cost.run {
                    tr {
                        th scope="row" { "This run" }
                        td.n { (ratio(cost.cache_hit_rate)) }
                        (amounts(cost, [run.without_cache, run.with_cache, run.saved]))
                    }
                }
                @if let Some(month) = &cost.month {
                    tr {
                        th scope="row" { (month.days) " days" span.remark { (basis(month)) } }
                        td.n { (ratio(Some(month.cache_hit_rate))) @if month.hit_rate_assumed { span.remark { "assumed" } } }
                        (amounts(cost, [month.without_cache, month.with_cache, month.saved]))
                    }
                }
            }
        }
    }
}

fn amounts(cost: &CostResult, amounts: [f64; 3]) -> Markup {
    html! { @for amount in amounts { td.n { (label(&money_text(amount, &cost.currency), 60)) } } }
}

/// What a month is made of.
fn basis(month: &MonthCost) -> String {
    month.requests.map_or_else(
        || "by the bill without the cache".to_owned(),
        |requests| format!("{} requests", count(requests)),
    )
}
