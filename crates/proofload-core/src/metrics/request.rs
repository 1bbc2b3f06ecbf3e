//! What is recorded of one request, and what is kept of all requests of a series.

use super::{CheckCount, ErrorCounts, ErrorKind, Histogram, StatusCounts};
use serde::{Deserialize, Serialize};

/// Checks told apart in one series; further ones are counted together in the last.
pub const MAX_CHECKS_PER_SERIES: usize = 64;

/// One finished request, successful or not. All times are in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestSample {
    /// From the intended start (open load) or the actual start (closed load) to the last byte of
    /// the answer or the failure. Does not contain the time to connect where the connection was
    /// made ahead; the engine documents what it starts with.
    pub response_ns: u64,
    /// From the actual start, where that may differ from the intended one. Give it for all requests
    /// of a phase (any open load in it) or for none (closed load only): the service times shown are
    /// those given, and only if there are none they are the response times.
    pub service_ns: Option<u64>,
    /// Name resolution, where one was made.
    pub dns_ns: Option<u64>,
    /// TCP connect, where one was made.
    pub connect_ns: Option<u64>,
    /// TLS handshake, where one was made.
    pub tls_ns: Option<u64>,
    /// Writing the request. Like `wait_ns` and `receive_ns`, recorded only of requests that got
    /// an answer: of a refused connection it would be a meaningless zero.
    pub send_ns: u64,
    /// From the request's last byte sent to the first byte of the answer.
    pub wait_ns: u64,
    /// From the first to the last byte of the answer.
    pub receive_ns: u64,
    /// Why it failed, or none for a success.
    pub error: Option<ErrorKind>,
    /// HTTP status; 0 where there was no answer or the protocol has no status.
    pub status: u16,
    /// Bytes written for this request, head and body.
    pub bytes_sent: u64,
    /// Bytes read for this request, head and body, as on the wire.
    pub bytes_received: u64,
    /// Whether the answer came from a cache, where it says so.
    pub cached: Option<bool>,
    /// A connection was opened for this request.
    pub new_connection: bool,
    /// The request was sent again because a kept-alive connection had been closed.
    pub reconnected: bool,
}

impl RequestSample {
    /// Whether an answer arrived, good or bad.
    #[inline]
    #[must_use]
    pub fn has_answer(&self) -> bool {
        self.error.is_none() || self.status != 0
    }
}

/// Everything kept of the requests of one series over some time. Merging is exact.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestStats {
    /// Response times of successes, see [`RequestSample::response_ns`].
    pub response_ok: Histogram,
    /// Response times of failures.
    pub response_failed: Histogram,
    /// Service times of all requests for which one was given. Empty in closed load, where it
    /// equals the response time.
    pub service: Histogram,
    /// Name resolutions.
    pub dns: Histogram,
    /// TCP connects.
    pub connect: Histogram,
    /// TLS handshakes.
    pub tls: Histogram,
    /// Writing the request.
    pub send: Histogram,
    /// Waiting for the first byte of the answer.
    pub wait: Histogram,
    /// Reading the answer.
    pub receive: Histogram,
    /// Failures by kind.
    pub errors: ErrorCounts,
    /// Answers by HTTP status, failures included.
    pub statuses: StatusCounts,
    /// Bytes written.
    pub bytes_sent: u64,
    /// Bytes read.
    pub bytes_received: u64,
    /// Answers that came from a cache.
    pub cache_hits: u64,
    /// Answers that said whether they came from a cache: the denominator of the hit rate.
    pub cache_known: u64,
    /// Connections opened.
    pub new_connections: u64,
    /// Requests sent again over a fresh connection.
    pub reconnects: u64,
    /// Requests that were under way when their phase ended and were cut off. They are neither
    /// successes nor failures and have no response time; the server may have seen them.
    pub interrupted: u64,
    /// Checks, by their index in [`super::SeriesMeta::checks`].
    pub checks: Vec<CheckCount>,
}

