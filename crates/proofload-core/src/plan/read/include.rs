//! Plans that build on other plans.
//!
//! `include` is resolved on trees, before anything is read from them: users and phases of included
//! files come first; in all other places the including file wins over included ones, and later
//! ones win over earlier ones. A data feed that two files define is a mistake, not a merge.

use super::Reader;
use crate::plan::diagnostic::{Diagnostic, Location, SourceFile};
use crate::plan::tree::{Entry, Node, TreeReader, Value};

/// Most files that one plan is made of.
const MAX_FILES: usize = 100;

impl Reader<'_> {
    /// The tree of a file that includes nothing.
    pub(super) fn read_single(&mut self, path: &str, text: &str) -> Option<Node> {
        self.read_file(&normalize(path), text)
    }

    /// The tree of a file with all that it includes.
    pub(super) fn read_tree(&mut self, path: &str, text: &str) -> Option<Node> {
        let path = normalize(path);
        self.read_included(&path, text, &mut Vec::new())
    }

    fn read_included(&mut self, path: &str, text: &str, above: &mut Vec<String>) -> Option<Node> {
        let mut tree = self.read_file(path, text)?;
        let Some(included) = tree.get("include").cloned() else { return Some(tree) };
        above.push(path.to_owned());
        let mut merged: Option<Node> = None;
        for item in self.list(&included, "files") {
            if let Some(part) = self.include(item, above) {
                merged = Some(match merged {
                    Some(before) => self.merge(before, part, true),
                    None => part,
                });
            }
        }
        above.pop();
        if let Some(before) = merged {
            tree = self.merge(before, tree, true);
        }
        Some(tree)
    }

    /// The tree of a file alone.
    fn read_file(&mut self, path: &str, text: &str) -> Option<Node> {
        let file = u16::try_from(self.sources.len()).ok()?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        self.sources.push(SourceFile { path: path.into(), text: text.into() });
        let inputs = self.inputs;
        let lookup = |key: &str| inputs.lookup(key);
        let mut reader =
            TreeReader { file, text, lookup: &lookup, errors: &mut self.errors, is_toml: true };
        let tree = reader.read();
        self.has_syntax_errors |= !reader.is_toml;
        Some(tree)
    }

    fn include(&mut self, item: &Node, above: &mut Vec<String>) -> Option<Node> {
        let path = self.path(item)?;
        if above.contains(&path) {
            let chain = format!("{} → {path}", above.join(" → "));
            return self.wrong_help(item, "this file includes itself", chain);
        }
        if self.sources.len() >= MAX_FILES {
            return self.wrong(item, format!("a plan is made of at most {MAX_FILES} files"));
        }
        let (path, bytes) = self.load_file(item)?;
        let mut tree = self.read_included(&path, &String::from_utf8_lossy(&bytes), above)?;
        if let Value::Table(entries) = &mut tree.value {
            entries.retain(|entry| entry.key != "include");
        }
        Some(tree)
    }

    /// `over` wins where both say something.
    fn merge(&mut self, base: Node, over: Node, is_top: bool) -> Node {
        let (Value::Table(mut merged), Value::Table(entries)) = (base.value, over.value) else {
            unreachable!("only tables are merged")
        };
        for entry in entries {
            let Some(at) = merged.iter().position(|before| before.key == entry.key) else {
                merged.push(entry);
                continue;
            };
            match (&mut merged[at], entry) {
                (
                    Entry { node: Node { value: Value::List(before), .. }, .. },
                    Entry { key, node: Node { value: Value::List(after), .. }, .. },
                ) if is_top && (key == "user" || key == "phase") => before.extend(after),
                (Entry { key, node: before, .. }, Entry { node: after, .. })
                    if is_top && key == "data" =>
                {
                    self.tell_clashes(before, &after);
                    let empty = Node { at: before.at, value: Value::Table(Vec::new()) };
                    let taken = std::mem::replace(before, empty);
                    *before = self.merge_or_replace(taken, after);
                }
                (Entry { node: before, .. }, Entry { node: after, .. }) => {
                    let empty = Node { at: before.at, value: Value::Table(Vec::new()) };
                    let taken = std::mem::replace(before, empty);
                    *before = self.merge_or_replace(taken, after);
                }
            }
        }
        Node { at: over.at, value: Value::Table(merged) }
    }

    fn merge_or_replace(&mut self, before: Node, after: Node) -> Node {
        match (&before.value, &after.value) {
            (Value::Table(_), Value::Table(_)) => self.merge(before, after, false),
            _ => after,
        }
    }

    fn tell_clashes(&mut self, before: &Node, after: &Node) {
        let (Some(before), Some(after)) = (before.as_table(), after.as_table()) else { return };
        for entry in after {
            if let Some(first) = before.iter().find(|first| first.key == entry.key) {
                let message = format!("data feed `{}` is defined twice", entry.key);
                self.error(
                    Diagnostic::at(entry.key_at, message)
                        .related(first.key_at, "first here")
                        .help("rename one of them"),
                );
            }
        }
    }

    /// Tells that a name is taken.
    pub(super) fn duplicate(&mut self, what: &str, name: &str, at: Location, first: Location) {
        self.error(
            Diagnostic::at(at, format!("{what} `{name}` is there twice"))
                .related(first, "first here")
                .help("give one of them another name"),
        );
    }
}

/// The path `relative`, seen from the file `base`.
pub(super) fn join(base: &str, relative: &str) -> String {
    let is_absolute = relative.starts_with(['/', '\\']) || relative.get(1..2) == Some(":");
    match base.rfind(['/', '\\']) {
        Some(end) if !is_absolute => normalize(&format!("{}/{relative}", &base[..end])),
        _ => normalize(relative),
    }
}

/// Without `.` and, as far as they have something before them, `..`.
fn normalize(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." => {}
            ".." if parts.last().is_some_and(|last| !matches!(*last, "" | "..")) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() { ".".to_owned() } else { parts.join("/") }
}

#[cfg(test)]
mod tests {
    use super::join;

    #[test]
    fn paths_are_relative_to_the_file_that_names_them() {
        let check = |base, relative, expect| assert_eq!(join(base, relative), expect);
        check("plan.toml", "users.csv", "users.csv");
        check("plans/plan.toml", "users.csv", "plans/users.csv");
        check("plans/plan.toml", "./a/../users.csv", "plans/users.csv");
        check("plans/plan.toml", "../users.csv", "users.csv");
        check("plans/plan.toml", "../../users.csv", "../users.csv");
        check("/p/plan.toml", "/d/users.csv", "/d/users.csv");
        check("/p/plan.toml", "../../users.csv", "/../users.csv");
    }
}
