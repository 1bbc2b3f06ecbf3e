//! The limit on open file descriptors: every connection takes one.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// How many descriptors this process may open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DescriptorLimit {
    /// The limit in force now.
    pub soft: u64,
    /// What it may be raised to without privileges.
    pub hard: u64,
}

/// Raises the soft limit to the hard one and says what is in force afterwards.
///
/// Never fails: where the limit cannot be raised it stays as it is, and what that means for the
/// planned load is for the caller to say.
pub fn raise_descriptor_limit() -> DescriptorLimit {
    let before = getrlimit(Resource::Nofile);
    if before.current != before.maximum {
        let raised = Rlimit { current: before.maximum, maximum: before.maximum };
        let _ = setrlimit(Resource::Nofile, raised);
    }
    let now = getrlimit(Resource::Nofile);
    DescriptorLimit { soft: now.current.unwrap_or(u64::MAX), hard: now.maximum.unwrap_or(u64::MAX) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn afterwards_the_soft_limit_is_the_hard_one() {
        let limit = raise_descriptor_limit();
        assert_eq!(limit.soft, limit.hard);
        assert!(limit.soft > 0);
    }
}
