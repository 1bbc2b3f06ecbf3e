//! A simulated run and what it adds up to.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::RunEvent;
use proofload_core::metrics::{
    CheckCount, ErrorKind, IntervalSnapshot, RequestSample, RequestStats, SeriesMeta,
    SeriesSnapshot, ShardId,
};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_core::record::RunRecord;
use proofload_core::redact::Redactor;
use proofload_core::result::RunInfo;
use proofload_output::{Context, OpenError, Output, by_name};

const SECOND: u64 = 1_000_000_000;
const SHARDS: u32 = 2;

const PLAN: &str = "target = \"http://127.0.0.1:1\"\n[[user]]\n[[user.task]]\nget = \"/\"\n\
     [[phase]]\nname = \"first\"\nusers = 2\nduration = \"3s\"\n\
     [[phase]]\nname = \"second \\\"quoted\\\"\"\nrate = \"9/s\"\nduration = \"3s\"\n";

pub(crate) fn plan() -> Plan {
    let plan = Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE);
    plan.unwrap_or_else(|errors| panic!("{errors}"))
}

/// Opens an output as the command line does.
pub(crate) fn open(kind: &str, place: Option<&str>) -> Result<Box<dyn Output>, OpenError> {
    open_with(kind, place, &|_| None)
}

pub(crate) fn open_with(
    kind: &str,
    place: Option<&str>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Box<dyn Output>, OpenError> {
    let run = RunInfo {
        name: "shop".to_owned(),
        started: "2026-03-01T12:00:00.000Z".to_owned(),
        ..RunInfo::default()
    };
    let mut redactor = Redactor::default();
    redactor.hide("hunter2-token");
    let context =
        Context { plan: &plan(), run: &run, folder: None, redactor: &redactor, environment };
    by_name(kind, place, &context)
}

fn snapshot(phase: u32, shard: u32, second: u64) -> IntervalSnapshot {
    let meta = |name: &str| SeriesMeta {
        name: name.to_owned(),
        task: "t".to_owned(),
        user: "u".to_owned(),
        method: "GET".to_owned(),
        checks: vec!["is good".to_owned()],
        ..SeriesMeta::default()
    };
    let mut stats = RequestStats { checks: vec![CheckCount::default()], ..Default::default() };
    for number in 0..20 + second {
        let (error, status) = match number % 10 {
            7 => (Some(ErrorKind::Http5xx), 503),
            8 => (Some(ErrorKind::ConnectRefused), 0),
            _ => (None, 200),
        };
        let sample = RequestSample {
            response_ns: (1 + number) * 3_000_000,
            error,
            status,
            bytes_sent: 10,
            bytes_received: 100,
            ..RequestSample::default()
        };
        stats.record(&sample);
        stats.record_check(0, error.is_none());
    }
    let series = |name| SeriesSnapshot { meta: Arc::new(meta(name)), stats: stats.clone() };
    let mut snapshot = IntervalSnapshot {
        start_ns: second * SECOND,
        length_ns: SECOND,
        users_active: 3,
        series: vec![series("/a"), series("/b?t=hunter2-token")],
        ..IntervalSnapshot::new(ShardId::worker(shard), phase, second)
    };
    snapshot.iterations.completed = 5;
    snapshot.iterations.dropped = 1;
    snapshot.iterations.start_lag.record(2_000_000);
    snapshot.generator.record_interval(SECOND / 4, SECOND);
    snapshot
}

/// All events of the run, intervals included, as the engine tells them; and what they add up to.
pub(crate) fn events() -> (Vec<RunEvent>, RunRecord) {
    let (mut events, mut record) = (Vec::new(), RunRecord::default());
    let mut at = Duration::ZERO;
    for phase in 0..2 {
        record.begin_phase(phase, at, SHARDS);
        events.push(RunEvent::PhaseStarted { phase, at, shards: SHARDS });
        for second in 0..3 {
            for shard in 0..SHARDS {
                let snapshot = Arc::new(snapshot(phase as u32, shard, second));
                let complete = record.add(&snapshot).expect("it fits");
                events.push(RunEvent::Snapshot(snapshot));
                events.extend(complete.map(|interval| RunEvent::Interval(Arc::new(interval))));
            }
        }
        at += Duration::from_secs(3);
        let _ = record.end_phase(phase, at, None);
        events.push(RunEvent::PhaseEnded { phase, at, early: None });
    }
    (events, record)
}

/// All requests of a run in one.
pub(crate) fn all_requests(record: &RunRecord) -> RequestStats {
    let mut all = RequestStats::default();
    record.totals.phases().for_each(|(_, phase)| all.merge(&phase.requests()));
    all
}
