//! What the results of a tower service say of the backend.

use http::{Response, StatusCode};

use crate::breaker::Outcome;

/// Judges results. Any closure of that form does; it is called outside all locks and may panic.
pub trait Classify<T, E> {
    /// What this result says.
    fn classify(&self, result: &Result<T, E>) -> Outcome;
}

impl<T, E, F: Fn(&Result<T, E>) -> Outcome> Classify<T, E> for F {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        self(result)
    }
}

/// Errors are failures.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByResult;

impl<T, E> Classify<T, E> for ByResult {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        Outcome::from(result)
    }
}

/// Errors say nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnlySuccess;

impl<T, E> Classify<T, E> for OnlySuccess {
    fn classify(&self, result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Ignored }
    }
}

/// Errors and responses with a status of 500 and above are failures. A request that the backend
/// rightly refuses (4xx) is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByStatus;

impl<B, E> Classify<Response<B>, E> for ByStatus {
    fn classify(&self, result: &Result<Response<B>, E>) -> Outcome {
        match result {
            Ok(response) if !response.status().is_server_error() => Outcome::Success,
            _ => Outcome::Failure,
        }
    }
}

/// Responses that say "too much" (429, 503, 504) are failures, below 500 they are successes; others
/// and errors say nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct ByOverload;

impl<B, E> Classify<Response<B>, E> for ByOverload {
    fn classify(&self, result: &Result<Response<B>, E>) -> Outcome {
        let Ok(response) = result else { return Outcome::Ignored };
        match response.status() {
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Outcome::Failure,
            status if status.is_server_error() => Outcome::Ignored,
            _ => Outcome::Success,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_say_what_they_say() {
        let check = |status: u16, by_status: Outcome, by_overload: Outcome| {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::from_u16(status).expect("status");
            let result = Ok::<_, ()>(response);
            assert_eq!(
                (ByStatus.classify(&result), ByOverload.classify(&result)),
                (by_status, by_overload)
            );
        };
        use Outcome::{Failure, Ignored, Success};
        check(200, Success, Success);
        check(404, Success, Success);
        check(429, Success, Failure);
        check(500, Failure, Ignored);
        check(503, Failure, Failure);
        check(504, Failure, Failure);
        let error = Err::<Response<()>, _>(());
        assert_eq!((ByStatus.classify(&error), ByOverload.classify(&error)), (Failure, Ignored));
        assert_eq!(
            (ByResult.classify(&Err::<(), _>(())), OnlySuccess.classify(&Err::<(), _>(()))),
            (Failure, Ignored)
        );
    }
}
