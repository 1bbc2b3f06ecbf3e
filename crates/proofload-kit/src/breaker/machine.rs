//! The states of a circuit breaker and what leads from one to the next. Pure: the time is an
//! argument, chance comes from a seed, nothing waits and nobody else's code is called.
//!
//! Every state has a generation. A call carries the generation it was let through in; what it ends
//! like counts only while that generation lasts, so that the stragglers of an outage do not decide
//! about the backend of today. Nothing happens by itself: an open breaker becomes half-open, and a
//! half-open one runs out of time, when somebody looks: a call, or whoever asks for its state.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    State, Transition,
    settings::Settings,
    window::{Outcomes, Tally},
};

/// What became of a call that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Success,
    Failure,
    /// Says nothing about the backend: the permit is given back.
    Ignored,
    /// Given up unfinished: as ignored, unless it had become slow before.
    Cancelled,
}

/// A call that was let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) generation: u64,
}

/// How often what happened, since the breaker was built.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Totals {
    pub(super) successes: u64,
    pub(super) failures: u64,
    pub(super) ignored: u64,
    pub(super) slow: u64,
    /// Of all of these: ended after the state they began in.
    pub(super) late: u64,
    pub(super) transitions_to: [u64; State::ALL.len()],
}

#[derive(Debug)]
enum Phase {
    Closed,
    Open { until: Instant },
    HalfOpen(Probe),
    ForcedOpen,
    ForcedClosed,
}

/// The calls that probe the backend.
#[derive(Debug)]
struct Probe {
    entered: Instant,
    last_granted: Instant,
    in_flight: u32,
    tally: Tally,
}

#[derive(Debug)]
pub(super) struct Machine {
    settings: Settings,
    phase: Phase,
    generation: u64,
    outcomes: Outcomes,
    /// Probes that failed since it was closed last: the exponent of the backoff.
    failed_probes: i32,
    totals: Totals,
    random: fastrand::Rng,
}

impl Machine {
    pub(super) fn new(settings: Settings, seed: u64, now: Instant) -> Self {
        let outcomes = Outcomes::new(settings.window, now);
        Self {
            settings,
            phase: Phase::Closed,
            generation: 0,
            outcomes,
            failed_probes: 0,
            totals: Totals::default(),
            random: fastrand::Rng::with_seed(seed),
        }
    }

