//! A virtual user costs at most 12 KB beyond its socket.
//!
//! A binary of its own, so that the memory of other tests does not count. The server stays in this
//! process; a copy of it runs the users and reads its own resident memory, at two numbers of idle
//! users in one run: what the program takes by itself is in both. Pages are given back late or never,
//! so the difference is what users cost at their worst, the exchange they had included.

#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::event::RunEvent;
use proofload_core::plan::{Inputs, Overrides, Plan};
use proofload_engine::Stop;
use proofload_engine::run::{RunHandle, RunOptions, start};
use proofload_engine::workload::Scripted;
use proofload_testbed::fixture::{Behaviour, Fixture, Reply};

/// Says to the copy where its target is.
const TARGET: &str = "PROOFLOAD_TEST_MEMORY_TARGET";

const FEW: u64 = 1_000;
const MANY: u64 = 4_000;

/// What a user may cost, in bytes.
const MOST: u64 = 12 * 1024;

/// Longer than it may take to start the users on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

#[test]
fn a_user_is_cheap() {
    if let Ok(target) = std::env::var(TARGET) {
        return measure(&target);
    }
    let reply = Reply::sized(2_000).header("content-type", "application/json");
    let fixture = Fixture::start(Behaviour::new().prefix("/", reply)).expect("a fixture");
    let copy = std::process::Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "a_user_is_cheap", "--nocapture"])
        .env(TARGET, fixture.url(""))
        .output()
        .expect("a copy of this program");
    let said = String::from_utf8_lossy(&copy.stdout) + String::from_utf8_lossy(&copy.stderr);
    if std::env::var_os("PROOFLOAD_SHOW_TRUTH").is_some() {
        std::io::stderr().write_all(said.as_bytes()).expect("somebody listens");
    }
    assert!(copy.status.success(), "{said}");
    assert!(said.contains("bytes a user"), "it has measured: {said}");
    assert_eq!(fixture.ledger().connections, MANY, "every user had its connection");
}

/// Runs users that keep a connection and think, first few and then many.
fn measure(target: &str) {
    let text = format!(
        "target = \"{target}\"\n\
         [[user]]\nname = \"u\"\nthink_time = \"10m\"\n[[user.task]]\nget = \"/{{{{ user.id }}}}\"\n\
         headers = {{ authorization = \"Bearer {{{{ random.hex(20) }}}}\" }}\ncheck = {{ status = 200 }}\n\
         [[phase]]\nname = \"p\"\nstages = [{{ users = {FEW}, over = \"1s\" }}, \
         {{ users = {FEW}, for = \"3s\" }}, {{ users = {MANY}, over = \"3s\" }}, \
         {{ users = {MANY}, for = \"10m\" }}]\n"
    );
    let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE);
    let plan = Arc::new(plan.unwrap_or_else(|errors| panic!("{errors}")));
    let workload = Scripted::new(Arc::clone(&plan)).expect("the plan can run");
    let options = RunOptions { workers: Some(2), seed: Some(1) };
    let handle = start(plan, &workload, options).expect("the run starts");
    let (few, with_few) = resident_after(&handle, 0, FEW);
    let (many, with_many) = resident_after(&handle, few, MANY);
    handle.controls().stop(Stop::Now);
    let outcome = handle.wait();
    let requests = outcome.record.totals.phase(0).expect("it ran").requests();
    assert_eq!((requests.successful(), requests.failed()), (MANY, 0));
    let each = with_many.saturating_sub(with_few) / (many - few);
    let text = format!("{each} bytes a user ({with_few} with {few}, {with_many} with {many})\n");
    std::io::stdout().write_all(text.as_bytes()).expect("somebody listens");
    assert!(each > 500, "that cannot be: {text}");
    assert!(each <= MOST, "{text}");
}

/// Users that have had their answer and resident memory in bytes, once there are `users` of them;
/// `before` had it before.
fn resident_after(handle: &RunHandle, before: u64, users: u64) -> (u64, u64) {
    let (mut answered, begun) = (before, Instant::now());
    for event in handle.events() {
        if let RunEvent::Interval(interval) = event {
            answered += interval.requests.requests();
        }
        assert!(begun.elapsed() < PATIENCE, "{answered} of {users} had their answer");
        if answered >= users {
            break;
        }
    }
    let statm = std::fs::read_to_string("/proc/self/statm").expect("Linux");
    let pages: u64 =
        statm.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    (answered, pages * rustix::param::page_size() as u64)
}
