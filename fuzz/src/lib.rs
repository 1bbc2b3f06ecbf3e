//! What must hold of every parser of foreign input, whatever the input.
//!
//! One plain function a target: bytes in, a panic when a promise is broken, and whether the bytes
//! were taken for what they claim to be. libFuzzer calls them (`fuzz_targets/`), and so do the
//! ordinary tests of the crates with every file in `seeds/`.

pub mod core;
pub mod engine;
pub mod kit;
