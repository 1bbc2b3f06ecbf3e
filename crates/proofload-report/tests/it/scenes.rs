//! Results like those of real runs, also shown by `examples/preview.rs`.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proofload_core::cost::{CostModel, Money, MonthBase};
use proofload_core::metrics::{
    ErrorKind, ErrorSample, IntervalSnapshot, RequestSample, RequestStats, SeriesMeta,
    SeriesSnapshot, ShardId,
};
use proofload_core::record::RunRecord;
use proofload_core::result::{
    Detail, ExpectationRow, PhaseFacts, ResultInput, RunInfo, RunResult, StepRow, build,
};
use proofload_core::units::human_ns;
use proofload_core::verdict::{
    Bound, ExitCode, Expectation, GradingRule, Measure, RunEnd, Threshold,
};

const SECOND: u64 = 1_000_000_000;

/// A phase that is made up.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) name: String,
    pub(crate) seconds: u64,
    pub(crate) users: u32,
    /// Name, requests, median in microseconds.
    pub(crate) requests: Vec<(String, u64, u64)>,
    /// Every so many requests fail with this.
    pub(crate) failures: Vec<(u64, ErrorKind, u16, String)>,
    /// Answers wait this long before the actual start, in microseconds: open load.
    pub(crate) lateness_us: Option<u64>,
    pub(crate) dropped: u64,
    /// Busy share of the generator, in percent.
    pub(crate) busy: u64,
    /// Measure, target, limit.
    pub(crate) expect: Vec<(&'static str, &'static str, &'static str)>,
    /// Not started at all.
    pub(crate) never: bool,
}

impl Scene {
    pub(crate) fn new(name: &str, users: u32) -> Self {
        let request = |name: &str, count, us| (name.to_owned(), count, us);
        Self {
            name: name.to_owned(),
            seconds: 60,
            users,
            requests: vec![
                request("POST /api/auth/login", 100, 24_000),
                request("GET /api/messages?limit=50", 3000, 8_000),
                request("POST /api/messages", 1000, 15_000),
            ],
            failures: Vec::new(),
            lateness_us: None,
            dropped: 0,
            busy: 12,
            expect: vec![
                ("p95", "<300ms", "<2s"),
                ("success_rate", ">99%", ">95%"),
                ("cache_hit_rate", "50%", "20%"),
            ],
            never: false,
        }
    }

    /// Without expectations.
    pub(crate) fn unjudged(self) -> Self {
        Self { expect: Vec::new(), ..self }
    }

    fn snapshot(&self, phase: u32) -> IntervalSnapshot {
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), phase, 0);
        snapshot.length_ns = self.seconds * SECOND;
        snapshot.users_active = self.users;
        snapshot.generator.record_interval(self.busy, 100);
        snapshot.generator.open_connections = self.users;
        snapshot.iterations.dropped = self.dropped;
        for (position, (name, count, median_us)) in self.requests.iter().enumerate() {
            let mut stats = RequestStats::default();
            for at in 0..*count {
                let sample = self.sample(at, *count, *median_us);
                stats.record(&sample);
                stats.record_check(0, sample.error.is_none());
                stats.record_check(1, true);
                if let Some(kind) = sample.error {
                    let failure = self.failures.iter().find(|(_, known, ..)| *known == kind);
                    snapshot.errors.add(ErrorSample {
                        at_ns: at * 1_000_000,
                        kind,
                        request: name.clone(),
                        message: failure.map_or_else(String::new, |(.., text)| text.clone()),
                        status: sample.status,
                        elapsed_ns: sample.response_ns,
                    });
                }
            }
            snapshot.iterations.completed += count;
            let meta = SeriesMeta {
                position: position as u32,
                name: name.clone(),
                checks: vec!["status is 200".to_owned(), "$.messages exists".to_owned()],
                ..SeriesMeta::default()
            };
            snapshot.series.push(SeriesSnapshot { meta: Arc::new(meta), stats });
        }
        snapshot
    }

    /// A long-tailed distribution, the same every time.
    fn sample(&self, at: u64, count: u64, median_us: u64) -> RequestSample {
        // Evenly spread shares in no order.
        let share = ((at * 7919) % count.max(1)) as f64 / count.max(1) as f64;
        let factor = (3.0 * (share - 0.5)).exp()
            + if share > 0.985 { 40.0 * (share - 0.985) / 0.015 } else { 0.0 };
        // More users make every answer slower.
        let slower = 1.0 + f64::from(self.users) / 500.0;
        let service_ns = (median_us as f64 * 1000.0 * factor * slower) as u64;
        let late_ns = self.lateness_us.map(|us| (us as f64 * 1000.0 * share * share * 2.0) as u64);
        let failure = self.failures.iter().find(|(every, ..)| at.is_multiple_of(*every));
        let is_new = at < u64::from(self.users);
        RequestSample {
            response_ns: service_ns + late_ns.unwrap_or(0),
            service_ns: late_ns.map(|_| service_ns),
            connect_ns: is_new.then_some(180_000 + at * 1000),
            send_ns: 12_000,
            wait_ns: service_ns * 9 / 10,
            receive_ns: service_ns / 20,
            error: failure.map(|(_, kind, ..)| *kind),
            status: failure.map_or(200, |(_, _, status, _)| *status),
            bytes_sent: 412,
            bytes_received: 1830,
            cached: Some(!at.is_multiple_of(3)),
            new_connection: is_new,
            ..RequestSample::default()
        }
    }
}

