//! Hits with more threads: does a thread slow the others down?

use std::hint::black_box;
use std::sync::{Arc, Barrier};
use std::time::Instant;

use crate::Args;
use crate::clock::nanoseconds_each;
use crate::contender::{Contender, Profile, all};
use crate::median::Rounds;
use crate::table::section;
use crate::trace::Trace;

const KEYS: u32 = 10_000;

pub(crate) fn measure(args: &Args) -> String {
    let keys: Vec<String> = (0..KEYS).map(|id| format!("user_profile:{id}")).collect();
    let trace = Trace::Zipf { keys: KEYS, skew: 0.9 }.keys(args.lookups, args.seed);
    let contenders = all(2 * KEYS as usize);
    for contender in &contenders {
        for (id, key) in (0..).zip(&keys) {
            contender.put(key, Arc::new(Profile { id, stored_at: 0 }));
        }
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut rows: Vec<Vec<String>> =
        contenders.iter().map(|contender| vec![contender.name().to_owned()]).collect();
    let mut head = vec!["cache".to_owned()];
    for threads in [1, 2, 4, 8].into_iter().filter(|&threads| threads <= cores.max(2)) {
        head.push(format!("{threads} threads: CPU ns"));
        head.push("million/s".to_owned());
        let mut rates = vec![Vec::new(); contenders.len()];
        let rounds = Rounds::run(args.rounds, contenders.len(), |number| {
            let (each, rate) = round(contenders[number].as_ref(), threads, &keys, &trace);
            rates[number].push(rate);
            each
        });
        for (number, row) in rows.iter_mut().enumerate() {
            rates[number].sort_by(f64::total_cmp);
            row.push(format!("{:.0}", rounds.median(number)));
            row.push(format!("{:.1}", rates[number][rates[number].len() / 2] / 1e6));
        }
    }
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    section(
        "Hits with more threads",
        "All threads ask for the same keys, the most popular one with every tenth look-up. CPU time of one look-up, and look-ups a second by the clock on the wall.",
        &head,
        &rows,
    )
}

/// CPU time of a look-up, averaged over the threads, and look-ups a second.
fn round(contender: &dyn Contender, threads: usize, keys: &[String], trace: &[u32]) -> (f64, f64) {
    let barrier = Barrier::new(threads);
    let began = Instant::now();
    let each: Vec<f64> = std::thread::scope(|scope| {
        let work = || {
            barrier.wait();
            nanoseconds_each(trace.len() as u32, || {
                for &id in trace {
                    black_box(contender.get(black_box(&keys[id as usize])));
                }
            })
        };
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        running.into_iter().map(|thread| thread.join().expect("it does not panic")).collect()
    });
    let lookups = (threads * trace.len()) as f64;
    (each.iter().sum::<f64>() / each.len() as f64, lookups / began.elapsed().as_secs_f64())
}
