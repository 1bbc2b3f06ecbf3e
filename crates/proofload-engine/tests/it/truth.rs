//! Times are the truth: response time from the intended start, service time beside it.
//!
//! The truth is computed, not measured: the intended starts follow from the rate, the server's stall
//! is a function of time, its delays are planned. Where a queue of the client's own users is part of
//! the truth, it follows from when the server answered, by its own records.
//!
//! What these tests look for is systematic: a start taken at the wrong moment, samples lost or
//! weighed twice. It is there in every measurement, whereas a machine that is busy with something
//! else is not: a test may measure a second and a third time before it fails. Stalls and delays are
//! long compared with what a working machine adds, a few milliseconds. Where the machine is so busy
//! in all attempts that threads queue up for its processors, times are what they are and nobody can
//! measure within 3 %; then half of the truth has to do, which is still far from what any of those
//! mistakes makes of it (a hundredth, as a rule).

use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use proofload_core::metrics::Histogram;
use proofload_testbed::fixture::{Behaviour, Delay, Fixture, Ledger, Reply, Stall};

use super::support::{GET_X, Ran, finish, launch, plan, run, scheduled_at, settled};

const QUANTILES: [f64; 5] = [0.5, 0.9, 0.99, 0.999, 1.0];

const ATTEMPTS: u32 = 3;

const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// How closely a measurement has to be right.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Care {
    Strict,
    /// On a machine that is too busy to measure on.
    Rough,
}

/// Measures until a measurement is right, [`ATTEMPTS`] times at most.
fn attempt(measure: impl Fn(Care) -> Result<(), String>) {
    let mut why = Vec::new();
    let mut always_busy = true;
    for _ in 0..ATTEMPTS {
        let (measured, busy) = Busy::during(|| measure(Care::Strict));
        match measured {
            Ok(()) => return,
            Err(wrong) => why.push(wrong),
        }
        always_busy &= busy;
    }
    if always_busy {
        match measure(Care::Rough) {
            Ok(()) => return,
            Err(wrong) => why.push(wrong),
        }
    }
    panic!("wrong in every attempt:\n{}", why.join("\n"));
}

/// Watches whether more threads want to run than there are processors.
struct Busy;

impl Busy {
    /// Does `work`; whether the machine was too busy meanwhile. Never, where that cannot be told.
    fn during<T>(work: impl FnOnce() -> T) -> (T, bool) {
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let (mut looks, mut running) = (0_u64, 0);
                while !done.load(Ordering::Relaxed) {
                    looks += 1;
                    running += Self::running().unwrap_or(0);
                    std::thread::sleep(ms(20));
                }
                let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
                running > looks * cores as u64
            });
            let result = work();
            done.store(true, Ordering::Relaxed);
            (result, watcher.join().expect("the watcher does not panic"))
        })
    }

    /// Threads of the whole machine that run or want to, the caller included.
    fn running() -> Option<u64> {
        let stat = std::fs::read_to_string("/proc/stat").ok()?;
        stat.lines().find_map(|line| line.strip_prefix("procs_running "))?.parse().ok()
    }
}

/// The value at each of [`QUANTILES`], by nearest rank, in milliseconds.
fn quantiles(mut times: Vec<Duration>) -> [f64; 5] {
    times.sort_unstable();
    QUANTILES.map(|q| {
        let rank = (q * times.len() as f64 - 1e-9).ceil().max(1.0) as usize;
        times[rank - 1].as_secs_f64() * 1e3
    })
}

fn measured(histogram: &Histogram) -> [f64; 5] {
    QUANTILES.map(|q| histogram.value_at_quantile(q).expect("samples") as f64 / 1e6)
}

/// Compares quantiles within a share of the truth and `slack`. With `PROOFLOAD_SHOW_TRUTH` set, says
/// what was compared.
fn within<const N: usize>(
    care: Care,
    what: &str,
    (share, slack): (f64, Duration),
    measured: [f64; N],
    truth: [f64; N],
) -> Result<(), String> {
    let text = format!("{what}: measured {measured:.1?} ms, truth {truth:.1?} ms");
    if std::env::var_os("PROOFLOAD_SHOW_TRUTH").is_some() {
        let mut stderr = std::io::stderr();
        let _ = std::io::Write::write_all(&mut stderr, format!("{text}\n").as_bytes());
    }
    let (share, slack) = match care {
        Care::Strict => (share, slack),
        Care::Rough => (0.5, ms(100)),
    };
    let slack_ms = slack.as_secs_f64() * 1e3;
    let good = measured.iter().zip(truth).all(|(m, t)| (m - t).abs() <= share * t + slack_ms);
    if good { Ok(()) } else { Err(text) }
}

