//! What is measured and how it is kept: mergeable histograms, error kinds, interval snapshots.
//!
//! The way of a number: the engine records a [`RequestSample`] into the [`RequestStats`] of its
//! series; every second a shard takes what it has into an [`IntervalSnapshot`]; [`RunTotals`]
//! merges the snapshots of all shards into [`PhaseTotals`], from which verdicts and results are
//! computed. All merging is exact, and all of it takes bounded memory.

mod blocked;
mod codec;
mod counts;
mod error_kind;
mod error_sample;
mod histogram;
mod iteration;
mod request;
mod series;
mod snapshot;
mod totals;

pub use blocked::{BlockedHistogram, FIRST_BLOCK_NS, MAX_BLOCKS};
pub use codec::DecodeError;
pub use counts::{CheckCount, ErrorCounts, StatusCounts};
pub use error_kind::ErrorKind;
pub use error_sample::{ErrorSample, ErrorSamples, MAX_MESSAGE_BYTES, SAMPLES_PER_KIND};
pub use histogram::{Bucket, Histogram};
pub use iteration::{GeneratorStats, IterationStats};
pub use request::{MAX_CHECKS_PER_SERIES, RequestSample, RequestStats};
pub use series::{MAX_SERIES, SeriesId, SeriesMeta, SeriesRegistry};
pub use snapshot::{IntervalSnapshot, SeriesSnapshot, ShardId};
pub use totals::{MAX_PHASES, MAX_SHARDS, MergeError, Merged, PhaseTotals, RunTotals};
