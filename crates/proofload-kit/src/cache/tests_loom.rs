//! Every order in which two or three threads can load, wait, write, invalidate and give up, on the cache
//! itself. Run by `scripts/loom`.
//!
//! The model checker sees the table of flights, the flights and the epoch of tags. The store, which has
//! locks of its own, takes part as something whose every step is one.

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::atomic::{AtomicU64, Ordering};
use loom::thread::{self, JoinHandle};

use super::core::Core;
use super::loaded::{Loaded, PutOptions};
use super::{Cache, LoadError, Ttl};

/// A cache and the source of its one key: a number that only grows.
struct Shared {
    cache: Cache<u64>,
    source: AtomicU64,
    loads: AtomicU64,
}

type Answer = Result<u64, LoadError<()>>;
type Never = Result<u64, ()>;

impl Shared {
    fn new() -> Arc<Self> {
        let cache = Cache::builder("loom", Ttl::DATA).max_entries(8).build().unwrap();
        Arc::new(Self { cache, source: AtomicU64::new(1), loads: AtomicU64::new(0) })
    }

    fn core(&self) -> &Arc<Core<u64>> {
        &self.cache.core
    }

    fn read(&self) -> u64 {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.source.load(Ordering::SeqCst)
    }

    /// A thread that computes.
    fn compute(&self) -> u64 {
        self.cache.get_or_compute("key", || Ok::<_, ()>(self.read())).unwrap()
    }

    /// A task that loads.
    fn load(&self) -> u64 {
        block_on(self.loading()).unwrap()
    }

    async fn loading(&self) -> Answer {
        self.cache.get_or_load_scoped("key", || async { Ok(self.read()) }).await
    }

    /// A task that is cancelled wherever it waits for the first time; its own load never ends.
    fn give_up(&self) {
        let mut load = pin!(self.cache.get_or_load_scoped("key", pending::<Never>));
        block_on(poll_fn(|context| {
            let _ = load.as_mut().poll(context);
            Poll::Ready(())
        }));
    }

    /// Writes the source, then takes the old value away.
    fn write_and_invalidate(&self) -> u64 {
        let written = self.source.fetch_add(1, Ordering::SeqCst) + 1;
        self.core().replace("key", None);
        written
    }

    fn at_rest(&self) {
        assert_eq!(self.core().flights.len(), 0, "flights are left");
        assert_eq!(self.core().memory.indexed(), self.core().memory.len());
    }

    fn spawn(self: &Arc<Self>, run: impl FnOnce(&Self) + Send + 'static) -> JoinHandle<()> {
        let own = Arc::clone(self);
        // In words. Futures that are not optimised need more than the usual 32 KiB.
        let thread = thread::Builder::new().stack_size(1 << 16);
        thread.spawn(move || run(&own)).expect("a thread")
    }
}

fn join(threads: impl IntoIterator<Item = JoinHandle<()>>) {
    threads.into_iter().for_each(|thread| thread.join().expect("join"));
}

/// A model in which one who is never woken is a deadlock, which the checker reports.
fn check(preemptions: usize, model: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 10_000;
    builder.check(model);
}

#[test]
fn all_get_the_one_load() {
    check(3, || {
        let shared = Shared::new();
        let threads = [
            shared.spawn(|shared| assert_eq!(shared.load(), 1)),
            shared.spawn(|shared| assert_eq!(shared.load(), 1)),
            shared.spawn(|shared| assert_eq!(shared.load(), 1)),
        ];
        join(threads);
        assert_eq!(shared.loads.load(Ordering::SeqCst), 1);
        shared.at_rest();
    });
}

#[test]
fn all_threads_get_the_one_computation() {
    check(3, || {
        let shared = Shared::new();
        let threads = [
            shared.spawn(|shared| assert_eq!(shared.compute(), 1)),
            shared.spawn(|shared| assert_eq!(shared.compute(), 1)),
            shared.spawn(|shared| assert_eq!(shared.compute(), 1)),
        ];
        join(threads);
        assert_eq!(shared.loads.load(Ordering::SeqCst), 1);
        shared.at_rest();
    });
}

#[test]
fn who_waits_for_one_that_gives_up_loads() {
    check(3, || {
        let shared = Shared::new();
        let threads = [
            shared.spawn(Shared::give_up),
            shared.spawn(|shared| assert_eq!(shared.load(), 1)),
            shared.spawn(|shared| assert_eq!(shared.load(), 1)),
        ];
        join(threads);
        assert_eq!(shared.loads.load(Ordering::SeqCst), 1);
        shared.at_rest();
    });
}

