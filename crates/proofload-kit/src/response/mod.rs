//! Answers of services, kept.

mod body;
mod control;
mod key;
mod mark;
mod outcome;
mod vary;

pub use body::ResponseBody;
pub use outcome::{CacheOutcome, CacheStatus};
