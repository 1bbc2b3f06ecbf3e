//! A caller in the queue. It leaves it in order, whatever happens: with a permit, with a refusal,
//! or dropped, and then a permit that had just been granted goes on to the next.

use std::{
    future::{pending, poll_fn},
    pin::pin,
    task::{Poll, ready},
    time::Duration,
};

use tokio::time::{Instant, sleep_until};

use super::{
    Refused, RefusedReason,
    handle::Inner,
    semaphore::{Joined, Served},
};

/// A place in the queue, left on drop.
struct Waiting<'a> {
    limiter: &'a Inner,
    place: Option<usize>,
    since: Instant,
}

impl Inner {
    /// Waits for a permit, which is then the caller's to give back.
    pub(super) async fn wait(&self, longest: Option<Duration>) -> Result<(), Refused> {
        // A deadline beyond all clocks is none.
        match longest.and_then(|longest| Instant::now().checked_add(longest)) {
            None => self.wait_until(pending()).await,
            Some(deadline) => self.wait_until(sleep_until(deadline)).await,
        }
    }

    pub(super) async fn wait_until(
        &self,
        deadline: impl Future<Output = ()>,
    ) -> Result<(), Refused> {
        let place = match self.semaphore.join() {
            Joined::Granted => {
                self.counts.granted.add(1);
                return Ok(());
            }
            Joined::Full => return Err(self.refuse(RefusedReason::Full)),
            Joined::Queued(place, evicted) => {
                if let Some(waker) = evicted {
                    waker.wake();
                }
                place
            }
        };
        let since = Instant::now();
        let served = Waiting { limiter: self, place: Some(place), since }.served(deadline).await;
        self.counts.waited(since.elapsed());
        match served {
            Some(Served::Granted) => {
                self.counts.granted.add(1);
                Ok(())
            }
            Some(Served::Evicted) => Err(self.refuse(RefusedReason::Full)),
            None => Err(self.refuse(RefusedReason::Deadline)),
        }
    }
}

impl Waiting<'_> {
    /// What the place came to; `None` at the deadline.
    async fn served(mut self, deadline: impl Future<Output = ()>) -> Option<Served> {
        let mut deadline = pin!(deadline);
        poll_fn(|context| {
            if let Poll::Ready(served) = self.poll(context) {
                return Poll::Ready(served);
            }
            ready!(deadline.as_mut().poll(context));
            // A permit that came in the very last moment is as good as any.
            Poll::Ready(self.place.take().and_then(|place| self.limiter.semaphore.leave(place)))
        })
        .await
    }

    fn poll(&mut self, context: &mut std::task::Context<'_>) -> Poll<Option<Served>> {
        let Some(place) = self.place else { return Poll::Ready(None) };
        let served = ready!(self.limiter.semaphore.poll(place, context));
        self.place = None;
        Poll::Ready(Some(served))
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let Some(place) = self.place.take() else { return };
        self.limiter.counts.given_up(self.since.elapsed());
        if self.limiter.semaphore.leave(place) == Some(Served::Granted) {
            self.limiter.give_back();
        }
    }
}
