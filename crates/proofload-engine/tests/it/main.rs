//! The engine against servers that keep a ledger.

mod code;
mod control;
mod days;
mod http;
mod ledger;
mod secrets;
mod seeds;
mod support;
mod truth;
