//! A chat service under load, with its members written in Rust.
//!
//! `rust_users [URL]` runs ten members for ten seconds, then as many new visits a second as the load
//! says, and prints what came of it. Without a URL it starts a small server of its own.

#![expect(clippy::print_stdout, reason = "a program that prints its result")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::plan::Plan;
use proofload_core::verdict::{Grade, GradingRule, PhaseToJudge, PhaseVerdict};
use proofload_engine::run::{RunOptions, RunOutcome, start};
use proofload_engine::workload::code::{CodeUsers, Kind, Load, TaskResult, Test, User, Users};
use proofload_testbed::fixture::{Behaviour, Delay, Fixture, Reply};
use serde::Deserialize;
use serde_json::json;

/// What a member remembers.
#[derive(Debug, Default)]
struct Session {
    token: String,
    /// Where the next page of messages begins.
    cursor: Option<u64>,
}

#[derive(Deserialize)]
struct Login {
    token: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<serde_json::Value>,
    next_cursor: Option<u64>,
}

async fn log_in(user: &mut User<Session>) -> TaskResult {
    let address = format!("0x{}", user.random().hex(40));
    let credentials = json!({ "address": address, "signature": "0x00" });
    let login: Login = user.post("/api/auth/login").json(&credentials).receive_json().await?;
    user.state.token = login.token;
    Ok(())
}

/// Reads one page further with every visit, and starts again after the last.
async fn read(user: &mut User<Session>) -> TaskResult {
    let mut request = user.get("/api/messages").query("limit", 50).bearer(&user.state.token);
    if let Some(cursor) = user.state.cursor {
        request = request.query("cursor", cursor);
    }
    let page: Page = request
        .check("is not cached", |answer| answer.header("x-cache").is_none())
        .receive_json()
        .await?;
    user.check("pages are not empty", !page.messages.is_empty())?;
    user.state.cursor = page.next_cursor;
    Ok(())
}

async fn write(user: &mut User<Session>) -> TaskResult {
    user.pause(Duration::from_millis(50)..Duration::from_millis(150)).await;
    let message = json!({ "recipient": "0x01", "content": "Test message", "encrypted": true });
    user.post("/api/messages").bearer(&user.state.token).json(&message).send().await?;
    Ok(())
}

fn users() -> Users {
    let member = Kind::new("member")
        .think_time(Duration::from_millis(20)..Duration::from_millis(80))
        .on_start(log_in)
        .task("read", 3, read)
        .task("write", 1, write);
    let monitor = Kind::new("monitor").count(1).task("health", 1, async |user: &mut User| {
        user.get("/health").timeout(Duration::from_secs(1)).send().await?;
        user.pause(Duration::from_millis(500)).await;
        Ok(())
    });
    Users::new().kind(member).kind(monitor)
}

fn test(target: &str) -> Test {
    Test::new(target)
        .name("Chat")
        .load(
            Load::users("Ten members", 11)
                .ramp_up(Duration::from_secs(1))
                .duration(Duration::from_secs(10))
                .expect_within("p95", "<100ms", "<1s")
                .expect("success_rate", ">99%"),
        )
        .load(
            Load::rate("Steady visits", 200.0)
                .duration(Duration::from_secs(5))
                .key("mix", r#"["member"]"#)
                .expect("p99", "<1s"),
        )
}

fn main() -> Result<ExitCode, Box<dyn Error>> {
    // Lives as long as the test.
    let mut own_server = None;
    let target = match std::env::args().nth(1) {
        Some(url) => url,
        None => own_server.insert(Fixture::start(chat_service())?).url(""),
    };
    let users = users();
    let plan = Arc::new(test(&target).plan(&users)?);
    let workload = CodeUsers::new(&plan, users)?;
    let outcome = start(Arc::clone(&plan), &workload, RunOptions::default())?.wait();
    let good = show(&plan, &outcome);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

/// Prints a line for each sort of request and a grade for each phase; true if no grade is poor.
fn show(plan: &Plan, outcome: &RunOutcome) -> bool {
    let mut good = true;
    for (phase, index) in plan.phases.iter().zip(0..) {
        let totals = outcome.totals.phase(index);
        let verdict = PhaseVerdict::of(
            &PhaseToJudge::new(&phase.name, totals, &phase.expect),
            &GradingRule::default(),
        );
        good &= verdict.grade.is_none_or(|grade| grade != Grade::Poor);
        println!("{}: {:?}", phase.name, verdict.grade);
        let Some(totals) = totals else { continue };
        for (series, stats) in totals.series().filter(|(_, stats)| stats.requests() > 0) {
            let p95_ms = stats.response().value_at_quantile(0.95).unwrap_or(0) as f64 / 1e6;
            println!(
                "  {:8} {:9} {:22} {:6} requests, {} failed, p95 {p95_ms:.1} ms",
                series.user,
                series.task,
                series.name,
                stats.requests(),
                stats.failed(),
            );
        }
        for sample in totals.errors.samples().iter().take(3) {
            println!("  {}: {}", sample.request, sample.message);
        }
    }
    good
}

/// A chat service that is always the same.
fn chat_service() -> Behaviour {
    let page = json!({ "messages": [{ "id": 7, "content": "hello" }], "next_cursor": 7 });
    let millisecond = Delay::Fixed(Duration::from_millis(1));
    Behaviour::new()
        .exact("/health", Reply::text("ok"))
        .exact("/api/auth/login", Reply::json(&json!({ "token": "abc" })).delay(millisecond))
        .exact(
            "/api/messages",
            Reply::json(&page).delay(millisecond).require_header(
                "authorization",
                "Bearer abc",
                401,
            ),
        )
}
