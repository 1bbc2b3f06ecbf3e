//! The result of a run as it is written and read: `result.json`.

mod build;
mod digest;
mod model;
mod rows;

pub use build::{Detail, PhaseFacts, ResultInput, build};
pub use digest::{PhaseDigest, ResponseHistograms, RunDigest};
pub use model::{
    BoundRow, CheckRow, Distribution, DoubtRow, ErrorRow, ErrorSampleRow, ExpectationRow,
    GeneratorResult, Histograms, IterationResult, MarkRow, PercentileRow, PhaseResult, RequestRow,
    ResultError, RunInfo, RunResult, Summary, ThresholdRow, TimelineRow, TrustResult,
};