/// The result of these phases, with the exit code that goes with it.
pub(crate) fn result_of(scenes: &[Scene], thresholds: &[(&str, &str)]) -> RunResult {
    let mut record = RunRecord::default();
    for (phase, scene) in scenes.iter().enumerate().filter(|(_, scene)| !scene.never) {
        let began = record.elapsed();
        record.begin_phase(phase, began, 1);
        record.add(&scene.snapshot(phase as u32)).unwrap();
    }
    let expectations: Vec<Vec<Expectation>> =
        scenes.iter().map(|scene| scene.expect.iter().map(expectation).collect()).collect();
    let thresholds: Vec<Threshold> = thresholds
        .iter()
        .map(|(metric, condition)| Threshold::parse(metric, condition).unwrap())
        .collect();
    let phases = scenes.iter().zip(&expectations).enumerate();
    let input = ResultInput {
        timestamp: "2026-11-21T09:32:07Z".to_owned(),
        run: RunInfo {
            name: "dchat".to_owned(),
            target: "http://127.0.0.1:8000".to_owned(),
            started: "2026-11-21T09:30:00Z".to_owned(),
            duration_seconds: 127.0,
            tool_version: "0.1.0".to_owned(),
            ..RunInfo::default()
        },
        environment: BTreeMap::from([("workers".to_owned(), "2".to_owned())]),
        phases: phases
            .map(|(index, (scene, expectations))| PhaseFacts {
                name: &scene.name,
                index: index as u32,
                expectations,
                ..PhaseFacts::default()
            })
            .collect(),
        record: &record,
        thresholds: &thresholds,
        rule: GradingRule::default(),
        cost: None,
        detail: Detail::Full,
    };
    build(&input).0
}

fn expectation((measure, target, limit): &(&str, &str, &str)) -> Expectation {
    let measure = Measure::parse(measure).unwrap();
    let bound = |text| Some(Bound::parse(text, &measure).unwrap());
    Expectation::two_level(measure.clone(), bound(target), bound(limit)).unwrap()
}

/// The exit code of a run that ended by itself or was interrupted.
pub(crate) fn exit_code(result: &RunResult) -> ExitCode {
    ExitCode::of_run(RunEnd {
        grade: result.summary.grade,
        is_trustworthy: result.summary.trustworthy,
        is_interrupted: result.run.interrupted,
        is_incomplete: result.run.incomplete,
        ..RunEnd::default()
    })
}

/// Every result by its name; made once, because confidence intervals take their time.
pub(crate) fn all() -> &'static [(&'static str, RunResult)] {
    static ALL: LazyLock<Vec<(&str, RunResult)>> = LazyLock::new(|| {
        vec![
            ("good", good()),
            ("failing", failing()),
            ("interrupted", interrupted()),
            ("suspect", suspect()),
            ("open_load", open_load()),
            ("no_requests", no_requests()),
            ("one_liner", one_liner()),
            ("odd_names", odd_names()),
            ("cost", cost()),
            ("cost_unknown", cost_unknown()),
            ("in_steps", in_steps()),
            ("in_short_steps", in_short_steps()),
        ]
    });
    &ALL
}

fn good() -> RunResult {
    let peak = Scene { expect: vec![("p95", "<30ms", "<500ms")], ..Scene::new("Peak", 400) };
    let scenes = [Scene::new("Normal load", 100), peak];
    result_of(&scenes, &[("http_req_duration", "p(99)<1s"), ("http_req_failed", "rate<0.01")])
}

fn failing() -> RunResult {
    let failures = vec![
        (9, ErrorKind::Http5xx, 503, "503 Service Unavailable".to_owned()),
        (40, ErrorKind::Timeout, 0, "no complete answer in time".to_owned()),
        (1001, ErrorKind::ConnectRefused, 0, "127.0.0.1:8000".to_owned()),
    ];
    let spike = Scene { failures, ..Scene::new("Spike", 1000) };
    let spike =
        Scene { expect: vec![("p95", "<20ms", "<50ms"), ("error_rate", "<0.5%", "<1%")], ..spike };
    let never = Scene { never: true, ..Scene::new("Recovery", 100) };
    result_of(&[Scene::new("Normal load", 100), spike, never], &[("http_req_failed", "rate<0.01")])
}

fn interrupted() -> RunResult {
    let scenes = [Scene::new("Normal load", 100), Scene { never: true, ..Scene::new("Peak", 400) }];
    let mut result = result_of(&scenes, &[]);
    result.run.interrupted = true;
    result
}

