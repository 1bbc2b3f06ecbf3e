use std::sync::OnceLock;

use super::*;
use crate::event::MarkKind;
use crate::metrics::{ErrorKind, RequestSample};
use crate::plan::{Inputs, Overrides, Plan};

/// What the service does in one second.
#[derive(Clone, Copy)]
struct Second {
    users: u32,
    requests: u64,
    /// Median of the answer times; they spread as those of services do.
    median_ms: f64,
    error_share: f64,
    queued: u64,
    dropped: u64,
}

impl Second {
    const GOOD: Self = Self {
        users: 20,
        requests: 60,
        median_ms: 50.0,
        error_share: 0.001,
        queued: 0,
        dropped: 0,
    };
}

const CLOSED: &str = "users = 20\nduration = \"10m\"";
const OPEN: &str = "rate = \"60/s\"\nmax_users = 50\nduration = \"10m\"";
/// The p95 of [`Second::GOOD`] is about 114 ms.
const EXPECT: &str = "expect = { p95 = { target = \"<150ms\", limit = \"<300ms\" }, \
                      error_rate = \"<1%\", rps = \">20\" }";

fn phase(text: &str) -> Phase {
    let text = format!(
        "target = \"http://127.0.0.1:1\"\n[[user]]\nname = \"u\"\n[[user.task]]\nget = \"/\"\n\
         [[phase]]\nname = \"p\"\n{text}\n"
    );
    let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE);
    plan.unwrap_or_else(|errors| panic!("{errors}")).phases[0].clone()
}

/// What answer times are multiplied by: log-normal, from the sum of uniform numbers.
fn spread(choice: usize) -> f64 {
    static SPREAD: OnceLock<Vec<f64>> = OnceLock::new();
    let spread = SPREAD.get_or_init(|| {
        let mut random = fastrand::Rng::with_seed(3);
        let mut normal = || (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
        (0..10_000).map(|_| (normal() * 0.5).exp()).collect()
    });
    spread[choice % spread.len()]
}

fn interval(at: u64, second: Second, random: &mut fastrand::Rng) -> Arc<Interval> {
    let mut interval = Interval {
        start: Duration::from_secs(at),
        length: Duration::from_secs(1),
        users_active: second.users,
        ..Interval::default()
    };
    for _ in 0..second.requests {
        let response_ns = (second.median_ms * 1e6 * spread(random.usize(..))) as u64;
        let error = (random.f64() < second.error_share).then_some(ErrorKind::Http5xx);
        let sample = RequestSample { response_ns, error, status: 200, ..Default::default() };
        interval.requests.record(&sample);
    }
    interval.iterations.completed = second.requests;
    let at_once = second.requests.saturating_sub(second.queued);
    interval.iterations.start_lag.record_many(1_000, at_once);
    interval.iterations.queued = second.queued;
    interval.iterations.dropped = second.dropped;
    Arc::new(interval)
}

/// The marks of a phase whose seconds were these.
fn marks(phase_text: &str, seconds: impl IntoIterator<Item = Second>) -> Vec<Mark> {
    let phase = phase(phase_text);
    let mut alerts = Alerts::new(&AlertRules::default(), &phase, Duration::from_secs(100));
    let mut random = fastrand::Rng::with_seed(7);
    let mut marks = Vec::new();
    let mut length = 0;
    for (at, second) in seconds.into_iter().enumerate() {
        marks.extend(alerts.see(&interval(at as u64, second, &mut random)));
        length = at as u64 + 1;
    }
    marks.extend(alerts.end(Duration::from_secs(100 + length)));
    marks
}

/// Good seconds, then others, then good ones again; alerts as (begin, end, level, text), times from the
/// start of the phase.
fn episode(phase: &str, bad: Second, lasts: usize) -> Vec<(u64, u64, MarkLevel, String)> {
    let seconds = [vec![Second::GOOD; 30], vec![bad; lasts], vec![Second::GOOD; 30]].concat();
    let all = marks(phase, seconds);
    let ends = all.iter().filter(|mark| mark.until.is_some());
    assert_eq!(ends.clone().count() * 2, all.len(), "whatever begins, ends: {all:?}");
    ends.map(|mark| {
        let begins = all.iter().filter(|other| other.is_same(mark) && other.until.is_none());
        assert_eq!((begins.count(), mark.kind), (1, MarkKind::Alert));
        let until = mark.until.map_or(0, |until| until.as_secs() - 100);
        (mark.at.as_secs() - 100, until, mark.level, mark.text.clone())
    })
    .collect()
}

#[track_caller]
fn only(found: Vec<(u64, u64, MarkLevel, String)>) -> (u64, u64, MarkLevel, String) {
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next().expect("there is one")
}

#[test]
fn a_slow_service_is_told_of_within_its_window() {
    let bad = Second { median_ms: 90.0, ..Second::GOOD };
    let (begin, end, level, text) = only(episode(&format!("{CLOSED}\n{EXPECT}"), bad, 20));
    assert!((33..=40).contains(&begin), "begins at {begin}");
    assert!((51..=60).contains(&end), "ends at {end}");
    assert_eq!(level, MarkLevel::Warning);
    assert!(
        text.starts_with("p: p95 is ") && text.ends_with("over 10.0 s, target < 150 ms"),
        "{text}"
    );
}

#[test]
fn a_broken_limit_makes_the_target_superfluous() {
    let bad = Second { median_ms: 400.0, ..Second::GOOD };
    let found = episode(&format!("{CLOSED}\n{EXPECT}"), bad, 20);
    let limits = found.iter().filter(|alert| alert.2 == MarkLevel::Critical);
    assert_eq!(limits.count(), 1, "{found:?}");
    // On its way down it may be told of for a moment, when the limit is kept again.
    assert!(found.iter().all(|alert| alert.2 == MarkLevel::Critical || alert.0 > 50), "{found:?}");
}

#[test]
fn errors_break_their_limit_and_are_a_burst() {
    let bad = Second { error_share: 0.5, ..Second::GOOD };
    let found = episode(&format!("{CLOSED}\n{EXPECT}"), bad, 20);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|alert| (31..=40).contains(&alert.0)), "{found:?}");
    assert!(found.iter().any(|alert| alert.3.contains("error_rate")), "{found:?}");
    assert!(found.iter().any(|alert| alert.3.contains("of requests fail, usual are")), "{found:?}");
    let without = only(episode(CLOSED, bad, 20));
    assert!(without.3.contains("of requests fail") && without.2 == MarkLevel::Warning);
}

