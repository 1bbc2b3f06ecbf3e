//! What an error says of trying again.

use std::time::Duration;

use crate::guard::CallError;

/// Whether a call that failed is worth another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Advice {
    /// It would fail again, or must not be repeated.
    Stop,
    /// It may pass.
    Retry,
    /// It may pass, but not before: what a server says by `Retry-After`.
    RetryAfter(Duration),
}

/// `true`: another try.
impl From<bool> for Advice {
    fn from(retry: bool) -> Self {
        if retry { Self::Retry } else { Self::Stop }
    }
}

impl Advice {
    /// For calls through a breaker or a limiter: what the guard refused is not tried again (that is
    /// what it refused it for), what failed is tried again if `when` says so.
    ///
    /// ```
    /// use proofload_kit::retry::{Advice, Retry};
    /// use proofload_kit::CircuitBreaker;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let breaker = CircuitBreaker::builder("users").build()?;
    /// let retry = Retry::builder("users").build()?;
    /// breaker.force_open();
    /// let answer = retry
    ///     .call_when(
    ///         |_| breaker.call(async { Ok::<_, std::io::Error>("Ada") }),
    ///         |error| Advice::guarded(error, |_: &std::io::Error| true),
    ///     )
    ///     .await;
    /// assert!(answer.is_err_and(|error| error.is_refused()));
    /// assert_eq!(retry.stats().retries, 0);
    /// # Ok(()) }
    /// ```
    pub fn guarded<E, R, A: Into<Self>>(
        error: &CallError<E, R>,
        when: impl FnOnce(&E) -> A,
    ) -> Self {
        match error {
            CallError::Refused(_) => Self::Stop,
            CallError::Failed(error) => when(error).into(),
        }
    }
}
