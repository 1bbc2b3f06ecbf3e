//! Target, phases and expectations of a test without a plan file.
//!
//! They are put together as the text of a plan and read as one: there is one set of words, one set of
//! rules, and whoever outgrows the code can print the plan and go on from there.

use std::fmt::{Display, Write};
use std::time::Duration;

use proofload_core::plan::{Inputs, Overrides, Plan, PlanErrors};
use proofload_core::units::duration_text;

use super::workload::Users;

/// What messages call the text.
const PATH: &str = "test.toml";

/// Target, phases and expectations of a test, for users that are all in code.
///
/// ```
/// use std::time::Duration;
/// use proofload_engine::workload::code::{Kind, Load, Test, User, Users};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let users = Users::new().kind(Kind::new("visitor").task("home", 1, async |user: &mut User| {
///     user.get("/").send().await?;
///     Ok(())
/// }));
/// let plan = Test::new("http://127.0.0.1:8000")
///     .name("Shop")
///     .load(
///         Load::users("Normal", 100)
///             .ramp_up(Duration::from_secs(30))
///             .duration(Duration::from_secs(600))
///             .expect("p95", "<300ms")
///             .expect("success_rate", ">99%"),
///     )
///     .load(Load::rate("Steady", 1_000.0).duration(Duration::from_secs(60)).key("max_users", 2_000))
///     .plan(&users)?;
/// assert_eq!(plan.phases.len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Test {
    head: String,
    loads: Vec<Load>,
}

impl Test {
    /// A test of the service at this URL.
    #[must_use]
    pub fn new(target: &str) -> Self {
        Self { head: String::new(), loads: Vec::new() }.key("target", quoted(target))
    }

    /// What the test is called in reports.
    #[must_use]
    pub fn name(self, name: &str) -> Self {
        self.key("name", quoted(name))
    }

    /// Any other key of a plan, with its value as TOML: `.key("seed", 7)`,
    /// `.key("http", "{ timeout = \"5s\" }")`.
    #[must_use]
    pub fn key(mut self, key: &str, toml: impl Display) -> Self {
        add_key(&mut self.head, key, toml);
        self
    }

    /// Adds a phase. Phases run one after the other.
    #[must_use]
    pub fn load(mut self, load: Load) -> Self {
        self.loads.push(load);
        self
    }

    /// The plan as text. It has no users; they are in code.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let mut text = self.head.clone();
        for load in &self.loads {
            text.push_str("\n[[phase]]\n");
            text.push_str(&load.keys);
            if !load.expect.is_empty() {
                text.push_str("expect = { ");
                text.push_str(&load.expect.join(", "));
                text.push_str(" }\n");
            }
        }
        text
    }

    /// The plan, for these users. Files and environment are not read; for that, and for overrides, give
    /// [`Test::to_toml`] to [`Plan::parse`].
    ///
    /// # Errors
    /// Everything that is wrong with it, as places in [`Test::to_toml`].
    pub fn plan(&self, users: &Users) -> Result<Plan, PlanErrors> {
        let kinds = users.for_plan();
        let inputs = Inputs { kinds: &kinds, ..Inputs::NONE };
        Plan::parse(PATH, &self.to_toml(), &Overrides::default(), &inputs)
    }
}

/// A phase of a [`Test`]: how much load, and what the service must hold under it.
#[derive(Clone, Debug)]
pub struct Load {
    keys: String,
    expect: Vec<String>,
}

impl Load {
    fn new(name: &str) -> Self {
        Self { keys: String::new(), expect: Vec::new() }.key("name", quoted(name))
    }

    /// Closed load: so many users, each of which waits for its answer before it asks again.
    #[must_use]
    pub fn users(name: &str, users: u32) -> Self {
        Self::new(name).key("users", users)
    }

    /// Open load: so many iterations start in a second, whether or not the service keeps up.
    #[must_use]
    pub fn rate(name: &str, per_second: f64) -> Self {
        Self::new(name).key("rate", quoted(&format!("{per_second}/s")))
    }

    /// Closed load: so many iterations together, shared by so many users as they come.
    #[must_use]
    pub fn iterations(name: &str, iterations: u64, users: u32) -> Self {
        Self::users(name, users).key("shared_iterations", iterations)
    }

    /// How long the phase lasts, ramps included.
    #[must_use]
    pub fn duration(self, time: Duration) -> Self {
        self.key("duration", quoted(&duration_text(time)))
    }

    /// Time from none to all, at the start.
    #[must_use]
    pub fn ramp_up(self, time: Duration) -> Self {
        self.key("ramp_up", quoted(&duration_text(time)))
    }

    /// What the phase must hold, in the words of plans: `.expect("p95", "<300ms")`.
    #[must_use]
    pub fn expect(mut self, measure: &str, bound: &str) -> Self {
        self.expect.push(format!("{} = {}", quoted(measure), quoted(bound)));
        self
    }

    /// As [`Load::expect`], with a target and a limit.
    #[must_use]
    pub fn expect_within(mut self, measure: &str, target: &str, limit: &str) -> Self {
        let (target, limit) = (quoted(target), quoted(limit));
        self.expect.push(format!("{} = {{ target = {target}, limit = {limit} }}", quoted(measure)));
        self
    }

    /// Any other key of a phase, with its value as TOML: `.key("mix", "{ member = 3, guest = 1 }")`.
    #[must_use]
    pub fn key(mut self, key: &str, toml: impl Display) -> Self {
        add_key(&mut self.keys, key, toml);
        self
    }
}

fn add_key(text: &mut String, key: &str, toml: impl Display) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{key} = {toml}");
}

/// Text as a basic string of TOML.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use proofload_core::plan;

    use super::super::{Kind, User};
    use super::*;

    fn users() -> Users {
        let code = async |_: &mut User| Ok(());
        let kind = |name: &str| Kind::new(name).task("t", 1, code);
        Users::new().kind(kind("member").weight(3)).kind(kind("guest"))
    }

    #[test]
    fn reads_as_a_plan() {
        let seconds = Duration::from_secs;
        let plan = Test::new("http://h:81/api")
            .name("a \"b\"\\\n\u{7f}")
            .key("http", "{ headers = { x-a = \"1\" } }")
            .load(
                Load::users("one", 5)
                    .duration(seconds(90))
                    .ramp_up(Duration::from_millis(1_500))
                    .expect("p95", "<300ms")
                    .expect_within("error_rate", "<0.5%", "<1%"),
            )
            .load(Load::rate("two", 0.5).duration(seconds(60)).key("mix", "[\"guest\"]"))
            .load(Load::iterations("three", 100, 4))
            .plan(&users())
            .unwrap();
        assert_eq!(&*plan.name, "a \"b\"\\\n\u{7f}");
        assert_eq!(plan.headers.len(), 1);
        let [one, two, three] = &plan.phases[..] else { panic!("{}", plan.phases.len()) };
        assert_eq!((one.load.peak_users(), one.load.duration()), (5, Some(seconds(90))));
        assert_eq!((one.expect.len(), one.kinds.len()), (2, 2));
        assert_eq!((two.load.peak_rate(), two.kinds[0].kind), (Some(0.5), 1));
        assert!(matches!(three.load, plan::Load::SharedIterations { iterations: 100, .. }));
    }

    #[test]
    fn mistakes_are_told_as_in_plans() {
        let load = Load::users("one", 5).duration(Duration::from_secs(1)).expect("p59x", "<1s");
        let test = Test::new("http://h").load(load);
        let errors = test.plan(&users()).unwrap_err().to_string();
        assert!(errors.contains("test.toml:") && errors.contains("p59x"), "{errors}");
    }
}
