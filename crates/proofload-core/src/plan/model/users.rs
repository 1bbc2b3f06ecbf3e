//! Kinds of virtual users and what they do.

use std::sync::Arc;
use std::time::Duration;

use super::{CounterSlot, FeedId, GroupId, VarSlot, http::BaseUrl};
use crate::inspect::Inspector;
use crate::template::Template;

/// A kind of virtual user.
#[derive(Clone, Debug, PartialEq)]
pub struct UserKind {
    /// Unique among kinds.
    pub name: Arc<str>,
    /// Share among the kinds of a phase; 0 only takes part where `count` or a phase's mix says so.
    pub weight: u32,
    /// Exactly this many of the users of a phase are of this kind (taken before weights are
    /// applied), as Locust's `fixed_count`.
    pub count: Option<u32>,
    /// Pause after every task that has none of its own.
    pub think_time: ThinkTime,
    /// Once per virtual user, when it starts.
    pub on_start: Vec<Step>,
    /// Over and over; at least one. One execution of one task is an iteration.
    pub tasks: Vec<Task>,
    /// Once per virtual user, when it stops in good order.
    pub on_stop: Vec<Step>,
    /// Which task comes next.
    pub order: TaskOrder,
    /// Values that every virtual user has its own copy of, addressed by [`VarSlot`]. Those with an
    /// initial value are evaluated in this order before `on_start`.
    pub variables: Vec<Variable>,
    /// Names of numbers that every virtual user counts up for itself, addressed by
    /// [`CounterSlot`].
    pub counters: Vec<Arc<str>>,
    /// Feeds that `on_start`, `on_stop` or the variables read: the user draws a row when it starts.
    pub start_feeds: Vec<FeedId>,
}

impl UserKind {
    /// The slot of the variable with this name.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<VarSlot> {
        self.variables.iter().position(|v| &*v.name == name).map(|at| VarSlot(at as u16))
    }

    /// The slot of the counter with this name.
    #[must_use]
    pub fn counter(&self, name: &str) -> Option<CounterSlot> {
        self.counters.iter().position(|c| &**c == name).map(|at| CounterSlot(at as u16))
    }
}

/// A kind of user that runs with a plan without being in it, such as one written in Rust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherKind {
    /// Unique among all kinds.
    pub name: Arc<str>,
    /// As [`UserKind::weight`].
    pub weight: u32,
    /// As [`UserKind::count`].
    pub count: Option<u32>,
}

/// A value of a virtual user.
#[derive(Clone, Debug, PartialEq)]
pub struct Variable {
    /// Unique within its kind.
    pub name: Arc<str>,
    /// Evaluated once when the user starts; `None` for one that only an extraction sets.
    pub initial: Option<Template>,
}

/// Which task comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskOrder {
    /// At random by weight, independently each time.
    Weighted,
    /// In the order of the plan, round and round; weights do not count.
    Sequential,
}

/// One thing a user does, start to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Unique within its kind.
    pub name: Arc<str>,
    /// Share among the tasks of the kind. Some task of a kind has one above 0.
    pub weight: u32,
    /// At least one.
    pub steps: Vec<Step>,
    /// Pause after the task; `None` takes the kind's.
    pub think_time: Option<ThinkTime>,
    /// Feeds that the task reads: a new row is drawn for each before the task begins.
    pub feeds: Vec<FeedId>,
}

/// A pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThinkTime {
    /// None at all.
    None,
    /// Always as long; above zero.
    Constant(Duration),
    /// Evenly distributed; `min < max`.
    Uniform {
        /// Shortest.
        min: Duration,
        /// Longest.
        max: Duration,
    },
}

/// One step of a task.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask and wait for the answer. When the request fails, the rest of the task is skipped if
    /// [`RequestSpec::required`] says so.
    Request(Box<RequestSpec>),
    /// Wait.
    Pause(ThinkTime),
}

/// A request method: an upper-case token of RFC 9110.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Method(Arc<str>);

