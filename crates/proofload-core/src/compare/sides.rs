//! The comparison as a whole.

use super::difference::{self, PhaseOfRun, Place, difference};
use super::evidence::RunEvidence;
use super::ground::{Aspect, NotComparable};
use super::judge::{Change, FALSE_DISCOVERY_RATE, judge};
use super::measured::{as_change, off_scale};
use super::rule::{ComparisonRules, Scope};
use super::{outcome, suspicion, words};
use crate::result::{ChangeRow, ChangeScale, Comparison, ComparisonEntry, RequestName, SideRow};
use crate::verdict::{Measure, Percentile, Statistic, Timing};
use std::collections::BTreeSet;

/// Share of a side's runs that may be untrustworthy before nothing is taken from the phase.
const MAX_UNTRUSTED_SHARE: f64 = 0.2;

/// One or more runs that are taken for the same.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Side {
    /// What it is called: the name of a file or of a baseline.
    pub label: String,
    /// At least one.
    pub runs: Vec<RunEvidence>,
}

/// Why nothing is compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// Other machine, plan or target.
    #[error(transparent)]
    NotComparable(#[from] NotComparable),
    /// No run, or none that measured anything.
    #[error("{0} has no phase that was run")]
    Nothing(String),
    /// Not one phase is on both sides.
    #[error("{old} and {new} have no phase in common: {old_phases} there, {new_phases} here")]
    NoCommonPhase {
        /// Name of the old side.
        old: String,
        /// Name of the new side.
        new: String,
        /// Phases of the old side.
        old_phases: String,
        /// Phases of the new side.
        new_phases: String,
    },
}

/// A phase or request on both sides, with its changes.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) phase: &'a str,
    pub(super) request: Option<RequestName>,
    pub(super) changes: Vec<Change>,
}

impl Entry<'_> {
    /// `Normal load` or `GET /a in Normal load`, for messages.
    pub(super) fn title(&self) -> String {
        match &self.request {
            None => self.phase.to_owned(),
            Some(request) => format!("{} in {}", request.name, self.phase),
        }
    }
}

/// Compares new runs with old ones. Aspects in `allowed` may differ.
///
/// The result does not depend on the order of the runs on a side; exchanging the sides exchanges better
/// and worse.
///
/// # Errors
/// When the runs are not comparable, or have nothing in common.
pub fn compare(
    old: &Side,
    new: &Side,
    rules: &ComparisonRules,
    allowed: &[Aspect],
) -> Result<Comparison, CompareError> {
    for side in [old, new] {
        if side.runs.is_empty() || side.runs.iter().any(|run| run.phases.is_empty()) {
            return Err(CompareError::Nothing(side.label.clone()));
        }
    }
    check_ground(old, new, allowed)?;
    let phases = common_phases(old, new);
    if phases.is_empty() {
        return Err(no_common_phase(old, new));
    }
    let mut entries: Vec<Entry<'_>> =
        phases.iter().flat_map(|phase| entries_of(phase, old, new, rules)).collect();
    let judged = judge(entries.iter_mut().flat_map(|entry| &mut entry.changes));
    let rows = outcome::rules(&rules.rules, &entries);
    Ok(Comparison {
        old: side_row(old),
        new: side_row(new),
        level: difference::LEVEL,
        false_discovery_rate: FALSE_DISCOVERY_RATE,
        has_regressed: rows.iter().any(|row| row.fired),
        rules: rows,
        goals: outcome::goals(&rules.goals, &entries),
        warnings: suspicion::warnings(old, new, &entries),
        hint: hint(old, new, &entries),
        entries: entries.iter().map(|entry| entry_row(entry, judged)).collect(),
    })
}

fn check_ground(old: &Side, new: &Side, allowed: &[Aspect]) -> Result<(), NotComparable> {
    let reference = &old.runs[0].ground;
    let mut differences = Vec::new();
    for run in old.runs.iter().chain(&new.runs) {
        for difference in reference.differences(&run.ground) {
            if !allowed.contains(&difference.aspect) && !differences.contains(&difference) {
                differences.push(difference);
            }
        }
    }
    if differences.is_empty() { Ok(()) } else { Err(NotComparable { differences }) }
}

