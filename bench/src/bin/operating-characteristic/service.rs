//! A made-up service: what one run of it would have measured.
//!
//! Response times are log-normal with a heavy tail, and they depend on one another in the ways that
//! those of real services do: the level wanders from second to second (an autoregressive process), there
//! are stalls in which every request waits, failures come in bursts, and each run has a level of its own.

use std::collections::BTreeMap;

use fastrand::Rng;
use proofload_core::compare::Ground;
use proofload_core::compare::evidence::{
    Block, Figures, PhaseEvidence, RequestEvidence, RunEvidence,
};
use proofload_core::metrics::Histogram;
use proofload_core::result::RequestName;

/// A service and how it is loaded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service {
    /// Length of a run.
    pub(crate) seconds: u32,
    /// Requests a second, before the level has its effect.
    pub(crate) rate: f64,
    /// Standard deviation of the logarithm of response times within a second.
    pub(crate) spread: f64,
    /// Of the logarithm of each second's level.
    pub(crate) level_spread: f64,
    /// How much of a second's level the next one keeps, 0…1.
    pub(crate) memory: f64,
    /// Of the logarithm of each run's level.
    pub(crate) run_spread: f64,
    /// Of the logarithm of each run's tail, on top: tails differ more than centres.
    pub(crate) tail_spread: f64,
    /// Chance that a second begins a stall.
    pub(crate) stall: f64,
    /// Share of requests in the heavy tail.
    pub(crate) tail: f64,
    /// Share of requests that fail, on average.
    pub(crate) error_rate: f64,
}

impl Service {
    /// One that is busy but well.
    pub(crate) const STEADY: Self = Self {
        seconds: 30,
        rate: 100.0,
        spread: 0.35,
        level_spread: 0.03,
        memory: 0.6,
        run_spread: 0.015,
        tail_spread: 0.03,
        stall: 0.0,
        tail: 0.01,
        error_rate: 0.001,
    };
    /// One that stalls now and then, whose level wanders slowly, and that fails in bursts.
    pub(crate) const ROUGH: Self = Self {
        level_spread: 0.08,
        memory: 0.85,
        stall: 0.03,
        tail: 0.02,
        error_rate: 0.004,
        ..Self::STEADY
    };
}

/// The requests of the plan: name, share of the load, response time as a multiple.
const REQUESTS: [(&str, f64, f64); 3] =
    [("GET /list", 0.5, 1.0), ("GET /item", 0.35, 0.5), ("POST /order", 0.15, 2.5)];
/// Median response time of the first of them, in nanoseconds.
const MEDIAN_NS: f64 = 20e6;

/// What one run measures; `slower` multiplies every response time.
pub(crate) fn run(service: &Service, slower: f64, rng: &mut Rng) -> RunEvidence {
    let run_level = service.run_spread * normal(rng);
    let run_tail = service.tail_spread * normal(rng);
    let mut level = service.level_spread * normal(rng);
    let innovation = service.level_spread * (1.0 - service.memory * service.memory).sqrt();
    let mut all = Part::default();
    let mut parts = [Part::default(), Part::default(), Part::default()];
    let mut blocks = Vec::new();
    let (mut stalled, mut burst) = (0_u32, false);
    for _ in 0..service.seconds {
        level = service.memory * level + innovation * normal(rng);
        stalled = if rng.f64() < service.stall { 2 } else { stalled.saturating_sub(1) };
        // Bursts are a tenth of the time and hold most of the failures.
        burst = rng.f64() < if burst { 0.6 } else { 0.045 };
        let error_rate = service.error_rate * if burst { 7.0 } else { 0.35 };
        let factor = slower * (run_level + level).exp();
        let mut block = Block::default();
        // Users who wait longer ask less often.
        for _ in
            0..poisson(service.rate * (-0.4 * (run_level + level)).exp() / slower.powf(0.4), rng)
        {
            let (which, multiple) = request(rng);
            let mut ns = MEDIAN_NS * multiple * factor * (service.spread * normal(rng)).exp();
            if rng.f64() < service.tail {
                // Pareto with exponent 2: its variance is infinite.
                ns *= run_tail.exp() * 2.0 / rng.f64().max(1e-6).sqrt();
            }
            if stalled > 0 {
                ns += 1e9 * rng.f64() * f64::from(stalled);
            }
            let failed = u64::from(rng.f64() < error_rate);
            let ns = ns.min(60e9) as u64;
            block.response.record(ns);
            block.failed += failed;
            parts[which].add(ns, failed);
            all.add(ns, failed);
        }
        blocks.push(block);
    }
    let seconds = f64::from(service.seconds);
    let requests = REQUESTS.iter().zip(parts).map(|((name, ..), part)| RequestEvidence {
        name: RequestName { name: (*name).to_owned(), ..RequestName::default() },
        figures: part.figures(seconds),
    });
    RunEvidence {
        started: String::new(),
        ground: Ground::default(),
        phases: vec![PhaseEvidence {
            name: "Load".to_owned(),
            requests: requests.collect(),
            all: all.figures(seconds),
            block_seconds: 1.0,
            blocks,
            monitors: BTreeMap::new(),
            is_trustworthy: true,
        }],
    }
}

/// What is counted of a request.
#[derive(Default)]
struct Part {
    response: Histogram,
    failed: u64,
}

impl Part {
    fn add(&mut self, ns: u64, failed: u64) {
        self.response.record(ns);
        self.failed += failed;
    }

    fn figures(self, seconds: f64) -> Figures {
        Figures { response: self.response, failed: self.failed, seconds, cache_hit_rate: None }
    }
}

/// Which request comes next, and its response time as a multiple.
fn request(rng: &mut Rng) -> (usize, f64) {
    let mut left = rng.f64();
    for (at, (_, share, multiple)) in REQUESTS.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return (at, *multiple);
        }
    }
    (0, REQUESTS[0].2)
}

/// A standard normal number (Box and Muller, Annals of Mathematical Statistics 29, 1958).
fn normal(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (std::f64::consts::TAU * rng.f64()).cos()
}

/// A Poisson number, for means that are large enough for the normal approximation.
fn poisson(mean: f64, rng: &mut Rng) -> u64 {
    (mean + mean.sqrt() * normal(rng)).round().max(0.0) as u64
}
