//! Suites: tests that run one after the other, and the requirements that they prove.
//!
//! A [`Suite`] is read from a file with the machinery of plans. Whoever runs it hands in how each test came out
//! ([`TestRow`] and [`RunDigest`](crate::result::RunDigest)); [`SuiteResult::build`] judges the requirements and
//! grades the whole. A requirement is proven only by a trustworthy measurement that keeps its bound: what was not
//! run, was interrupted or cannot be trusted proves nothing.

mod compared;
mod judge;
mod model;
mod result;

pub use judge::{SuiteInput, TestOutcome};
pub use model::{Proof, Requirement, Suite, SuiteTest, TestKind, TestWork};
pub use result::{
    ProofRow, ProofVerdict, RequirementRow, SuiteInfo, SuiteResult, SuiteSummary, TestRow,
    TestState,
};