/// Names of the phases that all runs have, in the order of the new plan.
fn common_phases<'a>(old: &Side, new: &'a Side) -> Vec<&'a str> {
    let in_all = |name: &str| old.runs.iter().chain(&new.runs).all(|run| run.phase(name).is_some());
    let names = new.runs[0].phases.iter().map(|phase| phase.name.as_str());
    names.filter(|name| in_all(name)).collect()
}

fn no_common_phase(old: &Side, new: &Side) -> CompareError {
    let names = |side: &Side| {
        let names = side.runs.iter().flat_map(|run| &run.phases).map(|phase| phase.name.as_str());
        names.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(", ")
    };
    CompareError::NoCommonPhase {
        old: old.label.clone(),
        new: new.label.clone(),
        old_phases: names(old),
        new_phases: names(new),
    }
}

/// The phase as a whole, and its requests if there are several.
fn entries_of<'a>(
    name: &'a str,
    old: &Side,
    new: &Side,
    rules: &ComparisonRules,
) -> Vec<Entry<'a>> {
    let (old, new) = (phase_of_runs(old, name), phase_of_runs(new, name));
    let why = untrusted(&old).or_else(|| untrusted(&new));
    let entry = |request: Option<RequestName>| {
        let old = Place { phases: &old, request: request.as_ref() };
        let new = Place { phases: &new, request: request.as_ref() };
        let changes = measures(&old, &new, rules).into_iter().map(|measure| {
            let found = difference(&measure, &old, &new);
            Change::new(measure, found, why.clone())
        });
        Entry { phase: name, changes: changes.collect(), request: request.clone() }
    };
    let requests = common_requests(&old, &new).into_iter().map(Some);
    std::iter::once(None).chain(requests).map(entry).collect()
}

fn phase_of_runs<'a>(side: &'a Side, name: &str) -> Vec<PhaseOfRun<'a>> {
    side.runs.iter().filter_map(|run| run.phase(name)).map(PhaseOfRun::new).collect()
}

/// The requests that all runs have; none where there is only one, for then it is the phase.
fn common_requests(old: &[PhaseOfRun<'_>], new: &[PhaseOfRun<'_>]) -> Vec<RequestName> {
    let all = || old.iter().chain(new).map(|phase| phase.evidence);
    let most = all().map(|phase| phase.requests.len()).max().unwrap_or(0);
    let in_all = |name: &RequestName| all().all(|phase| phase.request(name).is_some());
    let names = new.iter().take(1).flat_map(|phase| &phase.evidence.requests);
    let names = names.map(|request| request.name.clone()).filter(in_all);
    if most > 1 { names.collect() } else { Vec::new() }
}

/// Why nothing is to be taken from a phase, if too many runs were spoilt.
fn untrusted(phases: &[PhaseOfRun<'_>]) -> Option<String> {
    let spoilt = phases.iter().filter(|phase| !phase.evidence.is_trustworthy).count();
    let is_too_much = spoilt as f64 > MAX_UNTRUSTED_SHARE * phases.len() as f64;
    is_too_much.then(|| "the measurement is not trustworthy".to_owned())
}

/// What is compared: the usual measures, monitors that both sides have, and what rules and goals name.
fn measures(old: &Place<'_>, new: &Place<'_>, rules: &ComparisonRules) -> Vec<Measure> {
    let scope = if new.request.is_some() { Scope::Request } else { Scope::Phase };
    let percentile =
        |percentile| Measure::Time(Timing::Response, Statistic::Percentile(percentile));
    let mut all = vec![
        Measure::Time(Timing::Response, Statistic::Average),
        percentile(Percentile::P50),
        percentile(Percentile::P90),
        percentile(Percentile::P95),
        percentile(Percentile::P99),
        Measure::RequestsPerSecond,
        Measure::ErrorRate,
    ];
    let mut named = Vec::new();
    let has = |place: &Place<'_>, name: &str| {
        place.phases.iter().all(|phase| phase.evidence.monitors.contains_key(name))
    };
    if scope == Scope::Phase {
        let monitors = new.phases.iter().flat_map(|phase| phase.evidence.monitors.keys());
        let both = monitors.filter(|name| has(old, name) && has(new, name));
        named.extend(both.cloned().map(Measure::Monitor));
        named.extend(rules.goals.iter().map(|goal| goal.measure.clone()));
    }
    let of_scope = rules.rules.iter().filter(|rule| rule.scope == scope);
    named.extend(of_scope.map(|rule| rule.measure.clone()));
    for measure in named {
        let is_absent =
            matches!(&measure, Measure::Monitor(name) if !has(old, name) || !has(new, name));
        if !all.contains(&measure) && !is_absent {
            all.push(measure);
        }
    }
    all
}

