//! What became of many comparisons.

use proofload_core::compare::{ComparisonRules, Side, compare};
use proofload_core::result::{ChangeVerdict, Comparison};

/// Counts of outcomes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Comparisons made.
    pub(crate) comparisons: u32,
    /// With any measure of any phase or request called better or worse.
    pub(crate) any_finding: u32,
    /// With any measure called worse.
    pub(crate) any_worse: u32,
    /// With a rule that fired: a release would have been stopped.
    pub(crate) fired: u32,
    /// With p50, p95 of the whole phase called worse.
    pub(crate) p50_worse: u32,
    pub(crate) p95_worse: u32,
    /// With any of avg, p50, p90, p95 of the whole phase called worse.
    pub(crate) time_worse: u32,
}

impl Tally {
    /// Compares two sides and counts what comes out.
    pub(crate) fn add(&mut self, old: &Side, new: &Side) -> Result<(), String> {
        let found =
            compare(old, new, &ComparisonRules::default(), &[]).map_err(|e| e.to_string())?;
        let verdicts = || found.entries.iter().flat_map(|entry| &entry.changes).map(|c| c.verdict);
        let count = |is: bool| u32::from(is);
        self.comparisons += 1;
        self.any_worse += count(verdicts().any(|verdict| verdict == ChangeVerdict::Worse));
        self.any_finding +=
            count(verdicts().any(|v| matches!(v, ChangeVerdict::Worse | ChangeVerdict::Better)));
        self.fired += count(found.has_regressed);
        let is = |measure: &str, verdict| of_phase(&found, measure) == Some(verdict);
        self.p50_worse += count(is("p50", ChangeVerdict::Worse));
        self.p95_worse += count(is("p95", ChangeVerdict::Worse));
        let times = ["avg", "p50", "p90", "p95"];
        self.time_worse += count(times.iter().any(|time| is(time, ChangeVerdict::Worse)));
        Ok(())
    }

    /// Adds another one.
    pub(crate) fn merge(&mut self, other: &Self) {
        self.comparisons += other.comparisons;
        self.any_finding += other.any_finding;
        self.any_worse += other.any_worse;
        self.fired += other.fired;
        self.p50_worse += other.p50_worse;
        self.p95_worse += other.p95_worse;
        self.time_worse += other.time_worse;
    }

    /// A count as a share.
    pub(crate) fn share(&self, count: u32) -> f64 {
        f64::from(count) / f64::from(self.comparisons.max(1))
    }
}

fn of_phase(found: &Comparison, measure: &str) -> Option<ChangeVerdict> {
    let phase = found.entries.iter().find(|entry| entry.request.is_none())?;
    Some(phase.changes.iter().find(|change| change.measure == measure)?.verdict)
}
