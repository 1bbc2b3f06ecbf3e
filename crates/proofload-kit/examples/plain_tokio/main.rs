//! The kit without HTTP: a worker that prices orders with a slow source of rates.
//!
//! `cargo run -p proofload-kit --example plain_tokio --no-default-features` takes about a second; nothing is needed
//! beside tokio.

#![expect(clippy::print_stdout, reason = "an example shows what it does")]

mod worker;

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let seen = worker::run().await?;
    println!("{} orders at once: {} load(s) of the rate", worker::ORDERS, seen.loads_of_crowd);
    println!(
        "the source fails: {:.2} is served, {} s at most after it was fresh",
        seen.stale_rate,
        worker::FAIL_SAFE_SECONDS
    );
    println!(
        "{} calls without a value in the cache: {} reached the source, then the breaker was {}",
        worker::CALLS,
        seen.calls_in_outage,
        seen.breaker
    );
    println!(
        "{} jobs, {} at a time: {} done, {} refused",
        worker::JOBS,
        worker::WORKERS,
        seen.jobs_done,
        seen.jobs_refused
    );
    println!();
    print!("{}", seen.metrics);
    Ok(())
}
