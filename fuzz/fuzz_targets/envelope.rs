//! See `proofload_fuzz::kit::envelope`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    proofload_fuzz::kit::envelope(data);
});
