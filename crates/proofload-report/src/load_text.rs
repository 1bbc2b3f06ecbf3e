//! The load of a phase in a few words.

use proofload_core::plan::{Load, Overload, Phase, UserLoad};
use proofload_core::units::{duration_text, human_count, human_rate};

/// The load of a phase in a few words: `up to 100 users for 10m`, `1,000/s for 1m, at most 200
/// users`, `10,000 iterations by 50 users`.
#[must_use]
pub fn load_text(phase: &Phase) -> String {
    let mut text = match &phase.load {
        Load::Users(load) => users_text(load),
        Load::SharedIterations { users, iterations, .. } => {
            format!("{} iterations by {}", human_count(*iterations), users_count(*users))
        }
        Load::Arrivals(load) => {
            let rate = human_rate(phase.load.peak_rate().unwrap_or(0.0));
            let levels = load.stages.iter().map(|stage| stage.per_second);
            if is_one_level(levels) { rate } else { format!("up to {rate}") }
        }
    };
    match (phase.load.duration(), &phase.load) {
        (Some(limit), Load::SharedIterations { .. }) => {
            text.push_str(&format!(" within {}", duration_text(limit)));
        }
        (Some(length), Load::Users(load)) if load.iterations_per_user.is_some() => {
            text.push_str(&format!(" within {}", duration_text(length)));
        }
        (Some(length), _) => text.push_str(&format!(" for {}", duration_text(length))),
        (None, _) => {}
    }
    if let Load::Arrivals(load) = &phase.load {
        text.push_str(&format!(", at most {}", users_count(load.max_users)));
        if load.overload == Overload::Drop {
            text.push_str(", the rest dropped");
        }
    }
    if !phase.bursts.is_empty() {
        text.push_str(", with bursts");
    }
    text
}

fn users_text(load: &UserLoad) -> String {
    let peak = load.stages.iter().map(|stage| stage.users).max().unwrap_or(0);
    let users = users_count(peak);
    let levels = load.stages.iter().map(|stage| f64::from(stage.users));
    let users = if is_one_level(levels) { users } else { format!("up to {users}") };
    match load.iterations_per_user {
        Some(1) => format!("{users}, 1 iteration each"),
        Some(each) => format!("{users}, {} iterations each", human_count(each)),
        None => users,
    }
}

/// Whether the load only ever goes to one level, however it gets there.
fn is_one_level(mut levels: impl Iterator<Item = f64>) -> bool {
    let first = levels.next();
    levels.all(|level| Some(level) == first)
}

/// `1 user`, `1,000 users`.
pub(crate) fn users_count(users: u32) -> String {
    counted(u64::from(users), "user")
}

/// `1 error`, `0 errors`.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", human_count(count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proofload_core::plan::{Inputs, Overrides, Plan};

    #[test]
    fn loads_in_words() {
        let check = |load: &str, expect: &str| {
            let plan = format!(
                "target = 'http://127.0.0.1:1'\n[[user]]\n[[user.task]]\nget = '/'\n\
                 [[phase]]\nname = 'a'\n{load}"
            );
            let plan = Plan::parse("plan.toml", &plan, &Overrides::default(), &Inputs::NONE);
            assert_eq!(load_text(&plan.unwrap().phases[0]), expect);
        };
        check("users = 100\nduration = '10m'", "100 users for 10m");
        check("users = 1\nduration = '10s'", "1 user for 10s");
        check(
            "stages = [{ users = 100, for = '10s' }, { users = 1000, over = '1m' }]",
            "up to 1,000 users for 1m10s",
        );
        check("users = 5\niterations = 20", "5 users, 20 iterations each");
        check("users = 50\nshared_iterations = 10_000", "10,000 iterations by 50 users");
        check(
            "users = 50\nshared_iterations = 10_000\nduration = '1m'",
            "10,000 iterations by 50 users within 1m",
        );
        check(
            "rate = '1000/s'\nduration = '1m'\nmax_users = 200",
            "1,000/s for 1m, at most 200 users",
        );
    }
}
