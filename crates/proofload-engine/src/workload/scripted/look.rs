//! Looking at an answer: checks, extractions, cache hits.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use proofload_core::inspect::{Answer, Sink};
use proofload_core::metrics::SeriesId;
use proofload_core::plan::{CheckId, VarSlot};

use super::compile::CompiledRequest;
use super::user::State;
use crate::http::{Failure, Response};
use crate::worker::Recorder;

/// What an answer is worth.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) failure: Option<Failure>,
    pub(super) cached: Option<bool>,
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Self { failure: Some(failure), cached: None }
    }
}

/// Looks at an answer: counts its checks and keeps what the plan wants to keep of it. `began` is the
/// start that the response time is measured from.
pub(super) fn look(
    request: &CompiledRequest,
    response: &Response<'_>,
    began: Instant,
    state: &mut State,
    recorder: &Recorder,
) -> Verdict {
    let inspector = &request.spec.inspect;
    let answer = Timed { response, began };
    let mut sink = Keeper { state, recorder, series: request.series, next_check: 0 };
    let inspection = inspector.inspect(&answer, &mut sink);
    let failure = inspection.failure.map(|failure| {
        let kind = failure.error_kind(response.status());
        // Words cost time and memory: only for those that will be shown.
        let detail = if recorder.wants_example(kind) {
            Cow::Owned(inspector.explain(&answer, failure))
        } else {
            Cow::Borrowed("")
        };
        Failure { kind, detail }
    });
    Verdict { failure, cached: inspection.cache_hit }
}

struct Timed<'a> {
    response: &'a Response<'a>,
    began: Instant,
}

impl Answer for Timed<'_> {
    fn status(&self) -> u16 {
        self.response.status()
    }

    fn header(&self, name: &str) -> Option<&[u8]> {
        self.response.header(name)
    }

    fn set_cookies(&self) -> impl Iterator<Item = &[u8]> {
        let is_cookie = |name: &str| name.eq_ignore_ascii_case("set-cookie");
        self.response.headers().filter(move |(name, _)| is_cookie(name)).map(|(_, value)| value)
    }

    fn body(&self) -> &[u8] {
        self.response.body()
    }

    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

struct Keeper<'a> {
    state: &'a mut State,
    recorder: &'a Recorder,
    series: SeriesId,
    next_check: usize,
}

impl Sink for Keeper<'_> {
    // Checks come in the order of the request, which is that of the series.
    fn check(&mut self, _id: CheckId, passed: bool) {
        self.recorder.record_check(self.series, self.next_check, passed);
        self.next_check += 1;
    }

    fn extracted(&mut self, slot: VarSlot, value: &[u8]) {
        self.state.set(slot, value);
    }
}