impl Method {
    /// Takes a valid token, in the case it is to be sent in. `None` if it is not a token.
    #[must_use]
    pub fn new(token: &str) -> Option<Self> {
        crate::plan::is_token(token).then(|| Self(token.into()))
    }

    /// As it is sent.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request header.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// A valid token, in the case it was written in.
    pub name: Arc<str>,
    /// The value. Line breaks from expressions are refused when it is rendered.
    pub value: Template,
    /// Sent only where the request goes to the plan's target: a default header that is a secret. Set
    /// only where the plan does not know yet where a request goes.
    pub target_only: bool,
}

/// Where a request goes.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestUrl {
    /// Known but for path and query.
    Path {
        /// Another origin than the plan's target, with an empty prefix; `None` is the target, whose
        /// prefix goes before the path.
        origin: Option<BaseUrl>,
        /// Path and query; begins with `/`, has no fragment.
        path: Template,
    },
    /// Begins with an expression: absolute or relative to the target once rendered.
    Whole(Template),
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestSpec {
    /// Under which name it is counted: its own, or `METHOD /path` as written.
    pub group: GroupId,
    /// How it asks.
    pub method: Method,
    /// Where it asks.
    pub url: RequestUrl,
    /// Everything that is sent but `host`, `content-length`, `connection`, `accept-encoding`,
    /// `cookie` of the user's jar, and `user-agent` unless it is named here: the plan's default
    /// headers, credentials, the body's `content-type`. No name twice unless the plan wrote it so.
    pub headers: Vec<Header>,
    /// What it sends.
    pub body: Option<Body>,
    /// Signature to be computed over URL and body.
    pub sign: Option<Sign>,
    /// Instead of [`HttpSettings::timeout`](super::HttpSettings::timeout).
    pub timeout: Option<Duration>,
    /// Instead of [`HttpSettings::redirects`](super::HttpSettings::redirects).
    pub redirects: Option<super::Redirects>,
    /// Whether the rest of the task is skipped when this request fails (always so for `on_start`,
    /// where the user starts over after its think time).
    pub required: bool,
    /// What is looked at in the answer.
    pub inspect: Inspector,
}

/// What a request sends. JSON, forms, multipart and files are all one template in the end.
#[derive(Clone, Debug, PartialEq)]
pub struct Body {
    /// The bytes; [`Template::as_literal`] tells whether they are always the same.
    pub content: Template,
}

/// A signature over the request.
#[derive(Clone, Debug, PartialEq)]
pub enum Sign {
    /// `X-Twilio-Signature`: Base64 of HMAC-SHA1 over the full URL and the sorted form fields.
    Twilio {
        /// The key.
        auth_token: Template,
    },
}

/// Rows of named values for templates.
#[derive(Clone, Debug, PartialEq)]
pub struct DataFeed {
    /// Unique among feeds.
    pub name: Arc<str>,
    /// Where it was read from; `None` if the rows stand in the plan.
    pub file: Option<Arc<str>>,
    /// Separator of a CSV file, if the plan named one.
    pub delimiter: Option<u8>,
    /// Who gets which row.
    pub mode: FeedMode,
    /// Names of the columns.
    pub columns: Vec<Arc<str>>,
    /// At least one; each as long as `columns`.
    pub rows: Arc<[Row]>,
}

/// One row of a feed.
pub type Row = Box<[Arc<[u8]>]>;

/// Who gets which row of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedMode {
    /// One after the other over all users, from the start again after the last.
    Sequential,
    /// Any, independently each time.
    Random,
    /// Each row once in the whole run. A user that finds none left stops.
    Unique,
    /// Row `user id modulo rows`, the same for all of the user's life.
    PerUser,
}

impl FeedMode {
    /// Every mode with its word in a plan.
    pub const WORDS: &'static [(&'static str, Self)] = &[
        ("sequential", Self::Sequential),
        ("random", Self::Random),
        ("unique", Self::Unique),
        ("per_user", Self::PerUser),
    ];
}
