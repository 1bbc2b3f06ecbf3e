//! Permits and those who wait for one. Without clock, tasks or settings of its own: callers bring
//! wakers and get back the wakers they have to wake, outside the lock.
//!
//! One word holds how many permits are in use, how many there may be, and whether anybody waits.
//! While nobody waits, taking and returning a permit is one compare-and-swap on it. As soon as
//! somebody waits, every return goes through the lock of the queue and hands its permit over
//! directly: nobody can snatch it in between. The flag is set and cleared under the lock only, and
//! setting it is a compare-and-swap that fails if a permit came back in the meantime; that is why
//! no wake-up gets lost.

use std::task::{Context, Poll, Waker};

use super::{
    builder::Order,
    sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError},
};
use crate::guard::Apart;

/// The word in three: 31 bits in use, 31 bits limit, one bit for the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word(u64);

impl Word {
    const LIMIT_SHIFT: u32 = 31;
    const FIELD: u64 = (1 << 31) - 1;
    const WAITERS: u64 = 1 << 63;

    fn in_use(self) -> u64 {
        self.0 & Self::FIELD
    }

    fn limit(self) -> u64 {
        (self.0 >> Self::LIMIT_SHIFT) & Self::FIELD
    }

    fn has_waiters(self) -> bool {
        self.0 & Self::WAITERS != 0
    }

    fn has_room(self) -> bool {
        self.in_use() < self.limit()
    }

    fn one_more(self) -> Self {
        Self(self.0 + 1)
    }

    fn one_less(self) -> Self {
        debug_assert!(self.in_use() > 0, "a permit was returned twice");
        Self(self.0 - 1)
    }

    fn with_limit(self, limit: u64) -> Self {
        Self((self.0 & !(Self::FIELD << Self::LIMIT_SHIFT)) | (limit << Self::LIMIT_SHIFT))
    }

    fn with_waiters(self) -> Self {
        Self(self.0 | Self::WAITERS)
    }
}

/// The most permits there can be.
pub(super) const MOST: usize = Word::FIELD as usize;

#[derive(Debug)]
pub(super) struct Semaphore {
    word: Apart<AtomicU64>,
    queue: Apart<Mutex<Queue>>,
    order: Order,
}

/// What became of somebody who wanted to wait.
#[derive(Debug)]
pub(super) enum Joined {
    /// There was a permit after all.
    Granted,
    /// In the queue, at this place. The other waker is of the one who had to make room.
    Queued(usize, Option<Waker>),
    /// The queue is full.
    Full,
}

/// What a place in the queue came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Served {
    /// The permit is the caller's.
    Granted,
    /// Had to make room.
    Evicted,
}

/// What became of a permit that came back.
#[derive(Debug)]
pub(super) enum Returned {
    /// It is free, or gone because the limit was lowered.
    Free,
    /// It is somebody else's now, who has to be woken.
    HandedOn(Option<Waker>),
}

impl Semaphore {
    pub(super) fn new(limit: usize, queue: usize, order: Order) -> Self {
        let word = Word(0).with_limit(limit.min(MOST) as u64);
        Self {
            word: Apart(AtomicU64::new(word.0)),
            queue: Apart(Mutex::new(Queue::new(queue))),
            order,
        }
    }

    pub(super) fn in_use(&self) -> usize {
        self.word().in_use() as usize
    }

    pub(super) fn limit(&self) -> usize {
        self.word().limit() as usize
    }

    /// Those who wait, and how many may.
    pub(super) fn queued(&self) -> (usize, usize) {
        let queue = self.lock();
        (queue.waiting, queue.capacity)
    }

    /// A permit, if there is one that nobody waits for.
    pub(super) fn try_acquire(&self) -> bool {
        let mut word = self.word();
        loop {
            if word.has_waiters() || !word.has_room() {
                return false;
            }
            match self.exchange(word, word.one_more()) {
                Ok(()) => return true,
                Err(now) => word = now,
            }
        }
    }

