//! Suite files: tests, requirements, and what proves them.

use std::sync::Arc;

use super::{Inputs, Reader};
use crate::compare::Aspect;
use crate::plan::diagnostic::{Diagnostic, Location, PlanErrors};
use crate::plan::model::Plan;
use crate::plan::overrides::Overrides;
use crate::plan::spec::{PROOF, REQUIREMENT, SUITE, TEST, TEST_KINDS};
use crate::plan::tree::{Node, Value};
use crate::plan::words::{is_variable_name, nearest};
use crate::suite::{Proof, Requirement, Suite, SuiteTest, TestKind, TestWork};

impl Suite {
    /// Reads the suite in a file. The plans it names are not read.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(path: &str, inputs: &Inputs<'_>) -> Result<Self, PlanErrors> {
        match (inputs.load)(path) {
            Ok(bytes) => Self::parse(path, &String::from_utf8_lossy(&bytes), inputs),
            Err(error) => {
                let message = format!("cannot read `{path}`: {error}");
                Err(PlanErrors::new(Vec::new(), vec![Diagnostic::general(message)]))
            }
        }
    }

    /// Reads a suite from its text. `path` is what messages call it, and what the paths in it are relative to.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(path: &str, text: &str, inputs: &Inputs<'_>) -> Result<Self, PlanErrors> {
        let overrides = Overrides::default();
        let mut reader = Reader {
            inputs,
            overrides: &overrides,
            sources: Vec::new(),
            errors: Vec::new(),
            has_syntax_errors: false,
        };
        let tree = reader.read_single(path, text);
        let suite =
            if reader.has_syntax_errors { None } else { tree.and_then(|t| reader.suite(&t)) };
        let Reader { sources, mut errors, .. } = reader;
        match suite {
            Some(suite) if errors.is_empty() => Ok(Self { sources, ..suite }),
            _ => {
                if errors.is_empty() {
                    errors.push(Diagnostic::general("the suite is empty"));
                }
                Err(PlanErrors::new(sources, errors))
            }
        }
    }

    /// Finds what can only be seen with the plans at hand: kinds of tests that are selected but cannot be run by
    /// this build, and proofs that name a phase which the plan does not have. `plans` has the plan of each
    /// selected test that has one.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn check(
        &self,
        selected: &[bool],
        plans: &[Option<Plan>],
        can_run: &[TestKind],
    ) -> Result<(), PlanErrors> {
        let mut errors = Vec::new();
        for (test, _) in self.tests.iter().zip(selected).filter(|(_, selected)| **selected) {
            if !can_run.contains(&test.kind) {
                let kind = test.kind.word();
                let words: Vec<&str> = can_run.iter().map(|kind| kind.word()).collect();
                errors.push(
                    Diagnostic::at(test.kind_at, format!("this build cannot run {kind} tests yet"))
                        .help(format!(
                            "it runs {}; pick what it can run with --only KIND",
                            words.join(", ")
                        )),
                );
            }
        }
        for proof in self.requirements.iter().flat_map(|requirement| &requirement.by) {
            let plan = plans.get(proof.test).and_then(Option::as_ref);
            if let (Some(phase), Some(plan)) = (&proof.phase, plan)
                && !plan.phases.iter().any(|known| known.name == *phase)
            {
                let names = plan.phases.iter().map(|phase| &*phase.name);
                let what = format!("the plan of this test runs no phase `{phase}`");
                errors.push(suggest(proof.phase_at, &what, phase, names));
            }
        }
        if errors.is_empty() { Ok(()) } else { Err(PlanErrors::new(self.sources.clone(), errors)) }
    }
}

/// An unknown name, with the one that was probably meant.
fn suggest<'a>(
    at: Location,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Diagnostic {
    let help = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are {}", known.collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::at(at, what).help(help)
}

/// What all tests of a suite have in common.
struct Common {
    target: Option<String>,
    env: Vec<(String, String)>,
}

