//! The task that looks at a pool while it is in use. The first caller starts it; it ends when nobody waits for
//! or holds a connection and nothing is high any longer, when the pool is dropped, or with the runtime.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, Weak};
use std::time::Duration;

use deadpool::managed::{Manager, Object};
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::WatchedPoolEvent;
use super::alarm::{Change, Seen};
use super::builder::Settings;
use super::stats::share;
use super::watch::{count, millis};
use super::watched::Shared;
use crate::guard::shielded;

/// Sees to it that the task runs. Called after the caller was counted as a user.
pub(super) fn ensure<M, W>(shared: &Arc<Shared<M, W>>)
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    let is_watched = &shared.is_watched;
    if is_watched.load(Ordering::SeqCst) || is_watched.swap(true, Ordering::SeqCst) {
        return;
    }
    let running = Running { is_watched: Arc::clone(is_watched), is_mine: true };
    // Without a runtime deadpool's own timeouts fail as well; the next caller tries again.
    let Ok(runtime) = Handle::try_current() else { return };
    // What happened while nobody looked is not a stretch of high use.
    shared.watch.take_extremes();
    shared.alarm.lock().unwrap_or_else(PoisonError::into_inner).resume(Instant::now());
    let every = interval(&shared.settings);
    runtime.spawn(watch(Arc::downgrade(shared), running, every));
}

/// However the task ends, the next caller can start another.
struct Running {
    is_watched: Arc<AtomicBool>,
    /// Not once the task has handed over.
    is_mine: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_mine {
            self.is_watched.store(false, Ordering::SeqCst);
        }
    }
}

/// Often enough to be a quarter late at most.
fn interval(settings: &Settings) -> Duration {
    let shortest = settings.alert_after.min(settings.leak_after.unwrap_or(Duration::MAX));
    (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(1))
}

async fn watch<M, W>(shared: Weak<Shared<M, W>>, mut running: Running, every: Duration)
where
    M: Manager + 'static,
    W: From<Object<M>> + 'static,
{
    loop {
        tokio::time::sleep(every).await;
        let Some(shared) = shared.upgrade() else { return };
        look(&shared);
        if !is_idle(&shared) {
            continue;
        }
        // Whoever comes now sees either that no task runs, and starts one, or is seen here.
        running.is_watched.store(false, Ordering::SeqCst);
        if is_idle(&shared) || running.is_watched.swap(true, Ordering::SeqCst) {
            running.is_mine = false;
            return;
        }
    }
}

fn is_idle<M: Manager, W: From<Object<M>>>(shared: &Shared<M, W>) -> bool {
    let is_raised = shared.alarm.lock().unwrap_or_else(PoisonError::into_inner).is_raised();
    !is_raised && shared.watch.users() == 0
}

fn look<M: Manager, W: From<Object<M>>>(shared: &Shared<M, W>) {
    let now = Instant::now();
    let watch = &shared.watch;
    let max_size = shared.pool.status().max_size;
    let (fewest, most) = watch.take_extremes();
    let seen = Seen { lowest: share(fewest, max_size), highest: share(most, max_size) };
    let change = shared.alarm.lock().unwrap_or_else(PoisonError::into_inner).look(now, seen);
    let leaks = match shared.settings.leak_after {
        Some(limit) => watch.holders().leaks(limit, now),
        None => Vec::new(),
    };
    if let Some(change) = change {
        tell_change(shared, change);
    }
    for leak in leaks {
        count(&watch.counts.leaks);
        tracing::warn!(
            pool = &*watch.name,
            location = %leak.place,
            held_ms = millis(leak.held),
            "a connection is held for too long: is it given back on every way out?"
        );
        let pool = watch.name.to_string();
        tell(shared, &WatchedPoolEvent::Leak { pool, location: leak.place, held: leak.held });
    }
}

fn tell_change<M: Manager, W: From<Object<M>>>(shared: &Shared<M, W>, change: Change) {
    let watch = &shared.watch;
    let pool = watch.name.to_string();
    let stats = watch.stats(shared.pool.status());
    let event = match change {
        Change::Raised { lasted } => {
            count(&watch.counts.alerts);
            watch.is_alerting.store(true, Ordering::Relaxed);
            tracing::warn!(
                pool,
                in_use = stats.in_use,
                max_size = stats.max_size,
                waiting = stats.waiting,
                lasted_ms = millis(lasted),
                "the pool is nearly used up"
            );
            let usage = share(watch.users(), stats.max_size);
            WatchedPoolEvent::UseHigh { pool, usage, waiting: stats.waiting, lasted }
        }
        Change::Calmed { lasted } => {
            watch.is_alerting.store(false, Ordering::Relaxed);
            tracing::info!(pool, lasted_ms = millis(lasted), "the pool has room again");
            WatchedPoolEvent::UseCalm { pool, lasted }
        }
    };
    tell(shared, &event);
}

fn tell<M: Manager, W: From<Object<M>>>(shared: &Shared<M, W>, event: &WatchedPoolEvent) {
    if let Some(tell) = &shared.on_event {
        shielded("the listener of a pool", &shared.watch.name, || tell(event));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_often_it_looks() {
        let check = |alert_ms, leak_ms: Option<u64>, expect_ms| {
            let settings = Settings {
                alert_after: Duration::from_millis(alert_ms),
                leak_after: leak_ms.map(Duration::from_millis),
                ..Settings::default()
            };
            assert_eq!(interval(&settings), Duration::from_millis(expect_ms));
        };
        check(5_000, Some(60_000), 1_000);
        check(400, None, 100);
        check(5_000, Some(200), 50);
        check(1, None, 10);
    }
}
