//! A suite that has been read and cannot be wrong.

use std::fmt;
use std::sync::Arc;

use crate::compare::Aspect;
use crate::plan::{Location, Overrides, SourceFile};
use crate::verdict::{Bound, Measure};

/// Tests in the order in which they run, and requirements in the order in which they are shown.
#[derive(Clone, Debug)]
pub struct Suite {
    /// What it is called in reports.
    pub name: Arc<str>,
    /// What it is for.
    pub description: Option<Arc<str>>,
    /// The tests; at least one. Names are unique.
    pub tests: Vec<SuiteTest>,
    /// The requirements. Ids are unique.
    pub requirements: Vec<Requirement>,
    /// The file it was read from, to show mistakes that are only seen once the plans are known.
    pub(crate) sources: Vec<SourceFile>,
}

/// A test of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct SuiteTest {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub kind: TestKind,
    /// What is done.
    pub work: TestWork,
    /// Where its kind stands in the file.
    pub(crate) kind_at: Location,
}

/// What a test does.
#[derive(Clone, Debug, PartialEq)]
pub enum TestWork {
    /// Runs a plan.
    Plan {
        /// Path of the plan, joined to the folder of the suite file.
        path: String,
        /// What the suite and the test change in it; flags and the environment win over these.
        overrides: Box<Overrides>,
        /// Variables of the suite, then of the test: later ones win.
        env: Vec<(String, String)>,
    },
    /// Compares the run of an earlier test with a baseline.
    Baseline {
        /// Index of the earlier test, which runs a plan.
        of: usize,
        /// Path of the baseline file, joined to the folder of the suite file.
        file: String,
        /// What may differ between the baseline and the run.
        allowed: Vec<Aspect>,
    },
}

/// What a test is; the words of `kind` and `--only`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TestKind {
    /// A load test of a webhook.
    Webhook,
    /// A load test.
    Load,
    /// A benchmark of Redis.
    Redis,
    /// A benchmark of PostgreSQL.
    Postgres,
    /// A search for the limit of the load.
    Capacity,
    /// A comparison with a baseline.
    Baseline,
}

impl TestKind {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] =
        [Self::Webhook, Self::Load, Self::Redis, Self::Postgres, Self::Capacity, Self::Baseline];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Load => "load",
            Self::Redis => "redis",
            Self::Postgres => "postgres",
            Self::Capacity => "capacity",
            Self::Baseline => "baseline",
        }
    }

    /// The kind of a word.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

impl fmt::Display for TestKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// Something that the service must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Requirement {
    /// Its number or name.
    pub id: Arc<str>,
    /// What is required, in words; may be empty.
    pub text: Arc<str>,
    /// What proves it, all together; nothing if nobody does.
    pub by: Vec<Proof>,
}

/// What of a test proves a requirement.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// Index of the test.
    pub test: usize,
    /// One phase of it; `None` is all of them together.
    pub phase: Option<Arc<str>>,
    /// Bounds that must be kept; without any the test must keep the limits of its own.
    pub expect: Vec<(Measure, Bound)>,
    /// Where the name of the phase stands in the file.
    pub(crate) phase_at: Location,
}

impl Suite {
    /// Which tests are run if only these kinds are wanted (all, if none are named). Tests that a wanted
    /// comparison needs are run too.
    #[must_use]
    pub fn selection(&self, only: &[TestKind]) -> Vec<bool> {
        let mut selected: Vec<bool> =
            self.tests.iter().map(|test| only.is_empty() || only.contains(&test.kind)).collect();
        for (index, test) in self.tests.iter().enumerate() {
            if let TestWork::Baseline { of, .. } = test.work
                && selected[index]
            {
                selected[of] = true;
            }
        }
        selected
    }
}