/// A run on a server that stalls, and when its schedule began.
struct Stalled {
    ran: Ran,
    ledger: Ledger,
    /// Intended starts, from the moment in which the stalls were armed.
    intended: Vec<Duration>,
    armed: Instant,
}

fn run_stalled(stall: Stall, floor: Duration, phase: &str, workers: u32) -> Stalled {
    let behaviour = Behaviour::new()
        .prefix("/", Reply::text("x").after(floor))
        .stall(stall.when_armed())
        .record_samples(100_000);
    let fixture = Fixture::start(behaviour).expect("a fixture");
    let plan = plan(&fixture.url(""), &format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n"));
    let starts = scheduled_at(&plan, 0, workers);
    let armed = Instant::now();
    fixture.arm(armed);
    let ran = finish(launch(&plan, workers));
    let ledger = settled(&fixture);
    assert_eq!(ledger.requests, starts.len() as u64, "no request is lost");
    assert_eq!(ran.requests(0).requests(), ledger.requests);
    // No request arrives before its intended start, and the quickest of them right after it: that
    // tells when the schedule began.
    let mut arrivals = ledger.arrivals.clone();
    arrivals.sort_unstable();
    let began = arrivals.iter().zip(&starts).map(|(&at, &start)| (at - armed) - start).min();
    let began = began.expect("there were requests");
    Stalled { ran, ledger, intended: starts.iter().map(|&at| began + at).collect(), armed }
}

/// Checks a run with users for all requests: the truth follows from the stall alone.
fn check_stall(care: Care, stall: Stall, share: f64, phase: &str) -> Result<(), String> {
    // An answer takes at least this long, so that 3 % of the median is something to measure.
    let floor = ms(60);
    let run = run_stalled(stall, floor, phase, 2);
    let truth = run.intended.iter().map(|&at| stall.release(at + floor) - at);
    let truth = quantiles(truth.collect());
    let stats = run.ran.requests(0);
    let close = (share, Duration::ZERO);
    within(care, "response", close, measured(&stats.response()), truth)?;
    // With a user for each request nothing waits on this side: service is response.
    within(care, "service ", close, measured(&stats.service), truth)
}

/// Checks a run whose few users keep requests waiting. The truth is when the server answered, by its
/// own records and in the order of the intended starts.
fn check_queue(care: Care, stall: Stall, phase: &str, workers: u32) -> Result<(), String> {
    let run = run_stalled(stall, Duration::ZERO, phase, workers);
    let samples = &run.ledger.samples;
    let mut answered: Vec<_> = samples.iter().map(|s| s.arrived + s.service - run.armed).collect();
    answered.sort_unstable();
    let truth = answered.iter().zip(&run.intended).map(|(&end, &at)| end - at);
    let truth = quantiles(truth.collect());
    let stats = run.ran.requests(0);
    let response = measured(&stats.response());
    within(care, "few users, response", (0.03, SLACK), response, truth)?;
    // Service time is what it is: short but for the one request of each user that met a stall.
    let service = quantiles(samples.iter().map(|sample| sample.service).collect());
    within(care, "few users, service ", (0.03, SLACK), measured(&stats.service), service)?;
    // Those that waited longest are the first to be answered after a stall, so at the far end the
    // response time is that of a server with users for all.
    let ideal = quantiles(run.intended.iter().map(|&at| stall.release(at) - at).collect());
    let far = |values: [f64; 5]| [values[2], values[3], values[4]];
    within(care, "few users, far end ", STALL, far(response), far(ideal))?;
    if service[1] > 0.3 * response[1] {
        return Err(format!("p90: response {:.1} ms, service {:.1} ms", response[1], service[1]));
    }
    Ok(())
}

/// What may differ from the truth in a stall: a part of it and nothing else.
const STALL: (f64, Duration) = (0.03, Duration::ZERO);

/// What a busy machine may add where the truth is next to nothing.
const SLACK: Duration = ms(3);

const EVERY_FIVE: Stall = Stall::new(ms(5_000), ms(1_000)).starting_after(ms(2_000));

#[test]
fn a_stall_of_one_second_in_five() {
    let phase = "rate = \"500/s\"\nduration = \"10s\"\nmax_users = 1000";
    attempt(|care| check_stall(care, EVERY_FIVE, 0.03, phase));
}

#[test]
fn a_stall_of_two_seconds_in_ten() {
    // p90 about a second, p99 about 1.9 s, the maximum about 2 s: what a generator that waits for
    // its answers never sees.
    let stall = Stall::new(ms(10_000), ms(2_000)).starting_after(ms(4_000));
    let phase = "rate = \"1000/s\"\nduration = \"10s\"\nmax_users = 3000";
    // After the stall 2,000 answers leave at once, which takes both sides some 50 ms without
    // optimisation: half of that is 3 % of p90.
    attempt(|care| check_stall(care, stall, 0.06, phase));
}

#[test]
fn a_stall_under_poisson_arrivals() {
    let phase = "rate = \"400/s\"\nduration = \"5s\"\nmax_users = 1000\narrivals = \"poisson\"";
    attempt(|care| check_stall(care, EVERY_FIVE, 0.03, phase));
}

#[test]
fn a_stall_with_few_users() {
    let phase = "rate = \"400/s\"\nduration = \"5s\"\nmax_users = 4";
    attempt(|care| check_queue(care, EVERY_FIVE, phase, 1));
    let poisson = format!("{phase}\narrivals = \"poisson\"");
    attempt(|care| check_queue(care, EVERY_FIVE, &poisson, 2));
}

/// Three answers in ten are slow.
const BIMODAL: Delay = Delay::Bimodal { share: 0.7, first: ms(100), rest: ms(400) };

fn check_bimodal(care: Care, phase: &str, workers: u32) -> Result<(), String> {
    let behaviour =
        Behaviour::new().prefix("/", Reply::text("x").delay(BIMODAL)).record_samples(100_000);
    let fixture = Fixture::start(behaviour).expect("a fixture");
    let text = format!("{GET_X}[[phase]]\nname = \"p\"\n{phase}\n");
    let ran = run(&plan(&fixture.url(""), &text), workers);
    let ledger = settled(&fixture);
    let stats = ran.requests(0);
    assert_eq!(stats.requests(), ledger.requests);
    // The far end of what was planned is what a busy machine makes of it, so up to p90; what was
    // recorded knows about the server's part in that.
    let planned = quantiles((0..ledger.requests).map(|number| BIMODAL.of(number)).collect());
    let planned = [planned[0], planned[1]];
    let recorded = quantiles(ledger.samples.iter().map(|sample| sample.service).collect());
    let recorded = [recorded[0], recorded[1], recorded[2], recorded[3]];
    // One percent of the shorter mode is a millisecond, several times what a request costs here.
    for (which, times) in
        [("response", stats.response()), ("service ", stats.service_or_response())]
    {
        let times = measured(&times);
        let near = [times[0], times[1]];
        let times = [times[0], times[1], times[2], times[3]];
        within(
            care,
            &format!("bimodal, {which}, planned "),
            (0.01, Duration::ZERO),
            near,
            planned,
        )?;
        within(
            care,
            &format!("bimodal, {which}, recorded"),
            (0.01, Duration::ZERO),
            times,
            recorded,
        )?;
    }
    Ok(())
}

#[test]
fn two_modes_in_closed_load() {
    attempt(|care| check_bimodal(care, "users = 20\nduration = \"4s\"", 2));
}

#[test]
fn two_modes_in_open_load() {
    attempt(|care| check_bimodal(care, "rate = \"200/s\"\nduration = \"4s\"", 2));
}

#[test]
fn waiting_for_a_free_user_is_response_time_and_not_service_time() {
    // Two users who need 100 ms each serve 20 requests a second; 40 arrive. After a second twenty
    // wait, which is another second.
    attempt(|care| {
        let behaviour = Behaviour::new().prefix("/", Reply::text("x").after(ms(100)));
        let fixture = Fixture::start(behaviour).expect("a fixture");
        let phase = "[[phase]]\nname = \"p\"\nrate = \"40/s\"\nduration = \"2s\"\nmax_users = 2\n";
        let ran = run(&plan(&fixture.url(""), &format!("{GET_X}{phase}")), 1);
        let stats = ran.requests(0);
        // Request k is intended at 25 k ms and answered, as one of the pair k / 2, 100 ms after the
        // pair before; the first two are not yet kept waiting.
        let mut free = [ms(0); 2];
        let response = (0..80).map(|k| {
            let (at, user) = (ms(25) * k, (k % 2) as usize);
            free[user] = free[user].max(at) + ms(100);
            free[user] - at
        });
        within(
            care,
            "queue, response",
            STALL,
            measured(&stats.response()),
            quantiles(response.collect()),
        )?;
        // A single slow answer is the maximum, so a little more than for the sum of many.
        within(care, "queue, service ", (0.03, ms(10)), measured(&stats.service), [100.0; 5])
    });
}