    /// Gets in line.
    pub(super) fn join(&self) -> Joined {
        let mut queue = self.lock();
        let mut word = self.word();
        loop {
            let next = if queue.waiting == 0 && word.has_room() {
                word.one_more()
            } else if queue.capacity == 0 || (queue.is_full() && self.order == Order::Fifo) {
                return Joined::Full;
            } else {
                word.with_waiters()
            };
            match self.exchange(word, next) {
                Ok(()) if next.has_waiters() => break,
                Ok(()) => return Joined::Granted,
                Err(now) => word = now,
            }
        }
        // Last come, first served: the one who has waited longest would be served last, and is the
        // likeliest to have lost patience.
        let evicted = if queue.is_full() { queue.evict(self.order) } else { None };
        Joined::Queued(queue.push(), evicted)
    }

    /// Whether it is the turn of the one at `place`. Anything but `Pending` gives the place up.
    pub(super) fn poll(&self, place: usize, context: &mut Context<'_>) -> Poll<Served> {
        // Cloned and dropped outside the lock: wakers are other people's code.
        let waker = context.waker().clone();
        let mut queue = self.lock();
        let slot = &mut queue.slots[place];
        let served = match &mut slot.state {
            SlotState::Waiting(kept) => {
                let old = kept.replace(waker);
                drop(queue);
                drop(old);
                return Poll::Pending;
            }
            SlotState::Granted => Served::Granted,
            SlotState::Evicted => Served::Evicted,
            SlotState::Free => unreachable!("a place is polled by its owner only"),
        };
        queue.release(place);
        Poll::Ready(served)
    }

    /// Gives a place up. What had become of it meanwhile is said: a permit granted is the caller's
    /// to use or to return.
    pub(super) fn leave(&self, place: usize) -> Option<Served> {
        let mut queue = self.lock();
        let (served, waker) =
            match std::mem::replace(&mut queue.slots[place].state, SlotState::Free) {
                SlotState::Granted => (Some(Served::Granted), None),
                SlotState::Evicted => (Some(Served::Evicted), None),
                SlotState::Waiting(waker) => {
                    queue.unlink(place);
                    self.clear_flag_if_empty(&queue);
                    (None, waker)
                }
                SlotState::Free => unreachable!("a place is left by its owner only"),
            };
        queue.release(place);
        drop(queue);
        drop(waker);
        served
    }

    /// Returns a permit.
    pub(super) fn release(&self) -> Returned {
        let mut word = self.word();
        while !word.has_waiters() {
            match self.exchange(word, word.one_less()) {
                Ok(()) => return Returned::Free,
                Err(now) => word = now,
            }
        }
        let mut queue = self.lock();
        let mut word = self.word();
        loop {
            // At most the limit in use, this permit among them: it may live on.
            if queue.waiting > 0 && word.in_use() <= word.limit() {
                let waker = queue.grant(self.order);
                self.clear_flag_if_empty(&queue);
                return Returned::HandedOn(waker);
            }
            match self.exchange(word, word.one_less()) {
                Ok(()) => return Returned::Free,
                Err(now) => word = now,
            }
        }
    }

    /// Changes the limit. When it is lowered, permits in use are not taken away: they are not given
    /// out again. When it is raised, call [`grant_one`](Self::grant_one) until it says `None`.
    pub(super) fn set_limit(&self, limit: usize) {
        let limit = limit.min(MOST) as u64;
        // Under the lock, because `release` decides there by what it reads of the limit.
        let _queue = self.lock();
        let mut word = self.word();
        while let Err(now) = self.exchange(word, word.with_limit(limit)) {
            word = now;
        }
    }

    /// Gives a free permit to the next in line.
    pub(super) fn grant_one(&self) -> Option<Option<Waker>> {
        let mut queue = self.lock();
        let mut word = self.word();
        loop {
            if queue.waiting == 0 || !word.has_room() {
                return None;
            }
            match self.exchange(word, word.one_more()) {
                Ok(()) => break,
                Err(now) => word = now,
            }
        }
        let waker = queue.grant(self.order);
        self.clear_flag_if_empty(&queue);
        Some(waker)
    }

