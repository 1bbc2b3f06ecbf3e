//! The users of a test as Rust code.
//!
//! A user's steps are plain `async fn`s that take a [`User`]: who it is, what it remembers, and its
//! instrumented HTTP client. A [`Kind`] puts steps together; [`Users`] run instead of a plan's users or
//! beside them, in the same phases, with the same recorder and the same verdict.
//!
//! ```
//! use std::time::Duration;
//!
//! use proofload_engine::workload::code::{Kind, TaskError, TaskResult, User, Users};
//! use serde_json::{Value, json};
//!
//! #[derive(Default)]
//! struct Session {
//!     token: String,
//! }
//!
//! async fn log_in(user: &mut User<Session>) -> TaskResult {
//!     let address = format!("0x{}", user.random().hex(40));
//!     let answer: Value =
//!         user.post("/api/auth/login").json(&json!({ "address": address })).receive_json().await?;
//!     let token = answer["token"].as_str().ok_or_else(|| TaskError::new("no token"))?;
//!     user.state.token = token.to_owned();
//!     Ok(())
//! }
//!
//! async fn read(user: &mut User<Session>) -> TaskResult {
//!     user.get("/api/messages")
//!         .query("limit", 50)
//!         .bearer(&user.state.token)
//!         .check("has messages", |answer| {
//!             answer.json::<Value>().is_ok_and(|body| body["messages"].is_array())
//!         })
//!         .send()
//!         .await?;
//!     Ok(())
//! }
//!
//! async fn write(user: &mut User<Session>) -> TaskResult {
//!     let message = json!({ "recipient": "0x01", "content": "Test message" });
//!     user.post("/api/messages").bearer(&user.state.token).json(&message).send().await?;
//!     user.pause(Duration::from_millis(100)..Duration::from_millis(300)).await;
//!     Ok(())
//! }
//!
//! let member = Kind::new("member")
//!     .weight(3)
//!     .think_time(Duration::from_secs(1)..Duration::from_secs(3))
//!     .on_start(log_in)
//!     .task("read", 3, read)
//!     .task("write", 1, write);
//! let users = Users::new().kind(member);
//! ```
//!
//! # Running them
//!
//! Target, phases and expectations come from a plan. [`Plan::parse`](proofload_core::plan::Plan::parse)
//! reads one from TOML: give it [`Users::for_plan`], so that its phases know the kinds. [`Test`] puts
//! one together in code. [`CodeUsers`] run with a plan that has no users, [`Combined`] beside those it
//! has.
//!
//! ```no_run
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use proofload_engine::run::{RunOptions, start};
//! use proofload_engine::workload::code::{CodeUsers, Kind, Load, Test, User, Users};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let users = Users::new().kind(Kind::new("visitor").task("home", 1, async |user: &mut User| {
//!         user.get("/").send().await?;
//!         Ok(())
//!     }));
//!     let plan = Test::new("http://127.0.0.1:8000")
//!         .load(Load::users("Normal", 100).duration(Duration::from_secs(60)).expect("p95", "<300ms"))
//!         .plan(&users)?;
//!     let workload = CodeUsers::new(&plan, users)?;
//!     let outcome = start(Arc::new(plan), &workload, RunOptions::default())?.wait();
//!     let measured = outcome.record.totals.phase(0).map(|phase| phase.requests());
//!     assert!(measured.is_some_and(|requests| requests.failed() == 0));
//!     Ok(())
//! }
//! ```
//!
//! # What is recorded, and when
//!
//! - Every exchange with the server is recorded exactly once, also each redirect that is followed and
//!   whatever the code does with the answer. So the counts of a report are those of the server's log.
//! - A request is recorded when [`send`](RequestBuilder::send) is done, after its checks were made
//!   and something was taken out of its answer. So everything that decides over success is said before:
//!   [`expect_status`](RequestBuilder::expect_status), [`check`](RequestBuilder::check),
//!   [`extract`](RequestBuilder::extract). Nothing can change the verdict afterwards. None of it is part
//!   of the measured time.
//! - Requests are grouped by kind, task and name. The name is `METHOD /path` without the query, unless
//!   [`name`](RequestBuilder::name) gives one.
//! - In open load, response time runs from the intended start of the iteration for its first request,
//!   as for a plan's users.
//! - An iteration has failed if anything in it failed, handled or not: a request, a check, the code.
//! - An error that is no request's is a failure of the code ([`TaskError`]), shown in the report.
//! - A panic costs the iteration; the user starts over with nothing remembered, and everybody else
//!   goes on.
//!
//! # Coming from Goose
//!
//! | Goose | here |
//! |---|---|
//! | `scenario!("Member")`, `register_transaction(transaction!(read).set_weight(3)?)` | `Kind::new("Member").task("read", 3, read)` |
//! | `transaction!(log_in).set_on_start()` | `.on_start(log_in)` |
//! | `set_wait_time(1s, 3s)?` | `.think_time(1s..3s)` |
//! | `user.set_session_data(…)`, `get_session_data_unchecked::<Session>()` | `user.state`, of your own type |
//! | `GooseRequest::builder().path(…).name(…).expect_status_code(404).build()` | `user.get(…).name(…).expect_status(404)` |
//! | `user.set_failure(…)` after the fact | `.check("name", \|answer\| …)` before it is counted |
//! | `Err(Box::new(e.into()))` | `?` on any error |
//! | futures must be `Send` | they need not be |

mod answer;
mod combined;
mod error;
mod kind;
mod random;
mod request;
mod scope;
mod send;
mod test;
mod user;
mod workload;

pub use answer::Answer;
pub use combined::{Combined, CombinedSource, CombinedUser};
pub use error::{CheckError, RequestError, TaskError, TaskResult};
pub use kind::Kind;
pub use random::Random;
pub use request::RequestBuilder;
pub use test::{Load, Test};
pub use user::{Pause, User};
pub use workload::{CodeSource, CodeUser, CodeUsers, Users};

/// What a panic said.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
