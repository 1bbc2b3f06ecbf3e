//! The thread of a worker: opens the workload, then runs phases as they are ordered.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use proofload_core::metrics::{IntervalSnapshot, ShardId};
use proofload_core::plan::{Burst, BurstSize, Load, Overload, Phase};
use proofload_core::schedule::{self, LoadClock, Mix, Shard};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::budget::Budget;
use super::control::{Change, Control};
use super::driver::{Driver, Ending};
use super::pool::{Pool, PoolSettings};
use super::recorder::{Recorder, SnapshotStamp};
use super::stop::{Stop, StopSignal};
use super::timer::PreciseTimer;
use crate::run::Message;
use crate::workload::{PhaseContext, SetupError, UserSource, WorkerContext, Workload};

/// How often a worker reports what it has recorded.
pub(crate) const INTERVAL: Duration = Duration::from_secs(1);

/// What the dispatcher tells a worker.
#[derive(Debug)]
pub(crate) enum Command {
    /// Run a phase.
    Run(PhaseOrder),
    /// End the phase that is running.
    Stop(Stop),
    /// Pause its load, or resume it.
    Clock(LoadClock),
    /// Put on more or less load.
    Scale(Change),
}

/// A phase to run.
#[derive(Clone, Debug)]
pub(crate) struct PhaseOrder {
    /// The phase's place in the plan.
    pub(crate) index: usize,
    pub(crate) phase: Arc<Phase>,
    /// Which part of the phase's load is this worker's.
    pub(crate) shard: Shard,
    /// The moment in which the phase begins, the same for all workers.
    pub(crate) started: Instant,
    /// Whether it begins paused.
    pub(crate) clock: LoadClock,
    pub(crate) budget: Budget,
}

/// What a worker tells the dispatcher.
#[derive(Debug)]
pub(crate) enum Report {
    /// The workload is open, or cannot be opened.
    Opened(Result<(), SetupError>),
    /// What was recorded in an interval.
    Interval(Box<IntervalSnapshot>),
    /// The phase is over and everything recorded in it has been reported.
    PhaseEnded,
    /// The worker has ended: it was told to, or it panicked.
    Gone,
}

/// What a worker is made from.
#[derive(Clone, Debug)]
pub(crate) struct WorkerSetup<W> {
    pub(crate) shard: Shard,
    pub(crate) workload: Arc<W>,
    pub(crate) seed: u64,
    pub(crate) reports: Sender<Message>,
}

/// A running worker. Dropping the handle ends it: users at work are cut off.
#[derive(Debug)]
pub(crate) struct Worker {
    commands: Option<UnboundedSender<Command>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(crate) fn spawn<W: Workload>(setup: WorkerSetup<W>) -> std::io::Result<Self> {
        let (sender, receiver) = unbounded_channel();
        let name = format!("worker-{}", setup.shard.index());
        let thread =
            std::thread::Builder::new().name(name).spawn(move || work(&setup, receiver))?;
        Ok(Self { commands: Some(sender), thread: Some(thread) })
    }

    /// Sends a command. One to a worker that has ended is lost, which its silence tells.
    pub(crate) fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    /// Lets go of a worker that has ended or hangs, without waiting for it.
    pub(crate) fn abandon(mut self) {
        self.thread = None;
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // A panic of the worker has been noticed by its silence already.
            let _ = thread.join();
        }
    }
}

/// Says that the worker has ended, however that came about.
struct Farewell<'a, F: Fn(Report)>(&'a F);

impl<F: Fn(Report)> Drop for Farewell<'_, F> {
    fn drop(&mut self) {
        (self.0)(Report::Gone);
    }
}

fn work<W: Workload>(setup: &WorkerSetup<W>, commands: UnboundedReceiver<Command>) {
    let report = |report| {
        drop(setup.reports.send(Message::Worker { worker: setup.shard.index(), report }));
    };
    // Dropped last, also by a panic.
    let _farewell = Farewell(&report);
    let runtime = match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
    {
        Ok(runtime) => runtime,
        Err(error) => {
            let error = SetupError(format!("a worker's event loop could not start: {error}"));
            return report(Report::Opened(Err(error)));
        }
    };
    runtime.block_on(async {
        let recorder = Rc::new(Recorder::default());
        let context =
            WorkerContext { shard: setup.shard, recorder: Rc::clone(&recorder), seed: setup.seed };
        let opened = Arc::clone(&setup.workload).open(&context).and_then(|source| {
            let timer = PreciseTimer::new()
                .map_err(|error| SetupError(format!("a timer could not be made: {error}")))?;
            Ok((source, timer))
        });
        match opened {
            Ok((source, timer)) => {
                report(Report::Opened(Ok(())));
                let source = Rc::new(source);
                Session { shard: setup.shard, source, recorder, timer, seed: setup.seed }
                    .obey(commands, &report)
                    .await;
            }
            Err(error) => report(Report::Opened(Err(error))),
        }
    });
}

/// A worker whose workload is open.
struct Session<S> {
    shard: Shard,
    source: Rc<S>,
    recorder: Rc<Recorder>,
    timer: PreciseTimer,
    seed: u64,
}