#[test]
fn a_throughput_that_falls_is_told_of_only_at_the_same_load() {
    let bad = Second { requests: 15, ..Second::GOOD };
    let (begin, end, level, text) = only(episode(CLOSED, bad, 90));
    assert!((31..=40).contains(&begin), "begins at {begin}");
    // What came after the fall has not become usual.
    assert!((120..=130).contains(&end), "ends at {end}");
    assert_eq!(level, MarkLevel::Critical);
    assert!(text.contains("throughput fell to"), "{text}");
    let hangs = Second { requests: 0, ..Second::GOOD };
    assert!(only(episode(CLOSED, hangs, 20)).3.contains("throughput fell to 0"));
    let fewer_users = Second { users: 5, ..bad };
    assert_eq!(episode(CLOSED, fewer_users, 20), []);
    // In open load, arrivals are the load.
    assert_eq!(episode(OPEN, bad, 20), []);
}

#[test]
fn a_throughput_is_expected_at_full_load_only() {
    let expect = format!("{CLOSED}\nexpect = {{ rps = \">50\" }}");
    let ramp = |at: u32| Second { users: at, requests: u64::from(at) * 3, ..Second::GOOD };
    assert_eq!(marks(&expect, (0..20).chain((0..20).rev()).map(ramp)), []);
    let slow = Second { requests: 30, ..Second::GOOD };
    assert_eq!(marks(&expect, vec![slow; 20]).len(), 2);
}

#[test]
fn arrivals_that_wait_or_are_dropped_are_told_of() {
    let waits = Second { queued: 20, ..Second::GOOD };
    let (.., level, text) = only(episode(OPEN, waits, 20));
    assert_eq!((level, text.contains("wait for a free user")), (MarkLevel::Warning, true));
    let drops = Second { queued: 20, dropped: 20, ..Second::GOOD };
    let (.., level, text) = only(episode(OPEN, drops, 20));
    assert_eq!((level, text.contains("are dropped")), (MarkLevel::Critical, true));
    assert_eq!(episode(CLOSED, waits, 20), []);
}

#[test]
fn a_single_bad_moment_is_nobodys_business() {
    let all = format!("{CLOSED}\n{EXPECT}");
    let stall = Second { median_ms: 2_000.0, requests: 4, ..Second::GOOD };
    assert_eq!(episode(&all, stall, 1), []);
    let errors = Second { error_share: 1.0, ..Second::GOOD };
    assert_eq!(episode(&all, errors, 1), []);
}