fn side_row(side: &Side) -> SideRow {
    SideRow {
        label: side.label.clone(),
        target: side.runs[0].ground.target.clone(),
        runs: side.runs.iter().map(|run| run.started.clone()).collect(),
        requests: side.runs.iter().fold(0, |sum, run| sum.saturating_add(run.requests())),
    }
}

/// `judged`: changes that were judged together.
fn entry_row(entry: &Entry<'_>, judged: usize) -> ComparisonEntry {
    ComparisonEntry {
        phase: entry.phase.to_owned(),
        request: entry.request.clone(),
        changes: entry.changes.iter().map(|change| change_row(change, judged)).collect(),
    }
}

fn change_row(change: &Change, judged: usize) -> ChangeRow {
    let quantity = change.measure.quantity();
    let blank = ChangeRow {
        measure: change.measure.to_string(),
        unit: quantity.unit().to_owned(),
        adjusted_p_value: change.adjusted_p,
        verdict: change.verdict,
        why: change.why.clone(),
        ..ChangeRow::default()
    };
    let Some(found) = change.difference else {
        let why = blank.why.clone().or_else(|| Some("not measured on both sides".to_owned()));
        return ChangeRow { why, ..blank };
    };
    let scale = found.scale;
    let (old, new) = (off_scale(found.old, scale), off_scale(found.new, scale));
    let size = as_change(found.new - found.old, scale);
    let finite = |value: f64| value.is_finite().then(|| as_change(value, scale));
    let known = found.known;
    let unknown = || match known {
        None => Some("too few blocks of time".to_owned()),
        // Without this its interval, which is that of one measure, would seem to say otherwise.
        Some(_) if change.is_clear_only_by_itself() => {
            Some(format!("may be chance, one of {judged}"))
        }
        Some(known) if change.is_open() && !(known.low.is_finite() && known.high.is_finite()) => {
            Some("too few requests".to_owned())
        }
        Some(_) => None,
    };
    ChangeRow {
        old: Some(quantity.in_unit(old)),
        new: Some(quantity.in_unit(new)),
        old_text: quantity.human(old),
        new_text: quantity.human(new),
        scale,
        change: Some(size),
        low: known.and_then(|known| finite(known.low)),
        high: known.and_then(|known| finite(known.high)),
        change_text: words::change(size, scale),
        interval_text: known
            .map_or_else(String::new, |known| words::interval(known.low, known.high, scale)),
        p_value: known.map(|known| known.p_value),
        why: blank.why.clone().or_else(unknown),
        ..blank
    }
}

/// What would tell more.
fn hint(old: &Side, new: &Side, entries: &[Entry<'_>]) -> Option<String> {
    let mut changes = entries.iter().flat_map(|entry| &entry.changes);
    let runs = old.runs.len() + new.runs.len();
    if !changes.any(Change::is_open) {
        return None;
    }
    let few = runs as f64 - 2.0 < difference::MIN_REPEATED_DF;
    Some(if few {
        "so few runs do not show how much runs differ anyway, so only large changes can be told; \
         several runs a side tell small ones: `proofload run PLAN --repeat 12`"
            .to_owned()
    } else {
        "more runs a side make the intervals narrower: `--repeat` with a larger number".to_owned()
    })
}

/// The change of a row as rules and goals measure it: in the base unit where they are absolute.
pub(super) fn in_base_unit(old: f64, difference: f64, scale: ChangeScale) -> f64 {
    match scale {
        ChangeScale::Relative => off_scale(old, scale) * difference.exp_m1(),
        ChangeScale::Points => difference,
    }
}
