//! The circuit breaker as services hold it: the state machine behind a lock, in front of it a gate
//! that tells most callers without the lock, and calls wrapped in permits.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::time::Instant;

use super::{
    CallError, CircuitBreakerBuilder, CircuitBreakerPermit, CircuitBreakerStats, Outcome, Refused,
    State, Transition,
    batch::Batches,
    machine::{Ending, Machine, Ticket},
    permit::Pass,
    settings::Observer,
};
use crate::{
    Registry,
    guard::{Apart, Striped, shielded},
};

/// A circuit breaker. Cheap to clone; clones are the same breaker.
///
/// It knows nothing of what it protects: wrap calls with [`call`](Self::call), take a permit with
/// [`acquire`](Self::acquire) where a closure does not fit, or put a
/// [`CircuitBreakerLayer`](super::CircuitBreakerLayer) around a service. See the [module](super) for an example.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    pub(super) inner: Arc<Inner>,
}

pub(super) struct Inner {
    pub(super) name: String,
    slow_after: Option<Duration>,
    open_for: Duration,
    observer: Option<Observer>,
    /// What times of the gate are counted from.
    epoch: Instant,
    gate: Apart<Gate>,
    machine: Apart<Mutex<Machine>>,
    batches: Batches,
    pub(super) refused: Striped,
}

/// A copy of what the machine would say, as far as it says it to everybody.
#[derive(Debug, Default)]
struct Gate {
    /// Generation, state and ripeness: see [`Gate::word`].
    state: AtomicU64,
    /// Nanoseconds after the epoch.
    open_until: AtomicU64,
}

const STATES: u64 = State::ALL.len() as u64;

impl Gate {
    fn word(generation: u64, state: State, ripe: bool) -> u64 {
        (generation * STATES + state as u64) << 1 | u64::from(ripe)
    }

    fn load(&self) -> (u64, State) {
        let word = self.state.load(Ordering::Acquire) >> 1;
        (word / STATES, State::ALL[(word % STATES) as usize])
    }
}

impl CircuitBreaker {
    /// Settings for a breaker of this name, which is the label of its metrics.
    pub fn builder(name: impl Into<String>) -> CircuitBreakerBuilder {
        CircuitBreakerBuilder::new(name.into())
    }

