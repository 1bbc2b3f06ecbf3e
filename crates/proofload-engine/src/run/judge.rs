//! Looks, while a phase runs, whether what has been measured ends it or the whole run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::metrics::{IntervalSnapshot, RunTotals};
use proofload_core::plan::{Phase, Plan, StopRule};
use proofload_core::units;
use proofload_core::verdict::PhaseFigures;
use proofload_core::verdict::threshold::PhaseView;

use super::outcome::PhaseEnd;
use super::recent::Recent;

/// The judge of one phase.
#[derive(Debug)]
pub(super) struct LiveJudge {
    plan: Arc<Plan>,
    index: usize,
    phase: Arc<Phase>,
    /// What stop rules look at.
    recent: Recent,
}

impl LiveJudge {
    pub(super) fn new(plan: Arc<Plan>, index: usize, phase: Arc<Phase>) -> Self {
        let recent = Recent::new(phase.step_every);
        Self { plan, index, phase, recent }
    }

    /// Takes note of what a worker measured; it has been merged into the totals already.
    pub(super) fn see(&mut self, snapshot: &Arc<IntervalSnapshot>) {
        if !self.phase.stop_when.is_empty() {
            self.recent.add(on_load_time(snapshot));
        }
    }

    /// How the phase is to end, if something measured up to `elapsed` ends it; called when all
    /// workers have reported an interval. `before` is the length of the phases before this one. Both
    /// are load time: a pause neither eats a delay nor makes a rate smaller.
    pub(super) fn judge(
        &mut self,
        totals: &RunTotals,
        elapsed: Duration,
        before: Duration,
    ) -> Option<PhaseEnd> {
        self.broken_threshold(totals, before + elapsed)
            .or_else(|| self.broken_expectation(totals, elapsed))
            .map(PhaseEnd::Aborted)
            .or_else(|| self.limit_found(elapsed).map(PhaseEnd::LimitFound))
    }

    fn broken_threshold(&self, totals: &RunTotals, elapsed: Duration) -> Option<String> {
        let thresholds = self.plan.thresholds.iter().filter(|t| t.abort_on_fail);
        let views: Vec<_> = totals
            .phases()
            .filter_map(|(at, totals)| {
                let name = &*self.plan.phases.get(at as usize)?.name;
                Some(PhaseView { name, totals })
            })
            .collect();
        let outcomes = thresholds.map(|t| t.evaluate(&views, elapsed.as_secs_f64()));
        outcomes.into_iter().find(|outcome| outcome.wants_abort(elapsed)).map(|outcome| {
            format!(
                "threshold `{}: {}` is broken: {}",
                outcome.threshold.metric_text,
                outcome.threshold.condition_text,
                outcome.measured_text()
            )
        })
    }

    fn broken_expectation(&self, totals: &RunTotals, elapsed: Duration) -> Option<String> {
        if !self.phase.abort_on_fail || elapsed < self.phase.abort_delay {
            return None;
        }
        let figures = PhaseFigures::new(totals.phase(self.index as u32)?);
        let outcomes = self.phase.expect.iter().map(|expectation| {
            expectation.judge(figures.value(expectation.measure(), &BTreeMap::new()))
        });
        outcomes
            .into_iter()
            .find(|outcome| outcome.breaks_limit() && outcome.measured.is_some())
            .map(|outcome| {
                format!("{} is broken: {}", outcome.expectation, outcome.measured_text())
            })
    }

    fn limit_found(&mut self, elapsed: Duration) -> Option<String> {
        if self.phase.stop_when.is_empty() {
            return None;
        }
        let recent = self.recent.totals(elapsed)?;
        let figures = PhaseFigures::new(recent.phase(self.index as u32)?);
        let found = |rule: &StopRule| {
            let measured = figures.value(&rule.measure, &BTreeMap::new())?;
            rule.bound.holds(measured).then(|| {
                let value = rule.bound.quantity.human(measured);
                let at = units::human_duration(elapsed);
                format!("{} {} reached: {value} at {at}", rule.measure, rule.bound)
            })
        };
        self.phase.stop_when.iter().find_map(found)
    }
}

