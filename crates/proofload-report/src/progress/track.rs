//! What is known of a run while it is under way: counts, the last interval, how far it is.
//!
//! Memory is bounded: one histogram for the phase, one line of history.

use std::time::Duration;

use proofload_core::event::{ControlState, Interval, Mark, MarkKind, RunEvent};
use proofload_core::metrics::Histogram;
use proofload_core::plan::{Load, Phase, Plan};
use proofload_core::schedule::LoadClock;
use proofload_core::units;
use proofload_core::units::{human_ns, human_rate, human_ratio};

use crate::load_text::{counted, load_text};
use crate::style::{Style, Tone};
use crate::text::{Line, clean, fit_middle};

/// How many values of the throughput are kept: as many as the widest view shows.
const HISTORY: usize = 60;

/// What the plan says of a phase.
#[derive(Clone, Debug)]
pub(super) struct PhasePlan {
    pub(super) name: String,
    pub(super) load_text: String,
    load: Load,
    has_bursts: bool,
}

impl PhasePlan {
    fn new(phase: &Phase) -> Self {
        Self {
            name: phase.name.to_string(),
            load_text: load_text(phase),
            load: phase.load.clone(),
            has_bursts: !phase.bursts.is_empty(),
        }
    }

    /// How long it lasts by the clock, at most; none if it ends when its work is done.
    pub(super) fn duration(&self) -> Option<Duration> {
        self.load.duration()
    }

    /// Iterations after which it ends, if it ends so.
    pub(super) fn iterations(&self) -> Option<u64> {
        match &self.load {
            Load::SharedIterations { iterations, .. } => Some(*iterations),
            Load::Users(load) => {
                load.iterations_per_user.map(|each| each.saturating_mul(self.peak_users().into()))
            }
            Load::Arrivals(load) => load.max_arrivals,
        }
    }

    pub(super) fn peak_users(&self) -> u32 {
        self.load.peak_users()
    }

    /// Arrivals a second that are wanted at `at` since the start of the phase; none in the closed
    /// model. Bursts not counted.
    pub(super) fn rate_at(&self, at: Duration) -> Option<f64> {
        let Load::Arrivals(load) = &self.load else { return None };
        let (mut before, mut start) = (0.0, Duration::ZERO);
        for stage in &load.stages {
            let end = start.saturating_add(stage.over);
            if at < end {
                let share = (at - start).as_secs_f64() / stage.over.as_secs_f64();
                return Some(before + (stage.per_second - before) * share);
            }
            (before, start) = (stage.per_second, end);
        }
        Some(before)
    }

    pub(super) fn has_bursts(&self) -> bool {
        self.has_bursts
    }
}

/// Sums over some time.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) requests: u64,
    pub(super) failed: u64,
    pub(super) iterations: u64,
    pub(super) dropped: u64,
    pub(super) queued: u64,
}

impl Sums {
    pub(super) fn add(&mut self, interval: &Interval) {
        let add = |to: &mut u64, value: u64| *to = to.saturating_add(value);
        add(&mut self.requests, interval.requests.requests());
        add(&mut self.failed, interval.requests.failed());
        add(&mut self.iterations, interval.iterations.completed);
        add(&mut self.dropped, interval.iterations.dropped);
        add(&mut self.queued, interval.iterations.queued);
    }

    /// Failed requests of all; none without requests.
    pub(super) fn error_share(&self) -> Option<f64> {
        (self.requests > 0).then(|| self.failed as f64 / self.requests as f64)
    }
}

/// Figures of the last interval.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Latest {
    pub(super) per_second: f64,
    pub(super) users: u32,
    /// p50, p95 and p99 in nanoseconds; none without requests.
    pub(super) percentiles: Option<[u64; 3]>,
    /// 0…1, if known.
    pub(super) busy: Option<f64>,
    pub(super) connections: u32,
}

