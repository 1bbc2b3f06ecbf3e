//! A load through the layers: what is shared between processes is asked first, then one process of all
//! loads, under a lease, and stores for all.
//!
//! The shared layer can only ever help: whatever fails there means that it is taken for empty, and the
//! loader runs.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::clock::{millis, nanos, wall_ms};
use super::core::{Core, Leading, Wants};
use super::entry::Entry;
use super::loaded::{Loaded, PutOptions};
use super::policy::Judgement;
use super::remote::{Claim, Lease, RemoteError, Shared, Stored};
use super::stats::add;

/// The first and the longest pause between two claims of a lease that another has.
const FIRST_PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A holder that renews its lease is waited for this many leases long, and renews no longer.
const MOST_LEASES: u32 = 20;

/// The entry to give to all who wait, and whether it is to be kept in memory.
type Arrived<V> = (Arc<Entry<V>>, bool);

/// Asks the layers for the key of the flight, and the loader if they do not have it.
pub(super) async fn load<V, E, Fut>(leading: &Leading<V>, load: Fut) -> Result<Arrived<V>, E>
where
    V: Send + Sync + 'static,
    Fut: Future<Output = Result<Loaded<Option<V>>, E>>,
{
    let (core, flight) = (&leading.core, &leading.flight);
    let seek = match &core.shared {
        None => Seek::Alone,
        Some(shared) => leading.seek(shared).await,
    };
    let lease = match seek {
        Seek::Found(entry) => return Ok((entry, true)),
        Seek::Lease(lease) => Some(lease),
        Seek::Alone => None,
    };
    let Some(lease) = lease else {
        let Loaded { value, options } = load.await?;
        return Ok(core.entry(Arc::clone(&flight.key), value, &options, flight.epoch));
    };
    let Loaded { value, options } = beside(load, lease.keep()).await?;
    let (entry, keep) = core.entry(Arc::clone(&flight.key), value, &options, flight.epoch);
    let stored = lease.store(entry.value.as_ref(), &options).await;
    Ok((entry, keep && stored))
}

/// What the shared layer has for a load.
enum Seek<V: Send + Sync + 'static> {
    Found(Arc<Entry<V>>),
    Lease(Held<V>),
    /// It is of no help.
    Alone,
}

impl<V: Send + Sync + 'static> Leading<V> {
    async fn seek(&self, shared: &Shared<V>) -> Seek<V> {
        let (core, key) = (&*self.core, &*self.flight.key);
        match shared.remote.get(key).await {
            Ok(found) => {
                let entry = found.and_then(|stored| self.entry_of(shared, &stored));
                match entry.map(|entry| (entry.judge(core.clock.now()), entry)) {
                    Some((Judgement::Fresh, entry)) => {
                        add(&core.counters.remote_hits, 1);
                        return Seek::Found(entry);
                    }
                    Some((_, stale)) => self.offer(&stale),
                    None => {}
                }
                add(&core.counters.remote_misses, 1);
            }
            Err(error) => {
                core.remote_failed(&error);
                return Seek::Alone;
            }
        }
        self.claim(shared).await
    }

    /// Waits until the lease is ours, or another process has stored a value.
    async fn claim(&self, shared: &Shared<V>) -> Seek<V> {
        let (core, key) = (&*self.core, &*self.flight.key);
        let most = nanos(shared.lease.saturating_mul(MOST_LEASES + 1));
        let patience = core.clock.now().saturating_add(most);
        let mut pause = FIRST_PAUSE;
        while core.clock.now() < patience {
            match shared.remote.claim(key, shared.lease, self.wants).await {
                Ok(Claim::Won(lease)) => {
                    let (core, key) = (Arc::clone(&self.core), Arc::clone(&self.flight.key));
                    return Seek::Lease(Held { core, key, lease: Some(lease) });
                }
                Ok(Claim::Found(stored)) => {
                    let entry = self.entry_of(shared, &stored);
                    let fresh =
                        entry.filter(|entry| entry.judge(core.clock.now()) == Judgement::Fresh);
                    return fresh.map_or(Seek::Alone, Seek::Found);
                }
                Ok(Claim::Busy { remaining }) => {
                    let part = pause.mul_f64(0.5 + fastrand::f64() / 2.0);
                    let remaining = remaining.max(Duration::from_millis(1));
                    tokio::time::sleep(part.min(remaining)).await;
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(error) => {
                    core.remote_failed(&error);
                    break;
                }
            }
        }
        Seek::Alone
    }

    /// What was found in the shared layer as an entry, unless it is of no use to this load.
    fn entry_of(&self, shared: &Shared<V>, stored: &Stored) -> Option<Arc<Entry<V>>> {
        let entry = self.core.entry_of(shared, &self.flight.key, stored, self.flight.epoch)?;
        (entry.value.is_some() || self.wants == Wants::Option).then_some(entry)
    }
}

