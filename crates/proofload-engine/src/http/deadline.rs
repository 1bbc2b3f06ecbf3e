//! A deadline that costs nothing while it is kept.
//!
//! Arming a timer takes a lock and a place in the timer wheel, once to set and once to cancel. A
//! request that is answered in time needs neither: the timer stays armed for an older, earlier
//! deadline, and only when that passes is it moved to the present one. So a user arms a timer
//! about once per timeout instead of once per request.

use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use tokio::time::Sleep;

/// The lazily armed timer of one virtual user.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    armed: Option<Armed>,
}

#[derive(Debug)]
struct Armed {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
    /// Whom the timer wakes. Kept by address only: the timer itself holds the waker alive.
    wakes: (*const (), *const ()),
}

impl Deadline {
    /// Ready when `deadline` has passed; otherwise the task will be woken then, or earlier. `now`, if
    /// a reading of the clock was taken in this very poll, spares looking at the timer itself.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        deadline: Instant,
        now: Option<Instant>,
    ) -> Poll<()> {
        if let Some(armed) = &self.armed
            && armed.at <= deadline
            && armed.wakes == identity(cx.waker())
            && now.map_or_else(|| !armed.sleep.is_elapsed(), |now| now < armed.at)
        {
            return Poll::Pending;
        }
        self.rearm(cx, deadline)
    }

    #[cold]
    fn rearm(&mut self, cx: &mut Context<'_>, deadline: Instant) -> Poll<()> {
        if Instant::now() >= deadline {
            return Poll::Ready(());
        }
        let wakes = identity(cx.waker());
        let armed = self.armed.get_or_insert_with(|| Armed {
            sleep: Box::pin(tokio::time::sleep_until(deadline.into())),
            at: deadline,
            wakes,
        });
        if armed.at > deadline || armed.sleep.is_elapsed() {
            armed.sleep.as_mut().reset(deadline.into());
            armed.at = deadline;
        }
        armed.wakes = wakes;
        match armed.sleep.as_mut().poll(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(()) if Instant::now() >= deadline => Poll::Ready(()),
            // It elapsed at an older deadline since it was looked at; come again at once.
            Poll::Ready(()) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
        }
    }
}

fn identity(waker: &Waker) -> (*const (), *const ()) {
    (waker.data(), std::ptr::from_ref(waker.vtable()).cast())
}