/// The phase that is under way.
#[derive(Debug)]
pub(super) struct Current {
    pub(super) phase: usize,
    /// When it began, since the start of the run.
    since: Duration,
    /// Its time stands still while the load is paused.
    clock: LoadClock,
    pub(super) sums: Sums,
    pub(super) latest: Option<Latest>,
    /// Time with load that was measured.
    pub(super) measured: Duration,
    response: Histogram,
}

/// How far a run is, and how long it will take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Done, 0…1.
    pub share: f64,
    /// Time left, at least; while the load is paused, from when it goes on.
    pub left: Duration,
    /// Whether a later phase may take any time.
    pub is_open_ended: bool,
}

/// What is known of a run.
#[derive(Debug)]
pub(super) struct Track {
    planned: Vec<Phase>,
    /// As the load is scaled now.
    phases: Vec<PhasePlan>,
    control: ControlState,
    /// How long the load was paused in the phases before.
    paused_before: Duration,
    current: Option<Current>,
    run: Sums,
    history: Vec<f64>,
}

/// What an event brought that is to be told in every mode.
#[derive(Debug)]
pub(super) enum News {
    None,
    PhaseEnded(Box<Current>),
    Notice(String),
}

impl Track {
    pub(super) fn new(plan: &Plan) -> Self {
        let phases = plan.phases.iter().map(PhasePlan::new).collect();
        Self {
            planned: plan.phases.clone(),
            phases,
            control: ControlState::default(),
            paused_before: Duration::ZERO,
            current: None,
            run: Sums::default(),
            history: Vec::new(),
        }
    }

    /// What somebody has made of the planned load.
    pub(super) fn control(&self) -> ControlState {
        self.control
    }

    pub(super) fn phases(&self) -> &[PhasePlan] {
        &self.phases
    }

    /// The phase under way and what the plan says of it.
    pub(super) fn current(&self) -> Option<(&Current, &PhasePlan)> {
        let current = self.current.as_ref()?;
        Some((current, self.phases.get(current.phase)?))
    }

    /// Of the whole run so far.
    pub(super) fn run(&self) -> &Sums {
        &self.run
    }

    /// Requests a second in the last intervals of the run.
    pub(super) fn history(&self) -> &[f64] {
        &self.history
    }

    pub(super) fn on_event(&mut self, event: &RunEvent, now: Duration) -> News {
        match event {
            RunEvent::PhaseStarted { phase, .. } => {
                self.current = Some(Current {
                    phase: *phase,
                    since: now,
                    clock: LoadClock::new(self.control.paused),
                    sums: Sums::default(),
                    latest: None,
                    measured: Duration::ZERO,
                    response: Histogram::default(),
                });
            }
            RunEvent::Interval(interval) => self.add(interval),
            RunEvent::PhaseEnded { phase, .. } => {
                if let Some(current) = self.current.take_if(|current| current.phase == *phase) {
                    self.paused_before += current.paused(now);
                    return News::PhaseEnded(Box::new(current));
                }
            }
            RunEvent::Notice(text) => return News::Notice(text.clone()),
            // The end of a pause is told by a mark of its own.
            RunEvent::Mark(Mark { kind: MarkKind::Control, until: Some(_), .. }) => {}
            RunEvent::Mark(mark) => return News::Notice(told(mark)),
            // What matters here is in the intervals.
            RunEvent::Snapshot(_) => {}
            RunEvent::Control(state) => self.set_control(*state, now),
        }
        News::None
    }

    fn set_control(&mut self, state: ControlState, now: Duration) {
        if let Some(current) = &mut self.current {
            let at = now.saturating_sub(current.since);
            if state.paused { current.clock.pause(at) } else { current.clock.resume(at) }
        }
        if state.scale.to_bits() != self.control.scale.to_bits() {
            let scaled = self.planned.iter().map(|phase| phase.scaled(state.scale));
            self.phases = scaled.map(|phase| PhasePlan::new(&phase)).collect();
        }
        self.control = state;
    }

