//! Looks at the demo's own metrics while a plan runs against it: how its connections to the backend are used.
//!
//! A thread asks `/metrics` a few times a second and keeps, for each phase, the most connections in use
//! (`db_connections`), the most idle ones (`db_connections_idle`), the mean wait for one in milliseconds
//! (`db_connection_wait`) and the most requests waiting in the bounded queue (`queue_depth`). A peak between two
//! looks is not seen.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::plan::Target;

use crate::cli::live::{Listener, Monitored, Underway};

/// From one look to the next.
const EVERY: Duration = Duration::from_millis(200);
/// Longest wait for the metrics.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The most that is read of them.
const MAX_BYTES: u64 = 1 << 20;
/// Before the first phase.
const NO_PHASE: usize = usize::MAX;

/// A listener that looks at the service.
#[derive(Debug, Default)]
pub(super) struct PoolWatch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    phase: AtomicUsize,
    is_over: AtomicBool,
    seen: Mutex<BTreeMap<usize, Seen>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            phase: AtomicUsize::new(NO_PHASE),
            is_over: AtomicBool::new(false),
            seen: Mutex::default(),
        }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, BTreeMap<usize, Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look(&self, address: SocketAddr) {
        let phase = self.phase.load(Ordering::Relaxed);
        // One look that fails is none: the service may be stopping.
        let Ok(text) = fetch(address) else { return };
        if phase != NO_PHASE {
            self.seen().entry(phase).or_default().add(&Look::of(&text));
        }
    }
}

/// What was seen in a phase.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Seen {
    most: Look,
    first: Option<Look>,
    last: Look,
}

/// What the metrics say at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    in_use: f64,
    idle: f64,
    queued: f64,
    waits: f64,
    waited_seconds: f64,
}

impl Look {
    fn of(text: &str) -> Self {
        Self {
            in_use: value(text, "pool_in_use{pool=\"backend\"}"),
            idle: value(text, "pool_idle{pool=\"backend\"}"),
            queued: value(text, "queue_depth"),
            waits: value(text, "pool_wait_seconds_count{pool=\"backend\"}"),
            waited_seconds: value(text, "pool_wait_seconds_sum{pool=\"backend\"}"),
        }
    }
}

impl Seen {
    fn add(&mut self, look: &Look) {
        self.first.get_or_insert(*look);
        self.last = *look;
        self.most.in_use = self.most.in_use.max(look.in_use);
        self.most.idle = self.most.idle.max(look.idle);
        self.most.queued = self.most.queued.max(look.queued);
    }

    /// The mean wait in milliseconds of those who got a connection or gave up meanwhile; none if nobody asked.
    fn mean_wait_ms(&self) -> Option<f64> {
        let first = self.first?;
        let waits = self.last.waits - first.waits;
        (waits > 0.0).then(|| (self.last.waited_seconds - first.waited_seconds) * 1e3 / waits)
    }
}

impl Listener for PoolWatch {
    fn begin(&mut self, run: &Underway<'_>) {
        let Target::Url(target) = &run.plan.target else { return };
        let Ok(host) = target.host.parse() else { return };
        let address = SocketAddr::new(host, target.port);
        let shared = Arc::clone(&self.shared);
        // Without the thread nothing is measured, and what would be proven by it stays unproven.
        self.thread = thread::Builder::new()
            .name("pool-watch".to_owned())
            .spawn(move || {
                while !shared.is_over.load(Ordering::Relaxed) {
                    shared.look(address);
                    thread::park_timeout(EVERY);
                }
            })
            .ok();
    }

    fn hear(&mut self, event: &RunEvent) {
        if let RunEvent::PhaseStarted { phase, .. } = event {
            self.shared.phase.store(*phase, Ordering::Relaxed);
        }
    }

    fn end(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            let _ = thread.join();
        }
    }

    fn monitored(&mut self) -> Vec<Monitored> {
        let of = |phase: usize, seen: &Seen| {
            [
                ("db_connections", Some(seen.most.in_use)),
                ("db_connections_idle", Some(seen.most.idle)),
                ("db_connection_wait", seen.mean_wait_ms()),
                ("queue_depth", Some(seen.most.queued)),
            ]
            .map(|(measure, value)| (phase, measure, value))
        };
        let seen = self.shared.seen();
        let all = seen.iter().flat_map(|(phase, seen)| of(*phase, seen));
        all.filter_map(|(phase, measure, value)| {
            Some(Monitored { phase, measure: measure.to_owned(), value: value? })
        })
        .collect()
    }
}

/// The value of a series in Prometheus' text format, named with its labels; 0 if there is none.
fn value(text: &str, series: &str) -> f64 {
    let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse::<f64>().ok();
    text.lines().find_map(value).unwrap_or(0.0)
}

/// The metrics of a service.
fn fetch(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let request = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# TYPE pool_in_use gauge\npool_in_use{pool=\"a\"} 3\npool_in_use{pool=\"backend\"} 4\n\
                        pool_idle{pool=\"backend\"} 5\npool_wait_seconds_sum{pool=\"backend\"} 1.5\n\
                        pool_wait_seconds_count{pool=\"backend\"} 10\nqueue_depth 2\n";

    #[test]
    fn a_look_reads_what_the_demo_shows() {
        let look = Look { in_use: 4.0, idle: 5.0, queued: 2.0, waits: 10.0, waited_seconds: 1.5 };
        assert_eq!(Look::of(TEXT), look);
        assert_eq!(Look::of("queue_depth_other 3\n"), Look::default());
    }

    #[test]
    fn a_phase_has_its_peaks_and_its_own_waits() {
        let mut seen = Seen::default();
        let first = Look::of(TEXT);
        seen.add(&first);
        assert_eq!(seen.mean_wait_ms(), None);
        seen.add(&Look { in_use: 64.0, waits: 12.0, waited_seconds: 2.5, ..first });
        seen.add(&Look { in_use: 1.0, queued: 7.0, waits: 14.0, waited_seconds: 2.5, ..first });
        assert_eq!((seen.most.in_use, seen.most.idle, seen.most.queued), (64.0, 5.0, 7.0));
        assert_eq!(seen.mean_wait_ms(), Some(250.0));
    }
}