#[test]
fn nobody_who_asks_after_an_invalidation_is_given_what_was_read_before() {
    check(3, || {
        let shared = Shared::new();
        let threads = [
            shared.spawn(|shared| {
                shared.load();
            }),
            shared.spawn(|shared| {
                let written = shared.write_and_invalidate();
                assert!(shared.load() >= written);
            }),
        ];
        join(threads);
        assert_eq!(shared.cache.get("key"), Some(2));
        shared.at_rest();
    });
}

#[test]
fn nor_with_two_that_write_and_one_that_gives_up() {
    check(2, || {
        let shared = Shared::new();
        let write = |shared: &Shared| {
            let written = shared.write_and_invalidate();
            assert!(shared.compute() >= written);
        };
        let threads = [shared.spawn(write), shared.spawn(Shared::give_up), shared.spawn(write)];
        join(threads);
        assert!(shared.cache.get("key").is_none_or(|kept| kept == 3));
        shared.at_rest();
    });
}

#[test]
fn nor_after_an_invalidation_of_a_prefix_or_a_tag() {
    for tag in [false, true] {
        check(2, move || {
            let shared = Shared::new();
            let tagged = |shared: &Shared| {
                let read = || Ok::<_, ()>(Loaded::new(shared.read()).tags(["tag"]));
                shared.cache.get_or_compute("key", read).unwrap()
            };
            let threads = [
                shared.spawn(move |shared| {
                    tagged(shared);
                }),
                shared.spawn(move |shared| {
                    tagged(shared);
                }),
                shared.spawn(move |shared| {
                    let written = shared.source.fetch_add(1, Ordering::SeqCst) + 1;
                    if tag {
                        shared.core().tags.invalidate("tag");
                    } else {
                        let mut step = shared.core().removal(|key| key.starts_with("k"));
                        while step().is_some() {}
                    }
                    assert!(tagged(shared) >= written);
                }),
            ];
            join(threads);
            assert!(shared.cache.get("key").is_none_or(|kept| kept == 2));
            shared.at_rest();
        });
    }
}

/// A put through the shared layer: what began before it, and what began before an invalidation during it,
/// is not kept.
#[test]
fn a_put_that_takes_time_is_kept_unless_it_is_superseded() {
    check(3, || {
        let shared = Shared::new();
        let threads = [
            shared.spawn(|shared| {
                let core = shared.core();
                let leading = core.take_over("key");
                let written = shared.source.fetch_add(1, Ordering::SeqCst) + 1;
                let epoch = leading.flight.epoch;
                let options = PutOptions::new();
                let (entry, keep) = core.entry("key".into(), Some(written), &options, epoch);
                if !leading.land(entry, keep) {
                    core.replace("key", None);
                }
            }),
            shared.spawn(|shared| {
                let written = shared.write_and_invalidate();
                assert!(shared.load() >= written);
            }),
            shared.spawn(|shared| {
                shared.load();
            }),
        ];
        join(threads);
        assert!(shared.cache.get("key").is_none_or(|kept| kept == 3));
        shared.at_rest();
    });
}

/// Whichever the source took last: the cache has that one, or none.
#[test]
fn writers_that_meet_leave_nothing_old() {
    check(3, || {
        let shared = Shared::new();
        let write = |value: u64| {
            move |shared: &Shared| {
                let source = async { Ok::<_, ()>(shared.source.store(value, Ordering::SeqCst)) };
                block_on(shared.cache.write_through("key", value, source)).unwrap();
            }
        };
        join([shared.spawn(write(2)), shared.spawn(write(3))]);
        let last = shared.source.load(Ordering::SeqCst);
        assert!(shared.cache.get("key").is_none_or(|kept| kept == last));
        shared.at_rest();
    });
}

#[test]
fn a_failure_reaches_all_who_wait_and_blocks_nobody() {
    check(3, || {
        let shared = Shared::new();
        let fail = |shared: &Shared| {
            let failed = block_on(shared.cache.get_or_load_scoped("key", || async {
                shared.read();
                Err::<u64, ()>(())
            }));
            assert!(matches!(failed, Err(LoadError::Failed(_)) | Ok(1)));
        };
        let threads = [
            shared.spawn(fail),
            shared.spawn(fail),
            shared.spawn(|shared| {
                let other = shared.cache.get_or_compute("key", || Ok::<_, String>(shared.read()));
                assert_eq!(other.unwrap(), 1, "an error of another type is not this caller's");
            }),
        ];
        join(threads);
        shared.at_rest();
    });
}
