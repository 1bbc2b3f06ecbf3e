//! The Goose peer: every user gets `/` and reads the answer, again and again, without a pause.
//!
//! Goose is a library, so its benchmark is a program. It takes Goose's own command line and ends with one line of JSON,
//! which spares the harness from parsing Goose's rounded tables.

use std::io::Write;

use goose::metrics::GooseMetrics;
use goose::prelude::*;

#[tokio::main]
async fn main() -> Result<(), GooseError> {
    let home = scenario!("home").register_transaction(transaction!(get_home));
    let metrics = GooseAttack::initialize()?.register_scenario(home).execute().await?;
    // Nothing useful is left to do when standard output is gone: the harness then reports the missing line.
    let _ = writeln!(std::io::stdout(), "{}", summary(&metrics));
    Ok(())
}

/// One request, its body read to the end as every other peer does.
async fn get_home(user: &mut GooseUser) -> TransactionResult {
    let answer = user.get("/").await?;
    if let Ok(response) = answer.response {
        let _ = response.bytes().await;
    }
    Ok(())
}

/// What the harness needs, as one JSON object; times in microseconds.
fn summary(metrics: &GooseMetrics) -> String {
    let completed: usize = metrics.requests.values().map(|request| request.success_count).sum();
    let failed: usize = metrics.requests.values().map(|request| request.fail_count).sum();
    // One path is requested, so there is one aggregate and nothing to merge.
    let p99_us = metrics.requests.values().map(|request| request.raw_data.percentile_us(0.99)).max().unwrap_or(0);
    format!(r#"{{"completed":{completed},"failed":{failed},"seconds":{},"p99_us":{p99_us}}}"#, metrics.duration)
}
