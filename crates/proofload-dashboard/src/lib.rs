//! The live page of a run, and what it takes to start and steer runs from it.
//!
//! A [`Dashboard`] serves on a thread of its own. Whoever runs plans tells it what happens
//! ([`Running::begin`], [`Running::hear`], [`Running::end`]) and implements [`Runner`], through which the
//! page asks for something to happen. Nothing in here knows the engine.
//!
//! What is shown is drawn once a second for all viewers together, and only while there are any. A slow
//! viewer skips pictures: for each one there is at most one waiting. What is shown has passed the
//! [redactor](proofload_core::redact::Redactor) of the [`Config`].
//!
//! Who may look and press buttons is decided in `server::guard`: the loopback interface or a token, no
//! foreign `Host`, no foreign `Origin`.

mod assets;
mod config;
mod live;
mod page;
mod redact;
mod runner;
mod server;
mod token;

pub use config::{Config, ConfigError, DEFAULT_PORT, Mode, parse_address};
pub use live::{RunEnd, RunStart};
pub use runner::{Control, PastRun, PhaseInfo, PlanInfo, Refusal, Runner, StartRequest};
pub use server::{Dashboard, MAX_VIEWERS, Running, ServeError};
pub use token::{Token, TokenError};