fn suspect() -> RunResult {
    let stress = Scene { busy: 97, dropped: 5_021, ..Scene::new("Stress", 2000) };
    result_of(&[Scene::new("Normal load", 100), stress], &[])
}

fn open_load() -> RunResult {
    let arrivals = Scene { lateness_us: Some(400_000), ..Scene::new("Steady arrivals", 200) };
    result_of(&[arrivals], &[])
}

fn no_requests() -> RunResult {
    result_of(&[Scene { requests: Vec::new(), ..Scene::new("Normal load", 10) }], &[])
}

fn one_liner() -> RunResult {
    let requests = vec![("GET /".to_owned(), 10_000, 420)];
    let scene = Scene { requests, ..Scene::new("GET http://127.0.0.1:8000/", 50).unjudged() };
    result_of(&[scene], &[])
}

/// The price of the load-testing guide; the login says nothing about a cache.
fn model() -> CostModel {
    CostModel {
        currency: "$".into(),
        per_miss: Money::parse("0.06").unwrap(),
        month: Some(MonthBase::RequestsPerDay(1000)),
        days: 30,
        assumed_hit_rate: None,
    }
}

fn cost() -> RunResult {
    let mut result = result_of(&[Scene::new("Heavy load", 20).unjudged()], &[]);
    result.cost = Some(model().of(&result.test_results));
    result
}

fn cost_unknown() -> RunResult {
    let mut result = result_of(&[Scene::new("Heavy load", 20).unjudged()], &[]);
    result.test_results[0].cache_known_responses = 0;
    result.test_results[0].cached_responses = 0;
    let bill = Some(MonthBase::Bill(Money::parse("4200").unwrap()));
    let model = CostModel { month: bill, assumed_hit_rate: Some(0.8), ..model() };
    result.cost = Some(model.of(&result.test_results));
    result
}

/// A service that holds 50 users and no more, and arrivals in steps of which nothing was expected.
fn in_steps() -> RunResult {
    let expect = vec![("p99", "<500ms", "<2s"), ("success_rate", ">99%", ">95%")];
    let users = Scene { expect, ..Scene::new("Users", 100) };
    let mut result = result_of(&[users, Scene::new("Arrivals", 20).unjudged()], &[]);
    let judged = result.test_results[0].expectations.clone();
    let users = [(10, 0, 210.0, true), (50, 2, 760.0, true), (100, 31, 3_440.0, false)];
    let steps = users.iter().zip(0..).map(|(&(users, failed, p99_ms, completed), at)| StepRow {
        users: Some(users),
        failed,
        completed,
        expectations: judged
            .iter()
            .map(|row| match row.measure.as_str() {
                "p99" => ExpectationRow {
                    measured_text: human_ns(p99_ms * 1e6),
                    target_met: Some(p99_ms < 500.0),
                    limit_met: Some(p99_ms < 2_000.0),
                    ..row.clone()
                },
                _ => row.clone(),
            })
            .collect(),
        ..step(at, p99_ms)
    });
    result.test_results[0].steps = steps.collect();
    result.test_results[0].ended_early = Some("p99 > 2.00 s for 5.0 s".to_owned());
    let rates = [5.0, 10.0, 20.0];
    let steps =
        rates.iter().zip(0..).map(|(rate, at)| StepRow { rate: Some(*rate), ..step(at, 80.0) });
    result.test_results[1].steps = steps.collect();
    result
}

/// Steps of a second, each over before anything of it was looked at.
fn in_short_steps() -> RunResult {
    let mut result = result_of(&[Scene::new("Users", 100)], &[]);
    result.test_results[0].steps = vec![StepRow { users: Some(10), ..StepRow::default() }];
    result
}

fn step(at: u32, p99_ms: f64) -> StepRow {
    StepRow {
        start_seconds: f64::from(at) * 10.0,
        completed: true,
        measured_seconds: 8.0,
        total_requests: 400,
        requests_per_second: Some(50.0),
        median_latency_ms: Some(p99_ms / 4.0),
        p95_latency_ms: Some(p99_ms / 2.0),
        p99_latency_ms: Some(p99_ms),
        max_latency_ms: Some(p99_ms * 1.5),
        ..StepRow::default()
    }
}

fn odd_names() -> RunResult {
    let requests = (1..30)
        .map(|at| {
            (format!("GET /very/long/path/that/goes/on/and/on/{at}/日本語"), at * 10, at * at)
        })
        .chain([("\u{1b}[31mred\u{1b}[0m\r\n\u{202e}evil".to_owned(), 5, 3_600_000_000)])
        .collect();
    let odd = Scene {
        requests,
        ..Scene::new("負荷テスト \u{1b}]0;title\u{7} with a long name indeed", 7)
    };
    let phases: Vec<Scene> =
        (1..=29).map(|at| Scene::new(&format!("step {at}"), at).unjudged()).chain([odd]).collect();
    result_of(&phases, &[])
}
