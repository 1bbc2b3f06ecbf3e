//! Sequences of everything that can happen to permits and their queue, against a model that keeps
//! them in plain lists.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

use proptest::prelude::*;

use super::*;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Somebody in the queue of the model.
struct Waiter {
    place: usize,
    woken: Arc<Flag>,
    polled: bool,
}

/// The model: who waits, in the order of arrival, and who has been served and does not know.
struct Model {
    semaphore: Semaphore,
    order: Order,
    limit: usize,
    capacity: usize,
    in_use: usize,
    /// Numbers of those who wait.
    line: Vec<usize>,
    served: HashMap<usize, Served>,
    waiters: HashMap<usize, Waiter>,
    next: usize,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    TryAcquire,
    Join,
    Poll(usize),
    Leave(usize),
    Release,
    SetLimit(usize),
    SetQueue(usize),
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Model {
    fn new(limit: usize, capacity: usize, order: Order) -> Self {
        Self {
            semaphore: Semaphore::new(limit, capacity, order),
            order,
            limit,
            capacity,
            in_use: 0,
            line: Vec::new(),
            served: HashMap::new(),
            waiters: HashMap::new(),
            next: 0,
        }
    }

    fn serve_next(&mut self) {
        let number = match self.order {
            Order::Fifo => self.line.remove(0),
            Order::Lifo => self.line.pop().expect("somebody"),
        };
        self.served.insert(number, Served::Granted);
    }

    fn evict(&mut self) {
        let number = match self.order {
            Order::Fifo => self.line.pop().expect("somebody"),
            Order::Lifo => self.line.remove(0),
        };
        self.served.insert(number, Served::Evicted);
    }

    fn let_in(&mut self) {
        while self.in_use < self.limit && !self.line.is_empty() {
            self.in_use += 1;
            self.serve_next();
        }
        while let Some(waker) = self.semaphore.grant_one() {
            wake(waker);
        }
    }

    fn release(&mut self) {
        if !self.line.is_empty() && self.in_use <= self.limit {
            self.serve_next();
        } else {
            self.in_use -= 1;
        }
        if let Returned::HandedOn(waker) = self.semaphore.release() {
            wake(waker);
        }
    }

    fn pick(&self, which: usize) -> Option<usize> {
        let mut numbers: Vec<_> = self.waiters.keys().copied().collect();
        numbers.sort_unstable();
        (!numbers.is_empty()).then(|| numbers[which % numbers.len()])
    }

    fn join(&mut self) -> Result<(), TestCaseError> {
        let room = self.line.is_empty() && self.in_use < self.limit;
        let full = self.line.len() >= self.capacity;
        match self.semaphore.join() {
            Joined::Granted => {
                prop_assert!(room);
                self.in_use += 1;
            }
            Joined::Full => {
                prop_assert!(!room && full && (self.order == Order::Fifo || self.capacity == 0));
            }
            Joined::Queued(place, waker) => {
                prop_assert!(!room);
                wake(waker);
                if full {
                    prop_assert_eq!(self.order, Order::Lifo);
                    self.evict();
                }
                self.line.push(self.next);
                let waiter = Waiter { place, woken: Arc::default(), polled: false };
                self.waiters.insert(self.next, waiter);
                self.next += 1;
            }
        }
        Ok(())
    }

    fn poll(&mut self, number: usize) -> Result<(), TestCaseError> {
        let waiter = self.waiters.get_mut(&number).expect("picked");
        let woken = waiter.woken.0.load(Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(&waiter.woken));
        let polled = self.semaphore.poll(waiter.place, &mut Context::from_waker(&waker));
        let expected = self.served.remove(&number);
        prop_assert_eq!(polled, expected.map_or(Poll::Pending, Poll::Ready));
        if expected.is_some() {
            prop_assert!(woken || !waiter.polled, "served without being woken");
            self.waiters.remove(&number);
        } else {
            prop_assert!(!woken, "woken for nothing");
            waiter.polled = true;
        }
        Ok(())
    }

    fn leave(&mut self, number: usize) -> Result<(), TestCaseError> {
        let waiter = self.waiters.remove(&number).expect("picked");
        let served = self.semaphore.leave(waiter.place);
        prop_assert_eq!(served, self.served.remove(&number));
        self.line.retain(|&waiting| waiting != number);
        if served == Some(Served::Granted) {
            self.release();
        }
        Ok(())
    }

    fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::TryAcquire => {
                let expected = self.line.is_empty() && self.in_use < self.limit;
                prop_assert_eq!(self.semaphore.try_acquire(), expected);
                self.in_use += usize::from(expected);
            }
            Step::Join => self.join()?,
            Step::Poll(which) => {
                if let Some(number) = self.pick(which) {
                    self.poll(number)?;
                }
            }
            Step::Leave(which) => {
                if let Some(number) = self.pick(which) {
                    self.leave(number)?;
                }
            }
            Step::Release => {
                // Permits granted to somebody who does not know yet are not there to be returned.
                let unknown =
                    self.served.values().filter(|&&served| served == Served::Granted).count();
                if self.in_use > unknown {
                    self.release();
                }
            }
            Step::SetLimit(limit) => {
                self.limit = limit;
                self.semaphore.set_limit(limit);
                self.let_in();
            }
            Step::SetQueue(capacity) => {
                self.capacity = capacity;
                self.semaphore.set_queue(capacity);
                while let Some(waker) = self.semaphore.evict_one() {
                    wake(waker);
                    self.evict();
                }
                prop_assert!(self.line.len() <= capacity);
            }
        }
        prop_assert_eq!(self.semaphore.in_use(), self.in_use);
        prop_assert_eq!(self.semaphore.limit(), self.limit);
        prop_assert_eq!(self.semaphore.queued(), (self.line.len(), self.capacity));
        prop_assert!(
            self.line.is_empty() || self.in_use >= self.limit,
            "somebody waits beside a free permit"
        );
        Ok(())
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => Just(Step::TryAcquire),
        5 => Just(Step::Join),
        5 => any::<usize>().prop_map(Step::Poll),
        2 => any::<usize>().prop_map(Step::Leave),
        5 => Just(Step::Release),
        1 => (0_usize..6).prop_map(Step::SetLimit),
        1 => (0_usize..6).prop_map(Step::SetQueue),
    ];
    prop::collection::vec(step, 0..150)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, ..ProptestConfig::default() })]

    #[test]
    fn behaves_as_its_model(
        lifo in any::<bool>(),
        limit in 1_usize..5,
        capacity in 0_usize..5,
        steps in steps(),
    ) {
        let order = if lifo { Order::Lifo } else { Order::Fifo };
        let mut model = Model::new(limit, capacity, order);
        for step in steps {
            model.step(step)?;
        }
        // Everybody goes home: nothing is left.
        while let Some(number) = model.pick(0) {
            model.leave(number)?;
        }
        while model.in_use > 0 {
            model.step(Step::Release)?;
        }
        prop_assert_eq!(model.semaphore.queued().0, 0);
    }
}

#[test]
fn the_fields_of_the_word_do_not_touch() {
    let semaphore = Semaphore::new(usize::MAX, 0, Order::Fifo);
    assert_eq!((semaphore.limit(), semaphore.in_use()), (MOST, 0));
    assert!(semaphore.try_acquire());
    semaphore.set_limit(0);
    assert_eq!((semaphore.limit(), semaphore.in_use()), (0, 1));
    let word = semaphore.word().with_waiters();
    assert!(word.has_waiters());
    assert_eq!((word.limit(), word.in_use()), (0, 1));
}

#[test]
fn places_are_used_again() {
    let semaphore = Semaphore::new(1, 3, Order::Fifo);
    assert!(semaphore.try_acquire());
    for _ in 0..100 {
        let places: Vec<_> = std::iter::from_fn(|| match semaphore.join() {
            Joined::Queued(place, _) => Some(place),
            Joined::Granted | Joined::Full => None,
        })
        .collect();
        assert_eq!(places.len(), 3);
        for place in places {
            assert_eq!(semaphore.leave(place), None);
        }
    }
    assert_eq!(semaphore.lock().slots.len(), 3);
}