impl Reader<'_> {
    fn suite(&mut self, tree: &Node) -> Option<Suite> {
        let fields = self.open(tree, &SUITE)?;
        let name = match fields.get("name") {
            Some(node) => self.name(node).unwrap_or_default().to_owned(),
            None => self.file_stem(),
        };
        let description = fields.get("description").and_then(|n| self.text(n)).map(Arc::from);
        let common = Common {
            target: fields.get("target").and_then(|node| self.target_text(node)),
            env: fields.get("env").map(|node| self.env(node)).unwrap_or_default(),
        };
        let tests = match fields.get("test") {
            Some(node) => self.tests(node, &common),
            None => {
                self.missing(
                    &fields,
                    "the suite has no tests",
                    "add [[test]] with name, kind and plan",
                );
                Vec::new()
            }
        };
        let names: Vec<Arc<str>> = tests.iter().map(|test| Arc::clone(&test.name)).collect();
        let requirements = match fields.get("requirement") {
            Some(node) => self.requirements(node, &names),
            None => Vec::new(),
        };
        let (name, sources) = (name.into(), Vec::new());
        Some(Suite { name, description, tests, requirements, sources })
    }

    fn tests(&mut self, node: &Node, common: &Common) -> Vec<SuiteTest> {
        let items = self.list(node, "tests");
        if items.is_empty() {
            self.wrong::<()>(node, "expected at least one test");
        }
        let mut tests: Vec<SuiteTest> = Vec::new();
        let mut places: Vec<Location> = Vec::new();
        for item in items {
            let at = item.get("name").map_or(item.at, |name| name.at);
            let Some(test) = self.test(item, common, &tests) else { continue };
            if let Some(first) = tests.iter().position(|known| known.name == test.name) {
                self.duplicate("test", &test.name, at, places[first]);
            }
            tests.push(test);
            places.push(at);
        }
        tests
    }

    /// A test. One of whose content something is wrong is given back all the same, so that what names it is
    /// not wrong as well: the suite is not given out anyway.
    fn test(&mut self, node: &Node, common: &Common, before: &[SuiteTest]) -> Option<SuiteTest> {
        let fields = self.open(node, &TEST)?;
        let name: Option<Arc<str>> = match fields.get("name") {
            Some(node) => self.name(node).map(Arc::from),
            None => {
                self.missing(&fields, "the test has no name", "such as name = \"Webhook load\"");
                None
            }
        };
        let words: Vec<(&'static str, TestKind)> =
            TEST_KINDS.iter().filter_map(|&word| Some((word, TestKind::of_word(word)?))).collect();
        let kind = match fields.get("kind") {
            Some(node) => self.word(node, &words),
            None => {
                let help = format!("one of {}", TEST_KINDS.join(", "));
                self.missing(&fields, "the test has no kind", &help);
                None
            }
        };
        let kind_at = fields.get("kind").map_or(node.at, |kind| kind.at);
        let is_baseline = kind == Some(TestKind::Baseline);
        let foreign: &[&str] = if is_baseline {
            &[
                "plan",
                "target",
                "phases",
                "users",
                "rate",
                "duration",
                "spawn_rate",
                "iterations",
                "seed",
                "env",
            ]
        } else {
            &["test", "baseline", "allow_different"]
        };
        if kind.is_some() {
            for entry in fields.present(foreign) {
                let (message, help) = if is_baseline {
                    (
                        format!("a baseline test runs nothing: it has no `{}`", entry.key),
                        "it compares the run of another test: test = \"…\", baseline = \"…\"",
                    )
                } else {
                    (format!("`{}` is for tests of kind baseline", entry.key), "remove it")
                };
                self.error(Diagnostic::at(entry.key_at, message).help(help));
            }
        }
        let overrides = Overrides {
            target: fields
                .get("target")
                .and_then(|node| self.target_text(node))
                .or_else(|| common.target.clone()),
            users: fields.get("users").and_then(|node| self.users(node, 1)),
            rate: fields.get("rate").and_then(|node| self.positive_rate(node)),
            duration: fields.get("duration").and_then(|node| self.positive_duration(node)),
            spawn_rate: fields.get("spawn_rate").and_then(|node| self.positive_rate(node)),
            iterations: fields.get("iterations").and_then(|node| self.whole(node, 1, u64::MAX)),
            think_time: None,
            phases: fields.get("phases").map(|node| self.names(node)).unwrap_or_default(),
            seed: fields.get("seed").and_then(|node| self.whole(node, 0, u64::MAX)),
        };
        let mut env = common.env.clone();
        env.extend(fields.get("env").map(|node| self.env(node)).unwrap_or_default());
        let work = if is_baseline {
            self.comparison(&fields, before)
        } else {
            let path = match fields.get("plan") {
                Some(node) => self.path(node),
                None => {
                    self.missing(
                        &fields,
                        "the test has no plan",
                        "such as plan = \"webhook.toml\"",
                    );
                    None
                }
            };
            let path = path.unwrap_or_default();
            TestWork::Plan { path, overrides: Box::new(overrides), env }
        };
        Some(SuiteTest { name: name?, kind: kind.unwrap_or(TestKind::Load), work, kind_at })
    }

    fn comparison(&mut self, fields: &super::table::Fields<'_>, before: &[SuiteTest]) -> TestWork {
        let of = match fields.get("test") {
            Some(node) => self.earlier_test(node, before),
            None => {
                let help = "such as test = \"Webhook load\"";
                self.missing(fields, "it is not said which test's run is compared", help);
                None
            }
        };
        let file = match fields.get("baseline") {
            Some(node) => self.path(node),
            None => {
                let help = "such as baseline = \"webhook.baseline.toml\"";
                self.missing(
                    fields,
                    "it is not said which baseline the run is compared with",
                    help,
                );
                None
            }
        };
        let allowed = fields.get("allow_different").map(|node| self.aspects(node));
        TestWork::Baseline {
            of: of.unwrap_or_default(),
            file: file.unwrap_or_default(),
            allowed: allowed.unwrap_or_default(),
        }
    }

    /// One word or several.
    fn aspects(&mut self, node: &Node) -> Vec<Aspect> {
        let words = Aspect::ALL.map(|aspect| (aspect.word(), aspect));
        let items = match &node.value {
            Value::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        items.iter().filter_map(|item| self.word(item, &words)).collect()
    }

    fn earlier_test(&mut self, node: &Node, before: &[SuiteTest]) -> Option<usize> {
        let name = self.name(node)?;
        let Some(of) = before.iter().position(|test| &*test.name == name) else {
            let names = before.iter().map(|test| &*test.name);
            let what = format!("there is no test `{name}` before this one");
            let mut wrong = suggest(node.at, &what, name, names);
            if before.is_empty() {
                wrong.help = Some("a comparison stands after the test that it compares".to_owned());
            }
            self.error(wrong);
            return None;
        };
        if matches!(before[of].work, TestWork::Baseline { .. }) {
            return self.wrong(node, format!("`{name}` is a comparison itself, it has no run"));
        }
        Some(of)
    }

    fn requirements(&mut self, node: &Node, tests: &[Arc<str>]) -> Vec<Requirement> {
        let mut requirements: Vec<Requirement> = Vec::new();
        let mut places: Vec<Location> = Vec::new();
        for item in self.list(node, "requirements") {
            let at = item.get("id").map_or(item.at, |id| id.at);
            let Some(requirement) = self.requirement(item, tests) else { continue };
            if let Some(first) = requirements.iter().position(|known| known.id == requirement.id) {
                self.duplicate("requirement", &requirement.id, at, places[first]);
            }
            requirements.push(requirement);
            places.push(at);
        }
        requirements
    }

    fn requirement(&mut self, node: &Node, tests: &[Arc<str>]) -> Option<Requirement> {
        let fields = self.open(node, &REQUIREMENT)?;
        let id = match fields.get("id") {
            Some(node) => self.name(node).map(Arc::from),
            None => {
                self.missing(&fields, "the requirement has no id", "such as id = \"4.1\"");
                None
            }
        };
        let text = fields.get("text").and_then(|node| self.text(node)).unwrap_or_default();
        let proofs = match fields.get("by") {
            None => &[][..],
            Some(Node { value: Value::List(items), .. }) => items,
            Some(one) => std::slice::from_ref(one),
        };
        let by = proofs.iter().filter_map(|proof| self.proof(proof, tests)).collect();
        Some(Requirement { id: id?, text: text.into(), by })
    }

    fn proof(&mut self, node: &Node, tests: &[Arc<str>]) -> Option<Proof> {
        let fields = self.open(node, &PROOF)?;
        let test = match fields.get("test") {
            Some(node) => self.test_named(node, tests),
            None => {
                self.missing(&fields, "the proof names no test", "such as test = \"Webhook load\"");
                None
            }
        };
        let phase = fields.get("phase").and_then(|node| self.name(node)).map(Arc::from);
        let phase_at = fields.get("phase").map_or(node.at, |phase| phase.at);
        let mut expect = Vec::new();
        if let Some(node) = fields.get("expect") {
            let entries = self.map(node, "a table of bounds, such as { p95 = \"<300ms\" }");
            if entries.is_empty() {
                self.wrong::<()>(node, "there is no bound here");
            }
            for entry in entries {
                let Some(measure) = self.measure(entry) else { continue };
                expect.extend(self.bound(&entry.node, &measure).map(|bound| (measure, bound)));
            }
        }
        Some(Proof { test: test?, phase, expect, phase_at })
    }

    fn test_named(&mut self, node: &Node, tests: &[Arc<str>]) -> Option<usize> {
        let name = self.name(node)?;
        let found = tests.iter().position(|test| &**test == name);
        if found.is_none() {
            let names = tests.iter().map(|test| &**test);
            self.error(suggest(node.at, &format!("there is no test `{name}`"), name, names));
        }
        found
    }

    /// A target as it goes into overrides, checked here, where it stands.
    fn target_text(&mut self, node: &Node) -> Option<String> {
        let text = self.name(node)?;
        (text == "demo" || self.base_url(node).is_some()).then(|| text.to_owned())
    }

    fn names(&mut self, node: &Node) -> Vec<String> {
        let items = self.list(node, "names");
        items.iter().filter_map(|item| self.name(item)).map(str::to_owned).collect()
    }

    /// Variables: texts, numbers and truth values.
    fn env(&mut self, node: &Node) -> Vec<(String, String)> {
        let mut variables = Vec::new();
        for entry in self.map(node, "a table of variables") {
            if !is_variable_name(&entry.key) {
                let message = format!("`{}` cannot name a variable", entry.key);
                self.error(
                    Diagnostic::at(entry.key_at, message)
                        .help("names have letters, digits and `_`"),
                );
            }
            let value = match &entry.node.value {
                Value::Text(text) => text.text.clone(),
                Value::Whole(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Bool(value) => value.to_string(),
                _ => {
                    let kind = entry.node.kind();
                    self.wrong::<()>(&entry.node, format!("expected a text, found {kind}"));
                    continue;
                }
            };
            variables.push((entry.key.clone(), value));
        }
        variables
    }
}
