//! What a circuit breaker and a limiter are worth in an outage, measured.
//!
//! A real HTTP server on loopback fails one call in ten, then goes down for four seconds (most calls
//! hang, some fail at once), then comes back. 200 callers a second ask it directly, and as many ask
//! another one like it through the guards. Run it with
//! `cargo run -p proofload-kit --example outage`; it takes about a quarter of a minute.

#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

mod backend;
mod scenario;

use std::{error::Error, time::Duration};

use proofload_kit::breaker::State;
use scenario::{Ending, Phase, Plan, Report, Side, times};

const PLAN: Plan = Plan {
    rate: 200,
    phases: [Duration::from_secs(3), Duration::from_secs(4), Duration::from_secs(4)],
    patience: Duration::from_secs(1),
    open_for: Duration::from_millis(500),
    minimum_calls: 20,
    limit: 20,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let took: Duration = PLAN.phases.iter().sum();
    println!(
        "{} callers a second for {took:?}, each waits at most {:?}.\n",
        PLAN.rate, PLAN.patience
    );
    let report = scenario::run(PLAN).await?;
    print_timeline(&report);
    print_table(&report);
    print_verdict(&report);
    Ok(())
}

/// Everything that happened, in its order.
fn print_timeline(report: &Report) {
    let [well, outage, _] = PLAN.phases;
    let mut events = vec![
        (Duration::ZERO, "backend   well, one call in ten fails".to_owned()),
        (well, "backend   DOWN".to_owned()),
        (well + outage, "backend   well again".to_owned()),
    ];
    for (at, transition) in &report.steps {
        events.push((*at, format!("breaker   {} -> {}", transition.from, transition.to)));
    }
    for (name, side) in [("direct", &report.direct), ("guarded", &report.guarded)] {
        if let Some(at) = side.first_good(Phase::Recovery) {
            events.push((at, format!("{name:<8}  first good answer")));
        }
    }
    events.sort();
    println!("Timeline");
    for (at, event) in events {
        println!("  {:>7.3} s  {event}", at.as_secs_f64());
    }
    println!();
}

fn print_table(report: &Report) {
    println!("Callers by when they came");
    println!(
        "  {:<9} {:<8} {:>6} {:>6} {:>7} {:>9} {:>8} {:>9} {:>9}",
        "phase", "way", "calls", "good", "failed", "timed out", "refused", "p50 ms", "p99 ms"
    );
    for phase in Phase::ALL {
        for (name, side) in [("direct", &report.direct), ("guarded", &report.guarded)] {
            let took = side.sorted(phase);
            let count = |which: fn(Ending) -> bool| side.count(phase, which);
            let phase = format!("{phase:?}").to_lowercase();
            println!(
                "  {phase:<9} {name:<8} {:>6} {:>6} {:>7} {:>9} {:>8} {:>9.1} {:>9.1}",
                took.len(),
                count(|ending| ending == Ending::Good),
                count(|ending| ending == Ending::Failed),
                count(|ending| ending == Ending::TimedOut),
                count(|ending| {
                    matches!(ending, Ending::RefusedByBreaker | Ending::RefusedByLimiter)
                }),
                percentile(&took, 0.50),
                percentile(&took, 0.99),
            );
        }
    }
    println!();
}

fn print_verdict(report: &Report) {
    let Report { direct, guarded, breaker, limiter, steps } = report;
    let waited = |side: &Side| side.sorted(Phase::Outage).iter().sum::<Duration>().as_secs_f64();
    let (without, with) = (waited(direct), waited(guarded));
    let [opened, half_open, closed] =
        [State::Open, State::HalfOpen, State::Closed].map(|state| times(steps, state));
    println!("Measured");
    println!("  breaker      opened {opened}, half-open {half_open}, closed {closed} times");
    println!(
        "  refused      {} by the breaker, {} by the limiter (queue full {}, deadline {})",
        breaker.refused,
        limiter.refused_full + limiter.refused_deadline,
        limiter.refused_full,
        limiter.refused_deadline,
    );
    println!(
        "  waiting      callers of the outage were kept for {without:.1} s altogether, guarded for \
         {with:.1} s: {:.1} s saved",
        without - with
    );
    println!(
        "  backend      saw {} requests directly, {} through the guards",
        direct.seen, guarded.seen
    );
}

/// By nearest rank, in milliseconds; 0 of nothing.
fn percentile(sorted: &[Duration], part: f64) -> f64 {
    let rank = (sorted.len() as f64 * part).ceil() as usize;
    sorted.get(rank.max(1) - 1).map_or(0.0, |took| took.as_secs_f64() * 1e3)
}
