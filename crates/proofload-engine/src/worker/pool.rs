//! The users of one worker during one phase, and who does what next.
//!
//! Two sorts of users live here. *Looping* users iterate until told to leave (closed model); they
//! are a stack, the last to come is the first to go. *Arriving* users wait for an arrival, do one
//! iteration and wait again (open model); they are made when an arrival finds nobody free, up to the
//! phase's limit. Both can be there at once: a burst of arrivals on top of looping users.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Instant;

use proofload_core::plan::Overload;
use proofload_core::schedule::{Mix, Shard};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::budget::Budget;
use super::control::{Control, Gate};
use super::user;
use crate::workload::{PhaseContext, Seat, UserSource};

/// What a pool needs to know about its phase.
#[derive(Debug)]
pub(super) struct PoolSettings {
    pub(super) mix: Mix,
    pub(super) shard: Shard,
    /// Most arriving users at once, over all shards.
    pub(super) max_arriving: u32,
    pub(super) overload: Overload,
    pub(super) budget: Budget,
}

/// The users of one worker during one phase.
pub(super) struct Pool<S: UserSource> {
    source: Rc<S>,
    phase: Rc<PhaseContext>,
    settings: PoolSettings,
    control: Rc<Control>,
    state: RefCell<State>,
    emptied: Notify,
}

#[derive(Default)]
struct State {
    looping: Vec<Rc<Seat>>,
    arriving: u32,
    /// Most arriving users of this shard at once; above 0.
    max_arriving: u32,
    live: u32,
    users_made: u64,
    arrivals: u64,
    /// Arriving users with nothing to do, by kind; the one that waited longest goes first, so that
    /// work is spread over all of them.
    idle: Vec<VecDeque<Rc<Seat>>>,
    /// Intended starts of arrivals nobody was free for, by kind.
    backlog: Vec<VecDeque<Instant>>,
    backlog_length: u32,
    closing: bool,
    tasks: Vec<AbortHandle>,
}

impl<S: UserSource> Pool<S> {
    pub(super) fn new(
        source: Rc<S>,
        phase: Rc<PhaseContext>,
        settings: PoolSettings,
        control: Rc<Control>,
    ) -> Rc<Self> {
        let state = RefCell::new(State::default());
        let pool = Self { source, phase, settings, control, state, emptied: Notify::new() };
        pool.set_max_arriving(pool.settings.max_arriving);
        Rc::new(pool)
    }

    /// Changes how many arriving users there may be at once, over all shards. Those beyond leave,
    /// after what they are doing.
    pub(super) fn set_max_arriving(&self, users: u32) {
        // A shard without anybody could not serve its arrivals.
        let most = self.settings.shard.share_of(users).max(1);
        let mut state = self.state.borrow_mut();
        state.max_arriving = most;
        while state.arriving > most {
            let Some(seat) = state.idle.iter_mut().find_map(VecDeque::pop_front) else { return };
            state.arriving -= 1;
            seat.retire();
        }
    }

    /// Brings the number of looping users to `target`.
    pub(super) fn set_looping(self: &Rc<Self>, target: u32) {
        let target = target as usize;
        loop {
            let mut state = self.state.borrow_mut();
            if state.looping.len() > target {
                if let Some(seat) = state.looping.pop() {
                    seat.retire();
                }
            } else if state.looping.len() < target && !self.settings.budget.is_used_up() {
                let slot = state.looping.len() as u64;
                let kind = self.settings.mix.kind_of_user(self.settings.shard.global(slot));
                let seat = self.new_seat(&mut state, kind);
                state.looping.push(Rc::clone(&seat));
                drop(state);
                let user = self.source.user(Rc::clone(&seat));
                let guard = UserGuard::new(self, &seat);
                self.spawn(user::looping(user, seat, self.settings.budget.for_user(), guard));
            } else {
                return;
            }
        }
    }

    /// An arrival that was to start at `intended` is due.
    pub(super) fn arrive(self: &Rc<Self>, intended: Instant) {
        let mut state = self.state.borrow_mut();
        let number = self.settings.shard.global(state.arrivals);
        state.arrivals += 1;
        let kind = self.settings.mix.kind_of_arrival(number);
        state.reserve_kind(kind);
        if let Some(seat) = state.idle[kind].pop_front() {
            self.record_start_lag(intended);
            seat.accept_arrival(intended);
            seat.wake();
        } else if state.arriving < state.max_arriving {
            drop(state);
            self.record_start_lag(intended);
            self.spawn_arriving(kind, intended);
        } else if state.arriving == state.max_arriving
            && let Some(other) = state.idle.iter_mut().find_map(VecDeque::pop_front)
        {
            // The limit is reached but a user of another kind has nothing to do: it makes room.
            state.arriving -= 1;
            other.retire();
            drop(state);
            self.record_start_lag(intended);
            self.spawn_arriving(kind, intended);
        } else if matches!(self.settings.overload, Overload::Queue { limit }
            if state.backlog_length < self.settings.shard.share_of(limit).max(1))
        {
            state.backlog[kind].push_back(intended);
            state.backlog_length += 1;
            self.phase.recorder.count_queued();
        } else {
            self.phase.recorder.count_dropped(1);
        }
    }

