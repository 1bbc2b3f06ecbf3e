//! A virtual user as its code sees it.

use std::borrow::Cow;
use std::ops::{Range, RangeInclusive};
use std::rc::Rc;
use std::time::Duration;

use proofload_core::metrics::ErrorKind;
use proofload_core::plan::ThinkTime;

use super::error::CheckError;
use super::random::Random;
use super::request::RequestBuilder;
use super::scope::{Core, Tags};
use crate::worker::Example;

/// Name of the rows for checks that belong to no request.
const CHECKS: &str = "(checks)";

/// A virtual user, as its own code sees it: who it is, what it remembers, and its HTTP client with
/// its own connections and cookies.
///
/// `S` is what it remembers, a type of your own.
#[derive(Debug)]
pub struct User<S = ()> {
    /// What the user remembers between tasks. Made anew whenever the user starts.
    pub state: S,
    core: Rc<Core>,
}

impl<S> User<S> {
    pub(super) fn new(state: S, core: Rc<Core>) -> Self {
        Self { state, core }
    }

    /// Number of the user within the phase, from 0, over all workers: `user.id` of a plan.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.core.seat.user_id - 1
    }

    /// Name of its kind.
    #[must_use]
    pub fn kind(&self) -> &str {
        &self.core.kind.name
    }

    /// Name of the task it is at, `on_start` or `on_stop`.
    #[must_use]
    pub fn task(&self) -> &str {
        self.core.part_name()
    }

    /// How many iterations it has begun before this one.
    #[must_use]
    pub fn iteration(&self) -> u64 {
        self.core.iteration.get()
    }

    /// Its source of random choices.
    #[must_use]
    pub fn random(&self) -> &Random {
        &self.core.random
    }

    /// Whether it is to leave when its task has ended. Worth asking in long loops only.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.core.seat.is_retired()
    }

    /// Begins a GET request. The URL is a path on the plan's target, with or without a query, or a
    /// whole URL.
    pub fn get<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("GET", url)
    }

    /// Begins a POST request; for the URL see [`User::get`].
    pub fn post<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("POST", url)
    }

    /// Begins a PUT request; for the URL see [`User::get`].
    pub fn put<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("PUT", url)
    }

    /// Begins a PATCH request; for the URL see [`User::get`].
    pub fn patch<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("PATCH", url)
    }

    /// Begins a DELETE request; for the URL see [`User::get`].
    pub fn delete<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("DELETE", url)
    }

    /// Begins a HEAD request; for the URL see [`User::get`].
    pub fn head<'u>(&'u self, url: impl Into<Cow<'u, str>>) -> RequestBuilder<'u> {
        self.request("HEAD", url)
    }

    /// Begins a request with any method, case-sensitive; for the URL see [`User::get`].
    pub fn request<'u>(
        &'u self,
        method: impl Into<Cow<'u, str>>,
        url: impl Into<Cow<'u, str>>,
    ) -> RequestBuilder<'u> {
        RequestBuilder::new(&self.core, method.into(), url.into())
    }

    /// Counts a check that belongs to no single request, such as a comparison of two answers. What
    /// one answer must hold is better said with [`RequestBuilder::check`].
    ///
    /// # Errors
    /// It did not pass: with `?` the task ends here, with [`Result::ok`] it goes on. The iteration
    /// counts as failed in both cases.
    pub fn check(&self, name: &str, passed: bool) -> Result<(), CheckError> {
        let tags = Tags { name: CHECKS, method: "", url: "" };
        let series = self.core.series(tags, std::iter::once(name));
        let recorder = self.core.recorder();
        recorder.record_check(series, 0, passed);
        if passed {
            return Ok(());
        }
        self.core.something_failed.set(true);
        recorder.error_sample(ErrorKind::CheckFailed, || Example {
            request: self.core.whereabouts(),
            message: format!("check `{name}` failed"),
            status: 0,
            elapsed: Duration::ZERO,
        });
        Err(CheckError(name.to_owned()))
    }

    /// Waits for so long, as a person thinks: a time, or a range of times of which one is drawn. A
    /// user that is asked to leave does not finish its pause.
    ///
    /// It is meant to be there, so it does not count as a delay of the first request of an iteration.
    pub async fn pause(&self, time: impl Pause) {
        let time = draw(time.into_think_time(), &self.core.random);
        self.core.seat.postpone_intended_start(time);
        self.core.seat.pause(time).await;
    }

    /// Forgets all cookies.
    pub fn clear_cookies(&mut self) {
        // Taken only while a request is under way, and a request borrows the user.
        if let Ok(mut client) = self.core.client.try_lock() {
            client.clear_cookies();
        }
    }

    /// Closes all connections and keeps the cookies, as a visitor who comes back later.
    pub fn close_connections(&mut self) {
        if let Ok(mut client) = self.core.client.try_lock() {
            client.close_connections();
            self.core.count_connections(0);
        }
    }
}

/// A time to wait: a [`Duration`], or a range of them.
pub trait Pause {
    /// As plans have it.
    fn into_think_time(self) -> ThinkTime;
}

impl Pause for Duration {
    fn into_think_time(self) -> ThinkTime {
        if self.is_zero() { ThinkTime::None } else { ThinkTime::Constant(self) }
    }
}

/// Evenly distributed. The order of the ends does not matter.
impl Pause for Range<Duration> {
    fn into_think_time(self) -> ThinkTime {
        let (min, max) = (self.start.min(self.end), self.start.max(self.end));
        if min == max { min.into_think_time() } else { ThinkTime::Uniform { min, max } }
    }
}

/// Evenly distributed. The order of the ends does not matter.
impl Pause for RangeInclusive<Duration> {
    fn into_think_time(self) -> ThinkTime {
        let (start, end) = self.into_inner();
        (start..end).into_think_time()
    }
}

/// Draws a time to wait.
pub(super) fn draw(time: ThinkTime, random: &Random) -> Duration {
    match time {
        ThinkTime::None => Duration::ZERO,
        ThinkTime::Constant(time) => time,
        ThinkTime::Uniform { min, max } => random.time(min, max),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_what_plans_have() {
        let s = Duration::from_secs;
        assert_eq!(s(0).into_think_time(), ThinkTime::None);
        assert_eq!(s(1).into_think_time(), ThinkTime::Constant(s(1)));
        let uniform = ThinkTime::Uniform { min: s(1), max: s(3) };
        assert_eq!((s(1)..s(3)).into_think_time(), uniform);
        assert_eq!((s(3)..s(1)).into_think_time(), uniform);
        assert_eq!((s(1)..=s(3)).into_think_time(), uniform);
        assert_eq!((s(2)..s(2)).into_think_time(), ThinkTime::Constant(s(2)));
        assert_eq!((s(0)..s(0)).into_think_time(), ThinkTime::None);
    }
}