    /// Changes how many may wait.
    pub(super) fn set_queue(&self, capacity: usize) {
        self.lock().capacity = capacity;
    }

    /// Sends one away who waits beyond the capacity.
    pub(super) fn evict_one(&self) -> Option<Option<Waker>> {
        let mut queue = self.lock();
        if queue.waiting <= queue.capacity {
            return None;
        }
        let waker = queue.evict(self.order);
        self.clear_flag_if_empty(&queue);
        Some(waker)
    }

    fn word(&self) -> Word {
        Word(self.word.load(Ordering::Acquire))
    }

    fn exchange(&self, from: Word, to: Word) -> Result<(), Word> {
        self.word
            .compare_exchange(from.0, to.0, Ordering::AcqRel, Ordering::Acquire)
            .map(|_| ())
            .map_err(Word)
    }

    fn clear_flag_if_empty(&self, queue: &Queue) {
        if queue.waiting == 0 {
            self.word.fetch_and(!Word::WAITERS, Ordering::AcqRel);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// No place: the end of a chain.
const NOBODY: usize = usize::MAX;

/// Places in a chain from the one who came first to the one who came last. Places are used again,
/// so that a queue that has been as long before takes no memory.
#[derive(Debug)]
struct Queue {
    slots: Vec<Slot>,
    free: Vec<usize>,
    first: usize,
    last: usize,
    waiting: usize,
    capacity: usize,
}

#[derive(Debug)]
struct Slot {
    before: usize,
    after: usize,
    state: SlotState,
}

#[derive(Debug)]
enum SlotState {
    Free,
    /// In the chain. Without a waker before the first poll.
    Waiting(Option<Waker>),
    /// Out of the chain, the owner has not seen it yet.
    Granted,
    Evicted,
}

impl Queue {
    fn new(capacity: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            first: NOBODY,
            last: NOBODY,
            waiting: 0,
            capacity,
        }
    }

    fn is_full(&self) -> bool {
        self.waiting >= self.capacity
    }

    fn push(&mut self) -> usize {
        let slot = Slot { before: self.last, after: NOBODY, state: SlotState::Waiting(None) };
        let place = if let Some(place) = self.free.pop() {
            self.slots[place] = slot;
            place
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        match self.last {
            NOBODY => self.first = place,
            last => self.slots[last].after = place,
        }
        self.last = place;
        self.waiting += 1;
        place
    }

    /// Gives a permit to the next in line, of whom there is one.
    fn grant(&mut self, order: Order) -> Option<Waker> {
        let place = match order {
            Order::Fifo => self.first,
            Order::Lifo => self.last,
        };
        self.take(place, SlotState::Granted)
    }

    /// Sends away the one who would be served last, of whom there is one.
    fn evict(&mut self, order: Order) -> Option<Waker> {
        let place = match order {
            Order::Fifo => self.last,
            Order::Lifo => self.first,
        };
        self.take(place, SlotState::Evicted)
    }

    fn take(&mut self, place: usize, state: SlotState) -> Option<Waker> {
        self.unlink(place);
        match std::mem::replace(&mut self.slots[place].state, state) {
            SlotState::Waiting(waker) => waker,
            _ => unreachable!("only those who wait are in the chain"),
        }
    }

    fn unlink(&mut self, place: usize) {
        let Slot { before, after, .. } = self.slots[place];
        match before {
            NOBODY => self.first = after,
            before => self.slots[before].after = after,
        }
        match after {
            NOBODY => self.last = before,
            after => self.slots[after].before = before,
        }
        self.waiting -= 1;
    }

    fn release(&mut self, place: usize) {
        self.slots[place].state = SlotState::Free;
        self.free.push(place);
    }
}

#[cfg(all(test, not(kit_loom)))]
#[path = "semaphore_tests.rs"]
mod tests;

#[cfg(all(test, kit_loom))]
#[path = "semaphore_loom.rs"]
mod loom_tests;
