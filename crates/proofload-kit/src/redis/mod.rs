//! The layer of caches that processes share: values, leases and invalidations in Redis.
//!
//! Redis is never needed: whatever goes wrong with it, a cache acts as if this layer were empty.
//! A dead or slow Redis is left alone for a moment at a time, so that it costs callers nothing.
//!
//! - `handle`: [`Redis`], the connection that caches share; `settings`: how it is made; `stats`: what it counts;
//! - `link`: one connection, opened lazily and again; `guard`: whether Redis is worth asking;
//! - `layer`: what a cache does with it; `scripts` and `lua/`: the steps that must be one;
//!   `sweep`: invalidation of patterns; `owed`: invalidations Redis could not take yet;
//! - `listener`: what other processes invalidate; `message`: how they say it;
//! - `builder`: puts the layer below a cache;
//! - `envelope`: entries as bytes; `keys`: names in Redis; `failure`: what goes wrong.

mod builder;
mod envelope;
mod failure;
mod guard;
mod handle;
mod keys;
mod layer;
mod link;
mod listener;
mod message;
mod owed;
mod scripts;
mod settings;
mod stats;
mod sweep;
#[cfg(test)]
mod tests;

pub use handle::Redis;
pub use settings::RedisBuilder;
pub use stats::RedisStats;

/// The parsers of what comes out of Redis, for fuzzing. Not part of the public API.
#[doc(hidden)]
#[cfg(feature = "fuzzing")]
pub mod fuzzing {
    use bytes::Bytes;

    /// Reads an entry as it stands in Redis; what is read is written and reads as the same.
    pub fn envelope(data: &[u8]) -> bool {
        const MAX_VALUE_BYTES: usize = 1 << 20;
        let Ok(stored) = super::envelope::decode(&Bytes::copy_from_slice(data), MAX_VALUE_BYTES)
        else {
            return false;
        };
        let value_bytes = stored.value.as_ref().map_or(0, Bytes::len);
        assert!(value_bytes <= MAX_VALUE_BYTES);
        for compress_above in [0, usize::MAX] {
            let again = super::envelope::encode(&stored, compress_above, MAX_VALUE_BYTES)
                .expect("what was read is not too large");
            let again = super::envelope::decode(&again.into(), MAX_VALUE_BYTES);
            assert_eq!(again.as_ref(), Ok(&stored));
        }
        true
    }

    /// Reads what another process says; what is read is written as the same bytes.
    pub fn message(data: &[u8]) -> bool {
        let Some(message) = super::message::decode(data) else { return false };
        let again = super::message::encode(message.origin, message.cache, &message.target);
        assert_eq!(again, data);
        true
    }
}
