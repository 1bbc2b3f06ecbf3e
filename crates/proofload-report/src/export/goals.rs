//! What a plan demands of each measure, over all of its phases.

use proofload_core::plan::Plan;
use proofload_core::verdict::threshold::{Aggregation, Metric};
use proofload_core::verdict::{
    Bound, Comparison, Measure, Percentile, Statistic, Threshold, Timing,
};

use super::{ExportError, Settings};

/// What is demanded of one measure.
#[derive(Clone, Debug)]
pub(super) struct Goal {
    pub(super) measure: Measure,
    /// What one wants, where it is not the limit.
    pub(super) target: Option<Bound>,
    /// What one cannot accept.
    pub(super) limit: Option<Bound>,
    /// Who demands it, in the order of the plan.
    pub(super) sources: Vec<String>,
}

/// Goals in the order in which the plan names their measures, and what there is to say about them.
#[derive(Debug, Default)]
pub(super) struct Goals {
    pub(super) list: Vec<Goal>,
    pub(super) notes: Vec<String>,
}

pub(super) fn of(plan: &Plan, settings: &Settings) -> Result<Goals, ExportError> {
    check_times(settings)?;
    let names = |name: &str| settings.phases.iter().any(|wanted| is_same(wanted, name));
    for wanted in &settings.phases {
        if !plan.phases.iter().any(|phase| is_same(wanted, &phase.name)) {
            let known: Vec<&str> = plan.phases.iter().map(|phase| &*phase.name).collect();
            return Err(ExportError::UnknownPhase {
                name: wanted.clone(),
                known: known.join(", "),
            });
        }
    }
    let mut goals = Goals::default();
    for phase in plan.phases.iter().filter(|p| settings.phases.is_empty() || names(&p.name)) {
        for expectation in &phase.expect {
            let limit = expectation.limit().copied();
            // A bare bound is said once, as critical.
            let target = expectation.target().copied().filter(|target| Some(*target) != limit);
            goals.add(expectation.measure(), target, limit, &phase.name);
        }
    }
    // Thresholds are about the run as a whole, not about the phases that were chosen.
    for threshold in plan.thresholds.iter().filter(|_| settings.phases.is_empty()) {
        match measure_of(threshold) {
            Some(measure) => {
                let bound = Bound {
                    comparison: threshold.comparison,
                    value: threshold.value,
                    quantity: threshold.quantity(),
                };
                goals.add(&measure, None, Some(bound), "thresholds");
            }
            None => goals.notes.push(format!(
                "the threshold `{threshold}` is left out: production has nothing of the kind"
            )),
        }
    }
    let is_skipped =
        |measure: &Measure| settings.skip.iter().any(|name| is_same(name, &measure.to_string()));
    goals.list.retain(|goal| !is_skipped(&goal.measure));
    Ok(goals)
}

fn check_times(settings: &Settings) -> Result<(), ExportError> {
    for (what, time) in [("the window", settings.window), ("the time to hold", settings.hold)] {
        if time.as_secs() == 0 || time.subsec_nanos() != 0 {
            return Err(ExportError::BadTime { what });
        }
    }
    Ok(())
}

fn is_same(a: &str, b: &str) -> bool {
    a.trim().to_lowercase() == b.trim().to_lowercase()
}

impl Goals {
    fn add(
        &mut self,
        measure: &Measure,
        target: Option<Bound>,
        limit: Option<Bound>,
        source: &str,
    ) {
        let Some(goal) = self.list.iter_mut().find(|goal| goal.measure == *measure) else {
            let sources = vec![source.to_owned()];
            self.list.push(Goal { measure: measure.clone(), target, limit, sources });
            return;
        };
        let before = (goal.target, goal.limit);
        goal.target = looser(goal.target, target);
        goal.limit = looser(goal.limit, limit);
        goal.sources.push(source.to_owned());
        if before != (target, limit) {
            let chosen = goal.limit.or(goal.target).map_or(String::new(), |b| b.to_string());
            let note = format!(
                "`{measure}` is not the same everywhere ({}): the loosest bound was taken, {chosen}",
                goal.sources.join(", ")
            );
            self.notes.retain(|known| !known.starts_with(&format!("`{measure}` is not")));
            self.notes.push(note);
        }
    }
}

/// The one that allows more, as far as they point the same way; else the first.
fn looser(a: Option<Bound>, b: Option<Bound>) -> Option<Bound> {
    use Comparison::{Greater, GreaterOrEqual, Less, LessOrEqual};
    let (Some(a), Some(b)) = (a, b) else { return a.or(b) };
    let is_looser = match (a.comparison, b.comparison) {
        (Less | LessOrEqual, Less | LessOrEqual) => b.value > a.value,
        (Greater | GreaterOrEqual, Greater | GreaterOrEqual) => b.value < a.value,
        _ => false,
    };
    Some(if is_looser { b } else { a })
}

/// The measure that a k6 threshold over everything is about.
fn measure_of(threshold: &Threshold) -> Option<Measure> {
    if !threshold.selector.is_empty() {
        return None;
    }
    let statistic = match threshold.aggregation {
        Aggregation::Average => Some(Statistic::Average),
        Aggregation::Median => Some(Statistic::Percentile(Percentile::P50)),
        Aggregation::Percentile(percentile) => Some(Statistic::Percentile(percentile)),
        _ => None,
    };
    match (threshold.metric, threshold.aggregation) {
        (Metric::HttpReqDuration | Metric::ResponseTime, _) => {
            Some(Measure::Time(Timing::Response, statistic?))
        }
        (Metric::ServiceTime, _) => Some(Measure::Time(Timing::Service, statistic?)),
        (Metric::HttpReqFailed, Aggregation::Rate) => Some(Measure::ErrorRate),
        (Metric::CacheHitRate, Aggregation::Rate) => Some(Measure::CacheHitRate),
        (Metric::HttpReqs, Aggregation::Rate) => Some(Measure::RequestsPerSecond),
        _ => None,
    }
}
