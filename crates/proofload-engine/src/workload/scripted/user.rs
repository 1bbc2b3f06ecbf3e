//! A virtual user of a plan.

use std::rc::Rc;
use std::time::{Duration, SystemTime};

use proofload_core::plan::{CounterSlot, DataCell, FeedId, TaskOrder, ThinkTime, VarSlot};
use proofload_core::template::Context;

use super::WorkerScope;
use super::compile::{CompiledKind, CompiledStep};
use super::request::Sent;
use crate::http::Client;
use crate::workload::{Outcome, Seat, VirtualUser};

/// A virtual user of a plan.
#[derive(Debug)]
pub struct ScriptedUser {
    kind: Rc<CompiledKind>,
    pub(super) seat: Rc<Seat>,
    pub(super) scope: Rc<WorkerScope>,
    pub(super) client: Client,
    pub(super) state: State,
    next_task: usize,
    last_task: usize,
    connections: u32,
}

/// What templates read and answers write.
#[derive(Debug)]
pub(super) struct State {
    variables: Box<[Option<Box<[u8]>>]>,
    counters: Box<[u64]>,
    /// The rows the user holds; few, so a list.
    rows: Vec<(FeedId, u32)>,
    rng: fastrand::Rng,
    user_id: u64,
    iteration: u64,
    scope: Rc<WorkerScope>,
}

impl ScriptedUser {
    pub(super) fn new(kind: Rc<CompiledKind>, seat: Rc<Seat>, scope: Rc<WorkerScope>) -> Self {
        let seed = seat.phase.seed
            ^ seat.user_id.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ (seat.phase.index as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
        let state = State {
            variables: vec![None; kind.slot_count()].into_boxed_slice(),
            counters: kind.counter_slots().map(|_| 0).collect(),
            rows: Vec::new(),
            rng: fastrand::Rng::with_seed(seed),
            user_id: seat.user_id - 1,
            iteration: 0,
            scope: Rc::clone(&scope),
        };
        let client = Client::new(Rc::clone(&scope.shared));
        let (next_task, last_task, connections) = (0, 0, 0);
        Self { kind, seat, scope, client, state, next_task, last_task, connections }
    }

    /// Runs steps in order until one that is required fails. False if any failed.
    async fn run(&mut self, kind: &CompiledKind, which: Which) -> bool {
        let all_required = matches!(which, Which::Start);
        let mut good = true;
        for step in which.steps(kind) {
            match step {
                CompiledStep::Request(request) => match self.request(request).await {
                    Sent::Good => {}
                    Sent::Failed if all_required || request.spec.required => return false,
                    Sent::Failed => good = false,
                },
                CompiledStep::Pause(time) => {
                    let time = draw(*time, &mut self.state.rng);
                    self.seat.postpone_intended_start(time);
                    self.seat.pause(time).await;
                }
            }
        }
        good
    }

    fn choose_task(&mut self) -> usize {
        let kind = &*self.kind;
        match kind.order {
            TaskOrder::Sequential => {
                let task = self.next_task;
                self.next_task = (task + 1) % kind.tasks.len();
                task
            }
            TaskOrder::Weighted if kind.tasks.len() == 1 => 0,
            TaskOrder::Weighted => {
                let mut left = self.state.rng.u64(..kind.total_weight);
                let chosen = kind.tasks.iter().position(|task| {
                    let found = left < task.weight;
                    left = left.saturating_sub(task.weight);
                    found
                });
                chosen.unwrap_or(0)
            }
        }
    }

    /// Keeps the worker's count of open connections.
    pub(super) fn count_connections(&mut self) {
        let now = self.client.connections() as u32;
        if now != self.connections {
            let others = self.scope.open_connections.get() - self.connections;
            self.scope.open_connections.set(others + now);
            self.scope.most_connections.set(self.scope.most_connections.get().max(others + now));
            self.connections = now;
        }
    }
}

/// Which steps of a kind.
#[derive(Clone, Copy)]
enum Which {
    Start,
    Task(usize),
    Stop,
}

impl Which {
    fn steps(self, kind: &CompiledKind) -> &[CompiledStep] {
        match self {
            Self::Start => &kind.on_start,
            Self::Task(at) => &kind.tasks[at].steps,
            Self::Stop => &kind.on_stop,
        }
    }
}

impl VirtualUser for ScriptedUser {
    async fn start(&mut self) -> Outcome {
        let kind = Rc::clone(&self.kind);
        self.state.rows.clear();
        if !self.state.draw_rows(&kind.start_feeds) {
            return Outcome::Exhausted;
        }
        for (slot, template) in kind.initial() {
            let mut value = Vec::new();
            // A value that cannot be rendered stays unset; the request that needs it says so.
            if template.render(&mut self.state, &mut value).is_ok() {
                self.state.set(slot, &value);
            }
        }
        if self.run(&kind, Which::Start).await { Outcome::Completed } else { Outcome::Failed }
    }

