//! Why a command ended without a verdict.

use std::fmt::Display;

use proofload_core::verdict::ExitCode;

/// What to say and what to exit with.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ExitCode,
    pub(super) message: String,
    /// The message is laid out already, `error:` and all.
    pub(super) is_rendered: bool,
}

impl Failure {
    fn new(code: ExitCode, message: impl Display) -> Self {
        Self { code, message: message.to_string(), is_rendered: false }
    }

    /// Plans are wrong; the messages show where.
    pub(super) fn plans(rendered: String) -> Self {
        Self { code: ExitCode::BadInput, message: rendered, is_rendered: true }
    }

    /// The command line is wrong.
    pub(super) fn usage(message: impl Display) -> Self {
        Self::new(ExitCode::Usage, message)
    }

    /// A plan or another input file is wrong.
    pub(super) fn input(message: impl Display) -> Self {
        Self::new(ExitCode::BadInput, message)
    }

    /// The target is not there.
    pub(super) fn target(message: impl Display) -> Self {
        Self::new(ExitCode::TargetUnreachable, message)
    }

    /// The user did not want to wait any longer.
    pub(super) fn interrupted(message: impl Display) -> Self {
        Self::new(ExitCode::Interrupted, message)
    }

    /// A file could not be written.
    pub(super) fn output(message: impl Display) -> Self {
        Self::new(ExitCode::CannotWrite, message)
    }

    /// Something that should not happen.
    pub(super) fn internal(message: impl Display) -> Self {
        Self::new(ExitCode::Internal, message)
    }
}
