//! Results with a course over time, for charts and reports: made of intervals, as those of real runs.

use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::compare::{ComparisonRules, RunEvidence, Side, compare};
use proofload_core::event::{Mark, MarkKind, MarkLevel};
use proofload_core::metrics::{
    ErrorKind, ErrorSample, IntervalSnapshot, RequestSample, RequestStats, SeriesMeta,
    SeriesSnapshot, ShardId,
};
use proofload_core::record::RunRecord;
use proofload_core::result::{
    Detail, PhaseFacts, RepeatRow, Repeats, ResultInput, RunInfo, RunResult, SpreadRow, build,
};
use proofload_core::verdict::{Bound, Expectation, GradingRule, Measure};

const SECOND: u64 = 1_000_000_000;

/// A phase that is made up.
#[derive(Clone, Debug)]
pub(crate) struct Course {
    pub(crate) name: String,
    pub(crate) intervals: u64,
    pub(crate) interval_seconds: u64,
    pub(crate) users: u32,
    /// Requests in an interval.
    pub(crate) requests: u64,
    pub(crate) median_ms: f64,
    /// Share of failures while it is at its worst, in the middle.
    pub(crate) failing: f64,
    /// Whether there is an intended start, and arrivals wait.
    pub(crate) is_open: bool,
    /// Busy share of the generator, in percent.
    pub(crate) busy: u64,
    pub(crate) expect: Vec<(&'static str, &'static str, &'static str)>,
    /// Names of the requests.
    pub(crate) names: Vec<String>,
}

impl Course {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            intervals: 60,
            interval_seconds: 1,
            users: 100,
            requests: 200,
            median_ms: 12.0,
            failing: 0.0,
            is_open: false,
            busy: 14,
            expect: vec![("p95", "<100ms", "<500ms"), ("error_rate", "<0.5%", "<1%")],
            names: ["POST /api/auth/login", "GET /api/messages?limit=50", "POST /api/messages"]
                .map(str::to_owned)
                .to_vec(),
        }
    }

    fn snapshot(&self, phase: u32, at: u64) -> IntervalSnapshot {
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), phase, at);
        let share = at as f64 / self.intervals.max(1) as f64;
        // Up, a plateau with waves, down.
        let load = (share * 6.0).min((1.0 - share) * 8.0).clamp(0.1, 1.0)
            * (1.0 + (share * TAU * 3.0).sin() * 0.05);
        snapshot.start_ns = at * self.interval_seconds * SECOND;
        snapshot.length_ns = self.interval_seconds * SECOND;
        snapshot.users_active = (f64::from(self.users) * load.min(1.0)) as u32;
        snapshot.generator.record_interval(self.busy * 10 + at % 30, 1000);
        snapshot.generator.open_connections = snapshot.users_active;
        let count = (self.requests as f64 * load) as u64;
        let shape =
            if self.failing >= 1.0 { 1.0 } else { (1.0 - (share - 0.5).abs() * 4.0).max(0.0) };
        let failing = self.failing * shape;
        for (position, name) in self.names.iter().enumerate() {
            let mut stats = RequestStats::default();
            for number in 0..count / self.names.len() as u64 {
                let random = fraction(at * 7919 + number * 104_729 + position as u64 * 31);
                let sample =
                    self.sample(random, load, position, fraction(number * 13 + at) < failing);
                stats.record(&sample);
                stats.record_check(0, sample.error.is_none());
                if let Some(kind) = sample.error {
                    snapshot.errors.add(ErrorSample {
                        at_ns: snapshot.start_ns + number * 1000,
                        kind,
                        request: name.clone(),
                        message: "503 Service Unavailable".to_owned(),
                        status: sample.status,
                        elapsed_ns: sample.response_ns,
                    });
                }
            }
            let meta = SeriesMeta {
                position: position as u32,
                name: name.clone(),
                user: "member".to_owned(),
                checks: vec!["status is 200".to_owned()],
                ..SeriesMeta::default()
            };
            snapshot.series.push(SeriesSnapshot { meta: Arc::new(meta), stats });
        }
        snapshot.iterations.completed = count;
        if self.is_open {
            snapshot.iterations.queued = (count as f64 * (load - 0.9).max(0.0)) as u64;
            snapshot.iterations.start_lag.record_many(400_000 + at % 7 * 100_000, count.max(1));
        }
        snapshot
    }

    fn sample(&self, random: f64, load: f64, position: usize, fails: bool) -> RequestSample {
        // A long tail that grows with the load.
        let tail = (3.2 * (random - 0.5)).exp() + if random > 0.99 { 14.0 * load } else { 0.0 };
        let service_ns =
            (self.median_ms * 1e6 * tail * (0.6 + load * 0.6) * (1.0 + position as f64 / 2.0))
                as u64;
        let wait_ns = if self.is_open { (random * random * load * 9e6) as u64 } else { 0 };
        RequestSample {
            response_ns: service_ns + wait_ns,
            service_ns: self.is_open.then_some(service_ns),
            send_ns: 12_000,
            wait_ns: service_ns * 9 / 10,
            receive_ns: service_ns / 20,
            connect_ns: (random < 0.01).then_some(190_000),
            error: fails.then_some(ErrorKind::Http5xx),
            status: if fails { 503 } else { 200 },
            bytes_sent: 412,
            bytes_received: 1830,
            cached: Some(random < 0.7),
            ..RequestSample::default()
        }
    }
}

