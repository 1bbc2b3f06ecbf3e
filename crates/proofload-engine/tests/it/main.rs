//! The engine against servers that keep a ledger.

mod by_hand;
mod code;
mod days;
mod http;
mod ledger;
mod support;
mod truth;