impl RequestStats {
    /// Counts one request. The hot path: no allocation once its pages and status are known.
    #[inline]
    pub fn record(&mut self, sample: &RequestSample) {
        match sample.error {
            None => self.response_ok.record(sample.response_ns),
            Some(kind) => {
                self.response_failed.record(sample.response_ns);
                self.errors.record(kind);
            }
        }
        if let Some(ns) = sample.service_ns {
            self.service.record(ns);
        }
        if sample.has_answer() {
            self.send.record(sample.send_ns);
            self.wait.record(sample.wait_ns);
            self.receive.record(sample.receive_ns);
        }
        if sample.status != 0 {
            self.statuses.record(sample.status);
        }
        self.bytes_sent = self.bytes_sent.wrapping_add(sample.bytes_sent);
        self.bytes_received = self.bytes_received.wrapping_add(sample.bytes_received);
        if let Some(hit) = sample.cached {
            self.cache_known += 1;
            self.cache_hits += u64::from(hit);
        }
        self.reconnects += u64::from(sample.reconnected);
        if sample.new_connection
            || sample.dns_ns.is_some()
            || sample.connect_ns.is_some()
            || sample.tls_ns.is_some()
        {
            self.record_connection(sample);
        }
    }

    /// Kept-alive connections make this the rare part.
    #[inline(never)]
    fn record_connection(&mut self, sample: &RequestSample) {
        self.new_connections += u64::from(sample.new_connection);
        let phases = [
            (sample.dns_ns, &mut self.dns),
            (sample.connect_ns, &mut self.connect),
            (sample.tls_ns, &mut self.tls),
        ];
        for (ns, histogram) in phases {
            if let Some(ns) = ns {
                histogram.record(ns);
            }
        }
    }

    /// Counts the outcome of a check, by its index in [`super::SeriesMeta::checks`].
    #[inline]
    pub fn record_check(&mut self, index: usize, passed: bool) {
        let index = index.min(MAX_CHECKS_PER_SERIES - 1);
        if index >= self.checks.len() {
            self.checks.resize(index + 1, CheckCount::default());
        }
        let check = &mut self.checks[index];
        check.passes += u64::from(passed);
        check.fails += u64::from(!passed);
    }

