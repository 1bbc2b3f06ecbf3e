//! What can go wrong in a user's code, and what of it has been recorded already.

use std::error::Error;
use std::fmt;

use proofload_core::metrics::ErrorKind;

use super::answer::Answer;

/// What a task returns.
pub type TaskResult<T = ()> = Result<T, TaskError>;

/// A request that failed. It has been recorded; whoever gets this need not count it again.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{name}: {kind}{}{detail}", if detail.is_empty() { "" } else { ": " })]
pub struct RequestError {
    pub(super) name: String,
    pub(super) kind: ErrorKind,
    pub(super) detail: String,
    pub(super) answer: Option<Box<Answer>>,
}

impl RequestError {
    /// The name the request is grouped under.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What sort of failure, as reports count it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What exactly happened, in words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The status of the answer; `None` if there was no complete answer.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer().map(Answer::status)
    }

    /// The answer that was not as it had to be; `None` if there was no complete answer.
    #[must_use]
    pub fn answer(&self) -> Option<&Answer> {
        self.answer.as_deref()
    }

    /// As [`RequestError::answer`], to keep.
    #[must_use]
    pub fn into_answer(self) -> Option<Answer> {
        self.answer.map(|answer| *answer)
    }
}

/// A check of [`User::check`](super::User::check) that did not hold. It has been recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("check `{0}` failed")]
pub struct CheckError(pub(super) String);

/// Why a task ended early.
///
/// Every error turns into one by `?`. What has been recorded where it happened, [`RequestError`] and
/// [`CheckError`] (also as the source of an error of your own), only fails the iteration; any other
/// error is counted as a failure of your code and shown in the report.
///
/// Because every error turns into it, it cannot be an [`Error`] itself.
pub struct TaskError(Cause);

#[derive(Debug)]
enum Cause {
    Error(Box<dyn Error>),
    NoMoreWork,
}

impl TaskError {
    /// An error in words.
    pub fn new(message: impl fmt::Display) -> Self {
        Self(Cause::Error(message.to_string().into()))
    }

    /// An error that is boxed already, which `?` does not take.
    #[must_use]
    pub fn boxed(error: Box<dyn Error>) -> Self {
        Self(Cause::Error(error))
    }

    /// There is no work left for this user, such as when its data is used up: it stops in good order.
    /// The iteration that ends so is not counted.
    #[must_use]
    pub fn no_more_work() -> Self {
        Self(Cause::NoMoreWork)
    }

    /// Whether this is [`TaskError::no_more_work`].
    #[must_use]
    pub fn is_no_more_work(&self) -> bool {
        matches!(self.0, Cause::NoMoreWork)
    }

    /// The request that failed, if that is the reason.
    #[must_use]
    pub fn request(&self) -> Option<&RequestError> {
        self.sources().find_map(|error| error.downcast_ref())
    }

    /// Whether the failure was recorded where it happened.
    pub(super) fn is_recorded(&self) -> bool {
        self.sources().any(|error| error.is::<RequestError>() || error.is::<CheckError>())
    }

    fn sources(&self) -> impl Iterator<Item = &(dyn Error + 'static)> {
        let first = match &self.0 {
            Cause::Error(error) => Some(&**error),
            Cause::NoMoreWork => None,
        };
        std::iter::successors(first, |&error| error.source())
    }
}

impl<E: Error + 'static> From<E> for TaskError {
    fn from(error: E) -> Self {
        Self(Cause::Error(Box::new(error)))
    }
}

/// The error with what it came from.
impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_no_more_work() {
            return f.write_str("no more work");
        }
        let mut said = String::new();
        for error in self.sources() {
            let text = error.to_string();
            // Many errors repeat what they came from.
            if said.is_empty() {
                f.write_str(&text)?;
            } else if !said.contains(&text) {
                write!(f, ": {text}")?;
            }
            said.push_str(&text);
        }
        Ok(())
    }
}

impl fmt::Debug for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TaskError").field(&self.0).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("buying failed")]
    struct Wrapped(#[source] RequestError);

    fn refused() -> RequestError {
        RequestError {
            name: "GET /".to_owned(),
            kind: ErrorKind::ConnectRefused,
            detail: "by the server".to_owned(),
            answer: None,
        }
    }

    #[test]
    fn what_was_recorded_is_known_also_inside_of_other_errors() {
        let number = || -> TaskResult<u32> { Ok("x".parse::<u32>()?) };
        for (error, recorded, text) in [
            (refused().into(), true, "GET /: connection refused: by the server"),
            (
                Wrapped(refused()).into(),
                true,
                "buying failed: GET /: connection refused: by the server",
            ),
            (CheckError("balance".to_owned()).into(), true, "check `balance` failed"),
            (number().unwrap_err(), false, "invalid digit found in string"),
            (TaskError::new("odd"), false, "odd"),
            (TaskError::boxed("odd".into()), false, "odd"),
            (TaskError::no_more_work(), false, "no more work"),
        ] {
            assert_eq!(error.is_recorded(), recorded, "{error:?}");
            assert_eq!(error.to_string(), text);
        }
        let error = TaskError::from(Wrapped(refused()));
        assert_eq!(error.request().map(RequestError::kind), Some(ErrorKind::ConnectRefused));
    }
}
