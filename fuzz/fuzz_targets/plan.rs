//! See `proofload_fuzz::core::plan`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::core::plan(data);
});
