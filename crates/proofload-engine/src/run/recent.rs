//! What was measured lately: what rules that end a phase look at.
//!
//! Where the load rises in steps that is the current step, else a sliding window. A step may take
//! hours, so its snapshots are merged as they come; only the short window keeps them one by one.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use proofload_core::metrics::{IntervalSnapshot, RunTotals};
use proofload_core::plan::Phase;

/// How far back is looked where the load does not rise in steps.
const WINDOW: Duration = Duration::from_secs(10);

/// Intervals a window or step needs at least before it is judged.
const MIN_INTERVALS: usize = 3;

/// Steps kept at a time: the current one, and the next for which a quick worker may have reported.
const MAX_STEPS: usize = 3;

/// What was measured lately in one phase.
#[derive(Debug)]
pub(super) enum Recent {
    Window(VecDeque<Arc<IntervalSnapshot>>),
    Steps { every_ns: u64, steps: BTreeMap<u64, Step> },
}

/// What was measured in a step after its warm-up.
#[derive(Debug, Default)]
pub(super) struct Step {
    /// When what is looked at begins; times in the totals are counted from there.
    begin_ns: u64,
    totals: RunTotals,
    /// Starts of different intervals, as many as it takes to be judged.
    starts: BTreeSet<u64>,
}

impl Recent {
    /// For a load that rises `step_every` so often, or not in steps.
    pub(super) fn new(step_every: Option<Duration>) -> Self {
        match step_every {
            None => Self::Window(VecDeque::new()),
            Some(every) => Self::Steps { every_ns: nanos(every).max(1), steps: BTreeMap::new() },
        }
    }

    /// Takes note of what a worker measured.
    pub(super) fn add(&mut self, snapshot: Arc<IntervalSnapshot>) {
        match self {
            Self::Window(snapshots) => {
                let from_ns = snapshot.end_ns().saturating_sub(nanos(2 * WINDOW));
                snapshots.retain(|old| old.start_ns >= from_ns);
                snapshots.push_back(snapshot);
            }
            Self::Steps { every_ns, steps } => {
                let number = snapshot.start_ns / *every_ns;
                let warm_from_ns = number * *every_ns + *every_ns / u64::from(Phase::STEP_WARM_UP);
                if snapshot.start_ns < warm_from_ns {
                    return;
                }
                let step = steps.entry(number).or_default();
                if step.starts.is_empty() {
                    step.begin_ns = snapshot.start_ns;
                }
                if step.starts.len() < MIN_INTERVALS {
                    step.starts.insert(snapshot.start_ns);
                }
                merge_from(&mut step.totals, &snapshot, step.begin_ns);
                if steps.len() > MAX_STEPS {
                    steps.pop_first();
                }
            }
        }
    }

    /// Heap memory in bytes, for accounting.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let series = |snapshot: &Arc<IntervalSnapshot>| -> usize {
            snapshot.series.iter().map(|s| size_of_val(s) + s.stats.heap_bytes()).sum()
        };
        match self {
            Self::Window(snapshots) => snapshots.iter().map(series).sum(),
            Self::Steps { steps, .. } => steps.values().map(|step| step.totals.heap_bytes()).sum(),
        }
    }

    /// What is to be judged at `elapsed`, with times counted from where it begins; nothing while
    /// there is too little of it.
    pub(super) fn totals(&mut self, elapsed: Duration) -> Option<Cow<'_, RunTotals>> {
        match self {
            Self::Window(snapshots) => window(snapshots, elapsed).map(Cow::Owned),
            Self::Steps { every_ns, steps } => {
                // An interval that ends with a step still belongs to it.
                let number = nanos(elapsed).saturating_sub(1) / *every_ns;
                steps.retain(|&at, _| at >= number);
                let step = steps.get(&number)?;
                (step.starts.len() >= MIN_INTERVALS).then_some(Cow::Borrowed(&step.totals))
            }
        }
    }
}

