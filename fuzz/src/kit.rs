//! Targets of `proofload-kit`: what stands in Redis and what other processes say.

use proofload_kit::fuzzing;

/// An entry as it stands in Redis.
///
/// No more is allocated than the limit allows. What is read is written and reads as the same,
/// compressed and not.
pub fn envelope(data: &[u8]) -> bool {
    fuzzing::envelope(data)
}

/// An invalidation, as another process says it. What is read is written as the same bytes.
pub fn invalidation(data: &[u8]) -> bool {
    fuzzing::message(data)
}