    pub(super) fn state(&self) -> State {
        match self.phase {
            Phase::Closed => State::Closed,
            Phase::Open { .. } => State::Open,
            Phase::HalfOpen(_) => State::HalfOpen,
            Phase::ForcedOpen => State::ForcedOpen,
            Phase::ForcedClosed => State::ForcedClosed,
        }
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    /// Until when every call is refused, while open.
    pub(super) fn open_until(&self) -> Option<Instant> {
        match self.phase {
            Phase::Open { until } => Some(until),
            _ => None,
        }
    }

    /// What the rates of the present state are taken of.
    pub(super) fn tally(&mut self, now: Instant) -> Tally {
        match &self.phase {
            Phase::HalfOpen(probe) => probe.tally,
            _ => self.outcomes.tally(now),
        }
    }

    /// Lets a call through, or says after how long it is worth to ask again.
    pub(super) fn acquire(
        &mut self,
        now: Instant,
    ) -> (Result<Ticket, Duration>, Option<Transition>) {
        let transition = self.advance(now);
        (self.grant(now), transition)
    }

    /// Brings about what time alone leads to.
    pub(super) fn advance(&mut self, now: Instant) -> Option<Transition> {
        match &self.phase {
            Phase::Open { until } if now >= *until => Some(self.half_open(now)),
            Phase::HalfOpen(_) => self.judge_if_due(now),
            _ => None,
        }
    }

    fn grant(&mut self, now: Instant) -> Result<Ticket, Duration> {
        let ticket = Ticket { generation: self.generation };
        match &mut self.phase {
            Phase::Closed | Phase::ForcedClosed => Ok(ticket),
            Phase::ForcedOpen => Err(self.settings.open_for),
            Phase::Open { until } => Err(until.saturating_duration_since(now)),
            Phase::HalfOpen(probe) => {
                if u64::from(probe.in_flight) + probe.tally.calls
                    < u64::from(self.settings.half_open_calls)
                {
                    // Nobody has probed yet, however long ago somebody looked: the time begins here.
                    if probe.in_flight == 0 && probe.tally.calls == 0 {
                        probe.entered = now;
                    }
                    probe.in_flight += 1;
                    probe.last_granted = now;
                    Ok(ticket)
                } else {
                    let due = probe.due(&self.settings);
                    Err(due.saturating_duration_since(now).min(self.settings.open_for))
                }
            }
        }
    }

    /// Takes note of the end of a call. The permit is free again whatever it ended like.
    pub(super) fn record(
        &mut self,
        ticket: Ticket,
        ending: Ending,
        slow: bool,
        now: Instant,
    ) -> Option<Transition> {
        self.count(ending, slow);
        if ticket.generation != self.generation {
            self.totals.late += 1;
            return None;
        }
        // The failed and slow calls of the tally; nothing for a call that says nothing.
        let counts = match ending {
            Ending::Success => Some(false),
            Ending::Failure => Some(true),
            Ending::Cancelled if slow => Some(false),
            Ending::Ignored | Ending::Cancelled => None,
        };
        match &mut self.phase {
            Phase::Closed => {
                self.outcomes.add(now, counts?, slow);
                let tally = self.outcomes.tally(now);
                let enough = tally.calls >= u64::from(self.settings.minimum_calls);
                (enough && self.exceeds(tally)).then(|| self.open(now))
            }
            Phase::HalfOpen(probe) => {
                probe.in_flight -= 1;
                probe.tally.add(counts?, slow);
                let tally = probe.tally;
                self.decide(tally, now)
            }
            // No permit is of an open generation.
            Phase::Open { .. } | Phase::ForcedOpen | Phase::ForcedClosed => None,
        }
    }

    /// Whether one success more cannot open it: it is closed, and what its window holds was judged
    /// and found good. Another success only makes it better.
    pub(super) fn is_ripe(&mut self, now: Instant) -> bool {
        matches!(self.phase, Phase::Closed)
            && self.outcomes.tally(now).calls >= u64::from(self.settings.minimum_calls)
    }

    /// Takes note of successes that were let through, and ended at `at`, while it was ripe; of this
    /// generation or of an earlier one.
    pub(super) fn record_batch(&mut self, count: u64, current: bool, at: Instant) {
        self.totals.successes += count;
        if current && matches!(self.phase, Phase::Closed) {
            (0..count).for_each(|_| self.outcomes.add(at, false, false));
        } else {
            self.totals.late += count;
        }
    }

    /// Puts it into a state by hand. Into the state it is in: nothing, but for `Closed`, which
    /// starts afresh.
    pub(super) fn force(&mut self, state: State, now: Instant) -> Option<Transition> {
        if self.state() == state && state != State::Closed {
            return None;
        }
        match state {
            State::Closed => Some(self.close(now)),
            State::Open => Some(self.open(now)),
            State::HalfOpen => Some(self.half_open(now)),
            State::ForcedOpen => Some(self.enter(Phase::ForcedOpen)),
            State::ForcedClosed => Some(self.enter(Phase::ForcedClosed)),
        }
    }

    fn count(&mut self, ending: Ending, slow: bool) {
        match ending {
            Ending::Success => self.totals.successes += 1,
            Ending::Failure => self.totals.failures += 1,
            Ending::Ignored | Ending::Cancelled => self.totals.ignored += 1,
        }
        self.totals.slow += u64::from(slow && ending != Ending::Ignored);
    }

    fn exceeds(&self, tally: Tally) -> bool {
        tally.failure_rate() >= self.settings.failure_rate
            || self.settings.slow_calls.is_some_and(|slow| tally.slow_rate() >= slow.rate)
    }

    /// Ends a probe as soon as the results that are still missing cannot change the verdict.
    fn decide(&mut self, tally: Tally, now: Instant) -> Option<Transition> {
        let all = u64::from(self.settings.half_open_calls);
        let missing = all - tally.calls;
        if self.exceeds(Tally { calls: all, ..tally }) {
            return Some(self.reopen(now));
        }
        let at_worst =
            Tally { calls: all, failed: tally.failed + missing, slow: tally.slow + missing };
        (!self.exceeds(at_worst)).then(|| self.close(now))
    }

    /// Ends a probe that has run out of time. Calls still under way count as failed: they had half
    /// of the time at least. Without any call there is nothing to judge, and permits are free, so
    /// the probe goes on.
    fn judge_if_due(&mut self, now: Instant) -> Option<Transition> {
        let Phase::HalfOpen(probe) = &mut self.phase else { return None };
        if now < probe.due(&self.settings) {
            return None;
        }
        let unfinished = u64::from(probe.in_flight);
        let tally = Tally {
            calls: probe.tally.calls + unfinished,
            failed: probe.tally.failed + unfinished,
            slow: probe.tally.slow + unfinished,
        };
        if tally.calls == 0 {
            probe.entered = now;
            return None;
        }
        Some(if self.exceeds(tally) { self.reopen(now) } else { self.close(now) })
    }

    fn close(&mut self, now: Instant) -> Transition {
        self.failed_probes = 0;
        self.outcomes.clear(now);
        self.enter(Phase::Closed)
    }

    fn reopen(&mut self, now: Instant) -> Transition {
        self.failed_probes = self.failed_probes.saturating_add(1);
        self.open(now)
    }

    fn open(&mut self, now: Instant) -> Transition {
        let settings = &self.settings;
        let base = settings.open_for.as_secs_f64();
        let grown = base * settings.backoff_factor.powi(self.failed_probes);
        // A factor of 1 leaves the base as it is, also above the default upper end.
        let capped = if settings.backoff_factor > 1.0 {
            grown.min(settings.open_at_most.as_secs_f64())
        } else {
            base
        };
        let spread = 1.0 + settings.jitter * (2.0 * self.random.f64() - 1.0);
        let until = now + Duration::from_secs_f64(capped * spread);
        self.enter(Phase::Open { until })
    }

    fn half_open(&mut self, now: Instant) -> Transition {
        let probe =
            Probe { entered: now, last_granted: now, in_flight: 0, tally: Tally::default() };
        self.enter(Phase::HalfOpen(probe))
    }

    fn enter(&mut self, phase: Phase) -> Transition {
        let from = self.state();
        self.phase = phase;
        self.generation += 1;
        let to = self.state();
        self.totals.transitions_to[to as usize] += 1;
        Transition { from, to }
    }
}

impl Probe {
    /// When it is judged by what is known. A call that was let through lately gets half of the time
    /// at least.
    fn due(&self, settings: &Settings) -> Instant {
        let timeout = settings.half_open_timeout;
        let entered = self.entered + timeout;
        if self.in_flight == 0 { entered } else { entered.max(self.last_granted + timeout / 2) }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
