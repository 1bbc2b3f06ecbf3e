//! Why Redis gave no answer that helps.

use std::time::Duration;

use super::envelope;
use crate::cache::remote::RemoteError;

/// What went wrong with a command. To a cache all of them mean the same: act as if Redis were empty.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error("Redis is not asked at present")]
    Skipped,
    #[error("Redis is not told yet of an invalidation")]
    Owing,
    #[error("no answer of Redis within {0:?}")]
    TimedOut(Duration),
    #[error("no connection to Redis: {0}")]
    Broken(String),
    #[error("Redis refused: {0}")]
    Refused(String),
    #[error("the key holds another type")]
    WrongType,
    #[error("Redis answered with {0}, which makes no sense here")]
    Unexpected(&'static str),
    #[error("{} bytes are too large for Redis: {} are allowed", .0.bytes, .0.limit)]
    TooLarge(envelope::TooLarge),
}

impl Failure {
    /// An answer that Redis would not give. Without its content, which may be a value.
    pub(super) fn unexpected(value: &redis::Value) -> Self {
        use redis::Value;
        Self::Unexpected(match value {
            Value::Nil => "nothing",
            Value::Int(_) => "a number",
            Value::BulkString(_) | Value::SimpleString(_) | Value::Okay => "a text",
            Value::Array(_) => "a list",
            _ => "another type",
        })
    }
}

impl From<Failure> for RemoteError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::WrongType | Failure::Unexpected(_) => Self::Foreign(failure.to_string()),
            _ => Self::Unavailable(failure.to_string()),
        }
    }
}
