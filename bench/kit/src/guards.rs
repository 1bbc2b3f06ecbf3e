//! What a call through the breaker and the limiter costs.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::Duration;

use proofload_kit::breaker::Window;
use proofload_kit::limit::Adaptive;
use proofload_kit::{CircuitBreaker, Limiter};

use crate::Args;
use crate::clock::nanoseconds_each;
use crate::contender::runtime;
use crate::median::{Rounds, median};
use crate::table::section;
use crate::together::together;

/// A way to guard a call: does that many.
type Way<'a> = (&'static str, Box<dyn Fn(u32) + Sync + 'a>);

pub(crate) fn measure(args: &Args) -> String {
    let by_count = CircuitBreaker::builder("calls").window(Window::calls(100)).build();
    let by_time =
        CircuitBreaker::builder("time").window(Window::time(Duration::from_secs(10))).build();
    let limiter = Limiter::builder("limiter").limit(64).build();
    let learning = Adaptive::gradient().between(16, 256).start(64);
    let adaptive = Limiter::builder("adaptive").adaptive(learning).build();
    let (by_count, by_time, limiter, adaptive) = (
        by_count.expect("good settings"),
        by_time.expect("good settings"),
        limiter.expect("good settings"),
        adaptive.expect("good settings"),
    );
    let breaker = |breaker: CircuitBreaker| {
        move |calls: u32| {
            for call in 0..calls {
                let result = breaker.call_sync(|| Ok::<u32, Infallible>(black_box(call)));
                assert!(result.is_ok(), "it is closed");
            }
        }
    };
    let semaphore = tokio::sync::Semaphore::new(64);
    let ways: Vec<Way<'_>> = vec![
        ("tokio `Semaphore`, `try_acquire` and back, to compare", {
            let semaphore = &semaphore;
            Box::new(move |calls| {
                for _ in 0..calls {
                    drop(black_box(semaphore.try_acquire().expect("there is room")));
                }
            })
        }),
        ("`CircuitBreaker`, window of 100 calls", Box::new(breaker(by_count))),
        ("`CircuitBreaker`, window of 10 s", Box::new(breaker(by_time))),
        ("`Limiter`, `try_acquire` and back", {
            let limiter = limiter.clone();
            Box::new(move |calls| {
                for _ in 0..calls {
                    drop(black_box(limiter.try_acquire().expect("there is room")));
                }
            })
        }),
        ("`Limiter`, adaptive, `try_acquire` and back", {
            Box::new(move |calls| {
                for _ in 0..calls {
                    drop(black_box(adaptive.try_acquire().expect("there is room")));
                }
            })
        }),
        (
            "`Limiter`, `acquire().await` and back",
            Box::new(move |calls| {
                runtime().block_on(async {
                    for _ in 0..calls {
                        drop(black_box(limiter.acquire().await.expect("there is room")));
                    }
                });
            }),
        ),
    ];
    let alone = Rounds::run(args.rounds, ways.len(), |way| {
        nanoseconds_each(args.lookups, || (ways[way].1)(args.lookups))
    });
    let mut cores = vec![Vec::new(); ways.len()];
    let two = Rounds::run(args.rounds, ways.len(), |way| {
        let round = together(&*ways[way].1);
        cores[way].push(round.cores);
        round.nanoseconds
    });
    let rows: Vec<Vec<String>> = ways
        .iter()
        .enumerate()
        .map(|(number, (name, way))| {
            // What is made once for all calls is not theirs: twice the calls, no more allocations.
            let count = |calls| allocation_counter::measure(|| way(calls)).count_total;
            let allocated = count(2_000).saturating_sub(count(1_000));
            vec![
                (*name).to_owned(),
                format!("{:.0}", alone.median(number)),
                format!("{:.2}", allocated as f64 / 1_000.0),
                format!("{:.0}", two.median(number)),
                format!("{:.2}", median(cores[number].clone())),
            ]
        })
        .collect();
    section(
        "A guarded call",
        "A call that does nothing, through a guard that lets it pass; CPU time. The last column is how many of the two \
         threads had a core at a time: below 2 others used the machine, and the threads met less often.",
        &["guard", "ns", "allocations", "ns, two threads on one guard", "at a time"],
        &rows,
    )
}
