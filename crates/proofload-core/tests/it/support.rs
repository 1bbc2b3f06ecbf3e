//! What the tests of plans share.

use std::collections::HashMap;
use std::io;

use proofload_core::plan::{Inputs, Overrides, Plan, PlanErrors};

/// Files by path.
#[derive(Default)]
pub(crate) struct Files(pub(crate) HashMap<&'static str, &'static str>);

impl Files {
    pub(crate) fn load(&self, path: &str) -> io::Result<Vec<u8>> {
        match self.0.get(path) {
            Some(text) => Ok(text.as_bytes().to_vec()),
            None => Err(io::Error::new(io::ErrorKind::NotFound, "No such file or directory")),
        }
    }
}

/// Reads a plan that needs nothing but these files.
pub(crate) fn parse_with(
    text: &str,
    files: &[(&'static str, &'static str)],
    overrides: &Overrides,
) -> Result<Plan, PlanErrors> {
    let files = Files(files.iter().copied().collect());
    let load = |path: &str| files.load(path);
    let environment = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
    let variables = [("USERS".to_owned(), "7".to_owned()), ("PORT".to_owned(), "81".to_owned())];
    let inputs =
        Inputs { load: &load, variables: &variables, environment: &environment, kinds: &[] };
    Plan::parse("plan.toml", text, overrides, &inputs)
}

/// Reads a plan that needs no files.
pub(crate) fn parse(text: &str) -> Result<Plan, PlanErrors> {
    parse_with(text, &[], &Overrides::default())
}

/// Reads a plan that has to be right.
pub(crate) fn plan(text: &str) -> Plan {
    parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}