    async fn iterate(&mut self) -> Outcome {
        let kind = Rc::clone(&self.kind);
        let task = self.choose_task();
        self.last_task = task;
        if !self.state.draw_rows(&kind.tasks[task].feeds) {
            return Outcome::Exhausted;
        }
        let good = self.run(&kind, Which::Task(task)).await;
        self.state.iteration += 1;
        if good { Outcome::Completed } else { Outcome::Failed }
    }

    fn think_time(&mut self) -> Duration {
        let own = self.kind.tasks[self.last_task].think_time.unwrap_or(self.kind.think_time);
        draw(self.seat.phase.think_time.unwrap_or(own), &mut self.state.rng)
    }

    async fn stop(&mut self) {
        let kind = Rc::clone(&self.kind);
        self.run(&kind, Which::Stop).await;
    }
}

impl Drop for ScriptedUser {
    fn drop(&mut self) {
        let open = &self.scope.open_connections;
        open.set(open.get() - self.connections);
    }
}

fn draw(time: ThinkTime, rng: &mut fastrand::Rng) -> Duration {
    match time {
        ThinkTime::None => Duration::ZERO,
        ThinkTime::Constant(time) => time,
        ThinkTime::Uniform { min, max } => min + (max - min).mul_f64(rng.f64()),
    }
}

impl State {
    /// Draws a new row of each feed. False when one is used up.
    fn draw_rows(&mut self, feeds: &[FeedId]) -> bool {
        for &feed in feeds {
            let Some(row) = self.scope.feeds.draw(feed, self.user_id + 1, &mut self.rng) else {
                return false;
            };
            match self.rows.iter_mut().find(|(id, _)| *id == feed) {
                Some(held) => held.1 = row,
                None => self.rows.push((feed, row)),
            }
        }
        true
    }

    /// Sets a variable, reusing its memory where the length is the same.
    pub(super) fn set(&mut self, slot: VarSlot, value: &[u8]) {
        let variable = &mut self.variables[usize::from(slot.0)];
        match variable {
            Some(old) if old.len() == value.len() => old.copy_from_slice(value),
            _ => *variable = Some(value.into()),
        }
    }
}

impl Context for State {
    fn variable(&self, slot: VarSlot) -> Option<&[u8]> {
        self.variables[usize::from(slot.0)].as_deref()
    }

    fn cell(&self, cell: DataCell) -> Option<&[u8]> {
        let &(_, row) = self.rows.iter().find(|(feed, _)| *feed == cell.feed)?;
        self.scope.feeds.cell(cell.feed, row, cell.column).map(|value| &value[..])
    }

    fn rng(&mut self) -> &mut fastrand::Rng {
        &mut self.rng
    }

    fn user_id(&self) -> u64 {
        self.user_id
    }

    fn iteration(&self) -> u64 {
        self.iteration
    }

    fn count(&mut self, slot: CounterSlot) -> u64 {
        let counter = &mut self.counters[usize::from(slot.0)];
        *counter += 1;
        *counter
    }

    fn unix_time(&self) -> Duration {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
    }
}
