//! The error of all builders.

use std::fmt;

/// A setting that a builder does not accept. Builders never bend a value into its allowed range in
/// silence.
#[derive(Debug, Clone, PartialEq, Eq)]
//! What a builder says of a setting it cannot use.
/// A setting that a builder refused. Nothing is built, and nothing is quietly corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value}; allowed is {allowed}")]
pub struct BuildError {
    setting: &'static str,
    value: String,
    allowed: &'static str,
}

impl BuildError {
    /// `allowed` completes the sentence "it must be …".
    pub(crate) fn new(
        setting: &'static str,
        value: impl fmt::Display,
        allowed: &'static str,
    ) -> Self {
        Self { setting, value: value.to_string(), allowed }
    }

    /// The name of the builder's method.
    pub(crate) fn new(setting: &'static str, value: impl ToString, allowed: &'static str) -> Self {
    /// The method of the builder that was given the value.
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// The value it was given.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What it accepts.
    /// What it would have taken.
    pub fn allowed(&self) -> &'static str {
        self.allowed
    }
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {:?}: it must be {}", self.setting, self.value, self.allowed)
    }
}

impl std::error::Error for BuildError {}
