//! What became of a service that was changed: the same plan before and after, and what was claimed of the
//! change.
//!
//! A [`Comparison`](crate::result::Comparison) says what changed. An [`Improvement`] says whether that is
//! what somebody promised: a [`Claim`] names a figure, what it was to become and by how much, and is judged
//! by the results of both runs. It stands in `result.json` of the run after.
//!
//! - `model` what stands in the result
//! - `claim` what can be claimed, and how it is judged
//! - `held` the users that a service holds

mod claim;
mod held;
mod model;
#[cfg(test)]
mod tests;

pub use claim::{Claim, Figure, Halves, Wanted};
pub use held::{Held, HeldLimits, held};
pub use model::{ClaimRow, Improvement, SettingRow};
