//! The plan: a user's whole test, from TOML text to a [`Plan`] that cannot be wrong.

mod model;
mod words;

pub use model::{
    ArrivalLoad, BaseUrl, Body, Burst, BurstSize, CheckId, CounterSlot, DataCell, DataFeed,
    Encoding, FeedId, FeedMode, GroupId, Header, HealthCheck, HttpSettings, HttpVersion, Load,
    Method, Overload, PemFile, Phase, Plan, RateStage, Redirects, RequestSpec, RequestUrl, Row,
    Scheme, Sign, Spacing, StaticHost, Step, Target, Task, TaskOrder, ThinkTime, Tls, UserKind,
    UserLoad, UserStage, VarSlot, Variable,
};
pub use words::{is_token, nearest};
