//! What a run has cost, and what a month would cost at its hit rate.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CostModel, Money, MonthBase};
use crate::result::PhaseResult;

/// Cost with the cache and without it. Amounts are in units of the currency.
///
/// Only answers that say whether they came from a cache are counted, whether or not their checks held: a miss has
/// been paid for either way. Requests without such an answer are never guessed to be one or the other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CostResult {
    /// Sign or name of the currency.
    pub currency: String,
    /// Price of an answer that does not come from the cache.
    pub per_miss: f64,
    /// Finished requests of all phases.
    pub total_requests: u64,
    /// Answers that say whether they came from a cache: those that are counted.
    pub counted_responses: u64,
    /// Of these, answers from the cache.
    pub cached_responses: u64,
    /// `cached_responses / counted_responses`.
    pub cache_hit_rate: Option<f64>,
    /// This run; `null` if no answer says whether it came from a cache.
    pub run: Option<CostRow>,
    /// A month at the same hit rate; `null` if the plan asks for none or there is no hit rate.
    pub month: Option<MonthCost>,
}

/// An amount with the cache and without it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct CostRow {
    /// If every answer had been a miss.
    pub without_cache: f64,
    /// Misses only.
    pub with_cache: f64,
    /// The difference.
    pub saved: f64,
}

/// A projected month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct MonthCost {
    /// Days of the month.
    pub days: u32,
    /// Requests of the month; `null` where the plan gives the bill instead.
    pub requests: Option<u64>,
    /// Share of hits that it is projected with.
    pub cache_hit_rate: f64,
    /// Whether the plan assumed that share; otherwise it was measured in this run.
    pub hit_rate_assumed: bool,
    /// Without the cache.
    pub without_cache: f64,
    /// With the cache.
    pub with_cache: f64,
    /// The difference.
    pub saved: f64,
}

/// Parts of a whole that an assumed share is read as.
const SHARE_PARTS: u64 = 1_000_000_000;

impl CostModel {
    /// What these phases have cost.
    #[must_use]
    pub fn of(&self, phases: &[PhaseResult]) -> CostResult {
        let sum = |of: fn(&PhaseResult) -> u64| {
            phases.iter().fold(0_u64, |sum, phase| sum.saturating_add(of(phase)))
        };
        let counted = sum(|phase| phase.cache_known_responses);
        let cached = sum(|phase| phase.cached_responses).min(counted);
        let misses = counted - cached;
        CostResult {
            currency: self.currency.to_string(),
            per_miss: self.per_miss.units(),
            total_requests: sum(|phase| phase.total_requests),
            counted_responses: counted,
            cached_responses: cached,
            cache_hit_rate: (counted > 0).then(|| cached as f64 / counted as f64),
            run: (counted > 0)
                .then(|| row(self.per_miss.times(counted), self.per_miss.times(misses))),
            month: self.projected(misses, counted),
        }
    }

    fn projected(&self, misses: u64, counted: u64) -> Option<MonthCost> {
        let (without, requests) = match self.month? {
            MonthBase::RequestsPerDay(count) => {
                let requests = count.saturating_mul(self.days.into());
                (self.per_miss.times(requests), Some(requests))
            }
            MonthBase::Bill(bill) => (bill, None),
        };
        let (misses, of) = match self.assumed_hit_rate {
            Some(share) => {
                let hits = (share.clamp(0.0, 1.0) * SHARE_PARTS as f64).round() as u64;
                (SHARE_PARTS - hits, SHARE_PARTS)
            }
            None if counted == 0 => return None,
            None => (misses, counted),
        };
        let CostRow { without_cache, with_cache, saved } = row(without, without.share(misses, of));
        Some(MonthCost {
            days: self.days,
            requests,
            cache_hit_rate: (of - misses) as f64 / of as f64,
            hit_rate_assumed: self.assumed_hit_rate.is_some(),
            without_cache,
            with_cache,
            saved,
        })
    }
}

