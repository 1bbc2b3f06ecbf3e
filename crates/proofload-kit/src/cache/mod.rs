//! A cache in memory, with an optional layer that processes share, that loads each value once.
//!
//! What users call:
//! - `handle`: the cache: looking up and loading; `compute`: the same for synchronous code;
//! - `write`: putting values in; `invalidate`: taking them away; `warm`: loading ahead;
//! - `builder`: the settings; `ttl`: how long values are fresh; `loaded`: what loaders give back;
//! - `load_error`, `stats`: what is told.
//!
//! What it is made of:
//! - `core`: the parts of one cache and the steps that touch several of them;
//! - `policy`: when an entry is fresh or stale, as pure functions; `clock`: what time is to them;
//! - `entry`, `memory`: the bounded store; the only place that knows which crate evicts;
//! - `flight`: loads under way, one for a key; `load`: who leads them and who waits;
//! - `writing`: writes of the source under way;
//! - `layers`: a load through the shared layer; `remote`: what a shared layer is;
//! - `tags`, `glob`: what is invalidated together; `metrics`: what the registry shows;
//! - `sync`: what `flight` is made of, or a model of it; `hooks`: what the rest of the crate asks of a cache.

mod builder;
mod clock;
mod compute;
mod core;
mod entry;
mod flight;
pub(crate) mod glob;
mod handle;
#[cfg(any(feature = "macros", feature = "tower"))]
pub(crate) mod hooks;
mod invalidate;
mod layers;
mod load;
mod load_error;
mod loaded;
#[cfg(all(test, kit_loom))]
#[path = "tests_loom.rs"]
mod loom_tests;
mod memory;
mod metrics;
mod policy;
pub(crate) mod remote;
mod stats;
mod sync;
mod tags;
#[cfg(all(test, not(kit_loom)))]
mod tests;
mod ttl;
mod warm;
mod write;
mod writing;

pub(crate) use invalidate::Invalidate;

pub use builder::CacheBuilder;
pub use handle::Cache;
pub use load_error::LoadError;
pub use loaded::{IntoLoaded, Loaded, PutOptions};
pub use stats::CacheStats;
pub use ttl::Ttl;
pub use warm::{WarmProgress, WarmReport};
