//! The outputs with what is on the other side of them.
//!
//! - `run`: a simulated run and what it adds up to;
//! - `receiver`: an HTTP server that keeps what it is sent, and behaves badly when told to;
//! - `metrics`: scrape page, remote write and OTLP say what the run measured;
//! - `trouble`: dead, slow and returning sinks;
//! - `files`: NDJSON, plain and compressed;
//! - `alerts`: the webhook.

mod alerts;
mod files;
mod metrics;
mod receiver;
mod run;
mod trouble;
