//! The resolved plan: what the engine runs.
//!
//! Every value in here has been checked: names are resolved to indices, templates and paths are
//! compiled, files are read, defaults are filled in. Whoever holds a [`Plan`] need not ask whether
//! it makes sense. Indices ([`GroupId`], [`FeedId`], slots) count from zero without gaps, so that
//! the engine can keep what belongs to them in plain arrays.

mod alerts;
mod http;
mod load;
mod scale;
mod users;

use std::sync::Arc;
use std::time::Duration;

pub use alerts::AlertRules;
pub use http::{
    BaseUrl, Encoding, HttpSettings, HttpVersion, PemFile, Redirects, Scheme, StaticHost, Tls,
};
pub use load::{
    ArrivalLoad, Burst, BurstSize, Load, Overload, Phase, RateStage, Spacing, StopRule, UserLoad,
    UserStage,
};
pub use users::{
    Body, DataFeed, FeedMode, Header, Method, OtherKind, RequestSpec, RequestUrl, Row, Sign, Step,
    Task, TaskOrder, ThinkTime, UserKind, Variable,
};

use crate::compare::ComparisonRules;
use crate::cost::CostModel;
use crate::inspect::CacheRule;
use crate::verdict::{GradingRule, Threshold};

/// A whole test: who asks for what, how much, and what it must hold.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What the test is called in reports.
    pub name: Arc<str>,
    /// What it is for, in the user's words.
    pub description: Option<Arc<str>>,
    /// The service under test.
    pub target: Target,
    /// What must answer before any load is put on.
    pub health: Option<HealthCheck>,
    /// How connections are made and requests are sent. Default headers and credentials are already
    /// merged into each request.
    pub http: HttpSettings,
    /// Default headers and credentials that are the same for all requests, for users that are not in
    /// the plan.
    pub headers: Vec<Header>,
    /// The kinds of virtual users; at least one, unless there are others.
    pub users: Vec<UserKind>,
    /// The kinds that run with the plan without being in it.
    pub other_kinds: Vec<OtherKind>,
    /// The phases, in the order in which they run; at least one.
    pub phases: Vec<Phase>,
    /// Conditions on the whole run, in k6's words.
    pub thresholds: Vec<Threshold>,
    /// The rule of the grade.
    pub grading: GradingRule,
    /// What counts as a regression against a baseline, and what is wanted of a change.
    pub comparison: ComparisonRules,
    /// When somebody is told of trouble while it runs.
    pub alerts: AlertRules,
    /// Rows for templates, addressed by [`FeedId`].
    pub feeds: Vec<DataFeed>,
    /// What a cache hit looks like, where a request does not say otherwise (already merged into
    /// each request).
    pub cache: Option<CacheRule>,
    /// What answers cost.
    pub cost: Option<CostModel>,
    /// The names requests are grouped under in reports, addressed by [`GroupId`]. No duplicates.
    pub groups: Vec<Arc<str>>,
    /// The names of all checks, addressed by [`CheckId`]. No duplicates: checks of the same
    /// name are counted together, as in k6.
    pub checks: Vec<Arc<str>>,
    /// Seed of every random choice; a run without one picks one and reports it.
    pub seed: Option<u64>,
}

/// The service under test.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// The built-in demo service, started on a free loopback port for this run.
    Demo,
    /// A service that runs already.
    Url(BaseUrl),
}

/// What must answer before any load is put on.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheck {
    /// Where to ask, with GET.
    pub url: RequestUrl,
    /// The plan's default headers.
    pub headers: Vec<Header>,
    /// The status that means "ready"; `None` is any 2xx or 3xx.
    pub status: Option<u16>,
    /// How long one attempt may take.
    pub timeout: Duration,
    /// How long to keep trying, once a second, until the service is ready; zero is one attempt.
    pub wait: Duration,
}

/// Index into [`Plan::groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(pub u32);

/// Index into [`Plan::checks`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CheckId(pub u32);

/// Index into [`Plan::feeds`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FeedId(pub u16);

/// Index into [`UserKind::variables`]: a value that every virtual user has its own copy of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VarSlot(pub u16);

/// Index into [`UserKind::counters`]: a number that every virtual user counts up for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CounterSlot(pub u16);

/// One column of one feed, in the row that a virtual user holds at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DataCell {
    /// The feed.
    pub feed: FeedId,
    /// Index into [`DataFeed::columns`].
    pub column: u16,
}
