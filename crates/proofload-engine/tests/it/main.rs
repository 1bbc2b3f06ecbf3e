//! The engine against servers that keep a ledger.

mod code;
mod days;
mod http;
mod ledger;
mod seeds;
mod support;
mod truth;