/// The same measurements with the pauses cut out of their times.
fn on_load_time(snapshot: &Arc<IntervalSnapshot>) -> Arc<IntervalSnapshot> {
    if snapshot.paused_ns == 0 && snapshot.paused_before_ns == 0 {
        return Arc::clone(snapshot);
    }
    Arc::new(IntervalSnapshot {
        start_ns: snapshot.load_start_ns(),
        length_ns: snapshot.measured_ns(),
        paused_ns: 0,
        paused_before_ns: 0,
        ..IntervalSnapshot::clone(snapshot)
    })
}

#[cfg(test)]
mod tests {
    use proofload_core::metrics::{
        RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
    };
    use proofload_core::plan::{Inputs, Overrides};

    use super::*;

    fn judge(phase: &str) -> LiveJudge {
        let text = format!(
            "target = \"http://127.0.0.1:1\"\n[[user]]\nname = \"u\"\n[[user.task]]\nget = \"/\"\n\
             [[phase]]\nname = \"p\"\n{phase}\n"
        );
        let plan = Plan::parse("plan.toml", &text, &Overrides::default(), &Inputs::NONE);
        let plan = Arc::new(plan.unwrap_or_else(|errors| panic!("{errors}")));
        let phase = Arc::new(plan.phases[0].clone());
        LiveJudge::new(plan, 0, phase)
    }

    /// One second of a phase in which all answers took `ms`.
    fn second(at: u64, ms: u64) -> IntervalSnapshot {
        let mut stats = RequestStats::default();
        for _ in 0..10 {
            let response_ns = ms * 1_000_000;
            stats.record(&RequestSample { response_ns, status: 200, ..RequestSample::default() });
        }
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(0), 0, at);
        snapshot.start_ns = at * 1_000_000_000;
        snapshot.length_ns = 1_000_000_000;
        snapshot.series = vec![SeriesSnapshot { meta: Arc::new(SeriesMeta::default()), stats }];
        snapshot
    }

    /// Runs seconds with these answer times; when and how the phase ended.
    fn run(phase: &str, times_ms: &[u64]) -> Option<(u64, PhaseEnd)> {
        let (mut judge, mut totals) = (judge(phase), RunTotals::default());
        for (at, &ms) in times_ms.iter().enumerate() {
            let snapshot = second(at as u64, ms);
            totals.merge(&snapshot).expect("a known version");
            judge.see(&Arc::new(snapshot));
            let elapsed = Duration::from_secs(at as u64 + 1);
            if let Some(end) = judge.judge(&totals, elapsed, Duration::ZERO) {
                return Some((at as u64 + 1, end));
            }
        }
        None
    }

    #[test]
    fn nothing_ends_a_phase_that_holds() {
        let phase = "users = 1\nduration = \"30s\"\nexpect = { p95 = \"<50ms\" }\n\
                     abort_on_fail = true";
        assert_eq!(run(phase, &[10; 30]), None);
    }

    #[test]
    fn a_broken_limit_aborts_after_its_delay() {
        let phase = "users = 1\nduration = \"30s\"\nexpect = { max = \"<50ms\" }\n\
                     abort_on_fail = true";
        let (at, end) = run(phase, &[10, 10, 60, 10]).expect("it ends");
        assert_eq!(at, 3);
        assert!(matches!(end, PhaseEnd::Aborted(why) if why.contains("60")), "it says why");
    }

    #[test]
    fn a_stress_phase_ends_at_its_limit_by_what_is_recent() {
        let phase = "users = 1\nduration = \"60s\"\nuntil = { p95 = \">50ms\" }";
        // Twenty good seconds must not hide that the last ten are bad.
        let times: Vec<u64> = [[10; 20].as_slice(), &[100; 20]].concat();
        let (at, end) = run(phase, &times).expect("it ends");
        assert!((21..=31).contains(&at), "at {at}");
        assert!(matches!(end, PhaseEnd::LimitFound(_)));
    }
}
