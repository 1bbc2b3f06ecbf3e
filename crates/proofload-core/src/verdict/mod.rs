//! From totals to a verdict: expectations, k6 thresholds, grade, trust, exit code.

mod bound;
mod exit_code;
mod expectation;
mod expression;
mod grade;
mod judge;
mod measure;
pub(crate) mod measured;
#[cfg(test)]
pub(crate) mod testing;
pub mod threshold;
mod trust;

pub use bound::Bound;
pub use exit_code::{ExitCode, RunEnd};
pub use expectation::{Expectation, ExpectationOutcome};
pub use expression::{Comparison, ExpressionError};
pub use grade::{Grade, GradingRule, Ladder, Tally};
pub use judge::{LadderOutcome, PhaseToJudge, PhaseVerdict, Verdict};
pub use measure::{Direction, MONITORS, Measure, Percentile, Quantity, Statistic, Timing};
pub use measured::{Figures, PhaseFigures, statistic_of};
pub use threshold::{Threshold, ThresholdOutcome};
pub use trust::{
    Doubt, LAG_FLOOR_NS, MAX_DROPPED_SHARE, MAX_LAG_SHARE, MAX_SATURATED_SHARE, MAX_TIMER_LAG_NS,
    Trust,
};
