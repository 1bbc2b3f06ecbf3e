//! The one owner of a run's state.
//!
//! Workers report, handles ask, and the dispatcher alone decides: which phase runs, when it ends, what
//! counts. It is a plain loop over one inbox, so its state needs no locks.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use proofload_core::alert::Alerts;
use proofload_core::event::{Interval, Mark, RunEvent};
use proofload_core::metrics::IntervalSnapshot;
use proofload_core::plan::{Load, Phase, Plan};
use proofload_core::record::RunRecord;
use proofload_core::schedule::{LoadClock, Shard};

use super::judge::LiveJudge;
use super::outcome::{PhaseEnd, RunFacts, RunOutcome};
use super::wheel::{self, Wheel};
use crate::worker::{Budget, Change, Command, PhaseOrder, Report, Stop, Worker};

/// A phase begins this long after it is ordered, so that all workers have heard of it by then.
const LEAD: Duration = Duration::from_millis(5);

/// A phase that is this much over its time (graceful stop included) is cut off, and after twice that
/// its workers are given up.
const OVERDUE: Duration = Duration::from_secs(10);

/// What the dispatcher is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// By a worker.
    Worker {
        /// The worker's number.
        worker: u32,
        /// What it has to say.
        report: Report,
    },
    /// By a handle: end the run.
    Stop(Stop),
    /// By a handle: let the load stand still.
    Pause,
    /// By a handle: let it go on.
    Resume,
    /// By a handle: so many times the planned load.
    Scale(f64),
    /// By a handle: end this phase and go on with the next.
    EndPhase(usize),
}

/// The dispatcher of one run.
#[derive(Debug)]
pub(super) struct Dispatcher {
    plan: Arc<Plan>,
    workers: Vec<Option<Worker>>,
    inbox: Receiver<Message>,
    events: SyncSender<RunEvent>,
    started: Instant,
    record: RunRecord,
    ends: Vec<PhaseEnd>,
    stop: Stop,
    workers_lost: u32,
    facts: RunFacts,
    wheel: Wheel,
    /// The phase that runs, for whoever holds a handle.
    shown_phase: Arc<AtomicUsize>,
}

/// A phase that is running.
#[derive(Debug)]
struct Running {
    index: usize,
    /// As the plan has it.
    planned: Arc<Phase>,
    started: Instant,
    clock: LoadClock,
    /// Workers that have not ended the phase, by number.
    at_work: Vec<u32>,
    judge: LiveJudge,
    alerts: Alerts,
    /// How long there was load in the phases before.
    before: Duration,
    /// The moment by which it should be over, once it has been told to end.
    told_to_end: Option<Instant>,
    end: PhaseEnd,
}

impl Running {
    /// The moment by which it should be over, where that can be known: not while it is paused, and
    /// not of a load that ends when its work is done.
    fn due(&self) -> Option<Instant> {
        self.told_to_end.or_else(|| {
            let wall = self.clock.wall_of(self.planned.load.duration()?)?;
            Some(self.started + wall + self.planned.graceful_stop)
        })
    }

    /// Wall time of the phase.
    fn wall(&self) -> Duration {
        Instant::now().saturating_duration_since(self.started)
    }
}

impl Dispatcher {
    pub(super) fn new(
        plan: Arc<Plan>,
        workers: Vec<Worker>,
        inbox: Receiver<Message>,
        events: SyncSender<RunEvent>,
        facts: RunFacts,
        shown_phase: Arc<AtomicUsize>,
    ) -> Self {
        Self {
            plan,
            workers: workers.into_iter().map(Some).collect(),
            inbox,
            events,
            started: Instant::now(),
            record: RunRecord::default(),
            ends: Vec::new(),
            stop: Stop::No,
            workers_lost: 0,
            facts,
            wheel: Wheel::default(),
            shown_phase,
        }
    }

    /// Runs all phases in order.
    pub(super) fn run(mut self) -> RunOutcome {
        let plan = Arc::clone(&self.plan);
        for (index, phase) in plan.phases.iter().enumerate() {
            let end = self.run_phase(index, Arc::new(phase.clone()));
            let goes_on =
                matches!(end, PhaseEnd::Completed | PhaseEnd::LimitFound(_) | PhaseEnd::Skipped);
            self.ends.push(end);
            if !goes_on || self.stop > Stop::No {
                break;
            }
        }
        let pause = self.wheel.end(self.started.elapsed());
        self.tell_of(pause);
        RunOutcome {
            record: self.record,
            ends: self.ends,
            interrupted: self.stop > Stop::No,
            workers_lost: self.workers_lost,
            facts: self.facts,
        }
    }

