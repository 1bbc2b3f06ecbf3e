//! `[cost]` of a plan: the price of a miss and what a month is made of.

use std::sync::Arc;

use super::Money;

/// What answers cost.
#[derive(Clone, Debug, PartialEq)]
pub struct CostModel {
    /// Sign or name of the currency, such as `$` or `EUR`.
    pub currency: Arc<str>,
    /// Price of an answer that does not come from the cache. One that does costs nothing.
    pub per_miss: Money,
    /// What a month without the cache is; `None` makes no projection.
    pub month: Option<MonthBase>,
    /// Days of a month.
    pub days: u32,
    /// Share of hits to project a month with, 0…1, instead of the one that was measured.
    pub assumed_hit_rate: Option<f64>,
}

/// What a month without the cache costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MonthBase {
    /// So many requests a day, each at the price of a miss.
    RequestsPerDay(u64),
    /// The bill is known.
    Bill(Money),
}

impl CostModel {
    /// The currency of a plan that names none.
    pub const DEFAULT_CURRENCY: &'static str = "$";
    /// Days of a month in a plan that does not say.
    pub const DEFAULT_DAYS: u32 = 30;
}
