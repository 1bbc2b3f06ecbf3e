//! From the tree of a file to a [`Plan`]: every value is checked, every name resolved.
//!
//! Readers never stop at the first mistake. What cannot be read is told and left out, and reading
//! goes on, so that a user sees all mistakes at once. A plan is only given out when there are none.

mod alerts;
mod body;
mod comparison;
mod conditions;
mod cost;
mod data;
mod http;
mod include;
mod inspect;
mod phases;
mod plan;
mod requests;
mod scalars;
mod scope;
mod shapes;
mod suite;
mod table;
mod thresholds;
mod urls;
mod users;

use std::io;

pub(super) use scalars::parse_think_time;
pub(super) use urls::parse_base_url;

use super::diagnostic::{Diagnostic, PlanErrors, SourceFile};
use super::model::{OtherKind, Plan};
use super::overrides::Overrides;
use super::tree::Node;

/// What a plan may ask of its surroundings.
#[derive(Clone, Copy)]
pub struct Inputs<'a> {
    /// Reads a file. Paths are as the plan writes them, joined to the folder of the file that
    /// names them.
    pub load: &'a dyn Fn(&str) -> io::Result<Vec<u8>>,
    /// Values of `-e KEY=VALUE`; later ones win, and all win over the environment.
    pub variables: &'a [(String, String)],
    /// The environment.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Kinds of users that are not in the plan but run with it, such as those written in Rust. Phases
    /// may name them; they are numbered behind the plan's own. With any, the plan needs no users of
    /// its own.
    pub kinds: &'a [OtherKind],
}

impl Inputs<'_> {
    /// No files and no variables.
    pub const NONE: Inputs<'static> = Inputs {
        load: &|_| Err(io::Error::new(io::ErrorKind::NotFound, "no files here")),
        variables: &[],
        environment: &|_| None,
        kinds: &[],
    };

    fn lookup(&self, key: &str) -> Option<String> {
        let given = self.variables.iter().rev().find(|(name, _)| name == key);
        given.map(|(_, value)| value.clone()).or_else(|| (self.environment)(key))
    }
}

impl std::fmt::Debug for Inputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Names only: the values may be secrets.
        let names: Vec<&str> = self.variables.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("Inputs").field("variables", &names).finish_non_exhaustive()
    }
}

impl Plan {
    /// Reads the plan in a file, with what it includes, and applies overrides.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn load(
        path: &str,
        overrides: &Overrides,
        inputs: &Inputs<'_>,
    ) -> Result<Self, PlanErrors> {
        match (inputs.load)(path) {
            Ok(bytes) => Self::parse(path, &String::from_utf8_lossy(&bytes), overrides, inputs),
            Err(error) => {
                let message = format!("cannot read `{path}`: {error}");
                Err(PlanErrors::new(Vec::new(), vec![Diagnostic::general(message)]))
            }
        }
    }

    /// Reads a plan from its text. `path` is what messages call it, and what the paths in it are
    /// relative to.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        path: &str,
        text: &str,
        overrides: &Overrides,
        inputs: &Inputs<'_>,
    ) -> Result<Self, PlanErrors> {
        let mut reader = Reader {
            inputs,
            overrides,
            sources: Vec::new(),
            errors: Vec::new(),
            has_syntax_errors: false,
        };
        let tree = reader.read_tree(path, text);
        // What is not TOML would only make what follows look wrong.
        let plan = if reader.has_syntax_errors { None } else { tree.and_then(|t| reader.plan(&t)) };
        let Reader { sources, mut errors, .. } = reader;
        if errors.is_empty()
            && let Some(mut plan) = plan
        {
            match plan.apply(overrides) {
                Ok(()) => return Ok(plan),
                Err(wrong) => {
                    errors.extend(wrong.into_iter().map(|e| Diagnostic {
                        message: e.message,
                        location: None,
                        help: e.help,
                        related: None,
                    }));
                }
            }
        }
        if errors.is_empty() {
            errors.push(Diagnostic::general("the plan is empty"));
        }
        Err(PlanErrors::new(sources, errors))
    }
}

/// What readers share.
struct Reader<'a> {
    inputs: &'a Inputs<'a>,
    overrides: &'a Overrides,
    sources: Vec<SourceFile>,
    errors: Vec<Diagnostic>,
    has_syntax_errors: bool,
}

impl Reader<'_> {
    fn error(&mut self, diagnostic: Diagnostic) {
        self.errors.push(diagnostic);
    }

    /// Tells that a value is wrong.
    fn wrong<T>(&mut self, node: &Node, message: impl Into<String>) -> Option<T> {
        self.error(Diagnostic::at(node.at, message));
        None
    }

    /// Tells that a value is wrong, and what to do about it.
    fn wrong_help<T>(
        &mut self,
        node: &Node,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<T> {
        self.error(Diagnostic::at(node.at, message).help(help));
        None
    }

    /// Reads a file that a value names, relative to the file that the value stands in.
    fn load_file(&mut self, node: &Node) -> Option<(String, Vec<u8>)> {
        let path = self.path(node)?;
        match (self.inputs.load)(&path) {
            Ok(bytes) => Some((path, bytes)),
            Err(error) => self.wrong_help(
                node,
                format!("cannot read `{path}`: {error}"),
                "paths are relative to the file they stand in",
            ),
        }
    }

    /// The path that a value names.
    fn path(&mut self, node: &Node) -> Option<String> {
        let text = self.text(node)?.to_owned();
        if text.is_empty() {
            return self.wrong(node, "expected a path, found an empty text");
        }
        let base = self.sources.get(usize::from(node.at.file)).map_or("", |s| &s.path);
        Some(include::join(base, &text))
    }
}
