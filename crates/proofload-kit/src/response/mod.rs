//! Answers of services, kept: a tower layer over [`Cache`](crate::Cache), with its single flight, its stale values and
//! its other layers, that knows what HTTP allows to be shared.
//!
//! - `layer`: the layer and its service; `builder`: the settings; `outcome`: what is told about an answer;
//! - `exchange`: one request on its way; `shared`: what requests have in common;
//! - `question`, `key`, `vary`: what tells requests apart;
//! - `rules`, `control`: what may be kept, as pure functions;
//! - `answer`, `body`, `mark`: what is kept, and what is made of it; `wire`: how it is shared with other processes.

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
pub use body::ResponseBody;
pub use builder::ResponseCacheBuilder;
pub use layer::{ResponseCache, ResponseCacheLayer};
pub use outcome::{CacheOutcome, CacheStatus};
pub use question::{BodyRead, HashBody, IgnoreBody, KeyBody};
