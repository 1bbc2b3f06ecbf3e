//! Exit codes: documented and stable, for scripts and continuous integration.

use super::Grade;

/// How a run ended, as the process's exit code.
///
/// | code | meaning |
/// |---|---|
/// | 0 | EXCELLENT or GOOD, or nothing was expected |
/// | 1 | FAIR |
/// | 2 | POOR, or a regression against a baseline |
/// | 3 | the measurement is not trustworthy, under `--strict` |
/// | 4 | incomplete: cut off, or a part of the load generators was lost |
/// | 64 | bad command line |
/// | 65 | bad plan or input file |
/// | 69 | the target was unreachable before the start |
/// | 70 | a bug of Proofload |
/// | 74 | the result could not be written |
/// | 130 | interrupted; the report is still written |
///
/// 64 to 74 are those of BSD's `sysexits.h`, 130 that of a shell for SIGINT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ExitCode {
    /// EXCELLENT or GOOD, or nothing was expected.
    Passed = 0,
    /// FAIR.
    Fair = 1,
    /// POOR.
    Poor = 2,
    /// The measurement is not trustworthy, under `--strict`.
    NotTrustworthy = 3,
    /// A part of the load generators was lost.
    Incomplete = 4,
    /// Bad command line.
    Usage = 64,
    /// Bad plan or input file.
    BadInput = 65,
    /// The target was unreachable before the start.
    TargetUnreachable = 69,
    /// A bug of Proofload.
    Internal = 70,
    /// The result could not be written.
    CannotWrite = 74,
    /// Interrupted by the user; the report is still written.
    Interrupted = 130,
}

/// What the exit code of a finished run depends on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunEnd {
    /// The run's grade, if anything was expected.
    pub grade: Option<Grade>,
    /// Whether nothing speaks against the measurement.
    pub is_trustworthy: bool,
    /// Whether an untrustworthy measurement is an error (`--strict`).
    pub is_strict: bool,
    /// Whether the user interrupted it.
    pub is_interrupted: bool,
    /// Whether a part of the load generators was lost.
    pub is_incomplete: bool,
}

impl ExitCode {
    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The code of a run that was compared with others: a rule of what counts as a regression that fired
    /// makes a pass or FAIR into POOR. What makes the grade meaningless still goes before it.
    #[must_use]
    pub const fn with_regression(self, has_regressed: bool) -> Self {
        match self {
            Self::Passed | Self::Fair if has_regressed => Self::Poor,
            code => code,
        }
    }

    /// The code of a finished run. What makes the grade meaningless goes before it: an interruption,
    /// then lost generators, then (under `--strict`) an untrustworthy measurement.
    #[must_use]
    pub const fn of_run(end: RunEnd) -> Self {
        if end.is_interrupted {
            return Self::Interrupted;
        }
        if end.is_incomplete {
            return Self::Incomplete;
        }
        if end.is_strict && !end.is_trustworthy {
            return Self::NotTrustworthy;
        }
        match end.grade {
            None | Some(Grade::Excellent | Grade::Good) => Self::Passed,
            Some(Grade::Fair) => Self::Fair,
            Some(Grade::Poor) => Self::Poor,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_codes() {
        let sound = RunEnd { is_trustworthy: true, ..RunEnd::default() };
        let check =
            |end: RunEnd, code: u8| assert_eq!(ExitCode::of_run(end).code(), code, "{end:?}");
        check(sound, 0);
        check(RunEnd { grade: Some(Grade::Excellent), ..sound }, 0);
        check(RunEnd { grade: Some(Grade::Good), ..sound }, 0);
        check(RunEnd { grade: Some(Grade::Fair), ..sound }, 1);
        check(RunEnd { grade: Some(Grade::Poor), ..sound }, 2);
        let suspect = RunEnd { grade: Some(Grade::Poor), ..RunEnd::default() };
        check(suspect, 2);
        check(RunEnd { is_strict: true, ..suspect }, 3);
        check(RunEnd { is_strict: true, ..sound }, 0);
        check(RunEnd { is_strict: true, is_incomplete: true, ..suspect }, 4);
        check(RunEnd { is_interrupted: true, is_incomplete: true, ..suspect }, 130);
        assert_eq!(ExitCode::Passed.with_regression(true), ExitCode::Poor);
        assert_eq!(ExitCode::Fair.with_regression(true), ExitCode::Poor);
        assert_eq!(ExitCode::Fair.with_regression(false), ExitCode::Fair);
        assert_eq!(ExitCode::Interrupted.with_regression(true), ExitCode::Interrupted);
        assert_eq!(ExitCode::Usage.code(), 64);
        assert_eq!(ExitCode::BadInput.code(), 65);
        assert_eq!(ExitCode::TargetUnreachable.code(), 69);
        assert_eq!(ExitCode::Internal.code(), 70);
    }
}
