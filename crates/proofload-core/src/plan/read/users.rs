//! Kinds of virtual users.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Reader;
use super::plan::Shared;
use super::scope::UserScope;
use super::table::Fields;
use crate::plan::diagnostic::{Diagnostic, Location};
use crate::plan::model::{Step, Task, TaskOrder, ThinkTime, UserKind};
use crate::plan::spec::{STEP, TASK, USER};
use crate::plan::tree::Node;
use crate::plan::words::is_variable_name;
use crate::template::{Escape, RESERVED};

/// Most variables of one kind.
const MAX_VARIABLES: usize = 1_000;

impl Reader<'_> {
    /// `[[user]]`.
    pub(super) fn user_kinds(
        &mut self,
        node: Option<&Node>,
        shared: &mut Shared<'_>,
    ) -> Vec<UserKind> {
        let Some(node) = node else { return Vec::new() };
        let items = self.list(node, "users: write [[user]]");
        let mut kinds: Vec<(UserKind, Location)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let Some(kind) = self.user_kind(item, index, shared) else { continue };
            let at = item.get("name").map_or(item.at, |name| name.at);
            if let Some((first, first_at)) = kinds.iter().find(|(k, _)| k.name == kind.name) {
                let (name, first_at) = (Arc::clone(&first.name), *first_at);
                self.duplicate("user", &name, at, first_at);
            }
            kinds.push((kind, at));
        }
        if items.is_empty() {
            self.wrong::<()>(node, "expected at least one user");
        }
        let kinds: Vec<UserKind> = kinds.into_iter().map(|(kind, _)| kind).collect();
        if self.inputs.kinds.is_empty()
            && !kinds.is_empty()
            && kinds.iter().all(|k| k.weight == 0 && k.count.unwrap_or(0) == 0)
        {
            self.wrong_help::<()>(
                &items[0],
                "all users have weight 0: none would ever run",
                "give at least one a weight or a count",
            );
        }
        kinds
    }

    fn user_kind(
        &mut self,
        node: &Node,
        index: usize,
        shared: &mut Shared<'_>,
    ) -> Option<UserKind> {
        let fields = self.open(node, &USER)?;
        let name: Arc<str> = match fields.get("name") {
            Some(node) => self.name(node)?.into(),
            None if index == 0 => "user".into(),
            None => format!("user {}", index + 1).into(),
        };
        let inputs = self.inputs;
        let lookup = |key: &str| inputs.lookup(key);
        let mut scope = UserScope::new(Some(Arc::clone(&name)), shared.feeds, &lookup);
        self.variables(shared.plan_variables, &mut scope);
        self.variables(fields.get("variables"), &mut scope);
        let order =
            fields.get("order").and_then(|n| self.word(n, ORDERS)).unwrap_or(TaskOrder::Weighted);
        self.declare_extracts(&fields, order, &mut scope);

        let weight = fields.get("weight").and_then(|n| self.whole_u32(n, 0)).unwrap_or(1);
        let count = fields.get("count").and_then(|n| self.users(n, 0));
        let think_time = fields.get("think_time").and_then(|n| self.think_time(n));
        let on_start = self.steps(fields.get("on_start"), true, &mut scope, shared);
        let on_stop = self.steps(fields.get("on_stop"), false, &mut scope, shared);
        let start_feeds = scope.take_feeds();
        let tasks = self.tasks(&fields, &mut scope, shared);
        let UserScope { variables, counters, .. } = scope;
        Some(UserKind {
            name,
            weight,
            count,
            think_time: think_time.unwrap_or(ThinkTime::None),
            on_start,
            tasks,
            on_stop,
            order,
            variables,
            counters,
            start_feeds,
        })
    }

    /// `[variables]`: each may use those before it.
    fn variables(&mut self, node: Option<&Node>, scope: &mut UserScope<'_>) {
        let Some(node) = node else { return };
        for entry in self.map(node, "a table of variables") {
            if !self.variable_name(&entry.key, entry.key_at) {
                continue;
            }
            let initial = self.template(&entry.node, Escape::None, scope);
            let slot = scope.declare(&entry.key);
            scope.variables[usize::from(slot.0)].initial = initial;
            scope.visible.insert(entry.key.clone());
        }
    }

    fn variable_name(&mut self, name: &str, at: Location) -> bool {
        if RESERVED.contains(&name) {
            self.error(
                Diagnostic::at(at, format!("`{name}` cannot name a variable: templates use it"))
                    .help(format!("taken are {}", RESERVED.join(", "))),
            );
            return false;
        }
        if !is_variable_name(name) {
            self.error(
                Diagnostic::at(at, format!("`{name}` cannot name a variable"))
                    .help("names have letters, digits, `_` and `-`"),
            );
            return false;
        }
        true
    }

    /// All variables that requests of the kind extract get their slots first, so that a template may
    /// stand before the request that sets its variable.
    fn declare_extracts(
        &mut self,
        fields: &Fields<'_>,
        order: TaskOrder,
        scope: &mut UserScope<'_>,
    ) {
        let names = |node: Option<&Node>, found: &mut Vec<(String, Location)>| {
            let entries = node.and_then(|node| node.get("extract")).and_then(Node::as_table);
            found.extend(entries.unwrap_or_default().iter().map(|e| (e.key.clone(), e.key_at)));
        };
        let list = |key: &str| fields.get(key).map_or(&[][..], items);
        let (mut always, mut in_tasks) = (Vec::new(), Vec::new());
        for step in list("on_start") {
            names(Some(step), &mut always);
        }
        for step in list("on_stop") {
            names(Some(step), &mut in_tasks);
        }
        for task in list("task") {
            names(Some(task), &mut in_tasks);
            for step in task.get("step").map_or(&[][..], items) {
                names(Some(step), &mut in_tasks);
            }
        }
        for (is_always, (name, at)) in always
            .into_iter()
            .map(|found| (true, found))
            .chain(in_tasks.into_iter().map(|found| (false, found)))
        {
            if self.variable_name(&name, at) {
                scope.declare(&name);
                // In a fixed order of tasks an earlier one has always run.
                if is_always || order == TaskOrder::Sequential {
                    scope.visible.insert(name);
                }
            }
        }
        if scope.variables.len() > MAX_VARIABLES {
            self.error(Diagnostic::at(fields.at, format!("more than {MAX_VARIABLES} variables")));
        }
    }

    fn tasks(
        &mut self,
        fields: &Fields<'_>,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Vec<Task> {
        let Some(list) = fields.get("task") else {
            self.missing(
                fields,
                "this user has no tasks",
                "add [[user.task]] with a request, such as get = \"/\"",
            );
            return Vec::new();
        };
        let nodes = self.list(list, "tasks: write [[user.task]]");
        let mut tasks: Vec<(Task, Location)> = Vec::new();
        for node in nodes {
            let Some(task) = self.task(node, scope, shared) else { continue };
            let at = node.get("name").map_or(node.at, |name| name.at);
            if let Some((first, first_at)) = tasks.iter().find(|(t, _)| t.name == task.name) {
                let (name, first_at) = (Arc::clone(&first.name), *first_at);
                self.duplicate("task", &name, at, first_at);
            }
            tasks.push((task, at));
        }
        if tasks.len() == nodes.len() && tasks.iter().all(|(task, _)| task.weight == 0) {
            self.error(
                Diagnostic::at(
                    list.at,
                    "all tasks of this user have weight 0: none would ever run",
                )
                .help("give at least one a weight"),
            );
        }
        tasks.into_iter().map(|(task, _)| task).collect()
    }

    fn task(
        &mut self,
        node: &Node,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Option<Task> {
        let fields = self.open(node, &TASK)?;
        let before = scope.visible.clone();
        let own = std::iter::once(node).chain(node.get("step").map_or(&[][..], items));
        let extracted: BTreeSet<String> = own
            .filter_map(|node| node.get("extract").and_then(Node::as_table))
            .flat_map(|entries| entries.iter().map(|entry| entry.key.clone()))
            .collect();
        scope.visible.extend(extracted);
        let steps = self.task_steps(&fields, scope, shared);
        scope.visible = before;
        let feeds = scope.take_feeds();
        let steps = steps?;
        let name = match fields.get("name") {
            Some(node) => self.name(node)?.into(),
            None => steps
                .iter()
                .find_map(|step| match step {
                    Step::Request(spec) => {
                        Some(Arc::clone(&shared.groups.all[spec.group.0 as usize]))
                    }
                    Step::Pause(_) => None,
                })
                .unwrap_or_else(|| "pause".into()),
        };
        let weight = fields.get("weight").and_then(|n| self.whole_u32(n, 0)).unwrap_or(1);
        let think_time = fields.get("think_time").and_then(|n| self.think_time(n));
        Some(Task { name, weight, steps, think_time, feeds })
    }

    fn task_steps(
        &mut self,
        fields: &Fields<'_>,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Option<Vec<Step>> {
        let Some(list) = fields.get("step") else {
            let request = self.request(fields, false, scope, shared)?;
            return Some(vec![Step::Request(Box::new(request))]);
        };
        for entry in fields.entries() {
            if !matches!(entry.key.as_str(), "name" | "weight" | "think_time" | "step")
                && TASK.keys.iter().any(|key| key.name == entry.key)
            {
                self.error(
                    Diagnostic::at(entry.key_at, format!("`{}` belongs into a step", entry.key))
                        .help("a task is either one request or a list of steps"),
                );
            }
        }
        let steps = self.steps(Some(list), false, scope, shared);
        if items(list).is_empty() {
            return self.wrong(list, "expected at least one step");
        }
        Some(steps)
    }

    fn steps(
        &mut self,
        list: Option<&Node>,
        is_start: bool,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Vec<Step> {
        let Some(list) = list else { return Vec::new() };
        // A single step may stand without the list around it.
        let nodes = if list.as_table().is_some() {
            std::slice::from_ref(list)
        } else {
            self.list(list, "steps")
        };
        nodes.iter().filter_map(|node| self.step(node, is_start, scope, shared)).collect()
    }

    fn step(
        &mut self,
        node: &Node,
        is_start: bool,
        scope: &mut UserScope<'_>,
        shared: &mut Shared<'_>,
    ) -> Option<Step> {
        let fields = self.open(node, &STEP)?;
        if let Some(pause) = fields.get("pause") {
            if let Some(other) = fields.entries().iter().find(|e| e.key != "pause") {
                self.error(
                    Diagnostic::at(other.key_at, "a step is a request or a pause, not both")
                        .help("make the pause a step of its own: { pause = \"1s\" }"),
                );
            }
            return self.think_time(pause).map(Step::Pause);
        }
        let request = self.request(&fields, is_start, scope, shared)?;
        Some(Step::Request(Box::new(request)))
    }
}

const ORDERS: &[(&str, TaskOrder)] =
    &[("weighted", TaskOrder::Weighted), ("sequential", TaskOrder::Sequential)];

/// The items of a list; a single table is a list of one.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        crate::plan::tree::Value::List(items) => items,
        crate::plan::tree::Value::Table(_) => std::slice::from_ref(node),
        _ => &[],
    }
}
