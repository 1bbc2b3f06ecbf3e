//! From totals to a verdict: expectations, k6 thresholds, grade, trust, exit code.

mod bound;
mod expectation;
mod expression;
mod measure;
pub mod threshold;

pub use bound::Bound;
pub use expectation::{Expectation, ExpectationOutcome};
pub use expression::{Comparison, ExpressionError};
pub use measure::{Direction, MONITORS, Measure, Percentile, Quantity, Statistic, Timing};
pub use threshold::Threshold;
