//! Caches of several processes on a real Redis.
//!
//! - `child`: a process with a cache, told what to do line by line;
//! - `ends`: nothing outlives the tests;
//! - `once`: one load for all processes; `invalidated`: what one process invalidates;
//! - `parts`: the attributes and the response cache on such caches;
//! - `unsupported`: clusters, Sentinels; `tls`: an encrypted connection;
//! - `faults`: what callers notice of a Redis in trouble: nothing.

mod child;
mod ends;
mod faults;
mod invalidated;
mod once;
#[cfg(all(feature = "macros", feature = "tower"))]
mod parts;
#[cfg(feature = "redis-tls")]
mod tls;
mod unsupported;

use std::time::{Duration, Instant};

/// Nothing that works takes this long, however busy the machine is.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits for something that must come.
fn until(what: &str, mut done: impl FnMut() -> bool) {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < PATIENCE, "no {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
