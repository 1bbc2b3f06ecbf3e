//! Plans from text and runs of them.

use std::sync::Arc;
use std::time::Duration;

use proofload_core::event::{Interval, RunEvent};
use proofload_core::metrics::{IterationStats, PhaseTotals, RequestStats};
use proofload_core::plan::{
    ArrivalLoad, Inputs, Load, Overload, Overrides, Phase, Plan, RateStage, Spacing, UserLoad,
    UserStage,
};
use proofload_core::schedule::{self, Schedule, Shard, Step};
use proofload_engine::run::{RunHandle, RunOptions, RunOutcome, start};
use proofload_engine::workload::Scripted;
use proofload_testbed::fixture::{Fixture, Ledger};

/// Seed of every run.
pub(crate) const SEED: u64 = 1;

/// How long a server may take to come to rest; nothing depends on how long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A kind of user that gets `/x` over and over.
pub(crate) const GET_X: &str =
    "[[user]]\nname = \"u\"\n[[user.task]]\nname = \"x\"\nget = \"/x\"\n";

/// The plan with this text and this target.
pub(crate) fn plan(target: &str, text: &str) -> Arc<Plan> {
    let text = format!("target = \"{target}\"\n{text}");
    let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE);
    Arc::new(plan.unwrap_or_else(|errors| panic!("{errors}")))
}

/// Starts a run of the plan's users.
pub(crate) fn launch(plan: &Arc<Plan>, workers: u32) -> RunHandle {
    let workload = Scripted::new(Arc::clone(plan)).expect("the plan can run");
    let options = RunOptions { workers: Some(workers), seed: Some(SEED) };
    start(Arc::clone(plan), &workload, options).expect("the run starts")
}

/// A run that has ended.
pub(crate) struct Ran {
    pub(crate) outcome: RunOutcome,
}

/// Runs a plan to its end.
pub(crate) fn run(plan: &Arc<Plan>, workers: u32) -> Ran {
    finish(launch(plan, workers))
}

/// Waits for the end of a run. What was told of each interval must add up to the totals.
pub(crate) fn finish(handle: RunHandle) -> Ran {
    let intervals: Vec<Interval> = handle
        .events()
        .filter_map(|event| match event {
            RunEvent::Interval(interval) => Some(Interval::clone(&interval)),
            _ => None,
        })
        .collect();
    let outcome = handle.wait();
    for (phase, totals) in outcome.record.totals.phases() {
        let told = intervals.iter().filter(|interval| interval.phase == phase as usize);
        let (mut requests, mut iterations) = (RequestStats::default(), IterationStats::default());
        for interval in told {
            requests.merge(&interval.requests);
            iterations.merge(&interval.iterations);
        }
        requests.checks.clear();
        assert_eq!(requests, totals.requests(), "the intervals of phase {phase} add up");
        assert_eq!(iterations, totals.iterations, "the intervals of phase {phase} add up");
    }
    Ran { outcome }
}

impl Ran {
    /// What was measured in a phase.
    pub(crate) fn phase(&self, index: u32) -> &PhaseTotals {
        self.outcome.record.totals.phase(index).expect("the phase ran")
    }

    /// What was measured of all requests of a phase.
    pub(crate) fn requests(&self, index: u32) -> RequestStats {
        self.phase(index).requests()
    }

    /// What was measured of all requests of the run.
    pub(crate) fn all_requests(&self) -> RequestStats {
        let mut all = RequestStats::default();
        self.outcome.record.totals.phases().for_each(|(_, totals)| all.merge(&totals.requests()));
        all
    }

    /// Finished requests of a phase under this name.
    pub(crate) fn named(&self, index: u32, name: &str) -> RequestStats {
        let mut named = RequestStats::default();
        let series = self.phase(index).series().filter(|(meta, _)| meta.name == name);
        series.for_each(|(_, stats)| named.merge(stats));
        named
    }
}

/// The ledger once nothing is in flight.
pub(crate) fn settled(fixture: &Fixture) -> Ledger {
    fixture.settled_ledger(PATIENCE).expect("the server comes to rest")
}

/// How many iterations the schedule of a phase starts by itself (open load, bursts of requests).
pub(crate) fn scheduled(plan: &Plan, phase: usize, workers: u32) -> u64 {
    scheduled_at(plan, phase, workers).len() as u64
}

/// When the schedule of a phase starts iterations, since the start of the phase, in order.
pub(crate) fn scheduled_at(plan: &Plan, phase: usize, workers: u32) -> Vec<Duration> {
    let mut starts = Vec::new();
    for index in 0..workers {
        let shard = Shard::new(index, workers);
        let mut schedule = schedule::of_phase(&plan.phases[phase], shard, SEED);
        let mut now = Duration::ZERO;
        loop {
            match schedule.next(now) {
                Step::Start { at } => {
                    starts.push(at);
                    now = now.max(at);
                }
                Step::Users { until, .. } => now = until,
                Step::Finished => break,
            }
        }
    }
    starts.sort_unstable();
    starts
}

/// A plan in which every user gets `path` over and over, with these phases.
pub(crate) fn plan_with(fixture: &Fixture, path: &str, phases: Vec<Phase>) -> Plan {
    let text = format!(
        "[[user]]\nname = \"user\"\n[[user.task]]\nname = \"get\"\n\
         [[user.task.step]]\nname = \"GET\"\nget = \"{path}\"\n\
         [[phase]]\nname = \"phase\"\nusers = 1\niterations = 1\n"
    );
    Plan { phases, ..Plan::clone(&plan(&fixture.url(""), &text)) }
}

/// A phase with this load, by the first kind of user.
pub(crate) fn phase(load: Load) -> Phase {
    let text = format!(
        "{GET_X}[[phase]]\nname = \"phase\"\nusers = 1\niterations = 1\ngraceful_stop = \"5s\"\n"
    );
    Phase { load, ..plan("http://127.0.0.1:1", &text).phases[0].clone() }
}

/// So many users for so long.
pub(crate) fn users(users: u32, time: Duration) -> Load {
    Load::Users(UserLoad {
        stages: vec![UserStage { users, over: Duration::ZERO }, UserStage { users, over: time }],
        iterations_per_user: None,
        unbounded: false,
    })
}

/// So many arrivals a second for so long.
pub(crate) fn arrivals(per_second: f64, max_users: u32, time: Duration) -> Load {
    Load::Arrivals(ArrivalLoad {
        stages: vec![
            RateStage { per_second, over: Duration::ZERO },
            RateStage { per_second, over: time },
        ],
        max_users,
        spacing: Spacing::Even,
        overload: Overload::Queue { limit: 100_000 },
        max_arrivals: None,
    })
}
