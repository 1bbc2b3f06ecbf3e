//! The task that takes what the dashboard is told and draws, once a second, while anybody looks.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::{MissedTickBehavior, interval};

use super::shared::Shared;
use super::tell::Told;

/// Between two pictures.
const EVERY: Duration = Duration::from_secs(1);
/// At least that much lies between two pictures that are drawn out of turn.
const AT_LEAST: Duration = Duration::from_millis(100);

/// Follows what is told until nobody can tell any more.
pub(crate) async fn follow(shared: Arc<Shared>, mut told: UnboundedReceiver<Told>) {
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Whether what viewers see is not what is known.
    let mut is_stale = true;
    loop {
        let is_due = tokio::select! {
            next = told.recv() => {
                let Some(next) = next else { return };
                let (changes_stage, is_end) =
                    (!matches!(next, Told::Event(..)), matches!(next, Told::End(_)));
                shared.live().take(next);
                if is_end {
                    shared.refresh_past_runs();
                }
                is_stale = true;
                changes_stage
            }
            () = shared.looked_at() => is_stale,
            () = shared.touched() => true,
            _ = ticks.tick() => is_stale || shared.live().is_moving(),
        };
        let is_recent = shared.drawn_ago().is_some_and(|ago| ago < AT_LEAST);
        if is_due && is_recent {
            is_stale = true;
        } else if is_due && shared.viewers() > 0 {
            shared.draw();
            is_stale = false;
        }
    }
}
