//! The error of all builders.

/// A setting that a builder refused. Nothing is built, and nothing is quietly corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` is {value:?}: it must be {allowed}")]
pub struct BuildError {
    setting: &'static str,
    value: String,
    allowed: &'static str,
}

impl BuildError {
    /// `allowed` completes the sentence "it must be …".
    pub(crate) fn new(
        setting: &'static str,
        value: impl std::fmt::Display,
        allowed: &'static str,
    ) -> Self {
        Self { setting, value: value.to_string(), allowed }
    }

    /// The method of the builder that was given the value.
    #[must_use]
    pub fn setting(&self) -> &'static str {
        self.setting
    }

    /// The value it was given.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What it would have taken.
    #[must_use]
    pub fn allowed(&self) -> &'static str {
        self.allowed
    }
}
