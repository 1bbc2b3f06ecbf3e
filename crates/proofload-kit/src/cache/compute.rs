//! Loads in synchronous code: the thread computes, or blocks while another one does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use super::LoadError;
use super::core::{Core, Entered, Leading, Wants};
use super::entry::Entry;
use super::flight::{End, Flight, Leader};
use super::handle::{Cache, present};
use super::load::{Answer, Timer, message, usable};
use super::loaded::{IntoLoaded, Loaded};
use super::stats::Lookup;
use super::sync::{Listener as _, current};

/// For synchronous code. The memory of this process only: no other layer is asked or told.
impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// The value, computed if there is none that may be served. Of all threads that miss the same
    /// key, one computes and the others block.
    ///
    /// The thread does not wait for an asynchronous load of the key, which may need that very thread
    /// to go on, but computes for itself then. [Hard timeouts](super::CacheBuilder::hard_timeout) do
    /// not apply: nobody can end a computation.
    ///
    /// A computation may compute other keys of the same cache, but two that need each other's key
    /// wait for ever.
    ///
    /// ```
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let squares = Cache::<u64>::builder("squares", Ttl::DATA).build()?;
    /// let square = squares.get_or_compute("12", || Ok::<u64, std::fmt::Error>(12 * 12))?;
    /// assert_eq!(square, 144);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// What the computation ended with, when nothing stale can stand in for a value.
    pub fn get_or_compute<T, E, F>(&self, key: &str, compute: F) -> Result<V, LoadError<E>>
    where
        T: IntoLoaded<V>,
        E: Send + Sync + 'static,
        F: FnOnce() -> Result<T, E>,
    {
        if let Some(Some(value)) = self.fresh(key, Wants::Value) {
            return Ok(value);
        }
        present(self.core.compute(key, Wants::Value, || {
            let Loaded { value, options } = compute()?.into_loaded();
            Ok(Loaded { value: Some(value), options })
        }))
    }

    /// As [`get_or_compute`](Self::get_or_compute) for what may not exist. That there is no value is
    /// remembered for [`negative_ttl`](super::CacheBuilder::negative_ttl), or not at all without one.
    ///
    /// # Errors
    ///
    /// What the computation ended with, when nothing stale can stand in for a value.
    pub fn get_or_compute_option<T, E, F>(
        &self,
        key: &str,
        compute: F,
    ) -> Result<Option<V>, LoadError<E>>
    where
        T: IntoLoaded<Option<V>>,
        E: Send + Sync + 'static,
        F: FnOnce() -> Result<T, E>,
    {
        if let Some(found) = self.fresh(key, Wants::Option) {
            return Ok(found);
        }
        self.core.compute(key, Wants::Option, || compute().map(T::into_loaded))
    }
}

impl<V: Clone + Send + Sync + 'static> Core<V> {
    fn compute<E: Send + Sync + 'static>(
        self: &Arc<Self>,
        key: &str,
        wants: Wants,
        compute: impl FnOnce() -> Result<Loaded<Option<V>>, E>,
    ) -> Answer<V, E> {
        let here = Leader::Thread(current().id());
        loop {
            match self.enter(key, wants, here) {
                Entered::Answer(entry, lookup) => return Ok(self.give(&entry, lookup)),
                Entered::Wait(flight, joined, stale) => {
                    let blockable = matches!(flight.leader, Leader::Thread(_));
                    if !blockable || flight.leader == here {
                        return self.compute_beside(compute);
                    }
                    if let Some(answer) = self.block(&flight, joined, wants, stale.as_ref()) {
                        return answer;
                    }
                }
                Entered::Lead(leading, stale) => {
                    let flight = Arc::clone(&leading.flight);
                    lead(&leading, compute);
                    let end = flight.end().unwrap_or(&End::Abandoned);
                    let answer = self.answer(&flight, end, flight.epoch, wants, stale.as_ref());
                    return answer.unwrap_or(Err(LoadError::Cancelled));
                }
            }
        }
    }

    /// For itself alone, while a load is under way that must not be waited for.
    fn compute_beside<E>(
        &self,
        compute: impl FnOnce() -> Result<Loaded<Option<V>>, E>,
    ) -> Answer<V, E> {
        self.counters.count(Lookup::Miss);
        let mut timer = Timer::start(self);
        let computed = catch_unwind(AssertUnwindSafe(compute));
        timer.failed = !matches!(computed, Ok(Ok(_)));
        drop(timer);
        match computed {
            Ok(Ok(loaded)) => Ok(loaded.value),
            Ok(Err(error)) => Err(LoadError::Failed(Arc::new(error))),
            Err(panic) => Err(LoadError::Panicked(message(&*panic))),
        }
    }

    /// Blocks until the flight ends, or for as long as something stale may not stand in for it.
    fn block<E: Send + Sync + 'static>(
        &self,
        flight: &Flight<V>,
        joined: u64,
        wants: Wants,
        stale: Option<&Arc<Entry<V>>>,
    ) -> Option<Answer<V, E>> {
        let patience = self.policy.soft_timeout.and_then(|soft| Instant::now().checked_add(soft));
        loop {
            let changed = flight.changed.listen();
            if let Some(end) = flight.end() {
                return self.answer(flight, end, joined, wants, stale);
            }
            let now = self.clock.now();
            match patience.filter(|_| usable(flight, stale, now).is_some()) {
                None => changed.wait(),
                Some(patience) => {
                    let waited = changed.wait_deadline(patience);
                    let now = self.clock.now();
                    if waited.is_none()
                        && flight.end().is_none()
                        && let Some((entry, _)) = usable(flight, stale, now)
                    {
                        return Some(Ok(self.give(entry, Lookup::Stale)));
                    }
                }
            }
        }
    }
}

/// Computes and lands.
fn lead<V, E: Send + Sync + 'static>(
    leading: &Leading<V>,
    compute: impl FnOnce() -> Result<Loaded<Option<V>>, E>,
) {
    let (core, flight) = (&*leading.core, &leading.flight);
    let mut timer = Timer::start(core);
    let computed = catch_unwind(AssertUnwindSafe(compute));
    timer.failed = !matches!(computed, Ok(Ok(_)));
    drop(timer);
    match computed {
        Ok(Ok(Loaded { value, options })) => {
            let (entry, keep) = core.entry(Arc::clone(&flight.key), value, &options, flight.epoch);
            leading.land(entry, keep);
        }
        Ok(Err(error)) => leading.fail(End::Failed(Arc::new(error))),
        Err(panic) => leading.fail(End::Panicked(message(&*panic))),
    }
}
