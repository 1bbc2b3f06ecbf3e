#![doc = include_str!("../docs/response.md")]

mod answer;
mod body;
mod builder;
mod control;
mod exchange;
mod key;
mod layer;
mod mark;
mod outcome;
mod question;
mod rules;
mod shared;
mod vary;
#[cfg(feature = "redis")]
mod wire;

pub use answer::CachedResponse;
pub use body::ResponseCacheBody;
pub use builder::ResponseCacheBuilder;
pub use layer::{ResponseCacheFuture, ResponseCacheLayer, ResponseCacheService};
pub use outcome::{CacheOutcome, CacheStatus};
pub use question::{HashBody, IgnoreBody, KeyBody};