fn row(without: Money, with: Money) -> CostRow {
    CostRow {
        without_cache: without.units(),
        with_cache: with.units(),
        saved: without.less(with).units(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(per_miss: &str, month: Option<MonthBase>) -> CostModel {
        CostModel {
            currency: "$".into(),
            per_miss: Money::parse(per_miss).unwrap(),
            month,
            days: 30,
            assumed_hit_rate: None,
        }
    }

    fn phase(requests: u64, known: u64, hits: u64) -> PhaseResult {
        PhaseResult {
            total_requests: requests,
            cache_known_responses: known,
            cached_responses: hits,
            ..PhaseResult::default()
        }
    }

    fn text(amount: f64) -> String {
        super::super::money_text(amount, "$")
    }

    /// "60 requests, $0.06 each: $3.60 per run; 48 hits (80 %): 12 × $0.06 = $0.72, savings $2.88."
    #[test]
    fn the_run_of_the_load_testing_guide() {
        let cost = model("0.06", None).of(&[phase(60, 60, 48)]);
        let run = cost.run.unwrap();
        assert_eq!(text(run.without_cache), "$3.60");
        assert_eq!(text(run.with_cache), "$0.72");
        assert_eq!(text(run.saved), "$2.88");
        assert_eq!(cost.cache_hit_rate, Some(0.8));
        assert_eq!(cost.month, None);
        let json = serde_json::to_value(&run).unwrap();
        let expect = serde_json::json!({ "without_cache": 3.6, "with_cache": 0.72, "saved": 2.88 });
        assert_eq!(json, expect);
    }

    /// "Monthly (1K queries/day): $4,200", with the cache "$840". The guide's price of $0.06 gives $1,800 for
    /// 30,000 queries; its bill follows from $0.14 a query, which is 3.5 calls of $0.04. Either way the cache's
    /// share is its own: a fifth.
    #[test]
    fn the_month_of_the_load_testing_guide() {
        let check = |model: CostModel, without: &str, with: &str| {
            let month = model.of(&[phase(60, 60, 48)]).month.unwrap();
            assert_eq!(
                (text(month.without_cache), text(month.with_cache)),
                (without.into(), with.into())
            );
            assert!(!month.hit_rate_assumed);
        };
        let a_thousand = Some(MonthBase::RequestsPerDay(1000));
        check(model("0.14", a_thousand), "$4,200", "$840");
        check(model("0.06", a_thousand), "$1,800", "$360");
        let bill = Some(MonthBase::Bill(Money::parse("4200").unwrap()));
        check(model("0.06", bill), "$4,200", "$840");
    }

    #[test]
    fn an_assumed_hit_rate_is_used_for_the_month_only() {
        let assumed = CostModel {
            assumed_hit_rate: Some(0.8),
            ..model("0.14", Some(MonthBase::RequestsPerDay(1000)))
        };
        let cost = assumed.of(&[phase(10, 10, 5)]);
        assert_eq!(cost.cache_hit_rate, Some(0.5));
        let month = cost.month.unwrap();
        assert_eq!((month.cache_hit_rate, month.hit_rate_assumed), (0.8, true));
        assert_eq!((month.without_cache, month.with_cache), (4200.0, 840.0));
        assert_eq!(month.requests, Some(30_000));
    }

    #[test]
    fn what_nobody_said_is_not_guessed() {
        let month = Some(MonthBase::RequestsPerDay(1000));
        let silent = model("0.06", month).of(&[phase(60, 0, 0)]);
        assert_eq!((silent.run, silent.month, silent.cache_hit_rate), (None, None, None));
        assert_eq!((silent.total_requests, silent.counted_responses), (60, 0));
        // Half of the requests say so: the others are counted nowhere.
        let half = model("0.06", month).of(&[phase(60, 20, 20), phase(60, 40, 28)]);
        assert_eq!((half.counted_responses, half.cached_responses), (60, 48));
        assert_eq!(half.run.unwrap().without_cache, 3.6);
    }
}
