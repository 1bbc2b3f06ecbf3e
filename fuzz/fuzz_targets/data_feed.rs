//! See `proofload_fuzz::core::data_feed`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::core::data_feed(data);
});
