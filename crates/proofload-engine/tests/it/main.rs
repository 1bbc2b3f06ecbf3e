//! The engine against servers that keep a ledger.

mod code;
mod counts;
mod http;
mod seeds;
mod support;