    /// What the arriving user on `seat` does next: the intended start of its next iteration, or
    /// nothing, and then it is idle (or retired) and has to wait to be woken.
    pub(super) fn next_arrival(self: &Rc<Self>, seat: &Rc<Seat>) -> Option<Instant> {
        let mut state = self.state.borrow_mut();
        state.reserve_kind(seat.kind);
        if state.arriving > state.max_arriving {
            state.arriving -= 1;
            seat.retire();
            return None;
        }
        if let Some(intended) = state.backlog[seat.kind].pop_front() {
            state.backlog_length -= 1;
            seat.accept_arrival(intended);
            return Some(intended);
        }
        let other = (0..state.backlog.len()).find(|&kind| !state.backlog[kind].is_empty());
        if let Some(kind) = other
            && let Some(intended) = state.backlog[kind].pop_front()
        {
            // Another kind is waited for: this user makes room for one of it.
            state.backlog_length -= 1;
            state.arriving -= 1;
            seat.retire();
            drop(state);
            self.spawn_arriving(kind, intended);
            return None;
        }
        if state.closing {
            state.arriving -= 1;
            seat.retire();
        } else if !seat.is_retired() {
            state.idle[seat.kind].push_back(Rc::clone(seat));
        }
        None
    }

    /// An arriving user leaves of its own accord, because its start failed or its data is used up.
    pub(super) fn leave_arriving(&self) {
        self.state.borrow_mut().arriving -= 1;
    }

    /// No more arrivals: looping and idle users are told to leave, those at work after what they are
    /// doing. Arrivals that wait are still served, or given up on.
    pub(super) fn close(&self, serve_backlog: bool) {
        let mut state = self.state.borrow_mut();
        state.closing = true;
        for seat in state.looping.drain(..) {
            seat.retire();
        }
        let idle: Vec<_> = state.idle.iter_mut().flat_map(std::mem::take).collect();
        for seat in idle {
            state.arriving -= 1;
            seat.retire();
        }
        if !serve_backlog {
            drop(state);
            self.drop_backlog();
        }
    }

    /// Gives up on arrivals that nobody was free for.
    pub(super) fn drop_backlog(&self) {
        let mut state = self.state.borrow_mut();
        let dropped = std::mem::take(&mut state.backlog_length);
        state.backlog.iter_mut().for_each(VecDeque::clear);
        self.phase.recorder.count_dropped(u64::from(dropped));
    }

    /// Cuts off every user that is still at work.
    pub(super) fn abort(&self) {
        self.drop_backlog();
        let tasks = std::mem::take(&mut self.state.borrow_mut().tasks);
        for task in tasks {
            task.abort();
        }
    }

    /// Users that have not left yet.
    pub(super) fn live(&self) -> u32 {
        self.state.borrow().live
    }

    /// Looping users that were started and not told to leave, whether or not they have left.
    pub(super) fn looping(&self) -> u32 {
        self.state.borrow().looping.len() as u32
    }

    /// Waits for the moment in which the last user leaves.
    pub(super) async fn emptied(&self) {
        self.emptied.notified().await;
    }

    /// Whether no iteration is left to be done.
    pub(super) fn is_used_up(&self) -> bool {
        self.settings.budget.is_used_up()
    }

    fn spawn_arriving(self: &Rc<Self>, kind: usize, intended: Instant) {
        let mut state = self.state.borrow_mut();
        state.arriving += 1;
        let seat = self.new_seat(&mut state, kind);
        drop(state);
        seat.accept_arrival(intended);
        let user = self.source.user(Rc::clone(&seat));
        let guard = UserGuard::new(self, &seat);
        self.spawn(user::arriving(user, seat, Rc::clone(self), guard));
    }

    fn new_seat(&self, state: &mut State, kind: usize) -> Rc<Seat> {
        let user_id = self.settings.shard.global(state.users_made) + 1;
        state.users_made += 1;
        state.live += 1;
        self.phase.recorder.set_users(state.live);
        Seat::new(user_id, kind, Rc::clone(&self.phase))
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let handle = tokio::task::spawn_local(task).abort_handle();
        let mut state = self.state.borrow_mut();
        if state.tasks.len() > 2 * state.live as usize + 64 {
            state.tasks.retain(|task| !task.is_finished());
        }
        state.tasks.push(handle);
    }

    fn record_start_lag(&self, intended: Instant) {
        self.phase.recorder.record_start_lag(intended.elapsed());
    }

    fn user_left(&self, seat: &Seat) {
        self.phase.recorder.count_dropped(u64::from(seat.owes_iteration()));
        let mut state = self.state.borrow_mut();
        state.live -= 1;
        self.phase.recorder.set_users(state.live);
        if state.live == 0 {
            self.emptied.notify_one();
        }
    }
}

impl State {
    fn reserve_kind(&mut self, kind: usize) {
        if self.idle.len() <= kind {
            self.idle.resize_with(kind + 1, VecDeque::new);
            self.backlog.resize_with(kind + 1, VecDeque::new);
        }
    }
}

/// Keeps count of a user and of the arrival it has not begun to serve, however its task ends: in
/// order, cut off (perhaps before it ever ran), or by a panic.
pub(super) struct UserGuard<S: UserSource> {
    pool: Rc<Pool<S>>,
    seat: Rc<Seat>,
}

impl<S: UserSource> UserGuard<S> {
    fn new(pool: &Rc<Pool<S>>, seat: &Rc<Seat>) -> Self {
        Self { pool: Rc::clone(pool), seat: Rc::clone(seat) }
    }

    /// Where the user waits while the load is paused.
    pub(super) fn gate(&self) -> &Gate {
        self.pool.control.gate()
    }
}

impl<S: UserSource> Drop for UserGuard<S> {
    fn drop(&mut self) {
        self.pool.user_left(&self.seat);
    }
}
