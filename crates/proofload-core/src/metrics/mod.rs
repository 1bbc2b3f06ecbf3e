//! What is measured and how it is kept: mergeable histograms, error kinds, interval snapshots.

mod error_kind;

pub use error_kind::ErrorKind;
