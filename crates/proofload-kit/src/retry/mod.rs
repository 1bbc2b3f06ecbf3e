//! Retries that help and do no harm: a few, spread in time, only for errors that may pass, and no
//! more than a budget allows, so that an outage does not turn every caller into three.
//!
//! - `backoff`: how long to wait before the next try; `budget`: how many retries all callers have
//!   together;
//! - `advice`: what an error says of a retry; `builder`: the settings; `handle`: the policy as
//!   services hold it;
//! - `stats`: what it counts, and its metrics; `layer`: retries around a tower service.
//!
//! ```
//! use std::time::Duration;
//! use proofload_kit::retry::{Backoff, Budget, Retry};
//!
//! #[derive(Debug, PartialEq)]
//! enum Error { Busy, NoSuchUser }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let users = Retry::builder("users")
//!     .attempts(3)
//!     .backoff(Backoff::exponential(Duration::from_millis(1), Duration::from_secs(1)))
//!     .budget(Budget::new().ratio(0.2))
//!     .build()?;
//!
//! let answer = users
//!     .call_when(
//!         |attempt| async move { if attempt < 3 { Err(Error::Busy) } else { Ok("Ada") } },
//!         |error| *error == Error::Busy,
//!     )
//!     .await;
//! assert_eq!(answer, Ok("Ada"));
//!
//! let nobody = async |_| Err::<(), _>(Error::NoSuchUser);
//! let answer = users.call_when(nobody, |error| *error == Error::Busy).await;
//! assert_eq!(answer, Err(Error::NoSuchUser));
//! assert_eq!(users.stats().retries, 2);
//! # Ok(()) }
//! ```

mod advice;
mod backoff;
mod budget;
mod builder;
mod handle;
#[cfg(feature = "tower")]
mod layer;
mod stats;

pub use advice::Advice;
pub use backoff::Backoff;
pub use budget::Budget;
pub use builder::RetryBuilder;
pub use handle::Retry;
#[cfg(feature = "tower")]
pub use layer::{
    Advise, Cloned, Idempotent, OnError, OnStatus, Repeat, RetryFuture, RetryLayer, RetryService,
};
pub use stats::RetryStats;
