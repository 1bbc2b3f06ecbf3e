//! How the refusal of a guard around a tower service reaches the caller: as a typed error, or as
//! the response that HTTP has for it.

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{DATE, RETRY_AFTER},
};

use super::{CallError, whole_seconds};
use crate::{
    breaker,
    limit::{self, RefusedReason},
};

/// What a guard refuses with.
pub trait Refusal: sealed::Sealed {
    /// After how long it is worth to ask again.
    fn retry_after(&self) -> Duration;

    /// Whether it was refused because too many were there already, not because the backend is ill
    /// or slow.
    fn is_crowd(&self) -> bool;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for crate::breaker::Refused {}
    impl Sealed for crate::limit::Refused {}
    impl Sealed for super::AsError {}
    impl Sealed for super::AsResponse {}
}

impl Refusal for breaker::Refused {
    fn retry_after(&self) -> Duration {
        self.retry_after()
    }

    fn is_crowd(&self) -> bool {
        false
    }
}

impl Refusal for limit::Refused {
    fn retry_after(&self) -> Duration {
        self.retry_after()
    }

    fn is_crowd(&self) -> bool {
        self.reason() == RefusedReason::Full
    }
}

/// Turns what a guard or the service behind it says into what the guarded service says: `R`
/// refusals, `T` responses, `E` errors of the service behind.
pub trait Answer<R, T, E>: sealed::Sealed {
    /// The error of the guarded service.
    type Error;

    /// The answer to a refused call.
    ///
    /// # Errors
    /// Where a refusal is an error.
    fn refused(&self, refusal: R) -> Result<T, Self::Error>;

    /// The error of a call that was made.
    fn failed(error: E) -> Self::Error;
}

/// Refusals are errors: [`CallError`].
#[derive(Debug, Clone, Copy, Default)]
pub struct AsError;

impl<R, T, E> Answer<R, T, E> for AsError {
    type Error = CallError<E, R>;

    fn refused(&self, refusal: R) -> Result<T, Self::Error> {
        Err(CallError::Refused(refusal))
    }

    fn failed(error: E) -> Self::Error {
        CallError::Failed(error)
    }
}

/// Refusals are empty responses with `Retry-After` in whole seconds, rounded up: 503, or what was
/// chosen for refusals of a full queue.
#[derive(Debug, Clone, Copy)]
pub struct AsResponse {
    pub(crate) crowd: StatusCode,
}

impl Default for AsResponse {
    fn default() -> Self {
        Self { crowd: StatusCode::SERVICE_UNAVAILABLE }
    }
}

impl<R: Refusal, B: Default, E> Answer<R, Response<B>, E> for AsResponse {
    type Error = E;

    fn refused(&self, refusal: R) -> Result<Response<B>, E> {
        let mut response = Response::new(B::default());
        *response.status_mut() =
            if refusal.is_crowd() { self.crowd } else { StatusCode::SERVICE_UNAVAILABLE };
        response.headers_mut().insert(RETRY_AFTER, seconds(refusal.retry_after()));
        Ok(response)
    }

    fn failed(error: E) -> E {
        error
    }
}

fn seconds(wait: Duration) -> HeaderValue {
    HeaderValue::from(whole_seconds(wait))
}

/// The `Retry-After` of a response: a number of seconds, or a date (RFC 9110, section 10.2.3). What that is from now
/// on is told by the clock that wrote it, which is seen in `Date`; by ours where there is none.
pub(crate) fn retry_after_of(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = |name| Some(headers.get(name)?.to_str().ok()?.trim());
    let date = |text| httpdate::parse_http_date(text).ok();
    let after = text(RETRY_AFTER)?;
    if !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too large for a number is too long to wait for.
        return Some(Duration::from_secs(after.parse().unwrap_or(u64::MAX)));
    }
    let now = text(DATE).and_then(date).unwrap_or(now);
    Some(date(after)?.duration_since(now).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_in_whole_seconds_that_suffice() {
        let check =
            |ms: u64, expected: &str| assert_eq!(seconds(Duration::from_millis(ms)), expected);
        check(0, "1");
        check(1, "1");
        check(1000, "1");
        check(1001, "2");
        check(59_999, "60");
        check(u64::MAX, "18446744073709552");
    }

    #[test]
    fn retry_after_is_read_as_a_number_or_a_date() {
        let now = httpdate::parse_http_date("Wed, 21 Oct 2015 07:28:00 GMT").expect("date");
        let check = |value: &str, expected: Option<u64>| {
            let mut headers =
                HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).expect("value"))]);
            let seconds = expected.map(Duration::from_secs);
            assert_eq!(retry_after_of(&headers, now), seconds, "{value}");
            headers.insert(DATE, HeaderValue::from_static("Wed, 21 Oct 2015 07:27:50 GMT"));
            let is_date = value.ends_with("GMT");
            let later = seconds.map(|seconds| seconds.saturating_add(Duration::from_secs(10)));
            let seconds =
                if is_date && value != "Wed, 21 Oct 2015 07:00:00 GMT" { later } else { seconds };
            assert_eq!(retry_after_of(&headers, now), seconds, "{value}, by the server's clock");
        };
        check("3", Some(3));
        check(" 120 ", Some(120));
        check("-1", None);
        check("soon", None);
        check("+3", None);
        check("", None);
        check("99999999999999999999999", Some(u64::MAX));
        check("Wed, 21 Oct 2015 07:28:30 GMT", Some(30));
        check("Wed, 21 Oct 2015 07:00:00 GMT", Some(0));
        check("Wednesday, 21-Oct-15 07:28:30 GMT", Some(30));
        check("Wed, 21 Oct 2015 07:28:00", None);
        check("Wed, 32 Oct 2015 07:28:00 GMT", None);
        assert_eq!(retry_after_of(&HeaderMap::new(), now), None);
    }
}
