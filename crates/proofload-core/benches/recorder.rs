//! What recording costs: one value, one request, a merge, a quantile, a second's snapshot.
//!
//! `cargo bench -p proofload-core --bench recorder`. Latencies are log-normal around 2 ms, as a web
//! service has them; a kept-alive connection is assumed, and nine requests of ten come from one of
//! four series, so that caches are used as in a run.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use proofload_core::metrics::{Histogram, RequestSample, RequestStats};

/// Requests of one round: enough to see the caches of a real run, few enough to stay quick.
const ROUND: usize = 4096;

fn main() {
    divan::main();
}

/// Log-normal latencies in nanoseconds, median 2 ms, with a fixed seed.
fn latencies() -> Vec<u64> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut uniform = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) as f64 / (1_u64 << 53) as f64 + f64::EPSILON
    };
    (0..ROUND)
        .map(|_| {
            let (radius, angle) =
                ((-2.0 * uniform().ln()).sqrt(), std::f64::consts::TAU * uniform());
            (2e6 * (0.7 * radius * angle.cos()).exp()) as u64
        })
        .collect()
}

fn samples(is_open_load: bool) -> Vec<RequestSample> {
    latencies()
        .into_iter()
        .map(|response_ns| RequestSample {
            response_ns,
            service_ns: is_open_load.then_some(response_ns - response_ns / 8),
            send_ns: 4_000 + response_ns % 3_000,
            wait_ns: response_ns - response_ns / 5,
            receive_ns: 9_000 + response_ns % 7_000,
            status: 200,
            bytes_sent: 160,
            bytes_received: 391,
            ..RequestSample::default()
        })
        .collect()
}

#[divan::bench]
fn histogram_record(bencher: Bencher<'_, '_>) {
    let values = latencies();
    let mut histogram = Histogram::new();
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for &value in &values {
            histogram.record(black_box(value));
        }
    });
}

#[divan::bench(args = [false, true])]
fn request_record(bencher: Bencher<'_, '_>, is_open_load: bool) {
    let samples = samples(is_open_load);
    let mut series = [(); 4].map(|()| RequestStats::default());
    bencher.counter(ItemsCount::new(ROUND)).bench_local(|| {
        for (index, sample) in samples.iter().enumerate() {
            series[index % 4].record(black_box(sample));
        }
    });
}

#[divan::bench]
fn histogram_merge(bencher: Bencher<'_, '_>) {
    let histogram: Histogram = latencies().into_iter().collect();
    let mut total = histogram.clone();
    bencher.bench_local(|| total.merge(black_box(&histogram)));
}

#[divan::bench]
fn histogram_p99(bencher: Bencher<'_, '_>) {
    let histogram: Histogram = latencies().into_iter().collect();
    bencher.bench_local(|| black_box(&histogram).value_at_quantile(black_box(0.99)));
}

#[divan::bench]
fn request_take(bencher: Bencher<'_, '_>) {
    let samples = samples(true);
    let mut warm = RequestStats::default();
    bencher
        .with_inputs(|| {
            samples.iter().for_each(|sample| warm.record(sample));
            warm.clone()
        })
        .bench_local_values(|mut stats| stats.take());
}

#[divan::bench]
fn histogram_encode(bencher: Bencher<'_, '_>) {
    let histogram: Histogram = latencies().into_iter().collect();
    bencher.bench_local(|| {
        let mut bytes = Vec::new();
        histogram.encode(&mut bytes);
        bytes
    });
}
