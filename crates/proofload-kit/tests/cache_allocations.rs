//! A hit costs no memory: counted by an allocator of its own, which is why this is a binary of its own.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use allocation_counter::measure;
use proofload_kit::{Cache, Key, PutOptions, Ttl};

const CALLS: usize = 10_000;

/// Everything is done once before it is counted: threads get their stripe, locks their place.
fn allocations(mut call: impl FnMut()) -> u64 {
    call();
    measure(|| (0..CALLS).for_each(|_| call())).count_total
}

/// Runs a future that is ready at once, without a runtime, which would allocate for itself.
fn now<T>(future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    match future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) {
        std::task::Poll::Ready(output) => output,
        std::task::Poll::Pending => panic!("it waits"),
    }
}

type Name = Arc<str>;

/// With all that makes a hit take other ways: a bound by weight, tags, windows for stale values.
fn cache() -> Cache<Name> {
    let second = Duration::from_secs(1);
    let cache = Cache::<Name>::builder("counted", Ttl::hours(1).jitter(0.1))
        .max_weight(1 << 20, |_, value| value.len() as u32)
        .stale_while_revalidate(second)
        .fail_safe(second * 2)
        .soft_timeout(second)
        .negative_ttl(Ttl::hours(1))
        .build()
        .expect("settings that work");
    let options = PutOptions::new().tags(["a", "b"]);
    now(cache.put_with("user:7", "Ada".into(), options));
    cache
}

async fn not_called<T>() -> Result<T, Infallible> {
    panic!("a hit loads nothing")
}

fn absent() -> std::future::Ready<Result<Option<Name>, Infallible>> {
    std::future::ready(Ok(None))
}

#[test]
fn a_hit_allocates_nothing() {
    let cache = cache();
    let key = "user:7";
    let counts = [
        allocations(|| assert!(cache.get(key).is_some())),
        allocations(|| assert!(now(cache.get_or_load(key, not_called::<Name>)).is_ok())),
        allocations(|| assert!(now(cache.get_or_load_scoped(key, not_called::<Name>)).is_ok())),
        allocations(|| {
            assert!(now(cache.get_or_load_option(key, not_called::<Option<Name>>)).is_ok());
        }),
        allocations(|| {
            let load = not_called::<Option<Name>>;
            assert!(now(cache.get_or_load_option_scoped(key, load)).is_ok());
        }),
        allocations(|| assert!(now(cache.fetch(key)).is_some())),
        allocations(|| {
            let compute = || -> Result<Name, Infallible> { panic!("a hit computes nothing") };
            assert!(cache.get_or_compute(key, compute).is_ok());
        }),
    ];
    assert_eq!(counts, [0; 7]);
}

#[test]
fn a_known_absence_and_a_miss_without_a_loader_allocate_nothing_either() {
    let cache = cache();
    assert_eq!(allocations(|| assert!(cache.get("nobody").is_none())), 0);
    let nobody = now(cache.get_or_load_option_scoped("nobody", absent));
    assert!(nobody.is_ok_and(|nobody| nobody.is_none()));
    let count = allocations(|| {
        let nobody = now(cache.get_or_load_option("nobody", absent));
        assert!(nobody.is_ok_and(|nobody| nobody.is_none()));
    });
    assert_eq!((count, cache.stats().loads), (0, 1));
}

#[test]
fn a_key_is_one_allocation() {
    let query = [("q", "rust"), ("page", "2")];
    let count = allocations(|| {
        let key = Key::of("search").with(("a:b", 7_u64)).with(Some(1.5)).query(&query);
        std::hint::black_box(key.into_string());
    });
    assert_eq!(count, CALLS as u64);
}

/// A test that cannot fail is none.
#[test]
fn the_allocator_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(Box::new(1)))), CALLS as u64);
}
