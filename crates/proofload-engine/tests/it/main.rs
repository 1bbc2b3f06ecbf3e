//! The engine against servers that keep a ledger.

mod counts;
mod http;
mod support;
