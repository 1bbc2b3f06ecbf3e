//! The result of a run as it is written and read: `result.json`.

mod build;
mod comparison;
mod digest;
mod model;
mod repeats;
mod rows;
mod steps;
mod versioned;

pub use build::{Detail, PhaseFacts, ResultInput, build};
pub use comparison::{
    ChangeRow, ChangeScale, ChangeVerdict, Comparison, ComparisonEntry, GoalOutcome, GoalRow,
    RequestName, RuleRow, SideRow,
};
pub use digest::{PhaseDigest, ResponseHistograms, RunDigest};
pub use model::{
    BoundRow, CheckRow, Distribution, DoubtRow, ErrorRow, ErrorSampleRow, ExpectationRow,
    GeneratorResult, Histograms, IterationResult, MarkRow, PercentileRow, PhaseResult, RequestRow,
    ResultError, RunInfo, RunResult, Summary, ThresholdRow, TimelineRow, TrustResult,
};
pub use repeats::{Pool, RepeatRow, Repeated, Repeats, SpreadRow};
pub use steps::{PlannedStep, StepRow, planned_steps};
pub(crate) use versioned::{Versioned, has_key, read};
