//! Whether Redis is worth asking: after failures in a row it is left alone for a moment, then one
//! call tries whether it is there again. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// The state of the connection to one Redis, as its callers found it.
#[derive(Debug)]
pub(super) struct Guard {
    /// Failures in a row that make an outage.
    failures: u32,
    /// How long nobody asks during an outage.
    pause: Duration,
    state: State,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Available { failures: u32, first_failure: Option<Instant> },
    Out { since: Instant, retry_at: Instant, probing: bool },
}

/// The right to make one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    Normal,
    /// The one call of an outage that finds out whether it is over.
    Probe,
}

/// What a call changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    None,
    /// Nobody asks from now on.
    Lost,
    /// It answers again, this long after the first failure.
    Recovered(Duration),
}

impl Guard {
    pub(super) fn new(failures: u32, pause: Duration) -> Self {
        let state = State::Available { failures: 0, first_failure: None };
        Self { failures, pause, state }
    }

    pub(super) fn available(&self) -> bool {
        matches!(self.state, State::Available { .. })
    }

    /// Whether [`admit`](Self::admit) would let a call through.
    pub(super) fn would_admit(&self, now: Instant) -> bool {
        match self.state {
            State::Available { .. } => true,
            State::Out { retry_at, probing, .. } => !probing && now >= retry_at,
        }
    }

    pub(super) fn admit(&mut self, now: Instant) -> Option<Admission> {
        match &mut self.state {
            State::Available { .. } => Some(Admission::Normal),
            State::Out { retry_at, probing, .. } => {
                if *probing || now < *retry_at {
                    return None;
                }
                *probing = true;
                Some(Admission::Probe)
            }
        }
    }

    /// Redis answered. Also that of a call from before the outage: an answer is an answer.
    pub(super) fn answered(&mut self, now: Instant) -> Change {
        let was = std::mem::replace(
            &mut self.state,
            State::Available { failures: 0, first_failure: None },
        );
        match was {
            State::Available { .. } => Change::None,
            State::Out { since, .. } => Change::Recovered(now.saturating_duration_since(since)),
        }
    }

    pub(super) fn failed(&mut self, admission: Admission, now: Instant) -> Change {
        match &mut self.state {
            State::Available { failures, first_failure } => {
                let since = *first_failure.get_or_insert(now);
                *failures += 1;
                if *failures < self.failures {
                    return Change::None;
                }
                self.state = State::Out { since, retry_at: now + self.pause, probing: false };
                Change::Lost
            }
            State::Out { retry_at, probing, .. } => {
                // Calls from before the outage say nothing new.
                if admission == Admission::Probe {
                    *retry_at = now + self.pause;
                    *probing = false;
                }
                Change::None
            }
        }
    }

    /// The call was given up by its caller: the next one may try at once.
    pub(super) fn abandoned(&mut self, admission: Admission) {
        if let (Admission::Probe, State::Out { probing, .. }) = (admission, &mut self.state) {
            *probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAUSE: Duration = Duration::from_secs(1);

    fn out(now: Instant) -> Guard {
        let mut guard = Guard::new(3, PAUSE);
        for expected in [Change::None, Change::None, Change::Lost] {
            assert_eq!(guard.admit(now), Some(Admission::Normal));
            assert_eq!(guard.failed(Admission::Normal, now), expected);
        }
        guard
    }

    #[test]
    fn failures_in_a_row_make_an_outage() {
        let now = Instant::now();
        let mut guard = Guard::new(3, PAUSE);
        for _ in 0..10 {
            guard.failed(Admission::Normal, now);
            guard.failed(Admission::Normal, now);
            assert_eq!(guard.answered(now), Change::None, "two are not three");
        }
        let mut guard = out(now);
        assert!(!guard.available());
        assert_eq!(guard.admit(now), None);
        assert_eq!(guard.admit(now + PAUSE / 2), None);
    }

    #[test]
    fn one_call_probes_and_its_answer_ends_the_outage() {
        let now = Instant::now();
        let mut guard = out(now);
        let later = now + PAUSE;
        assert!(guard.would_admit(later));
        assert_eq!(guard.admit(later), Some(Admission::Probe));
        assert_eq!(guard.admit(later), None, "one at a time");
        assert_eq!(guard.failed(Admission::Probe, later), Change::None);
        assert_eq!(guard.admit(later), None, "the pause starts again");
        let end = later + PAUSE;
        assert_eq!(guard.admit(end), Some(Admission::Probe));
        assert_eq!(guard.answered(end), Change::Recovered(PAUSE * 2));
        assert_eq!(guard.admit(end), Some(Admission::Normal));
    }

    #[test]
    fn a_probe_that_nobody_waits_for_does_not_block_the_next() {
        let now = Instant::now();
        let mut guard = out(now);
        let later = now + PAUSE;
        assert_eq!(guard.admit(later), Some(Admission::Probe));
        guard.abandoned(Admission::Probe);
        assert_eq!(guard.admit(later), Some(Admission::Probe));
    }

    #[test]
    fn late_failures_do_not_prolong_an_outage_and_late_answers_end_it() {
        let now = Instant::now();
        let mut guard = out(now);
        guard.failed(Admission::Normal, now + PAUSE / 2);
        assert!(guard.would_admit(now + PAUSE));
        assert_eq!(guard.answered(now + PAUSE / 2), Change::Recovered(PAUSE / 2));
        assert!(guard.available());
    }
}
