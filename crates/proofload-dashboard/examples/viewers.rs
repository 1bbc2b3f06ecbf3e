//! What viewers of the live page cost the machine that puts on the load.
//!
//! `cargo run --release -p proofload-dashboard --example viewers` serves the page of a run as long as the
//! timeline gets (400 points, 20 requests, two workers), counts the processor time of the dashboard's
//! thread with no viewer, with one, ten and fifty, and prints it as a share of one core. Linux only: the
//! figures come from `/proc`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::metrics::{
    IntervalSnapshot, RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
};
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_core::result::{RunInfo, RunResult};
use proofload_dashboard::{
    Config, Control, Dashboard, Mode, PastRun, PlanInfo, Refusal, RunStart, Runner, Running,
    StartRequest, parse_address,
};

const SERIES: u64 = 20;
const WORKERS: u32 = 2;
/// Seconds of the run before anybody looks.
const BEFORE: u64 = 400;
/// Seconds for which each number of viewers is measured.
const SECONDS: u64 = 20;

/// Does nothing.
struct Nobody;

impl Runner for Nobody {
    fn plans(&self) -> Vec<PlanInfo> {
        Vec::new()
    }
    fn start(&self, _: &StartRequest) -> Result<(), Refusal> {
        Err(Refusal::new("this is a measurement"))
    }
    fn control(&self, _: Control) -> Result<(), Refusal> {
        Err(Refusal::new("this is a measurement"))
    }
    fn past_runs(&self) -> Vec<PastRun> {
        Vec::new()
    }
    fn past_result(&self, _: &str) -> Option<RunResult> {
        None
    }
}

/// What a worker measures in a second: a thousand answers, spread as those of a service are.
fn second(worker: u32, number: u64) -> RunEvent {
    let series = (0..SERIES).map(|series| {
        let mut stats = RequestStats::default();
        for sample in 0..50_u64 {
            let response_ns =
                2_000_000 + series * 700_000 + (sample * sample + number % 37) * 40_000;
            let answer = RequestSample { response_ns, status: 200, ..RequestSample::default() };
            stats.record(&answer);
        }
        let name = format!("GET /api/thing/{series}");
        SeriesSnapshot { meta: Arc::new(SeriesMeta { name, ..SeriesMeta::default() }), stats }
    });
    RunEvent::Snapshot(Arc::new(IntervalSnapshot {
        start_ns: number * 1_000_000_000,
        length_ns: 1_000_000_000,
        users_active: 50,
        series: series.collect(),
        ..IntervalSnapshot::new(ShardId::worker(worker), 0, number)
    }))
}

fn tell(page: &Running, number: u64) {
    (0..WORKERS).for_each(|worker| page.hear(&second(worker, number)));
}

/// Processor time of the dashboard's thread so far.
fn spent() -> Result<Duration, Box<dyn Error>> {
    for task in fs::read_dir("/proc/self/task")? {
        let task = task?.path();
        if fs::read_to_string(task.join("comm"))?.trim() == "dashboard" {
            let times = fs::read_to_string(task.join("schedstat"))?;
            let ns = times.split_whitespace().next().ok_or("no times")?.parse()?;
            return Ok(Duration::from_nanos(ns));
        }
    }
    Err("the dashboard has no thread".into())
}

/// Reads the page's events until it ends; gives the bytes.
fn view(address: SocketAddr) -> std::io::Result<u64> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(bytes),
            Ok(read) => bytes += read as u64,
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let plan = "name = 'viewers'\ntarget = 'http://127.0.0.1:1'\n[[user]]\n[[user.task]]\nget = '/'\n\
        [[phase]]\nname = 'Steady'\nusers = 50\nduration = '24h'\nexpect = { p95 = '<300ms', error_rate = '<1%' }";
    let plan = Plan::parse("plan", plan, &Overrides::default(), &Inputs::NONE)
        .map_err(|errors| format!("{errors:?}"))?;
    let mut out = std::io::stdout();
    writeln!(out, "viewers   CPU of one core   KB/s a viewer")?;
    for viewers in [0, 1, 10, 50] {
        let page =
            Dashboard::serve(Config::new(parse_address(":0")?, Mode::Follow), Arc::new(Nobody))?;
        let info = RunInfo { name: "viewers".to_owned(), ..RunInfo::default() };
        page.begin(RunStart { plan: Arc::new(plan.clone()), info, environment: BTreeMap::new() });
        page.hear(&RunEvent::PhaseStarted { phase: 0, at: Duration::ZERO, shards: WORKERS });
        for number in 0..BEFORE {
            tell(&page, number);
            // As fast as it keeps up.
            std::thread::sleep(Duration::from_millis(2));
        }
        let address = page.address();
        let looking: Vec<_> =
            (0..viewers).map(|_| std::thread::spawn(move || view(address))).collect();
        std::thread::sleep(Duration::from_secs(1));
        let (before, began) = (spent()?, Instant::now());
        for number in BEFORE..BEFORE + SECONDS {
            tell(&page, number);
            std::thread::sleep(Duration::from_secs(1));
        }
        let share = (spent()? - before).as_secs_f64() / began.elapsed().as_secs_f64();
        page.stop();
        let mut bytes = 0;
        for viewer in looking {
            bytes += viewer.join().map_err(|_| "a viewer broke")??;
        }
        let each = bytes as f64 / f64::from(viewers.max(1)) / SECONDS as f64 / 1e3;
        writeln!(out, "{viewers:>7}   {:>14.2} %   {each:>13.0}", share * 100.0)?;
    }
    Ok(())
}