    pub(super) fn new(builder: CircuitBreakerBuilder) -> Self {
        let epoch = Instant::now();
        let CircuitBreakerBuilder { name, settings, observer, .. } = builder;
        let inner = Inner {
            name,
            slow_after: settings.slow_calls.map(|slow| slow.longer_than),
            open_for: settings.open_for,
            observer,
            epoch,
            gate: Apart(Gate::default()),
            batches: Batches::new(settings.window.tick()),
            machine: Apart(Mutex::new(Machine::new(settings, fastrand::u64(..), epoch))),
            refused: Striped::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    pub(super) fn register(&self, registry: &Registry) {
        let inner: Arc<Inner> = Arc::clone(&self.inner);
        let part: Arc<dyn crate::registry::Component> = inner;
        registry.add(Arc::downgrade(&part));
    }

    /// The name it was given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Lets a call through, or refuses it.
    ///
    /// # Errors
    /// [`Refused`] when it is open, forced open, or half-open with all probes under way.
    pub fn acquire(&self) -> Result<CircuitBreakerPermit, Refused> {
        let (ticket, began) = self.inner.admit()?;
        Ok(CircuitBreakerPermit(Pass::new(Arc::clone(&self.inner), ticket, began)))
    }

    /// What [`acquire`](Self::acquire) would refuse with, without asking for a permit. Half-open
    /// counts as willing.
    #[must_use]
    pub fn refusal(&self) -> Option<Refused> {
        match self.inner.glance() {
            Glance::Refuse(open) => Some(open),
            Glance::Admit(_) | Glance::Ask => None,
        }
    }

    /// Makes a call if the breaker lets it through; an error counts as a failure.
    ///
    /// A call that panics counts as failed, one that is given up (its future dropped) is ignored,
    /// or slow if it had taken that long.
    ///
    /// # Errors
    /// [`CallError::Refused`] without making the call, [`CallError::Failed`] with the call's own
    /// error.
    pub async fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, CallError<E>> {
        self.call_classified(call, |result| Outcome::from(result)).await
    }

    /// As [`call`](Self::call), where `classify` says what a result tells about the backend. A
    /// request that the backend rightly refuses, say, is no failure.
    ///
    /// Should `classify` panic, the call is ignored and its permit free again.
    ///
    /// ```
    /// use proofload_kit::breaker::{CircuitBreaker, Outcome};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let users = CircuitBreaker::builder("users").build()?;
    /// let answer = async { Err::<(), u16>(404) };
    /// let result = users
    ///     .call_classified(answer, |result| match result {
    ///         Err(500..) => Outcome::Failure,
    ///         _ => Outcome::Success,
    ///     })
    ///     .await;
    /// assert!(result.is_err());
    /// assert_eq!(users.stats().failures, 0);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub async fn call_classified<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>>,
        classify: impl FnOnce(&Result<T, E>) -> Outcome,
    ) -> Result<T, CallError<E>> {
        let pass = self.pass().map_err(CallError::Refused)?;
        let result = call.await;
        settle(pass, result, classify)
    }

    /// As [`call`](Self::call), for code that does not wait.
    ///
    /// # Errors
    /// As [`call`](Self::call).
    pub fn call_sync<T, E>(&self, call: impl FnOnce() -> Result<T, E>) -> Result<T, CallError<E>> {
        let pass = self.pass().map_err(CallError::Refused)?;
        let result = call();
        settle(pass, result, |result| Outcome::from(result))
    }

    fn pass(&self) -> Result<Pass<&Inner>, Refused> {
        let (ticket, began) = self.inner.admit()?;
        Ok(Pass::new(&*self.inner, ticket, began))
    }

    /// What it does at present. Looking is enough for what is due: an open breaker whose time is over
    /// is half-open then, and its observer is told. So do [`stats`](Self::stats) and the metrics.
    #[must_use]
    pub fn state(&self) -> State {
        self.inner.state()
    }

    /// Refuses all calls until [`reset`](Self::reset) or [`force_closed`](Self::force_closed).
    pub fn force_open(&self) {
        self.inner.force(State::ForcedOpen);
    }

    /// Lets all calls through, whatever they end like, until [`reset`](Self::reset) or
    /// [`force_open`](Self::force_open).
    pub fn force_closed(&self) {
        self.inner.force(State::ForcedClosed);
    }

    /// Closes it and forgets what the window held.
    pub fn reset(&self) {
        self.inner.force(State::Closed);
    }

    /// What it has counted since it was built, and its window's rates.
    #[must_use]
    pub fn stats(&self) -> CircuitBreakerStats {
        self.inner.stats()
    }
}

fn settle<T, E>(
    mut pass: Pass<&Inner>,
    result: Result<T, E>,
    classify: impl FnOnce(&Result<T, E>) -> Outcome,
) -> Result<T, CallError<E>> {
    pass.answered();
    let outcome = classify(&result);
    pass.end(outcome);
    result.map_err(CallError::Failed)
}

/// What the gate alone can tell.
enum Glance {
    Admit(Ticket),
    Refuse(Refused),
    Ask,
}

impl Inner {
    pub(super) fn admit(&self) -> Result<(Ticket, Option<Instant>), Refused> {
        let ticket = match self.glance() {
            Glance::Admit(ticket) => ticket,
            Glance::Refuse(open) => {
                self.refused.add(1);
                return Err(open);
            }
            Glance::Ask => self.ask()?,
        };
        Ok((ticket, self.slow_after.map(|_| Instant::now())))
    }

    fn glance(&self) -> Glance {
        let (generation, state) = self.gate.load();
        match state {
            State::Closed | State::ForcedClosed => Glance::Admit(Ticket { generation }),
            State::ForcedOpen => Glance::Refuse(Refused { state, retry_after: self.open_for }),
            State::HalfOpen => Glance::Ask,
            State::Open => {
                let until = Duration::from_nanos(self.gate.open_until.load(Ordering::Relaxed));
                match until.checked_sub(self.epoch.elapsed()) {
                    Some(retry_after) if !retry_after.is_zero() => {
                        Glance::Refuse(Refused { state, retry_after })
                    }
                    _ => Glance::Ask,
                }
            }
        }
    }

    fn ask(&self) -> Result<Ticket, Refused> {
        let now = Instant::now();
        let mut machine = self.lock();
        let (answer, transition) = machine.acquire(now);
        let state = machine.state();
        self.publish(&mut machine, now);
        drop(machine);
        self.tell(transition);
        answer.map_err(|retry_after| {
            self.refused.add(1);
            Refused { state, retry_after }
        })
    }

