//! See `proofload_fuzz::engine::content_decoding`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::engine::content_decoding(data);
});