    fn run_phase(&mut self, index: usize, phase: Arc<Phase>) -> PhaseEnd {
        let mut running = self.order(index, phase);
        let mut cut_off = false;
        while !running.at_work.is_empty() {
            match self.next_message(&running, cut_off) {
                Ok(Message::Worker { worker, report }) => {
                    self.hear_worker(&mut running, worker, report);
                }
                Ok(Message::Stop(how)) => self.interrupt(&mut running, how),
                Ok(Message::Pause) => self.pause(&mut running),
                Ok(Message::Resume) => self.resume(&mut running),
                Ok(Message::Scale(factor)) => self.scale(&mut running, factor),
                Ok(Message::EndPhase(index)) => self.end_by_hand(&mut running, index),
                Err(RecvTimeoutError::Timeout) if !cut_off => {
                    cut_off = true;
                    self.command(&running.at_work, Stop::Now);
                }
                // Workers that do not even answer to that are beyond help.
                Err(_) => {
                    for worker in std::mem::take(&mut running.at_work) {
                        self.lose(worker);
                    }
                    running.end = PhaseEnd::Lost;
                }
            }
        }
        let (at, early) = (self.started.elapsed(), running.end.why_early());
        for interval in self.record.end_phase(index, at, early.clone()) {
            self.tell_interval(&mut running, interval);
        }
        self.tell_of(running.alerts.end(at));
        self.tell(RunEvent::PhaseEnded { phase: index, at, early });
        running.end
    }

    /// Gives the phase to as many workers as it has work for.
    fn order(&mut self, index: usize, planned: Arc<Phase>) -> Running {
        self.shown_phase.store(index, Ordering::Relaxed);
        let control = self.wheel.state();
        let phase = Arc::new(planned.scaled(control.scale));
        let clock = LoadClock::new(control.paused);
        let present: Vec<u32> =
            (0..self.workers.len() as u32).filter(|&at| self.worker(at).is_some()).collect();
        let most = match &phase.load {
            // Every worker needs at least one user to serve arrivals with.
            Load::Arrivals(load) => load.max_users,
            Load::Users(_) | Load::SharedIterations { .. } => u32::MAX,
        };
        let count = (present.len() as u32).min(most).max(1);
        let budget = match &phase.load {
            Load::Users(load) => {
                load.iterations_per_user.map_or(Budget::Unlimited, Budget::PerUser)
            }
            Load::SharedIterations { iterations, .. } => Budget::shared(*iterations),
            Load::Arrivals(_) => Budget::Unlimited,
        };
        let started = Instant::now() + LEAD;
        let at_work: Vec<u32> = present.into_iter().take(count as usize).collect();
        for (place, &worker) in at_work.iter().enumerate() {
            if let Some(worker) = self.worker(worker) {
                worker.send(Command::Run(PhaseOrder {
                    index,
                    phase: Arc::clone(&phase),
                    shard: Shard::new(place as u32, count),
                    started,
                    clock,
                    budget: budget.clone(),
                }));
            }
        }
        let end = if at_work.is_empty() { PhaseEnd::Lost } else { PhaseEnd::Completed };
        let before = self.record.measured();
        let (at, shards) = (started - self.started, at_work.len() as u32);
        self.record.begin_phase(index, at, shards);
        self.tell(RunEvent::PhaseStarted { phase: index, at, shards });
        let judge = LiveJudge::new(Arc::clone(&self.plan), index, Arc::clone(&planned));
        let alerts = Alerts::new(&self.plan.alerts, &planned, at);
        let told_to_end = None;
        Running { index, planned, started, clock, at_work, judge, alerts, before, told_to_end, end }
    }

