//! What was measured lately in a phase: the window in full, and figures of what was before it.

use std::cell::OnceCell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::event::Interval;
use crate::metrics::{IterationStats, RequestStats};
use crate::plan::Load;
use crate::verdict::Figures;

/// How far back before the window is looked for what is usual.
const REFERENCE: Duration = Duration::from_secs(60);
/// Intervals before the window without which nobody knows what is usual.
const MIN_REFERENCE: usize = 10;

/// The figures of an interval that are kept longer than the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Brief {
    seconds: f64,
    requests: u64,
    failed: u64,
    /// Users in closed load, arrivals a second in open load.
    load: f64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct History {
    window: Duration,
    is_open: bool,
    recent: VecDeque<Arc<Interval>>,
    before: VecDeque<Brief>,
    /// Computed when the first rule asks.
    figures: OnceCell<WindowFigures>,
}

/// The window in figures.
#[derive(Debug)]
pub(super) struct WindowFigures {
    pub(super) all: Figures,
    pub(super) older: Figures,
    pub(super) younger: Figures,
}

/// What is usual: the median of the intervals before the window.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    /// Requests a second.
    pub(super) rps: f64,
    /// Users, or arrivals a second.
    pub(super) load: f64,
    /// Share of requests that fail, over all of them; nothing without requests.
    pub(super) error_share: Option<f64>,
}

impl History {
    pub(super) fn new(window: Duration, load: &Load) -> Self {
        let is_open = matches!(load, Load::Arrivals(_));
        Self {
            window,
            is_open,
            recent: VecDeque::new(),
            before: VecDeque::new(),
            figures: OnceCell::new(),
        }
    }

    pub(super) fn add(&mut self, interval: Arc<Interval>) {
        self.figures = OnceCell::new();
        self.recent.push_back(interval);
        while self.recent.len() > 1 && self.length_without_first() >= self.window {
            let Some(old) = self.recent.pop_front() else { break };
            self.before.push_back(self.brief(&old));
        }
        let seconds = |before: &VecDeque<Brief>| before.iter().map(|b| b.seconds).sum::<f64>();
        while seconds(&self.before) > REFERENCE.as_secs_f64() {
            self.before.pop_front();
        }
    }

    /// Everything so far is no measure for what comes.
    pub(super) fn forget(&mut self) {
        self.figures = OnceCell::new();
        self.recent.clear();
        self.before.clear();
    }

    fn length_without_first(&self) -> Duration {
        self.recent.iter().skip(1).map(|interval| interval.length).sum()
    }

    fn brief(&self, interval: &Interval) -> Brief {
        Brief {
            seconds: interval.length.as_secs_f64(),
            requests: interval.requests.requests(),
            failed: interval.requests.failed(),
            load: self.load_of(interval),
        }
    }

    /// How much load there was in an interval: users, or arrivals a second.
    pub(super) fn load_of(&self, interval: &Interval) -> f64 {
        if self.is_open {
            offered(interval) as f64 / interval.length.as_secs_f64().max(1e-9)
        } else {
            f64::from(interval.users_active)
        }
    }

    /// The intervals of the window, oldest first.
    pub(super) fn intervals(&self) -> impl ExactSizeIterator<Item = &Arc<Interval>> {
        self.recent.iter()
    }

    /// The younger half of the window, at least one interval.
    pub(super) fn younger(&self) -> impl ExactSizeIterator<Item = &Arc<Interval>> {
        self.recent.iter().skip(self.recent.len() / 2)
    }

    /// The older half of the window.
    pub(super) fn older(&self) -> impl ExactSizeIterator<Item = &Arc<Interval>> {
        self.recent.iter().take(self.recent.len() / 2)
    }

    /// Whether there is a whole window, give or take an interval.
    pub(super) fn is_full(&self) -> bool {
        let length: Duration = self.recent.iter().map(|interval| interval.length).sum();
        length >= self.window.mul_f64(0.9) && self.recent.len() >= 2
    }

    /// What is usual; nothing while too little came before the window.
    pub(super) fn usual(&self) -> Option<Usual> {
        if self.before.len() < MIN_REFERENCE {
            return None;
        }
        let rps = |b: &Brief| b.requests as f64 / b.seconds.max(1e-9);
        let requests: u64 = self.before.iter().map(|b| b.requests).sum();
        let failed: u64 = self.before.iter().map(|b| b.failed).sum();
        Some(Usual {
            rps: median(self.before.iter().map(rps)),
            load: median(self.before.iter().map(|b| b.load)),
            error_share: (requests > 0).then(|| failed as f64 / requests as f64),
        })
    }

    /// The window in figures.
    pub(super) fn figures(&self) -> &WindowFigures {
        self.figures.get_or_init(|| {
            let (older, younger) = (Sum::of(self.older()), Sum::of(self.younger()));
            let mut all = Sum::of(std::iter::empty());
            for half in [&older, &younger] {
                all.requests.merge(&half.requests);
                all.iterations.merge(&half.iterations);
                all.seconds += half.seconds;
            }
            WindowFigures { all: all.figures(), older: older.figures(), younger: younger.figures() }
        })
    }

    /// Whether the load is open.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }
}

/// Arrivals of open load: those that were started at once, had to wait, or were dropped.
pub(super) fn offered(interval: &Interval) -> u64 {
    let iterations = &interval.iterations;
    iterations.start_lag.count() + iterations.queued + iterations.dropped
}

/// Everything that was measured in some intervals.
#[derive(Default)]
struct Sum {
    requests: RequestStats,
    iterations: IterationStats,
    seconds: f64,
}

impl Sum {
    fn of<'a>(intervals: impl Iterator<Item = &'a Arc<Interval>>) -> Self {
        let mut sum = Self::default();
        for interval in intervals {
            sum.requests.merge(&interval.requests);
            sum.iterations.merge(&interval.iterations);
            sum.seconds += interval.length.as_secs_f64();
        }
        sum
    }

    fn figures(self) -> Figures {
        Figures::new(self.requests, self.iterations, self.seconds)
    }
}

/// The figures of one interval.
pub(super) fn figures_of(interval: &Interval) -> Figures {
    let seconds = interval.length.as_secs_f64();
    Figures::new(interval.requests.clone(), interval.iterations.clone(), seconds)
}

/// The middle one; of an even number the lower.
fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len().saturating_sub(1) / 2).copied().unwrap_or(0.0)
}
