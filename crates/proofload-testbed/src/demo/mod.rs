//! The demo service: something worth loading, with the endpoints of the source documents.
//!
//! It answers with real work behind it: tokens that are checked, messages that are stored and
//! paged, a response cache whose hit rate is earned, signatures that are verified, accounts that
//! can run out of coins. Its [`Knobs`] add latency, errors, a capacity with a bounded queue, and
//! stalls, at the start or at run time, so that limits can be shown and found.
//!
//! ```
//! use proofload_testbed::demo::{Demo, DemoOptions};
//!
//! let demo = Demo::start(DemoOptions::default())?;
//! assert!(demo.url().starts_with("http://127.0.0.1:"));
//! demo.stop();
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! - `options`, `knobs`: what can be set, and what can be set while it runs;
//! - `server`: the threads and the handle; `routes`: which path leads where;
//! - `traffic`: what every request goes through: stall, admission, latency, errors;
//! - `caches`: what it remembers; `backend`: what is slow behind it, and the pool of connections to
//!   that; `background`: work that nobody waits for; `metrics`: `/metrics`;
//! - `knowledge`: what is known behind it; `postgres`, `postgres_error`: the same, and the messages, in a real one;
//! - `auth`, `messages`, `chat`, `bot`, `analytics`, `webhook`, `websocket`, `admin`, `catalogue`:
//!   the areas of the service.

mod admin;
mod analytics;
mod auth;
mod backend;
mod background;
mod bot;
mod caches;
mod catalogue;
mod chat;
mod error;
mod knobs;
mod knowledge;
mod messages;
mod metrics;
mod options;
mod postgres;
mod postgres_error;
mod routes;
mod server;
mod state;
mod traffic;
mod webhook;
mod websocket;

pub use knobs::{BadKnobs, Knobs};
pub use options::DemoOptions;
pub use postgres::DatabasePlace;
pub use server::Demo;
pub use webhook::twilio_signature;
