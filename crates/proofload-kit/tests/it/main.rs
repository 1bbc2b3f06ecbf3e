//! What users of the kit see, with the real things it works with.

#[cfg(feature = "redis")]
mod redis;
#[cfg(all(feature = "compression", feature = "fuzzing", feature = "redis"))]
mod seeds;