    /// Finished requests, successes and failures.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.response_ok.count().saturating_add(self.response_failed.count())
    }

    /// Failed requests.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.response_failed.count()
    }

    /// Successful requests.
    #[must_use]
    pub fn successful(&self) -> u64 {
        self.response_ok.count()
    }

    /// Response times of successes and failures together: leaving failures out would hide the
    /// slowest answers, those that ran into a timeout.
    #[must_use]
    pub fn response(&self) -> Histogram {
        let mut all = self.response_ok.clone();
        all.merge(&self.response_failed);
        all
    }

    /// Service times of all requests: the separate histogram in open load, the response times
    /// otherwise.
    #[must_use]
    pub fn service_or_response(&self) -> Histogram {
        if self.service.is_empty() { self.response() } else { self.service.clone() }
    }

    /// Checks of all names together.
    #[must_use]
    pub fn checks_total(&self) -> CheckCount {
        let mut total = CheckCount::default();
        for check in &self.checks {
            total.merge(*check);
        }
        total
    }

    /// Whether nothing at all was recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests() == 0 && self.interrupted == 0 && self.checks_total().total() == 0
    }

    /// The histograms, for what is done to each of them.
    fn histograms(&self) -> [&Histogram; 9] {
        [
            &self.response_ok,
            &self.response_failed,
            &self.service,
            &self.dns,
            &self.connect,
            &self.tls,
            &self.send,
            &self.wait,
            &self.receive,
        ]
    }

    fn histograms_mut(&mut self) -> [&mut Histogram; 9] {
        [
            &mut self.response_ok,
            &mut self.response_failed,
            &mut self.service,
            &mut self.dns,
            &mut self.connect,
            &mut self.tls,
            &mut self.send,
            &mut self.wait,
            &mut self.receive,
        ]
    }

    fn counters_mut(&mut self) -> [&mut u64; 7] {
        [
            &mut self.bytes_sent,
            &mut self.bytes_received,
            &mut self.cache_hits,
            &mut self.cache_known,
            &mut self.new_connections,
            &mut self.reconnects,
            &mut self.interrupted,
        ]
    }

    fn counters(&self) -> [u64; 7] {
        [
            self.bytes_sent,
            self.bytes_received,
            self.cache_hits,
            self.cache_known,
            self.new_connections,
            self.reconnects,
            self.interrupted,
        ]
    }

    /// Adds everything of another; equal to recording its samples here.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.histograms_mut().into_iter().zip(other.histograms()) {
            mine.merge(theirs);
        }
        for (mine, theirs) in self.counters_mut().into_iter().zip(other.counters()) {
            *mine = mine.saturating_add(theirs);
        }
        self.errors.merge(&other.errors);
        self.statuses.merge(&other.statuses);
        self.merge_checks(&other.checks);
    }

    pub(super) fn merge_checks(&mut self, checks: &[CheckCount]) {
        if checks.len() > self.checks.len() {
            self.checks.resize(checks.len().min(MAX_CHECKS_PER_SERIES), CheckCount::default());
        }
        for (index, theirs) in checks.iter().enumerate() {
            self.checks[index.min(MAX_CHECKS_PER_SERIES - 1)].merge(*theirs);
        }
    }

    /// Forgets everything recorded but keeps the histograms' pages for reuse.
    pub fn clear(&mut self) {
        for histogram in self.histograms_mut() {
            histogram.clear();
        }
        for counter in self.counters_mut() {
            *counter = 0;
        }
        self.errors = ErrorCounts::default();
        self.statuses.clear();
        self.checks.clear();
    }

    /// Moves everything recorded out, as small as it can be, and keeps the pages for reuse: the
    /// allocations happen here, once an interval, and not while recording.
    #[must_use]
    pub fn take(&mut self) -> Self {
        let mut taken = Self::default();
        taken.merge(self);
        self.clear();
        taken
    }

    /// Heap memory in bytes, for accounting.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let histograms: usize = self.histograms().iter().map(|h| h.heap_bytes()).sum();
        histograms + self.statuses.heap_bytes() + self.checks.capacity() * size_of::<CheckCount>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn success(response_ns: u64) -> RequestSample {
        RequestSample {
            response_ns,
            send_ns: 1,
            wait_ns: response_ns / 2,
            receive_ns: 3,
            status: 200,
            bytes_sent: 100,
            bytes_received: 250,
            ..RequestSample::default()
        }
    }

    #[test]
    fn successes_and_failures_are_kept_apart() {
        let mut stats = RequestStats::default();
        stats.record(&success(10));
        stats.record(&RequestSample {
            response_ns: 99,
            error: Some(ErrorKind::Http5xx),
            status: 503,
            ..success(0)
        });
        stats.record(&RequestSample {
            response_ns: 5,
            error: Some(ErrorKind::ConnectRefused),
            ..RequestSample::default()
        });
        assert_eq!((stats.requests(), stats.failed(), stats.successful()), (3, 2, 1));
        assert_eq!(stats.response_ok.max(), Some(10));
        assert_eq!(stats.response().max(), Some(99));
        assert_eq!(stats.errors.get(ErrorKind::Http5xx), 1);
        assert_eq!(stats.statuses.iter().collect::<Vec<_>>(), [(200, 1), (503, 1)]);
        // The refused connection has no answer, hence no phases.
        assert_eq!(stats.wait.count(), 2);
        assert_eq!(stats.bytes_received, 500);
        assert!(stats.service.is_empty());
        assert_eq!(stats.service_or_response(), stats.response());
    }

    #[test]
    fn connections_caches_and_checks() {
        let mut stats = RequestStats::default();
        stats.record(&RequestSample {
            dns_ns: Some(7),
            connect_ns: Some(8),
            tls_ns: Some(9),
            new_connection: true,
            cached: Some(false),
            service_ns: Some(4),
            ..success(10)
        });
        stats.record(&RequestSample { cached: Some(true), reconnected: true, ..success(10) });
        stats.record(&success(10));
        assert_eq!(
            (stats.dns.max(), stats.connect.max(), stats.tls.max()),
            (Some(7), Some(8), Some(9))
        );
        assert_eq!((stats.new_connections, stats.reconnects), (1, 1));
        assert_eq!((stats.cache_hits, stats.cache_known), (1, 2));
        assert_eq!(stats.service.count(), 1);
        stats.record_check(1, true);
        stats.record_check(1, false);
        stats.record_check(usize::MAX, true);
        assert_eq!(stats.checks[1], CheckCount { passes: 1, fails: 1 });
        assert_eq!(stats.checks.len(), MAX_CHECKS_PER_SERIES);
        assert_eq!(stats.checks_total(), CheckCount { passes: 2, fails: 1 });
    }

    #[test]
    fn taking_empties_but_keeps_pages() {
        let mut stats = RequestStats::default();
        stats.record(&success(10));
        stats.record_check(0, true);
        let before = stats.clone();
        let heap_bytes = stats.heap_bytes();
        assert!(!stats.is_empty());
        assert_eq!(stats.take(), before);
        assert!(stats.is_empty());
        assert_eq!(stats, RequestStats::default());
        assert_eq!(stats.heap_bytes(), heap_bytes);
    }
}