impl<S: UserSource> Session<S> {
    async fn obey(mut self, mut commands: UnboundedReceiver<Command>, report: &impl Fn(Report)) {
        while let Some(command) = commands.recv().await {
            // A command without a phase is too late or too early to mean anything.
            if let Command::Run(order) = command {
                self.run_phase(&order, &mut commands, report).await;
                report(Report::PhaseEnded);
            }
        }
    }

    async fn run_phase(
        &mut self,
        order: &PhaseOrder,
        commands: &mut UnboundedReceiver<Command>,
        report: &impl Fn(Report),
    ) {
        let stop = StopSignal::default();
        let control = Rc::new(Control::new(order.started, order.clock));
        let pool = self.pool(order, Rc::clone(&control));
        let mut ticks = Ticks::from(order.started);
        self.recorder.begin_phase(order.started);
        let mut sequence = 0;
        let source = Rc::clone(&self.source);
        let recorder = Rc::clone(&self.recorder);
        let shard = ShardId::worker(self.shard.index());
        let mut report_interval = |(start, length): (Duration, Duration)| {
            let phase = order.index as u32;
            let open_connections = source.open_connections();
            let paused_before = control.clock().paused_until(start);
            let paused = control.clock().paused_until(start + length).saturating_sub(paused_before);
            let stamp = SnapshotStamp {
                shard,
                sequence,
                phase,
                start,
                length,
                paused,
                paused_before,
                open_connections,
            };
            sequence += 1;
            report(Report::Interval(Box::new(recorder.take(stamp))));
        };
        let driver = Driver {
            pool,
            schedule: schedule::of_phase(&order.phase, order.shard, self.seed),
            shard: order.shard,
            started: order.started,
            control: Rc::clone(&control),
            stop: &stop,
            timer: &mut self.timer,
            ending: ending(order),
            graceful_stop: order.phase.graceful_stop,
        };
        let mut driving = std::pin::pin!(driver.run());
        loop {
            tokio::select! {
                () = &mut driving => break,
                (interval, lag) = ticks.next() => {
                    self.recorder.record_timer_lag(lag);
                    report_interval(interval);
                }
                command = commands.recv() => match command {
                    Some(Command::Stop(level)) => stop.raise(level),
                    Some(Command::Clock(clock)) => control.set_clock(clock),
                    Some(Command::Scale(change)) => control.set_change(change),
                    // A second phase at the same time would be a bug of the dispatcher's.
                    Some(Command::Run(_)) => {}
                    // Nobody listens any more.
                    None => stop.raise(Stop::Now),
                },
            }
        }
        report_interval(ticks.rest());
    }

    fn pool(&self, order: &PhaseOrder, control: Rc<Control>) -> Rc<Pool<S>> {
        let phase = &order.phase;
        let context = Rc::new(PhaseContext {
            index: order.index,
            open: is_open(phase),
            think_time: phase.think_time,
            recorder: Rc::clone(&self.recorder),
            seed: self.seed,
        });
        let (max_arriving, overload) = match &phase.load {
            Load::Arrivals(load) => (Some(load.max_users), load.overload),
            // Bursts of requests on a closed load bring their own users.
            Load::Users(_) | Load::SharedIterations { .. } => (None, Overload::Drop),
        };
        let settings = PoolSettings {
            mix: Mix::new(&phase.kinds),
            shard: order.shard,
            max_arriving: max_arriving.unwrap_or(u32::MAX),
            overload,
            budget: order.budget.clone(),
        };
        Pool::new(Rc::clone(&self.source), context, settings, control)
    }
}

/// Whether the schedule says when (some) iterations start.
fn is_open(phase: &Phase) -> bool {
    let is_volley = |burst: &Burst| matches!(burst.size, BurstSize::Requests(_));
    matches!(phase.load, Load::Arrivals(_)) || phase.bursts.iter().any(is_volley)
}

/// When a phase ends other than by the clock.
fn ending(order: &PhaseOrder) -> Ending {
    match order.budget {
        Budget::Unlimited => Ending::Clock,
        Budget::PerUser(_) | Budget::Shared(_) => {
            Ending::WorkDone { seats: order.shard.share_of(order.phase.load.peak_users()) }
        }
    }
}

/// The ticks of the reporting interval, aligned to the start of the phase.
struct Ticks {
    started: Instant,
    reported: Duration,
}

impl Ticks {
    fn from(started: Instant) -> Self {
        Self { started, reported: Duration::ZERO }
    }

    /// Waits for the next tick: the interval that ended with it, and how late the tick is noticed.
    async fn next(&mut self) -> ((Duration, Duration), Duration) {
        let due = self.reported + INTERVAL;
        let deadline = self.started + due;
        tokio::time::sleep_until(deadline.into()).await;
        let lag = deadline.elapsed();
        let start = self.reported;
        // After a stall (a suspended machine, say) the intervals missed are reported as one.
        let missed = (lag.as_nanos() / INTERVAL.as_nanos()) as u32;
        self.reported = due + INTERVAL * missed;
        ((start, self.reported - start), lag)
    }

    /// What is left since the last tick.
    fn rest(&self) -> (Duration, Duration) {
        (self.reported, self.started.elapsed().saturating_sub(self.reported))
    }
}