    pub(super) fn record(&self, ticket: Ticket, ending: Ending, began: Option<Instant>) {
        let slow = match (self.slow_after, began) {
            (Some(slow_after), Some(began)) => began.elapsed() > slow_after,
            _ => false,
        };
        if ending == Ending::Success && !slow && self.add_to_batch(ticket) {
            return;
        }
        let now = Instant::now();
        let mut machine = self.lock();
        self.bring_in(&mut machine, now, true);
        let transition = machine.record(ticket, ending, slow, now);
        self.publish(&mut machine, now);
        drop(machine);
        self.tell(transition);
    }

    /// Counts a success without the lock, where it cannot change the state.
    fn add_to_batch(&self, ticket: Ticket) -> bool {
        let ripe = Gate::word(ticket.generation, State::Closed, true);
        self.gate.state.load(Ordering::Acquire) == ripe
            && self.batches.try_add(ticket.generation, self.batches.tick(|| self.epoch.elapsed()))
    }

    /// Brings all batches into the window. `reopen` them only if the window is judged right after:
    /// the first call of a tick has to go the long way.
    fn bring_in(&self, machine: &mut Machine, now: Instant, reopen: bool) {
        let generation = machine.generation();
        let tick = self.batches.tick(|| now.saturating_duration_since(self.epoch));
        let next = if reopen { generation } else { u64::MAX };
        for batch in self.batches.take(next, tick) {
            let width = self.batches.tick_width().unwrap_or_default();
            let age = width.saturating_mul(u32::try_from(batch.age(tick)).unwrap_or(u32::MAX));
            let at = now.checked_sub(age).unwrap_or(self.epoch);
            machine.record_batch(batch.count(), batch.is_of(generation), at);
        }
    }

    fn force(&self, state: State) {
        let now = Instant::now();
        let mut machine = self.lock();
        self.bring_in(&mut machine, now, false);
        let transition = machine.force(state, now);
        self.publish(&mut machine, now);
        drop(machine);
        self.tell(transition);
    }

    fn state(&self) -> State {
        let (_, state) = self.gate.load();
        if !matches!(self.glance(), Glance::Ask) {
            return state;
        }
        self.look(Instant::now(), |machine| machine.state())
    }

    /// Looks at the machine with everything that was recorded up to now, and in the state that is due.
    pub(super) fn look<T>(&self, now: Instant, at: impl FnOnce(&mut Machine) -> T) -> T {
        let mut machine = self.lock();
        self.bring_in(&mut machine, now, false);
        let transition = machine.advance(now);
        let seen = at(&mut machine);
        self.publish(&mut machine, now);
        drop(machine);
        self.tell(transition);
        seen
    }

    fn lock(&self) -> MutexGuard<'_, Machine> {
        self.machine.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the gate up to date; under the lock, so that gates are published in the order of
    /// their states.
    fn publish(&self, machine: &mut Machine, now: Instant) {
        let gate = Gate::word(machine.generation(), machine.state(), machine.is_ripe(now));
        // Readers keep their copy of the line as long as nothing changes.
        if self.gate.state.load(Ordering::Relaxed) == gate {
            return;
        }
        if let Some(until) = machine.open_until() {
            let nanos = until.saturating_duration_since(self.epoch).as_nanos();
            let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
            self.gate.open_until.store(nanos, Ordering::Relaxed);
        }
        self.gate.state.store(gate, Ordering::Release);
    }

    /// Tells logs and observer of a transition; outside the lock.
    fn tell(&self, transition: Option<Transition>) {
        let Some(transition) = transition else { return };
        let Transition { from, to } = transition;
        match to {
            State::Open | State::ForcedOpen => {
                tracing::warn!(breaker = self.name, %from, %to, "circuit breaker opened");
            }
            State::Closed | State::HalfOpen | State::ForcedClosed => {
                tracing::info!(breaker = self.name, %from, %to, "circuit breaker changed its state");
            }
        }
        if let Some(observer) = &self.observer {
            shielded("the observer of a circuit breaker", &self.name, || observer(&transition));
        }
    }
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CircuitBreaker")
            .field("name", &self.name)
            .field("machine", &self.machine.0)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "handle_tests.rs"]
mod tests;
