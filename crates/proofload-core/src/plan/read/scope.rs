//! What names mean inside of a kind of user.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::plan::model::{CounterSlot, DataCell, DataFeed, FeedId, VarSlot, Variable};
use crate::plan::words::nearest;
use crate::template::{Scope, Unknown};

/// The names of a kind of user, and which of them can be seen where a template stands.
pub(super) struct UserScope<'a> {
    pub(super) kind: Option<Arc<str>>,
    pub(super) feeds: &'a [DataFeed],
    pub(super) lookup: &'a dyn Fn(&str) -> Option<String>,
    /// All of the kind, by slot.
    pub(super) variables: Vec<Variable>,
    /// Those that have a value, or may have one, here.
    pub(super) visible: BTreeSet<String>,
    pub(super) counters: Vec<Arc<str>>,
    /// Feeds that were named since the last [`UserScope::take_feeds`].
    used_feeds: BTreeSet<FeedId>,
}

impl<'a> UserScope<'a> {
    pub(super) fn new(
        kind: Option<Arc<str>>,
        feeds: &'a [DataFeed],
        lookup: &'a dyn Fn(&str) -> Option<String>,
    ) -> Self {
        Self {
            kind,
            feeds,
            lookup,
            variables: Vec::new(),
            visible: BTreeSet::new(),
            counters: Vec::new(),
            used_feeds: BTreeSet::new(),
        }
    }

    /// The slot of a variable, new or not.
    pub(super) fn declare(&mut self, name: &str) -> VarSlot {
        let at = self.variables.iter().position(|v| &*v.name == name).unwrap_or_else(|| {
            self.variables.push(Variable { name: name.into(), initial: None });
            self.variables.len() - 1
        });
        VarSlot(at as u16)
    }

    /// The feeds that were named since the last call.
    pub(super) fn take_feeds(&mut self) -> Vec<FeedId> {
        std::mem::take(&mut self.used_feeds).into_iter().collect()
    }
}

fn did_you_mean<'n>(name: &str, names: impl IntoIterator<Item = &'n str>) -> Option<String> {
    nearest(name, names).map(|near| format!("did you mean `{near}`?"))
}

impl Scope for UserScope<'_> {
    fn variable(&mut self, name: &str) -> Result<VarSlot, Unknown> {
        let slot = self.variables.iter().position(|variable| &*variable.name == name);
        match slot {
            Some(slot) if self.visible.contains(name) => Ok(VarSlot(slot as u16)),
            Some(_) => Err(Unknown {
                message: format!("variable `{name}` has no value here"),
                help: Some(format!(
                    "another task extracts it, which may not have run; extract it in on_start or in \
                     this task, or give it a first value: [variables] {name} = \"\""
                )),
            }),
            None => {
                let near = did_you_mean(name, self.visible.iter().map(String::as_str));
                let help = near.unwrap_or_else(|| {
                    format!(
                        "extract it from an answer (extract = {{ {name} = \"$.{name}\" }}) or set it \
                         in [variables]"
                    )
                });
                Err(Unknown { message: format!("unknown variable `{name}`"), help: Some(help) })
            }
        }
    }

    fn counter(&mut self, name: &str) -> Result<CounterSlot, Unknown> {
        let at = self.counters.iter().position(|counter| &**counter == name).unwrap_or_else(|| {
            self.counters.push(name.into());
            self.counters.len() - 1
        });
        u16::try_from(at)
            .map(CounterSlot)
            .map_err(|_| Unknown { message: "too many counters".to_owned(), help: None })
    }

    fn cell(&mut self, feed: &str, column: &str) -> Result<DataCell, Unknown> {
        let Some(at) = self.feeds.iter().position(|known| &*known.name == feed) else {
            let names = self.feeds.iter().map(|known| &*known.name);
            let help = did_you_mean(feed, names)
                .unwrap_or_else(|| format!("define it: [data.{feed}] file = \"{feed}.csv\""));
            return Err(Unknown {
                message: format!("unknown data feed `{feed}`"),
                help: Some(help),
            });
        };
        let columns = &self.feeds[at].columns;
        let Some(column_at) = columns.iter().position(|known| &**known == column) else {
            let names: Vec<&str> = columns.iter().map(|known| &**known).collect();
            let help = did_you_mean(column, names.iter().copied())
                .unwrap_or_else(|| format!("its columns are {}", names.join(", ")));
            return Err(Unknown {
                message: format!("data feed `{feed}` has no column `{column}`"),
                help: Some(help),
            });
        };
        let feed = FeedId(at as u16);
        self.used_feeds.insert(feed);
        Ok(DataCell { feed, column: column_at as u16 })
    }

    fn env(&mut self, name: &str) -> Result<String, Unknown> {
        (self.lookup)(name).ok_or_else(|| Unknown {
            message: format!("`{name}` is not set"),
            help: Some(format!("pass `-e {name}=VALUE` or set it in the environment")),
        })
    }

    fn user_kind(&mut self) -> Result<Arc<str>, Unknown> {
        self.kind
            .clone()
            .ok_or_else(|| Unknown { message: "there is no user here".to_owned(), help: None })
    }
}
