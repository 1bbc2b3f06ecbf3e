//! A limiter: so many calls at a time, so many more waiting for so long, and a prompt refusal for
//! the rest. A service that takes in more than it can do answers nobody in time; one that refuses
//! some answers the others.
//!
//! - `builder`: the settings;
//! - `semaphore`: permits and their queue, without clock and without tasks; `sync`: its primitives,
//!   which a model checker replaces;
//! - `handle`: the limiter as services hold it; `waiting`: a caller in the queue; `permit`: a call
//!   under way;
//! - `adaptive`: limits that follow what is measured; `pace`: how long a refused caller had better
//!   wait;
//! - `stats`: what it counts, and its metrics; `layer`: the limiter around a tower service; `hold`: until when.
//!
//! ```
//! use std::time::Duration;
//! use proofload_kit::limit::{CallError, Limiter};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let reports = Limiter::builder("reports")
//!     .limit(8)
//!     .queue(32)
//!     .deadline(Duration::from_secs(1))
//!     .build()?;
//!
//! match reports.call(async { Ok::<_, std::io::Error>("a report") }).await {
//!     Ok(report) => assert_eq!(report, "a report"),
//!     Err(CallError::Refused(refused)) => println!("try again in {:?}", refused.retry_after()),
//!     Err(CallError::Failed(error)) => println!("failed: {error}"),
//! }
//! # Ok(()) }
//! ```

mod adaptive;
mod builder;
mod handle;
#[cfg(feature = "tower")]
mod hold;
#[cfg(feature = "tower")]
mod layer;
mod pace;
mod permit;
mod semaphore;
mod stats;
mod sync;
mod waiting;

pub use adaptive::Adaptive;
pub use builder::{LimiterBuilder, Order};
pub use handle::{Limiter, Refused, RefusedReason};
#[cfg(feature = "tower")]
pub use hold::{Hold, LimiterBody, UntilEnd, UntilHead};
#[cfg(feature = "tower")]
pub use layer::{LimiterFuture, LimiterLayer, LimiterService};
pub use permit::LimiterPermit;
pub use stats::{LimiterStats, WaitHistogram};

pub use crate::guard::CallError;
