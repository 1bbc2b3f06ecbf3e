//! A chat service under load, with its members written in Rust.
//!
//! ```sh
//! cargo run --release --example rust_users                        # against the built-in demo service
//! cargo run --release --example rust_users -- --users 50 --duration 30s --target http://127.0.0.1:8000
//! ```
//!
//! Progress, summary, result file, flags and exit codes are those of `proofload run`.

use std::process::ExitCode;
use std::time::Duration;

use proofload::prelude::*;
use serde::Deserialize;
use serde_json::json;

/// What a member remembers.
#[derive(Debug, Default)]
struct Session {
    token: String,
    /// Where the next page of messages begins.
    cursor: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Login {
    token: String,
}

#[derive(Deserialize)]
struct Page {
    messages: Vec<serde_json::Value>,
    next_cursor: Option<serde_json::Value>,
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
    let mut request = user.get("/api/messages").query("limit", 20).bearer(&user.state.token);
    if let Some(cursor) = &user.state.cursor {
        request = request.query("cursor", cursor.as_str().unwrap_or(&cursor.to_string()));
    }
    let page: Page = request.receive_json().await?;
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

fn main() -> ExitCode {
    let member = Kind::new("member")
        .think_time(Duration::from_millis(20)..Duration::from_millis(80))
        .on_start(log_in)
        .task("read", 3, read)
        .task("write", 1, write);
    let test = Test::new("demo")
        .name("Chat")
        .load(
            Load::users("Ten members", 10)
                .ramp_up(Duration::from_secs(1))
                .duration(Duration::from_secs(6))
                .expect_within("p95", "<100ms", "<1s")
                .expect("success_rate", ">99%"),
        )
        .load(
            Load::rate("Steady visits", 200.0)
                .duration(Duration::from_secs(4))
                .expect("p99", "<1s"),
        );
    proofload::main(&test.to_toml(), Users::new().kind(member))
}
