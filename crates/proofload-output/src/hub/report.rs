//! How an output did.

/// What became of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OutputState {
    /// It works, or has worked to the end.
    #[default]
    Working,
    /// What it did last failed.
    Failing,
    /// It stopped for good before the end.
    GaveUp,
    /// It was not done when the patience ended.
    LeftBehind,
    /// It panicked: a bug of ours.
    Panicked,
}

/// How an output did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutputReport {
    /// Its name.
    pub name: String,
    /// What became of it.
    pub state: OutputState,
    /// Events that did not fit into its queue.
    pub dropped: u64,
    /// What it lost on the way, by its own count.
    pub lost: u64,
    /// What `lost` counts.
    pub lost_what: &'static str,
    /// The last thing that went wrong.
    pub last_error: Option<String>,
}

impl OutputReport {
    /// What the user should know about it; nothing if all is well. Trouble that has passed without a
    /// loss is well.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        let error = || self.last_error.as_deref().unwrap_or("something went wrong");
        let mut parts = match self.state {
            OutputState::Working => Vec::new(),
            OutputState::Failing => vec![format!("failed to the end: {}", error())],
            OutputState::GaveUp => vec![format!("gave up: {}", error())],
            OutputState::LeftBehind => match &self.last_error {
                Some(error) => vec![format!("was not done in time and was left behind: {error}")],
                None => vec!["was not done in time and was left behind".to_owned()],
            },
            OutputState::Panicked => vec![format!("broke down: {}", error())],
        };
        if self.lost > 0 {
            parts.push(format!("{} {} lost", self.lost, self.lost_what));
        }
        if self.dropped > 0 {
            parts.push(format!("{} events dropped because it did not keep up", self.dropped));
        }
        (!parts.is_empty()).then(|| format!("{}: {}", self.name, parts.join("; ")))
    }
}
