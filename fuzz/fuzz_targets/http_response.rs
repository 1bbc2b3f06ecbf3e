//! See `proofload_fuzz::engine::http_response`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::engine::http_response(data);
});