    fn add(&mut self, interval: &Interval) {
        self.run.add(interval);
        let per_second = interval.requests_per_second();
        if self.history.len() == HISTORY {
            self.history.remove(0);
        }
        self.history.push(per_second);
        let Some(current) = self.current.as_mut().filter(|c| c.phase == interval.phase) else {
            return;
        };
        let response = interval.requests.response();
        current.sums.add(interval);
        current.measured = current.measured.max(interval.load_end());
        current.response.merge(&response);
        let at = |q: f64| response.value_at_quantile(q).unwrap_or(0);
        current.latest = Some(Latest {
            per_second,
            users: interval.users_active,
            percentiles: (!response.is_empty()).then(|| [at(0.5), at(0.95), at(0.99)]),
            busy: interval.generator.busy_share(),
            connections: interval.generator.open_connections,
        });
    }

    /// How far the run is; none if that cannot be known.
    pub(super) fn outlook(&self, now: Duration) -> Option<Outlook> {
        let (current, plan) = self.current()?;
        let left = current.left(plan, now)?;
        let later = &self.phases[current.phase + 1..];
        let known = later.iter().filter_map(PhasePlan::duration);
        let left = known.fold(left, Duration::saturating_add);
        // Pauses are no progress.
        let done = now.saturating_sub(self.paused_before + current.paused(now)).as_secs_f64();
        let whole = done + left.as_secs_f64();
        let share = if whole > 0.0 { done / whole } else { 0.0 };
        let is_open_ended = later.iter().any(|phase| phase.duration().is_none());
        Some(Outlook { share, left, is_open_ended })
    }
}

impl Current {
    /// How long there has been load.
    pub(super) fn elapsed(&self, now: Duration) -> Duration {
        self.clock.load_at(now.saturating_sub(self.since))
    }

    /// How long there has been none.
    fn paused(&self, now: Duration) -> Duration {
        self.clock.paused_until(now.saturating_sub(self.since))
    }

    /// Time left by the clock or by the iterations that are left, whichever is less.
    fn left(&self, plan: &PhasePlan, now: Duration) -> Option<Duration> {
        let elapsed = self.elapsed(now);
        let by_clock = plan.duration().map(|duration| duration.saturating_sub(elapsed));
        let by_work = plan.iterations().filter(|_| self.sums.iterations > 0).and_then(|all| {
            let done = self.sums.iterations;
            let ratio = all.saturating_sub(done) as f64 / done as f64;
            Duration::try_from_secs_f64(self.measured.as_secs_f64() * ratio).ok()
        });
        match (by_clock, by_work) {
            (Some(clock), Some(work)) => Some(clock.min(work)),
            (clock, work) => clock.or(work),
        }
    }

    /// `Spike  1m  12,345 requests  206/s  p95 12.3 ms  no errors`
    fn ended_line(&self, style: &Style, phases: &[PhasePlan]) -> Line {
        let mut line = Line::new(style);
        let symbols = style.symbols();
        let (mark, tone) = match self.sums.error_share() {
            Some(0.0) => (symbols.good, Tone::Good),
            Some(share) if share < 1.0 => (symbols.fair, Tone::Fair),
            _ => (symbols.bad, Tone::Bad),
        };
        let name = phases.get(self.phase).map_or("", |phase| phase.name.as_str());
        line.push(mark, tone).text(" ").push(&short_name(name, style), Tone::Bold);
        if self.sums.requests == 0 {
            line.dim("  in ").text(&clock(self.measured)).text("  no requests");
            return line;
        }
        let mut facts = Vec::new();
        let mut fact = |label: &str, text: &str| {
            let mut part = Line::new(style);
            part.text("  ").dim(label).text(text);
            facts.push(part);
        };
        fact("in ", &clock(self.measured));
        fact("", &counted(self.sums.requests, "request"));
        let seconds = self.measured.as_secs_f64();
        if seconds > 0.0 {
            fact("", &human_rate(self.sums.requests as f64 / seconds));
        }
        if let Some(p95) = self.response.value_at_quantile(0.95) {
            fact("p95 ", &human_ns(p95 as f64));
        }
        let mut failed = Line::new(style);
        failed.text("  ").append(&errors(style, &self.sums));
        // Room for the errors is kept: they matter most.
        for fact in &facts {
            if line.width() + fact.width() + failed.width() <= style.width {
                line.append(fact);
            }
        }
        line.append(&failed);
        line
    }
}

