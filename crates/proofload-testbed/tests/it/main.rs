//! The testbed, seen through plain sockets: no HTTP client stands between a test and the bytes.

mod client;
#[cfg(feature = "demo")]
mod demo_areas;
#[cfg(feature = "demo")]
mod demo_backend;
#[cfg(feature = "demo")]
mod demo_knobs;
#[cfg(all(feature = "demo", feature = "servers", unix))]
mod demo_postgres;
#[cfg(all(feature = "demo", feature = "servers", unix))]
mod demo_redis;
#[cfg(feature = "demo")]
mod demo_websocket;
#[cfg(feature = "fixture")]
mod fixture_basics;
#[cfg(feature = "fixture")]
mod fixture_faults;
#[cfg(feature = "fixture")]
mod fixture_http2;
#[cfg(feature = "fixture")]
mod fixture_timing;
#[cfg(feature = "fixture")]
mod fixture_tls;
