//! What speaks against taking a change for one of the service.
//!
//! Runs are compared as if everything but the service had stayed the same. These warnings say where it
//! probably did not, or where that is not known; they change no verdict.

use super::evidence::{Block, PhaseEvidence, join_neighbours};
use super::sides::{Entry, Side};
use super::within::mean_and_variance;
use super::words;
use crate::result::{ChangeScale, ChangeVerdict};
use crate::stats::student;
use crate::verdict::{Measure, Percentile, Statistic, Timing};
use std::collections::BTreeSet;

/// Phases or requests that must all have shifted the same way for the environment to be suspected.
const MIN_SHIFTED: usize = 3;
/// They must have shifted alike: the least by at least this part of the most.
const ALIKE: f64 = 0.4;
/// Groups of blocks in which a trend is looked for, at least and at most.
const TREND_GROUPS: std::ops::RangeInclusive<usize> = 8..=16;
/// A trend is told from this change over the phase on.
const MIN_DRIFT: f64 = 0.1;
/// Chance of a trend at least as clear if there is none.
const TREND_P: f64 = 0.01;

pub(super) fn warnings(old: &Side, new: &Side, entries: &[Entry<'_>]) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(unknown_ground(old, new));
    all.extend(missing(old, new));
    all.extend(untrusted(old).into_iter().chain(untrusted(new)));
    all.extend(one_sided(entries));
    all.extend(one_after_the_other(old, new, entries));
    all.extend(drifts(old, "old").into_iter().chain(drifts(new, "new")));
    all
}

fn unknown_ground(old: &Side, new: &Side) -> Option<String> {
    let reference = &old.runs[0].ground;
    let runs = old.runs.iter().chain(&new.runs);
    let unknown: BTreeSet<_> = runs.flat_map(|run| reference.unknown(&run.ground)).collect();
    let names = unknown.into_iter().collect::<Vec<_>>().join(", ");
    (!names.is_empty()).then(|| {
        format!("whether these were the same is not known, for a result does not say: {names}")
    })
}

/// Phases and requests that are not on both sides.
fn missing(old: &Side, new: &Side) -> Vec<String> {
    let phases = |side: &Side| -> BTreeSet<String> {
        side.runs.iter().flat_map(|run| &run.phases).map(|phase| phase.name.clone()).collect()
    };
    let in_all = |name: &str| old.runs.iter().chain(&new.runs).all(|run| run.phase(name).is_some());
    let names: BTreeSet<String> = phases(old).union(&phases(new)).cloned().collect();
    let partial: Vec<String> = names.into_iter().filter(|name| !in_all(name)).collect();
    let mut all = Vec::new();
    if !partial.is_empty() {
        all.push(format!("not in every run, so not compared: {}", partial.join(", ")));
    }
    let requests = |side: &Side| -> BTreeSet<String> {
        let phases = side.runs.iter().flat_map(|run| &run.phases);
        phases.flat_map(|phase| &phase.requests).map(|request| request.name.name.clone()).collect()
    };
    let (of_old, of_new) = (requests(old), requests(new));
    let lone: Vec<String> = of_old.symmetric_difference(&of_new).cloned().collect();
    if !lone.is_empty() {
        all.push(format!("requests on one side only, so not compared: {}", lone.join(", ")));
    }
    all
}

fn untrusted(side: &Side) -> Option<String> {
    let spoilt =
        side.runs.iter().filter(|run| run.phases.iter().any(|p| !p.is_trustworthy)).count();
    (spoilt > 0).then(|| {
        format!(
            "{}: the measurement of {spoilt} of {} runs is not trustworthy",
            side.label,
            side.runs.len()
        )
    })
}

/// When everything shifted by about the same, the machine is more likely than one change of code.
fn one_sided(entries: &[Entry<'_>]) -> Option<String> {
    let p50 = Measure::Time(Timing::Response, Statistic::Percentile(Percentile::P50));
    let has_requests =
        |phase: &str| entries.iter().any(|e| e.phase == phase && e.request.is_some());
    let parts = entries.iter().filter(|e| e.request.is_some() || !has_requests(e.phase));
    let shifts: Vec<(f64, ChangeVerdict)> = parts
        .filter_map(|entry| {
            let change = entry.changes.iter().find(|change| change.measure == p50)?;
            let found = change.difference?;
            Some((found.new - found.old, change.verdict))
        })
        .collect();
    let is_found = |verdict| matches!(verdict, ChangeVerdict::Better | ChangeVerdict::Worse);
    let found = shifts.iter().filter(|(_, verdict)| is_found(*verdict)).count();
    if shifts.len() < MIN_SHIFTED || 2 * found < shifts.len() {
        return None;
    }
    let least = shifts.iter().map(|(shift, _)| *shift).fold(f64::INFINITY, f64::min);
    let most = shifts.iter().map(|(shift, _)| *shift).fold(f64::NEG_INFINITY, f64::max);
    let is_alike = least.signum() == most.signum()
        && least.abs().min(most.abs()) >= ALIKE * least.abs().max(most.abs());
    is_alike.then(|| {
        let text = |shift: f64| words::change(shift.exp_m1(), ChangeScale::Relative);
        format!(
            "all of {} requests or phases shifted the same way ({} to {} at p50): suspect the machine \
             or the network before the service",
            shifts.len(),
            text(least),
            text(most)
        )
    })
}

/// Several runs a side that do not alternate: what the machine did in between looks like a change.
fn one_after_the_other(old: &Side, new: &Side, entries: &[Entry<'_>]) -> Option<String> {
    let has_findings = entries
        .iter()
        .flat_map(|entry| &entry.changes)
        .any(|change| matches!(change.verdict, ChangeVerdict::Better | ChangeVerdict::Worse));
    if old.runs.len() < 2 || new.runs.len() < 2 || !has_findings {
        return None;
    }
    let starts = |side: &Side| -> Vec<String> {
        side.runs.iter().map(|run| run.started.clone()).filter(|s| !s.is_empty()).collect()
    };
    // RFC 3339 in UTC: the order of the texts is that of the times.
    let (last_old, first_new) = (starts(old).into_iter().max()?, starts(new).into_iter().min()?);
    let (last_new, first_old) = (starts(new).into_iter().max()?, starts(old).into_iter().min()?);
    (last_old < first_new || last_new < first_old).then(|| {
        "the runs of one side were all made before those of the other: whatever happened to the \
         machine in between is part of the change; `--repeat N --against TARGET` alternates"
            .to_owned()
    })
}

/// Phases whose response times rise or fall while the load does not.
fn drifts(side: &Side, which: &str) -> Vec<String> {
    let mut names: Vec<(String, usize, f64)> = Vec::new();
    for phase in side.runs.iter().flat_map(|run| &run.phases) {
        let Some(size) = drift(phase) else { continue };
        match names.iter_mut().find(|(name, ..)| *name == phase.name) {
            Some((_, count, most)) => {
                *count += 1;
                if size.abs() > most.abs() {
                    *most = size;
                }
            }
            None => names.push((phase.name.clone(), 1, size)),
        }
    }
    let runs = side.runs.len();
    let text = |(name, count, most): (String, usize, f64)| {
        let size = words::change(most.exp_m1(), ChangeScale::Relative);
        let of = if runs > 1 { format!(" in {count} of {runs} runs") } else { String::new() };
        format!(
            "{which}: response times drift within {name}{of} (median {size} from its beginning to its \
             end): a warm-up or a leak; the figures depend on how long the phase is"
        )
    };
    names.into_iter().map(text).collect()
}

/// The change of the median over the phase on the scale of logarithms, if it is clear and the request
/// rate has no trend of its own.
fn drift(phase: &PhaseEvidence) -> Option<f64> {
    let count = phase.blocks.len();
    if count < *TREND_GROUPS.start() {
        return None;
    }
    let groups = join_neighbours(&phase.blocks, count.div_ceil(*TREND_GROUPS.end()));
    // The last one may be cut short.
    let groups = &groups[..groups.len() - usize::from(groups.len() > *TREND_GROUPS.start())];
    let median = |block: &Block| Some((block.response.value_at_quantile(0.5)?.max(1) as f64).ln());
    let medians: Option<Vec<f64>> = groups.iter().map(median).collect();
    let rates: Vec<f64> = groups.iter().map(|group| group.response.count() as f64).collect();
    let (mean, _) = mean_and_variance(&rates)?;
    let (rate_slope, rate_p) = trend(&rates)?;
    let is_steady = rate_p > TREND_P || (rate_slope / mean).abs() < MIN_DRIFT;
    let (change, p) = trend(&medians?)?;
    (is_steady && p <= TREND_P && change.abs() >= MIN_DRIFT).then_some(change)
}

/// The change from the first to the last value by Theil and Sen's slope (Sen, Journal of the American
/// Statistical Association 63, 1968), and the two-sided p-value of Mann's test of trend (Econometrica
/// 13, 1945) in its normal approximation.
fn trend(values: &[f64]) -> Option<(f64, f64)> {
    let n = values.len();
    if n < 3 {
        return None;
    }
    let (mut slopes, mut score) = (Vec::with_capacity(n * (n - 1) / 2), 0.0);
    for (at, first) in values.iter().enumerate() {
        for (distance, second) in values[at + 1..].iter().enumerate() {
            slopes.push((second - first) / (distance + 1) as f64);
            score += (second - first).partial_cmp(&0.0).map_or(0.0, |order| f64::from(order as i8));
        }
    }
    slopes.sort_by(f64::total_cmp);
    let slope = slopes[slopes.len() / 2];
    let n = n as f64;
    let deviation = (n * (n - 1.0) * (2.0 * n + 5.0) / 18.0).sqrt();
    let z = (f64::abs(score) - 1.0).max(0.0) / deviation;
    Some((slope * (n - 1.0), student::two_sided_p(z, f64::INFINITY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trends_by_hand() {
        let rising: Vec<f64> = (0..10).map(f64::from).collect();
        let (change, p) = trend(&rising).unwrap();
        // All 45 pairs rise: z = 44 / √125 = 3.935.
        assert!((change - 9.0).abs() < 1e-12);
        assert!((p / 8.3e-5 - 1.0).abs() < 0.01, "{p}");
        let (change, p) = trend(&[1.0; 10]).unwrap();
        assert_eq!((change, p), (0.0, 1.0));
        assert_eq!(trend(&[1.0, 2.0]), None);
    }
}