/// The same for the same number, between 0 and 1.
fn fraction(number: u64) -> f64 {
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    ((mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 11) as f64
        / (1_u64 << 53) as f64
}

fn expectation((measure, target, limit): &(&str, &str, &str)) -> Expectation {
    let measure = Measure::parse(measure).unwrap();
    let bound = |text: &str| Some(Bound::parse(text, &measure).unwrap());
    Expectation::two_level(measure.clone(), bound(target), bound(limit)).unwrap()
}

/// The result of these phases.
pub(crate) fn result_of(
    name: &str,
    courses: &[Course],
    marks: &[(u64, Option<u64>, MarkKind, MarkLevel, &str)],
) -> RunResult {
    let mut record = RunRecord::default();
    for (phase, course) in courses.iter().enumerate().filter(|(_, course)| course.intervals > 0) {
        let began = record.elapsed();
        record.begin_phase(phase, began, 1);
        for at in 0..course.intervals {
            record.add(&course.snapshot(phase as u32, at)).unwrap();
        }
        let length = Duration::from_secs(course.intervals * course.interval_seconds);
        record.end_phase(phase, began + length, None);
    }
    for &(at, until, kind, level, text) in marks {
        let (at, until) = (Duration::from_secs(at), until.map(Duration::from_secs));
        record.marks.add(Mark { at, until, kind, level, text: text.to_owned() });
    }
    let expectations: Vec<Vec<Expectation>> =
        courses.iter().map(|course| course.expect.iter().map(expectation).collect()).collect();
    let facts = courses.iter().zip(&expectations).enumerate();
    let input = ResultInput {
        timestamp: "2026-11-21T09:32:07Z".to_owned(),
        run: RunInfo {
            name: name.to_owned(),
            target: "http://127.0.0.1:8000".to_owned(),
            started: "2026-11-21T09:30:00Z".to_owned(),
            ended: "2026-11-21T09:32:07Z".to_owned(),
            duration_seconds: record.elapsed().as_secs_f64(),
            tool_version: "0.1.0".to_owned(),
            ..RunInfo::default()
        },
        environment: [("os".to_owned(), "linux".to_owned())].into(),
        phases: facts
            .map(|(index, (course, expectations))| PhaseFacts {
                name: &course.name,
                index: index as u32,
                expectations,
                ..PhaseFacts::default()
            })
            .collect(),
        record: &record,
        thresholds: &[],
        rule: GradingRule::default(),
        cost: None,
        detail: Detail::Quick,
    };
    build(&input).0
}

/// Every result by its name.
pub(crate) fn all() -> Vec<(&'static str, RunResult)> {
    vec![
        ("typical", typical()),
        ("day", day()),
        (
            "one_phase",
            result_of("One phase", &[Course { intervals: 20, ..Course::new("Load") }], &[]),
        ),
        ("all_failed", all_failed()),
        (
            "nothing_run",
            result_of("Nothing run", &[Course { intervals: 0, ..Course::new("Load") }], &[]),
        ),
        ("twelve", twelve()),
        ("suspect", suspect()),
        ("compared", compared().1),
        ("foreign", foreign()),
        ("empty", RunResult::default()),
    ]
}

/// Normal load, a peak that breaks limits, arrivals; with events and monitors.
pub(crate) fn typical() -> RunResult {
    let courses = [
        Course::new("Normal load"),
        Course {
            users: 400,
            requests: 700,
            median_ms: 40.0,
            failing: 0.06,
            ..Course::new("Peak with all members at once")
        },
        Course { is_open: true, requests: 300, ..Course::new("Steady arrivals") },
        Course { intervals: 0, ..Course::new("Recovery") },
    ];
    let marks = [
        (70, Some(100), MarkKind::Alert, MarkLevel::Critical, "p95 has been above 500 ms for 5 s"),
        (85, Some(95), MarkKind::Fault, MarkLevel::Warning, "redis is unreachable"),
        (130, None, MarkKind::Control, MarkLevel::Info, "scaled to 300 arrivals a second"),
    ];
    let mut result = result_of("dchat", &courses, &marks);
    for (number, row) in result.timeline.iter_mut().enumerate() {
        row.monitors.insert("memory_mb".to_owned(), 220.0 + number as f64 * 0.8);
        row.monitors.insert("db_connections".to_owned(), f64::from(row.users) / 10.0);
    }
    result
}

/// 24 hours, an interval a minute.
pub(crate) fn day() -> RunResult {
    let phase =
        Course { intervals: 1410, interval_seconds: 60, requests: 45, ..Course::new("Endurance") };
    let warm_up =
        Course { intervals: 30, interval_seconds: 60, requests: 45, ..Course::new("Warm-up") };
    result_of("A day of load", &[warm_up, phase], &[])
}

fn all_failed() -> RunResult {
    let mut course = Course::new("Load");
    (course.failing, course.intervals) = (1.0, 15);
    result_of("All failed", &[course], &[])
}

fn twelve() -> RunResult {
    let courses: Vec<Course> = (1..=12)
        .map(|step| Course {
            intervals: 15,
            users: step * 25,
            requests: u64::from(step) * 40,
            median_ms: 8.0 + f64::from(step * step),
            ..Course::new(&format!("{} users", step * 25))
        })
        .collect();
    result_of("Capacity in steps", &courses, &[])
}

fn suspect() -> RunResult {
    let stress = Course { busy: 97, users: 2000, expect: Vec::new(), ..Course::new("Stress") };
    result_of("Suspect", &[stress], &[])
}

/// An old run, and a new one with which it is compared: one phase better, one worse.
pub(crate) fn compared() -> (Side, RunResult) {
    let courses = |first: f64, second: f64| {
        let expect = || vec![("p95", "<400ms", "<800ms")];
        [
            Course { median_ms: first, expect: expect(), ..Course::new("Normal load") },
            Course { median_ms: second, expect: expect(), ..Course::new("Peak") },
        ]
    };
    let old = result_of("Compared", &courses(30.0, 20.0), &[]);
    let mut new = result_of("Compared", &courses(12.0, 31.0), &[]);
    let side = |label: &str, result: &RunResult| Side {
        label: label.to_owned(),
        runs: vec![RunEvidence::of(result)],
    };
    let (old, this) = (side("baseline.json", &old), side("this run", &new));
    new.comparison = Some(compare(&old, &this, &ComparisonRules::default(), &[]).unwrap());
    (old, new)
}

/// Everything that comes from elsewhere is hostile.
pub(crate) fn foreign() -> RunResult {
    let nasty = "</script><script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let names = vec![
        nasty.to_owned(),
        format!("GET /{}", "a".repeat(10_000)),
        "שלום \u{202e}evil\u{1b}[31m\u{0}".to_owned(),
        "日本語 & <b>".to_owned(),
    ];
    let course = Course { names, intervals: 12, failing: 0.5, ..Course::new(nasty) };
    let other = Course { intervals: 12, ..Course::new("مرحبا \u{202e}") };
    let marks = [(3, None, MarkKind::Notice, MarkLevel::Info, nasty)];
    let mut result = result_of(nasty, &[course, other], &marks);
    result.run.target = format!("http://{nasty}");
    result.run.started = nasty.to_owned();
    result.run.tool_version = nasty.to_owned();
    result.environment.insert(nasty.to_owned(), nasty.to_owned());
    for phase in &mut result.test_results {
        phase.ended_early = Some(nasty.to_owned());
        phase.monitors.insert(nasty.to_owned(), 1.0);
        for row in &mut phase.errors {
            row.description = nasty.to_owned();
            row.samples.iter_mut().for_each(|sample| sample.message = nasty.to_owned());
        }
        for row in &mut phase.expectations {
            (row.measure, row.measured_text) = (nasty.to_owned(), nasty.to_owned());
        }
    }
    for row in &mut result.timeline {
        row.monitors.insert(nasty.to_owned(), 1.0);
    }
    result.marks[0].kind = nasty.to_owned();
    result.marks[0].level = nasty.to_owned();
    let run = RepeatRow {
        file: nasty.to_owned(),
        report: "javascript:alert(3)".to_owned(),
        started: nasty.to_owned(),
        max_latency_ms: Some(f64::MAX),
        ..RepeatRow::default()
    };
    let texts = SpreadRow {
        phase: nasty.to_owned(),
        measure: nasty.to_owned(),
        values: vec![Some(f64::MAX), Some(-f64::MAX), None],
        pooled: Some(0.0),
        pooled_text: nasty.to_owned(),
        interval_text: nasty.to_owned(),
        deviation_text: nasty.to_owned(),
        ..SpreadRow::default()
    };
    result.repeats =
        Some(Repeats { runs: vec![run; 3], spread: vec![texts; 3], ..Repeats::default() });
    result
}