impl<V> Core<V> {
    /// What was found in the shared layer, by a caller that had taken the tag epoch before, as an entry.
    pub(super) fn entry_of(
        &self,
        shared: &Shared<V>,
        key: &Arc<str>,
        stored: &Stored,
        epoch: u64,
    ) -> Option<Arc<Entry<V>>> {
        let absent = stored.value.is_none();
        let life = self.policy.fresh_for(self.policy.ttl, None, absent, fastrand::f64())?;
        let times = self.policy.times_of_stored(stored, wall_ms(), self.clock.now(), life)?;
        let value = match &stored.value {
            None => None,
            Some(bytes) => match (shared.decode)(bytes) {
                Ok(value) => Some(value),
                Err(error) => {
                    self.remote_failed(&error);
                    return None;
                }
            },
        };
        let weight = self.weight_of(key, value.as_ref());
        let tags = self.tags.of(&stored.tags);
        Some(Arc::new(Entry::new(Arc::clone(key), value, weight, times, epoch, tags)))
    }

    /// A value as it is to stand in the shared layer; None: it is not to stand there.
    pub(super) fn stored(
        &self,
        shared: &Shared<V>,
        value: Option<&V>,
        options: &PutOptions,
        epoch: u64,
    ) -> Option<Stored> {
        let absent = value.is_none();
        let life = self.policy.fresh_for(shared.ttl, options.ttl, absent, fastrand::f64())?;
        let value = match value.map(|value| (shared.encode)(value)).transpose() {
            Ok(value) => value,
            Err(error) => {
                self.remote_failed(&error);
                return None;
            }
        };
        let written_ms = wall_ms();
        let fresh_until_ms = written_ms.saturating_add(millis(life));
        let keep = self.policy.windows(absent).1;
        Some(Stored {
            value,
            written_ms,
            fresh_until_ms,
            keep_until_ms: fresh_until_ms.saturating_add(millis(keep)),
            epoch,
            tags: options.tags.clone(),
        })
    }

    pub(super) fn remote_failed(&self, error: &RemoteError) {
        add(&self.counters.remote_errors, 1);
        tracing::debug!(cache = &*self.name, %error, "the shared layer is passed by");
    }
}

/// A lease that was won. Dropped, it is given back, so that others need not wait for its end.
struct Held<V: Send + Sync + 'static> {
    core: Arc<Core<V>>,
    key: Arc<str>,
    lease: Option<Lease>,
}

impl<V: Send + Sync + 'static> Held<V> {
    /// Renews the lease while the load lasts.
    async fn keep(&self) {
        let (Some(shared), Some(lease)) = (&self.core.shared, self.lease) else { return };
        for _ in 0..3 * MOST_LEASES {
            tokio::time::sleep(shared.lease / 3).await;
            match shared.remote.renew(&self.key, &lease, shared.lease).await {
                Ok(true) => {}
                // An invalidation took it away: what is being loaded will not be kept.
                Ok(false) => return,
                Err(error) => self.core.remote_failed(&error),
            }
        }
    }

    /// Stores for all processes. False if the lease was taken away meanwhile: the value may be older
    /// than an invalidation and is not to be kept.
    async fn store(mut self, value: Option<&V>, options: &PutOptions) -> bool {
        let core = Arc::clone(&self.core);
        let (Some(shared), Some(lease)) = (&core.shared, self.lease) else { return true };
        // What is not to stand there leaves nothing: what stood there before is known to be old.
        let nothing = || Stored::nothing(lease.epoch);
        let stored = core.stored(shared, value, options, lease.epoch).unwrap_or_else(nothing);
        match shared.remote.store(&self.key, &lease, stored).await {
            Ok(ours) => {
                self.lease = None;
                ours
            }
            Err(error) => {
                core.remote_failed(&error);
                true
            }
        }
    }
}

impl<V: Send + Sync + 'static> Drop for Held<V> {
    fn drop(&mut self) {
        let Some(lease) = self.lease.take() else { return };
        // Without a runtime the lease ends by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (core, key) = (Arc::clone(&self.core), Arc::clone(&self.key));
            runtime.spawn(async move {
                if let Some(shared) = &core.shared
                    && let Err(error) = shared.remote.release(&key, &lease).await
                {
                    core.remote_failed(&error);
                }
            });
        }
    }
}

/// Runs the companion for as long as the main future runs.
async fn beside<T>(main: impl Future<Output = T>, companion: impl Future<Output = ()>) -> T {
    let (mut main, mut companion) = (pin!(main), pin!(companion));
    let mut accompanied = true;
    poll_fn(|context| {
        if let Poll::Ready(output) = main.as_mut().poll(context) {
            return Poll::Ready(output);
        }
        if accompanied && companion.as_mut().poll(context).is_ready() {
            accompanied = false;
        }
        Poll::Pending
    })
    .await
}
