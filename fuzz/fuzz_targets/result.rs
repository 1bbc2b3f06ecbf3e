//! See `proofload_fuzz::core::result`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::core::result(data);
});
