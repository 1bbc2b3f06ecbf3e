//! Services to put load on: a demo with realistic endpoints, and fixture servers with a ledger.
//!
//! Nothing here is published. The demo is what `proofload demo` starts and what the example plans
//! run against. The fixtures are the oracle of the test suite: each counts what it really saw and
//! did, so a report can be compared with the truth instead of with itself.
//!
//! - feature `demo`: [`demo::Demo`], an axum service with knobs for latency, errors, capacity and
//!   stalls;
//! - feature `fixture`: [`fixture::Fixture`], a server that can misbehave byte by byte, over
//!   cleartext or TLS, HTTP/1.1 or HTTP/2;
//! - feature `browser`: `browser::Browser`, a real Chromium for the tests of pages;
//! - feature `servers`: `servers::Redis` and `servers::Postgres`, real ones for the tests of what talks to them.

#[cfg(feature = "browser")]
pub mod browser;
#[cfg(feature = "demo")]
pub mod demo;
#[cfg(feature = "fixture")]
pub mod fixture;
#[cfg(any(feature = "demo", feature = "fixture"))]
mod listen;
#[cfg(all(feature = "servers", unix))]
pub mod servers;
