//! Looking at an answer: checks, extractions, cache hits.

use std::time::Duration;

use proofload_core::inspect::{CheckKind, Inspector};
use proofload_core::metrics::ErrorKind;

use super::user::State;
use crate::http::{Failure, Response};

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub(super) failure: Option<Failure>,
    pub(super) cached: Option<bool>,
    /// One bit a check: evaluated, and passed.
    evaluated: u64,
    passed: u64,
}

impl Verdict {
    pub(super) fn checks(&self) -> impl Iterator<Item = (usize, bool)> + use<> {
        let (evaluated, passed) = (self.evaluated, self.passed);
        let count = u64::BITS - evaluated.leading_zeros();
        (0..count as usize)
            .filter(move |at| evaluated >> at & 1 == 1)
            .map(move |at| (at, passed >> at & 1 == 1))
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Self { failure: Some(failure), ..Self::default() }
    }
}

/// Looks at an answer and keeps what is to be kept of it.
pub(super) fn inspect(
    inspector: &Inspector,
    response: &Response<'_>,
    _elapsed: Duration,
    _state: &mut State,
) -> Verdict {
    let mut verdict = Verdict::default();
    let by_status = inspector.checks.iter().any(|c| matches!(c.kind, CheckKind::Status(_)));
    if !by_status && response.status() >= 400 {
        verdict.failure = Some(status_failure(response.status()));
    }
    verdict
}

fn status_failure(status: u16) -> Failure {
    let kind = if status >= 500 { ErrorKind::Http5xx } else { ErrorKind::Http4xx };
    Failure::new(kind, format!("status {status}"))
}

pub(super) fn needs_body(inspector: &Inspector) -> bool {
    !inspector.extracts.is_empty() || !inspector.checks.is_empty() || inspector.cache.is_some()
}
