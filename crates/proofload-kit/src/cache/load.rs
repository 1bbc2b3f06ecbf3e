//! Asynchronous loads: who leads, who waits, and what each is given.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument;

use super::clock::Nanos;
use super::core::{Core, Entered, Leading, Wants};
use super::entry::Entry;
use super::flight::{End, Flight, Leader};
use super::loaded::Loaded;
use super::policy::Judgement;
use super::stats::Lookup;
use super::{LoadError, layers};

/// What a load gives its callers.
pub(super) type Answer<V, E> = Result<Option<V>, LoadError<E>>;

impl<V: Clone + Send + Sync + 'static> Core<V> {
    /// Loads in a task of its own when nobody does.
    pub(super) async fn load_in_task<E, F, Fut>(
        self: &Arc<Self>,
        key: &str,
        wants: Wants,
        load: F,
    ) -> Answer<V, E>
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded<Option<V>>, E>> + Send + 'static,
    {
        loop {
            match self.enter(key, wants, Leader::Future) {
                Entered::Answer(entry, lookup) => return Ok(self.give(&entry, lookup)),
                Entered::Wait(flight, joined, stale) => {
                    if let Some(answer) = self.wait(&flight, joined, wants, stale).await {
                        return answer;
                    }
                }
                Entered::Lead(leading, stale) => {
                    let flight = Arc::clone(&leading.flight);
                    start(leading, load);
                    if let Some(stale) = &stale
                        && matches!(stale.judge(self.clock.now()), Judgement::Stale { .. })
                    {
                        return Ok(self.give(stale, Lookup::Stale));
                    }
                    let answer = self.wait(&flight, flight.epoch, wants, stale).await;
                    return answer.unwrap_or(Err(LoadError::Cancelled));
                }
            }
        }
    }

    /// Loads within the caller when nobody loads.
    pub(super) async fn load_in_caller<E, F, Fut>(
        self: &Arc<Self>,
        key: &str,
        wants: Wants,
        load: F,
    ) -> Answer<V, E>
    where
        E: Send + Sync + 'static,
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<Loaded<Option<V>>, E>>,
    {
        loop {
            match self.enter(key, wants, Leader::Future) {
                Entered::Answer(entry, lookup) => return Ok(self.give(&entry, lookup)),
                Entered::Wait(flight, joined, stale) => {
                    if let Some(answer) = self.wait(&flight, joined, wants, stale).await {
                        return answer;
                    }
                }
                Entered::Lead(leading, stale) => {
                    let flight = Arc::clone(&leading.flight);
                    match catch_unwind(AssertUnwindSafe(load)) {
                        Ok(load) => {
                            let span = leading.span();
                            run(leading, load).instrument(span).await;
                        }
                        Err(panic) => leading.fail(End::Panicked(message(&*panic))),
                    }
                    let answer = self.wait(&flight, flight.epoch, wants, stale).await;
                    return answer.unwrap_or(Err(LoadError::Cancelled));
                }
            }
        }
    }

    /// Counts a lookup and gives the value.
    pub(super) fn give(&self, entry: &Entry<V>, lookup: Lookup) -> Option<V> {
        self.counters.count(lookup);
        entry.value.clone()
    }

    /// Waits for a flight that was joined at that tag epoch, or for as long as something stale may
    /// not stand in for it. None: somebody has to load again.
    async fn wait<E: Send + Sync + 'static>(
        &self,
        flight: &Flight<V>,
        joined: u64,
        wants: Wants,
        stale: Option<Arc<Entry<V>>>,
    ) -> Option<Answer<V, E>> {
        let patience = self.policy.soft_timeout.and_then(|soft| Instant::now().checked_add(soft));
        loop {
            let changed = flight.changed.listen();
            if let Some(end) = flight.end() {
                return self.answer(flight, end, joined, wants, stale.as_ref());
            }
            let now = self.clock.now();
            if let Some((entry, Judgement::Stale { .. })) = usable(flight, stale.as_ref(), now) {
                return Some(Ok(self.give(entry, Lookup::Stale)));
            }
            match patience.filter(|_| usable(flight, stale.as_ref(), now).is_some()) {
                None => changed.await,
                Some(patience) => {
                    let waited = tokio::time::timeout_at(patience, changed).await;
                    let now = self.clock.now();
                    if waited.is_err()
                        && flight.end().is_none()
                        && let Some((entry, _)) = usable(flight, stale.as_ref(), now)
                    {
                        return Some(Ok(self.give(entry, Lookup::Stale)));
                    }
                }
            }
        }
    }

    /// What the end of a flight is to one who waited for it. None: somebody has to load again.
    pub(super) fn answer<E: Send + Sync + 'static>(
        &self,
        flight: &Flight<V>,
        end: &End<V>,
        joined: u64,
        wants: Wants,
        stale: Option<&Arc<Entry<V>>>,
    ) -> Option<Answer<V, E>> {
        let error = match end {
            End::Landed(entry) if entry.is_outdated_for(joined) => return None,
            End::Landed(entry) if entry.value.is_none() && wants == Wants::Value => return None,
            End::Landed(entry) => return Some(Ok(self.give(entry, Lookup::Miss))),
            End::Abandoned => return None,
            End::Failed(error) => Arc::clone(error).downcast().ok().map(LoadError::Failed),
            End::Panicked(message) => Some(LoadError::Panicked(Arc::clone(message))),
            End::TimedOut(after) => Some(LoadError::TimedOut { after: *after }),
        };
        if let Some((entry, _)) = usable(flight, stale, self.clock.now()) {
            return Some(Ok(self.give(entry, Lookup::Stale)));
        }
        // An error of another type is the error of another loader: the caller tries its own.
        let error = error?;
        self.counters.count(Lookup::Miss);
        Some(Err(error))
    }
}

