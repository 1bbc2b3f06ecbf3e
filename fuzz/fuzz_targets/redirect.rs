//! See `proofload_fuzz::engine::redirect`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::engine::redirect(data);
});
