//! Why a command ended without a verdict.

use std::fmt::Display;

use proofload_core::verdict::ExitCode;

/// What to say and what to exit with.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) code: ExitCode,
    pub(super) message: String,
}

impl Failure {
    /// The command line is wrong.
    pub(super) fn usage(message: impl Display) -> Self {
        Self { code: ExitCode::Usage, message: message.to_string() }
    }

    /// A plan or another input file is wrong.
    pub(super) fn input(message: impl Display) -> Self {
        Self { code: ExitCode::BadInput, message: message.to_string() }
    }

    /// The target is not there.
    pub(super) fn target(message: impl Display) -> Self {
        Self { code: ExitCode::TargetUnreachable, message: message.to_string() }
    }

    /// A file could not be written.
    pub(super) fn output(message: impl Display) -> Self {
        Self { code: ExitCode::CannotWrite, message: message.to_string() }
    }

    /// Something that should not happen.
    pub(super) fn internal(message: impl Display) -> Self {
        Self { code: ExitCode::Internal, message: message.to_string() }
    }
}
