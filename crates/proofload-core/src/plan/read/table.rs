//! Tables: which keys are allowed, and what was probably meant.

use super::Reader;
use crate::plan::diagnostic::{Diagnostic, Location};
use crate::plan::spec::TableSpec;
use crate::plan::tree::{Entry, Node};
use crate::plan::words::nearest;

/// A table whose keys are all known.
#[derive(Clone, Copy)]
pub(super) struct Fields<'t> {
    entries: &'t [Entry],
    spec: &'static TableSpec,
    pub(super) at: Location,
    /// Some key is not known: what seems to be missing may be meant by it.
    pub(super) has_unknown: bool,
}

impl<'t> Fields<'t> {
    /// The value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'t Node> {
        self.entry(key).map(|entry| &entry.node)
    }

    /// A key with its value.
    pub(super) fn entry(&self, key: &str) -> Option<&'t Entry> {
        debug_assert!(self.spec.keys.iter().any(|k| k.name == key), "{key} is not in the words");
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// Keys that are there, of these.
    pub(super) fn present(&self, keys: &[&str]) -> Vec<&'t Entry> {
        self.entries.iter().filter(|entry| keys.contains(&entry.key.as_str())).collect()
    }

    /// All keys and values.
    pub(super) fn entries(&self) -> &'t [Entry] {
        self.entries
    }
}

impl Reader<'_> {
    /// Opens a table; tells unknown keys.
    pub(super) fn open<'t>(
        &mut self,
        node: &'t Node,
        spec: &'static TableSpec,
    ) -> Option<Fields<'t>> {
        let Some(entries) = node.as_table() else {
            let names: Vec<&str> = spec.keys.iter().map(|key| key.name).collect();
            return self.wrong_help(
                node,
                format!("expected {} as a table, found {}", spec.what, node.kind()),
                format!("its keys are {}", names.join(", ")),
            );
        };
        let mut has_unknown = false;
        for entry in entries {
            let is_known = spec.keys.iter().any(|key| key.name == entry.key)
                || spec.prefixes.iter().any(|prefix| entry.key.starts_with(prefix));
            if !is_known {
                has_unknown = true;
                self.error(unknown_key(entry, spec));
            }
        }
        Some(Fields { entries, spec, at: node.at, has_unknown })
    }

    /// The entries of a table with any keys.
    pub(super) fn map<'t>(&mut self, node: &'t Node, what: &str) -> &'t [Entry] {
        match node.as_table() {
            Some(entries) => entries,
            None => {
                self.wrong::<()>(node, format!("expected {what}, found {}", node.kind()));
                &[]
            }
        }
    }

    /// Tells that something is missing in a table.
    pub(super) fn missing(&mut self, fields: &Fields<'_>, message: &str, help: &str) {
        if !fields.has_unknown {
            self.error(Diagnostic::at(fields.at, message).help(help));
        }
    }

    /// Tells that keys exclude each other; gives the first that is there.
    pub(super) fn one_of<'t>(&mut self, fields: &Fields<'t>, keys: &[&str]) -> Option<&'t Entry> {
        let present = fields.present(keys);
        if let [first, second, ..] = &*present {
            self.error(
                Diagnostic::at(
                    second.key_at,
                    format!("`{}` and `{}` exclude each other", first.key, second.key),
                )
                .help(format!("keep one of {}", keys.join(", "))),
            );
        }
        present.first().copied()
    }
}

fn unknown_key(entry: &Entry, spec: &TableSpec) -> Diagnostic {
    let names: Vec<&str> = spec.keys.iter().map(|key| key.name).collect();
    let key = entry.key.as_str();
    let diagnostic = Diagnostic::at(entry.key_at, format!("unknown key `{key}` in {}", spec.what));
    if let Some((_, meant)) = spec.foreign.iter().find(|(foreign, _)| *foreign == key) {
        return diagnostic.help(format!("here that is {meant}"));
    }
    let known = format!("known keys are {}", names.join(", "));
    match nearest(key, names.iter().copied()) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`? {known}")),
        None => diagnostic.help(known),
    }
}
