//! The life of a virtual user: start, iterations, pauses, stop.

use std::rc::Rc;
use std::time::{Duration, Instant};

use super::budget::UserBudget;
use super::control::Gate;
use super::pool::{Pool, UserGuard};
use crate::workload::{Outcome, Seat, UserSource, VirtualUser};

/// How long a user waits after a start that failed. A target that refuses logins must not be hammered
/// with them at full speed.
const START_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// A user that iterates until it is told to leave or has nothing left to do (closed model).
pub(super) async fn looping<S: UserSource>(
    mut user: S::User,
    seat: Rc<Seat>,
    mut budget: UserBudget,
    guard: UserGuard<S>,
) {
    guard.gate().pass(&seat).await;
    if seat.is_retired() || !start(&mut user, &seat, guard.gate()).await {
        return;
    }
    loop {
        guard.gate().pass(&seat).await;
        if seat.is_retired() || !budget.claim() {
            break;
        }
        if iterate(&mut user, &seat, None).await == Outcome::Exhausted {
            break;
        }
        seat.pause(user.think_time()).await;
    }
    user.stop().await;
}

/// A user that waits for an arrival, does one iteration and waits again (open model).
pub(super) async fn arriving<S: UserSource>(
    mut user: S::User,
    seat: Rc<Seat>,
    pool: Rc<Pool<S>>,
    guard: UserGuard<S>,
) {
    // The arrival that made this user. Its first request, be it of the start or of the iteration,
    // is measured from the intended start.
    let mut arrival = seat.intended_start();
    if !start(&mut user, &seat, guard.gate()).await {
        return pool.leave_arriving();
    }
    // A start without requests leaves the intended start to the iteration.
    arrival = arrival.map(|_| seat.intended_start().unwrap_or_else(Instant::now));
    loop {
        if let Some(intended) = arrival.take()
            && iterate(&mut user, &seat, Some(intended)).await == Outcome::Exhausted
        {
            pool.leave_arriving();
            break;
        }
        arrival = pool.next_arrival(&seat);
        if arrival.is_none() {
            if !seat.is_retired() {
                seat.woken().await;
            }
            if seat.is_retired() {
                break;
            }
            arrival = seat.intended_start();
        }
    }
    user.stop().await;
}

/// Starts the user, again and again while that fails. False if it is to leave.
async fn start(user: &mut impl VirtualUser, seat: &Seat, gate: &Gate) -> bool {
    loop {
        match user.start().await {
            Outcome::Completed => return true,
            Outcome::Exhausted => return false,
            Outcome::Failed => {
                seat.pause(START_AGAIN_AFTER).await;
                gate.pass(seat).await;
            }
        }
        if seat.is_retired() {
            return false;
        }
    }
}

async fn iterate(user: &mut impl VirtualUser, seat: &Seat, intended: Option<Instant>) -> Outcome {
    seat.set_intended_start(intended);
    seat.set_owes_iteration(false);
    let running = seat.phase.recorder.begin_iteration();
    let outcome = user.iterate().await;
    running.end(outcome);
    // An arrival for which there was no work left is one that was not served.
    seat.set_owes_iteration(intended.is_some() && outcome == Outcome::Exhausted);
    outcome
}