/// What may stand in for the load: what memory had when the caller came, or what was found meanwhile.
pub(super) fn usable<'a, V>(
    flight: &'a Flight<V>,
    stale: Option<&'a Arc<Entry<V>>>,
    now: Nanos,
) -> Option<(&'a Arc<Entry<V>>, Judgement)> {
    let candidates = [flight.fallback(), stale];
    let judged = candidates.into_iter().flatten().map(|entry| (entry, entry.judge(now)));
    judged.filter(|(entry, _)| entry.value.is_some()).find(|(_, j)| *j != Judgement::Dead)
}

/// Starts a load in a task, tied to its flight.
fn start<V, E, F, Fut>(leading: Leading<V>, load: F)
where
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    F: FnOnce() -> Fut,
    Fut: Future<Output = Result<Loaded<Option<V>>, E>> + Send + 'static,
{
    let flight = Arc::clone(&leading.flight);
    match catch_unwind(AssertUnwindSafe(load)) {
        Ok(load) => {
            let span = leading.span();
            let task = tokio::spawn(run(leading, load).instrument(span));
            flight.run_by(task.abort_handle());
        }
        Err(panic) => leading.fail(End::Panicked(message(&*panic))),
    }
}

impl<V> Leading<V> {
    /// A child of the caller's span. Keys may be names of people; their hash is enough to see which
    /// loads belong together.
    fn span(&self) -> tracing::Span {
        let key = self.core.flights.hash(&self.flight.key);
        let key = format_args!("{key:016x}");
        tracing::debug_span!("cache.load", cache = &*self.core.name, key)
    }
}

/// Leads a flight to its end.
async fn run<V, E, Fut>(leading: Leading<V>, load: Fut)
where
    V: Clone + Send + Sync + 'static,
    E: Send + Sync + 'static,
    Fut: Future<Output = Result<Loaded<Option<V>>, E>>,
{
    let core = &*leading.core;
    let work = caught(layers::load(&leading, timed(core, load)));
    let worked = match core.policy.hard_timeout {
        None => work.await,
        Some(after) => match tokio::time::timeout(after, work).await {
            Ok(worked) => worked,
            Err(_) => {
                tracing::debug!(?after, "a load took too long");
                return leading.fail(End::TimedOut(after));
            }
        },
    };
    // Where something stale stands in, nobody else is told.
    if !matches!(worked, Ok(Ok(_))) {
        tracing::debug!(panicked = worked.is_err(), "a load failed");
    }
    match worked {
        Ok(Ok((entry, keep))) => {
            leading.land(entry, keep);
        }
        Ok(Err(error)) => leading.fail(End::Failed(Arc::new(error))),
        Err(panic) => leading.fail(End::Panicked(panic)),
    }
}

/// Measures and counts a load, also one that is dropped halfway.
async fn timed<V, T, E>(core: &Core<V>, load: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    let mut timer = Timer::start(core);
    let loaded = load.await;
    timer.failed = loaded.is_err();
    loaded
}

/// Counts a load when it is dropped.
pub(super) struct Timer<'a, V> {
    core: &'a Core<V>,
    began: Nanos,
    pub(super) failed: bool,
}

impl<'a, V> Timer<'a, V> {
    /// Counts as failed until told otherwise.
    pub(super) fn start(core: &'a Core<V>) -> Self {
        Self { core, began: core.clock.now(), failed: true }
    }
}

impl<V> Drop for Timer<'_, V> {
    fn drop(&mut self) {
        let took = self.core.clock.now().saturating_sub(self.began);
        self.core.counters.loaded(Duration::from_nanos(took), self.failed);
    }
}

/// The future's output, or the message of its panic.
async fn caught<T>(future: impl Future<Output = T>) -> Result<T, Arc<str>> {
    let mut future = pin!(future);
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Err(panic) => Poll::Ready(Err(message(&*panic))),
    })
    .await
}

/// What a panic said.
pub(super) fn message(panic: &(dyn Any + Send)) -> Arc<str> {
    let text = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("without a message").into()
}
