//! See `proofload_fuzz::kit::invalidation`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::kit::invalidation(data);
});
