//! The plan: a user's whole test, from TOML text to a [`Plan`] that cannot be wrong.

mod diagnostic;
mod model;
mod overrides;
mod print;
mod quick;
mod read;
mod spec;
mod tree;
mod words;

pub use diagnostic::{Colours, Diagnostic, Location, PlanErrors, SourceFile};
pub use model::{
    AlertRules, ArrivalLoad, BaseUrl, Body, Burst, BurstSize, CheckId, CounterSlot, DataCell,
    DataFeed, Encoding, FeedId, FeedMode, GroupId, Header, HealthCheck, HttpSettings, HttpVersion,
    Load, Method, OtherKind, Overload, PemFile, Phase, Plan, RateStage, Redirects, RequestSpec,
    RequestUrl, Row, Scheme, Sign, Spacing, StaticHost, Step, StopRule, Target, Task, TaskOrder,
    ThinkTime, Tls, UserKind, UserLoad, UserStage, VarSlot, Variable,
};
pub use overrides::{OverrideError, Overrides};
pub use print::Secrets;
pub use quick::{Quick, QuickBody};
pub use read::Inputs;
pub use spec::{json_schema, suite_json_schema};
pub use words::{is_token, is_variable_name, nearest};
