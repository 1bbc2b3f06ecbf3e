//! JUnit XML: a result as the test views of continuous integration read it.
//!
//! A phase is a test suite, and so is the run as a whole. Whatever was judged is a test case:
//! expectations, checks, thresholds, the grade, whether the measurement can be trusted. A case fails
//! where the verdict says so and only there, so that a test view is red when the exit code is not 0:
//!
//! - **failure**: a limit is broken, a threshold is crossed, a check never held, a phase made no
//!   request, the grade is FAIR or POOR, a rule of a comparison with a baseline fired;
//! - **error**: there is no judgement, because the run was interrupted or incomplete or its
//!   measurement is not to be trusted (the exit code says that under `--strict` only);
//! - **skipped**: a phase never ran; or something that is not as it should be but breaks nothing: a
//!   target missed, a check that failed now and then.
//!
//! The form is the one that Jenkins' xUnit plugin publishes as `junit-10.xsd`, in the order of
//! elements of Ant's older one; GitLab, GitHub's test reporters and Azure read it as well. Times are
//! in seconds with three decimals, timestamps in UTC without a zone, as both demand.

mod of_suite;
mod suites;
mod xml;

use proofload_core::result::RunResult;
use proofload_core::suite::SuiteResult;

/// The result as JUnit XML, with a final line break.
#[must_use]
pub fn junit(result: &RunResult) -> String {
    xml::document(&result.run.name, &suites::of(result))
}

/// The result of a suite as JUnit XML: a test case for each test and for each requirement. A failed
/// requirement is a failure, one that nobody has proven is skipped.
#[must_use]
pub fn junit_suite(result: &SuiteResult) -> String {
    xml::document(&result.suite.name, &of_suite::of(result))
}