    fn next_message(&self, running: &Running, cut_off: bool) -> Result<Message, RecvTimeoutError> {
        let patience = if cut_off { OVERDUE * 2 } else { OVERDUE };
        match running.due() {
            Some(due) => {
                let limit = (due + patience).saturating_duration_since(Instant::now());
                self.inbox.recv_timeout(limit)
            }
            None => self.inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }

    fn hear_worker(&mut self, running: &mut Running, worker: u32, report: Report) {
        match report {
            Report::Interval(snapshot) => self.count(running, *snapshot),
            Report::PhaseEnded => running.at_work.retain(|&at| at != worker),
            Report::Gone => {
                running.at_work.retain(|&at| at != worker);
                self.lose(worker);
                if self.workers.iter().all(Option::is_none) {
                    running.end = PhaseEnd::Lost;
                }
            }
            Report::Opened(_) => {}
        }
    }

    fn count(&mut self, running: &mut Running, snapshot: IntervalSnapshot) {
        // What cannot be merged is not told either: all records of a run stay equal.
        let Ok(complete) = self.record.add(&snapshot) else { return };
        let snapshot = Arc::new(snapshot);
        running.judge.see(&snapshot);
        self.tell(RunEvent::Snapshot(snapshot));
        if let Some(interval) = complete {
            self.judge(running, interval.load_end());
            self.tell_interval(running, interval);
        }
    }

    fn tell_interval(&mut self, running: &mut Running, interval: Interval) {
        let interval = Arc::new(interval);
        let alerts = running.alerts.see(&interval);
        self.tell(RunEvent::Interval(interval));
        self.tell_of(alerts);
    }

    /// Looks whether what has been measured up to this load time ends the phase or the run.
    fn judge(&mut self, running: &mut Running, elapsed: Duration) {
        if running.end != PhaseEnd::Completed {
            return;
        }
        if let Some(end) = running.judge.judge(&self.record.totals, elapsed, running.before) {
            if let Some(why) = end.why_early() {
                self.notice(format!("{} ends: {why}", running.planned.name));
            }
            self.end_early(running, end, Stop::Gracefully);
        }
    }

    fn end_early(&self, running: &mut Running, end: PhaseEnd, how: Stop) {
        running.end = end;
        running.told_to_end = Some(Instant::now() + running.planned.graceful_stop);
        self.command(&running.at_work, how);
    }

    fn interrupt(&mut self, running: &mut Running, how: Stop) {
        if how > self.stop {
            self.stop = how;
            self.end_early(running, PhaseEnd::Interrupted, how);
        }
    }

    fn end_by_hand(&mut self, running: &mut Running, index: usize) {
        // Whoever asked may have meant the phase before.
        if running.index == index && running.end == PhaseEnd::Completed {
            let text = format!("{} ended by hand", running.planned.name);
            self.tell_of([wheel::mark(self.started.elapsed(), text)]);
            self.end_early(running, PhaseEnd::Skipped, Stop::Gracefully);
        }
    }

    fn pause(&mut self, running: &mut Running) {
        let marks = self.wheel.pause(self.started.elapsed());
        if !marks.is_empty() {
            running.clock.pause(running.wall());
            self.order_all(&running.at_work, || Command::Clock(running.clock));
            self.tell_control(marks);
        }
    }

    fn resume(&mut self, running: &mut Running) {
        let marks = self.wheel.resume(self.started.elapsed());
        if !marks.is_empty() {
            running.clock.resume(running.wall() + LEAD);
            self.order_all(&running.at_work, || Command::Clock(running.clock));
            self.tell_control(marks);
        }
    }

    fn scale(&mut self, running: &mut Running, factor: f64) {
        let marks = self.wheel.scale(factor, self.started.elapsed());
        if !marks.is_empty() {
            let phase = Arc::new(running.planned.scaled(factor));
            let from = running.clock.load_at(running.wall() + LEAD);
            let change = Change { phase, from };
            self.order_all(&running.at_work, || Command::Scale(change.clone()));
            running.alerts.load_changed();
            self.tell_control(marks);
        }
    }

    fn command(&self, workers: &[u32], stop: Stop) {
        self.order_all(workers, || Command::Stop(stop));
    }

    fn order_all(&self, workers: &[u32], command: impl Fn() -> Command) {
        for &worker in workers {
            if let Some(worker) = self.worker(worker) {
                worker.send(command());
            }
        }
    }

    fn worker(&self, number: u32) -> Option<&Worker> {
        self.workers.get(number as usize)?.as_ref()
    }

    fn lose(&mut self, number: u32) {
        if let Some(worker) = self.workers.get_mut(number as usize).and_then(Option::take) {
            self.workers_lost += 1;
            worker.abandon();
            self.notice(format!("worker {number} was lost; the load is smaller"));
        }
    }

    fn notice(&mut self, text: String) {
        self.record.note(&text);
        self.tell(RunEvent::Notice(text));
    }

    fn tell_control(&mut self, marks: Vec<Mark>) {
        self.record.control = self.wheel.state();
        self.tell(RunEvent::Control(self.record.control));
        self.tell_of(marks);
    }

    fn tell_of(&mut self, marks: impl IntoIterator<Item = Mark>) {
        for mark in marks {
            self.record.marks.add(mark.clone());
            self.tell(RunEvent::Mark(mark));
        }
    }

    /// Tells whoever listens. A renderer that does not keep up misses events; the run does not wait.
    fn tell(&self, event: RunEvent) {
        let _ = self.events.try_send(event);
    }
}
