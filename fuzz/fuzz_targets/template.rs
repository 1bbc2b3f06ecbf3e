//! See `proofload_fuzz::core::template`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::core::template(data);
});
