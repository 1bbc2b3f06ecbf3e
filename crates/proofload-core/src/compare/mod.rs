//! Comparing runs: what changed, how certain that is, and whether it is a regression.
//!
//! - [`evidence`] what a comparison needs of a run; what baselines keep
//! - [`ground`] whether two runs may be compared at all
//! - `measured`, `within`, [`difference`] from runs to a difference with its interval
//! - [`judge`] from differences to better, worse, no change, cannot tell
//! - [`rule`], `outcome` what counts as a regression, and goals
//! - `pooled` what runs of the same test show together
//! - `repeats` how far runs of the same test lie apart
//! - `suspicion` what speaks against taking a change for one of the service
//! - `sides`, `words` putting it together, and into words
//!
//! How often it is wrong is measured: docs/operating-characteristic.md.

pub mod difference;
pub mod evidence;
pub mod ground;
pub mod judge;
mod measured;
mod outcome;
mod pooled;
mod repeats;
pub mod rule;
mod sides;
mod suspicion;
#[cfg(test)]
mod tests;
mod within;
mod words;

pub use evidence::RunEvidence;
pub use ground::{Aspect, Difference, Ground, NotComparable};
pub use pooled::{Pooled, PooledPhase};
pub use repeats::{Spread, spread};
pub use rule::{Amount, ChangeSize, ComparisonRules, Goal, Intent, Rule, Scope};
pub use sides::{CompareError, Side, compare};