#[test]
fn a_measure_that_goes_up_and_down_does_not_flap() {
    let bad = Second { median_ms: 200.0, ..Second::GOOD };
    let seconds = (0..600).map(|at| if at % 20 < 10 { Second::GOOD } else { bad });
    let found = marks(&format!("{CLOSED}\nexpect = {{ p95 = \"<150ms\" }}"), seconds);
    // Thirty times up and down.
    assert!((2..=62).contains(&found.len()), "{}", found.len());
    let jitter = (0..600).map(|at| if at % 4 < 2 { Second::GOOD } else { bad });
    let found = marks(&format!("{CLOSED}\nexpect = {{ p95 = \"<150ms\" }}"), jitter);
    assert_eq!(found.len(), 2, "on once, off at the end: {found:?}");
}

#[test]
fn what_somebody_did_to_the_load_is_no_trouble() {
    let phase = phase(CLOSED);
    let mut alerts = Alerts::new(&AlertRules::default(), &phase, Duration::ZERO);
    let mut random = fastrand::Rng::with_seed(1);
    let mut found = Vec::new();
    for at in 0..60 {
        let requests = if at < 30 { 60 } else { 10 };
        if at == 30 {
            alerts.load_changed();
        }
        found.extend(alerts.see(&interval(at, Second { requests, ..Second::GOOD }, &mut random)));
    }
    assert_eq!(found, []);
}

#[test]
fn rules_can_be_switched_off() {
    let phase = phase(&format!("{CLOSED}\n{EXPECT}"));
    let off = AlertRules { enabled: false, ..AlertRules::default() };
    let mut alerts = Alerts::new(&off, &phase, Duration::ZERO);
    let mut random = fastrand::Rng::with_seed(1);
    let bad = Second { median_ms: 2_000.0, error_share: 1.0, ..Second::GOOD };
    assert!((0..60).all(|at| alerts.see(&interval(at, bad, &mut random)).is_empty()));
}

/// A healthy service is never quite the same: its speed wanders, it stalls for a moment now and then,
/// some requests fail. Its p95 is at most three quarters of its target, on average.
fn healthy_run(seed: u64) -> Vec<Mark> {
    let mut random = fastrand::Rng::with_seed(seed);
    let requests = random.u64(5..100);
    let is_open = random.bool();
    let (load, seconds) = if is_open { (OPEN, 50) } else { (CLOSED, 80) };
    let phase = phase(&format!("{load}\nexpect = {{ p95 = \"<150ms\", error_rate = \"<1%\" }}"));
    let mut alerts = Alerts::new(&AlertRules::default(), &phase, Duration::ZERO);
    let mut found = Vec::new();
    let mut wander = 1.0_f64;
    for at in 0..seconds {
        wander = (wander * (0.94 + 0.12 * random.f64())).clamp(0.85, 1.15);
        let (up, down) = (at as f64 / 15.0, (seconds - at) as f64 / 15.0);
        let ramp = if is_open { 1.0 } else { up.min(down).min(1.0) };
        let noise = 0.75 + 0.5 * random.f64();
        let mut second = Second {
            users: (20.0 * ramp).ceil() as u32,
            requests: (requests as f64 * ramp * noise) as u64,
            median_ms: 49.0 * wander,
            error_share: 0.003,
            ..Second::GOOD
        };
        if random.u32(0..60) == 0 {
            second.median_ms *= 8.0;
            second.requests /= 4;
        }
        found.extend(alerts.see(&interval(at, second, &mut random)));
    }
    found
}

/// The healthy runs of these seeds that raise an alert.
fn alarms(seeds: std::ops::Range<u64>) -> Vec<String> {
    let found = seeds.map(|seed| (seed, healthy_run(seed)));
    found.filter_map(|(seed, m)| Some(format!("{seed}: {}", m.first()?.text))).collect()
}

#[test]
fn healthy_runs_raise_no_alarm() {
    assert_eq!(alarms(0..150), Vec::<String>::new());
}

/// The published rate: none in 1,000 runs, which is about 18 hours of load.
#[test]
#[ignore = "takes a minute: cargo test -p proofload-core --lib alert -- --ignored"]
fn a_thousand_healthy_runs_raise_no_alarm() {
    assert_eq!(alarms(0..1_000), Vec::<String>::new());
}
