//! The users of a test as Rust code.

mod answer;
mod combined;
mod error;
mod kind;
mod random;
mod request;
mod scope;
mod send;
mod user;
mod workload;

pub use answer::Answer;
pub use combined::{Combined, CombinedSource, CombinedUser};
pub use error::{CheckError, RequestError, TaskError, TaskResult};
pub use kind::Kind;
pub use random::Random;
pub use request::RequestBuilder;
pub use user::{Pause, User};
pub use workload::{CodeSource, CodeUser, CodeUsers, Users};

/// What a panic said.
fn panic_message(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a message")
}