impl News {
    pub(super) fn line(&self, style: &Style, phases: &[PhasePlan]) -> Option<Line> {
        match self {
            Self::None => None,
            Self::PhaseEnded(current) => Some(current.ended_line(style, phases)),
            Self::Notice(text) => {
                let mut line = Line::new(style);
                line.push(style.symbols().fair, Tone::Fair).text(" ").text(text);
                Some(line)
            }
        }
    }
}

/// The name of a phase in a line that has to tell more: at most a third of it.
pub(super) fn short_name(name: &str, style: &Style) -> String {
    fit_middle(&clean(name, style), style.width / 3, style)
}

/// `no errors` or `12 errors (0.02%)`.
pub(super) fn errors(style: &Style, sums: &Sums) -> Line {
    let mut line = Line::new(style);
    match sums.error_share() {
        Some(share) if sums.failed > 0 => {
            let text = format!("{} ({})", counted(sums.failed, "error"), human_ratio(share));
            line.push(&text, Tone::Bad);
        }
        _ => {
            line.dim("no errors");
        }
    }
    line
}

/// A time as a clock shows it: `0:42`, `12:05`, `1:02:03`.
pub(super) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// What a mark says in the log: what happened, or that it is over.
fn told(mark: &Mark) -> String {
    match mark.until {
        Some(until) => {
            let lasted = units::human_duration(until.saturating_sub(mark.at));
            format!("over after {lasted}: {}", mark.text)
        }
        None => mark.text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofload_core::plan::{Inputs, Overrides};

    const PLAN: &str = r#"
        target = "http://127.0.0.1:1"
        [[user]]
        [[user.task]]
        get = "/"
        [[phase]]
        name = "by the clock"
        users = 10
        duration = "100s"
        [[phase]]
        name = "by both"
        users = 5
        shared_iterations = 100
        duration = "60s"
        [[phase]]
        name = "by work"
        users = 5
        shared_iterations = 100
    "#;

    #[test]
    fn how_far_a_run_is() {
        let plan = Plan::parse("plan.toml", PLAN, &Overrides::default(), &Inputs::NONE).unwrap();
        // Phase, seconds since its start, iterations done until then, seconds left in all.
        let check = |phase: usize, at: u64, done: u64, left: Option<u64>| {
            let mut track = Track::new(&plan);
            track.on_event(
                &RunEvent::PhaseStarted { phase, at: Duration::ZERO, shards: 1 },
                Duration::from_secs(1000),
            );
            let mut interval =
                Interval { phase, length: Duration::from_secs(at), ..Interval::default() };
            interval.iterations.completed = done;
            track.on_event(&RunEvent::Interval(std::sync::Arc::new(interval)), Duration::ZERO);
            let outlook = track.outlook(Duration::from_secs(1000 + at));
            assert_eq!(outlook.map(|outlook| outlook.left.as_secs()), left);
            if let Some(outlook) = outlook {
                assert_eq!(outlook.is_open_ended, phase < 2);
                let now = (1000 + at) as f64;
                assert_eq!(outlook.share, now / (now + outlook.left.as_secs_f64()));
            }
        };
        check(0, 30, 7, Some(70 + 60));
        check(0, 300, 7, Some(60));
        check(1, 10, 0, Some(50));
        check(1, 10, 50, Some(10));
        check(1, 10, 10, Some(50));
        check(1, 10, 1000, Some(0));
        check(2, 10, 0, None);
        check(2, 10, 20, Some(40));
    }

    #[test]
    fn clocks() {
        let check =
            |seconds: u64, text: &str| assert_eq!(clock(Duration::from_secs(seconds)), text);
        check(0, "0:00");
        check(59, "0:59");
        check(60, "1:00");
        check(3599, "59:59");
        check(3600, "1:00:00");
        check(360_000, "100:00:00");
    }
}
