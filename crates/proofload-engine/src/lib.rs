//! Runs a Proofload plan: one dispatcher, share-nothing workers, virtual users, protocols.

pub mod http;
pub mod system;