/// The last [`WINDOW`] before `elapsed` in one.
fn window(snapshots: &mut VecDeque<Arc<IntervalSnapshot>>, elapsed: Duration) -> Option<RunTotals> {
    let from_ns = nanos(elapsed.saturating_sub(WINDOW));
    snapshots.retain(|snapshot| snapshot.start_ns >= from_ns);
    let starts: BTreeSet<_> = snapshots.iter().map(|snapshot| snapshot.start_ns).collect();
    let begin_ns = *starts.first()?;
    if starts.len() < MIN_INTERVALS {
        return None;
    }
    let mut totals = RunTotals::default();
    for snapshot in snapshots.iter() {
        merge_from(&mut totals, snapshot, begin_ns);
    }
    Some(totals)
}

fn merge_from(totals: &mut RunTotals, snapshot: &IntervalSnapshot, begin_ns: u64) {
    let start_ns = snapshot.start_ns.saturating_sub(begin_ns);
    let snapshot = IntervalSnapshot { start_ns, ..snapshot.clone() };
    // A snapshot of another version has not come this far.
    let _ = totals.merge(&snapshot);
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proofload_core::metrics::{
        RequestSample, RequestStats, SeriesMeta, SeriesSnapshot, ShardId,
    };

    use super::*;

    /// A second of a phase as a worker reports it: `requests` over three orders of magnitude.
    fn second(worker: u32, at: u64, requests: u64) -> IntervalSnapshot {
        let mut stats = RequestStats::default();
        for number in 0..requests {
            let response_ns = 100_000 << (number % 10) | (number * 1_117 % 50_000);
            let service_ns = Some(response_ns / 2);
            stats.record(&RequestSample { response_ns, service_ns, ..RequestSample::default() });
        }
        let mut snapshot = IntervalSnapshot::new(ShardId::worker(worker), 0, at);
        snapshot.start_ns = at * 1_000_000_000;
        snapshot.length_ns = 1_000_000_000;
        snapshot.series = vec![SeriesSnapshot { meta: Arc::new(SeriesMeta::default()), stats }];
        snapshot
    }

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    /// Requests that are looked at after each second, of two workers with one request a second each.
    fn looked_at(step_every: Option<Duration>, length: u64) -> Vec<u64> {
        let mut recent = Recent::new(step_every);
        let after = |at: u64| {
            // One worker is a second ahead of the other.
            recent.add(Arc::new(second(0, at + 1, 1)));
            if at > 0 {
                recent.add(Arc::new(second(1, at, 1)));
            }
            let totals = recent.totals(seconds(at + 1));
            totals.map_or(0, |totals| totals.phase(0).map_or(0, |p| p.requests().requests()))
        };
        (0..length).map(after).collect()
    }

    #[test]
    fn a_step_is_looked_at_without_its_warm_up_and_without_the_next() {
        // Steps of 5 s: seconds 1 to 4 of each count, from the third of them on; that one may be
        // there from the quick worker only.
        let counts = looked_at(Some(seconds(5)), 15);
        for step in counts.chunks(5) {
            assert_eq!(step, [0, 0, 5, 7, 8]);
        }
    }

    #[test]
    fn the_window_slides() {
        let counts = looked_at(None, 30);
        assert!(counts[15..].iter().all(|&count| count == 21), "{counts:?}");
    }

    #[test]
    fn a_step_of_hours_takes_no_more_memory_than_one_of_minutes() {
        let mut recent = Recent::new(Some(seconds(3 * 3_600)));
        let mut bytes = Vec::new();
        for at in 0..10_800 {
            recent.add(Arc::new(second((at % 2) as u32, at, 40)));
            if at == 4_000 || at == 10_799 {
                bytes.push(recent.totals(seconds(at + 1)).expect("judged").heap_bytes());
            }
        }
        assert!(bytes[1] < bytes[0] + bytes[0] / 4, "{bytes:?}");
        assert!(bytes[1] < 8 << 20, "{bytes:?}");
    }
}
