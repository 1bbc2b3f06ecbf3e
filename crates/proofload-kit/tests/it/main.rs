//! What users of the kit see, with the real things it works with.

#[cfg(feature = "redis")]
mod redis;
