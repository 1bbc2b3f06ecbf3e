//! What the answers of a service cost, with its cache and without it.
//!
//! Some services pay for each answer that does not come from their cache: a call of a language model, of a
//! geocoder, of a bank. `[cost]` in a plan gives the price of such a miss; the hit rate that was measured gives
//! the rest. All of it is integer arithmetic on billionths of the currency, so no amount shows noise of binary
//! fractions.

mod model;
mod money;
mod result;

pub use model::{CostModel, MonthBase};
pub use money::{Money, MoneyError, money_text};
pub use result::{CostResult, CostRow, MonthCost};
