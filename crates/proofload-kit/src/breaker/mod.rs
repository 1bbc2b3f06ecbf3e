//! A circuit breaker: calls to a backend that fails or drags are refused for a while, so that
//! callers get an answer at once and the backend gets the rest it needs to come back.
//!
//! - `settings`: the builder;
//! - `batch`: successes on their way into the window;
//! - `machine`: the states, without clock and without locks; `window`: the outcomes rates are taken
//!   of;
//! - `handle`: the breaker as services hold it; `permit`: a call under way; `state`: its
//!   vocabulary;
//! - `stats`: what it counts, and its metrics;
//! - `layer`: the breaker around a tower service.
//!
//! ```
//! use std::time::Duration;
//! use proofload_kit::breaker::{CallError, CircuitBreaker, Window};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let payments = CircuitBreaker::builder("payments")
//!     .failure_rate(0.5)
//!     .slow_call(Duration::from_secs(2), 0.8)
//!     .window(Window::time(Duration::from_secs(30)))
//!     .open_for(Duration::from_secs(5))
//!     .build()?;
//!
//! match payments.call(async { Ok::<_, std::io::Error>("paid") }).await {
//!     Ok(answer) => assert_eq!(answer, "paid"),
//!     Err(CallError::Refused(open)) => println!("try again in {:?}", open.retry_after()),
//!     Err(CallError::Failed(error)) => println!("the backend said: {error}"),
//! }
//! # Ok(()) }
//! ```

mod batch;
mod handle;
#[cfg(feature = "tower")]
mod layer;
mod machine;
mod permit;
mod settings;
mod state;
mod stats;
mod window;

pub use handle::CircuitBreaker;
#[cfg(feature = "tower")]
pub use layer::{CircuitBreakerFuture, CircuitBreakerLayer, CircuitBreakerService};
pub use permit::CircuitBreakerPermit;
pub use settings::{CircuitBreakerBuilder, Window};
pub use state::{Outcome, Refused, State, Transition};
pub use stats::CircuitBreakerStats;

pub use crate::guard::CallError;
