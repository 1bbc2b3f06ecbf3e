//! The result of a run as it is written and read: `result.json`.

mod build;
mod model;
mod rows;

pub use build::{PhaseFacts, ResultInput, build};
pub use model::{
    BoundRow, CheckRow, Distribution, DoubtRow, ErrorRow, ErrorSampleRow, ExpectationRow,
    GeneratorResult, Histograms, IterationResult, PercentileRow, PhaseResult, RequestRow,
    ResultError, RunInfo, RunResult, Summary, ThresholdRow, TrustResult,
};
