//! Users in code as a workload of the engine.

use std::cell::Cell;
use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use proofload_core::inspect::{Check, CheckKind, Inspector, StatusSet};
use proofload_core::metrics::ErrorKind;
use proofload_core::plan::{BaseUrl, CheckId, OtherKind, Plan, Target, ThinkTime};

use super::error::TaskResult;
use super::kind::{AnyKind, AnyUser, Kind, TaskFuture};
use super::panic_message;
use super::scope::{Core, DefaultHeader, KindFacts, SeriesCache, WorkerScope};
use super::user::draw;
use crate::http::{Headers, Origin, Prepared, Shared};
use crate::worker::Example;
use crate::workload::{
    Outcome, Seat, SetupError, UserSource, VirtualUser, WorkerContext, Workload, client_settings,
};

/// The kinds of users of a test that are written in Rust.
#[derive(Clone, Debug, Default)]
pub struct Users {
    kinds: Vec<Arc<dyn AnyKind>>,
}

impl Users {
    /// None yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind. Kinds are numbered behind those of the plan, in the order in which they are added.
    #[must_use]
    pub fn kind<S: 'static>(mut self, kind: Kind<S>) -> Self {
        self.kinds.push(Arc::new(kind));
        self
    }

    /// The kinds as a plan has to know them, for [`Inputs::kinds`](proofload_core::plan::Inputs): so its
    /// phases can name them.
    #[must_use]
    pub fn for_plan(&self) -> Vec<OtherKind> {
        let summaries = self.kinds.iter().map(|kind| kind.summary());
        summaries
            .map(|kind| OtherKind { name: kind.name, weight: kind.weight, count: kind.count })
            .collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kinds.is_empty()
    }

    /// What is wrong with the kinds, if anything.
    fn fault(&self, plan: &Plan) -> Option<String> {
        let mut names: Vec<Arc<str>> =
            plan.users.iter().map(|kind| Arc::clone(&kind.name)).collect();
        for kind in &self.kinds {
            let kind = kind.summary();
            let name = &kind.name;
            if names.contains(name) {
                return Some(format!("there are two kinds of users called `{name}`"));
            }
            if kind.tasks.iter().all(|(_, weight)| *weight == 0) {
                return Some(format!("users of kind `{name}` have no task with a weight above 0"));
            }
            for (at, (task, _)) in kind.tasks.iter().enumerate() {
                if kind.tasks[..at].iter().any(|(other, _)| other == task) {
                    return Some(format!("users of kind `{name}` have two tasks called `{task}`"));
                }
            }
            names.push(kind.name);
        }
        let known = plan.other_kinds.iter().map(|kind| &kind.name);
        if !known.eq(&names[plan.users.len()..]) {
            return Some("the plan was not read for these kinds of users".to_owned());
        }
        plan.phases.iter().find_map(|phase| {
            let unknown = phase.kinds.iter().find(|entry| entry.kind >= names.len())?;
            Some(format!(
                "phase `{}`: there is no kind of user number {}",
                phase.name, unknown.kind
            ))
        })
    }
}

/// Users in code, ready to run.
#[derive(Debug)]
pub struct CodeUsers {
    users: Users,
    /// Number of the first of the kinds.
    pub(super) first_kind: usize,
    prepared: Arc<Prepared>,
    base: BaseUrl,
    redirects: u16,
    headers: Vec<DefaultHeader>,
    inspector: Inspector,
}

impl CodeUsers {
    /// Prepares users that run with the settings, target and phases of a plan that has no users of its
    /// own. For one that has, see [`Combined`](super::Combined).
    ///
    /// # Errors
    /// Kinds without tasks, names given twice, a plan that was not read for these kinds, certificates
    /// that cannot be used, or a target that is still to be started.
    pub fn new(plan: &Plan, users: Users) -> Result<Arc<Self>, SetupError> {
        if !plan.users.is_empty() {
            return Err(SetupError("the plan has users of its own".to_owned()));
        }
        Self::behind(plan, users)
    }

    /// As [`CodeUsers::new`], behind the plan's own kinds.
    pub(super) fn behind(plan: &Plan, users: Users) -> Result<Arc<Self>, SetupError> {
        if let Some(fault) = users.fault(plan) {
            return Err(SetupError(fault));
        }
        let Target::Url(base) = &plan.target else {
            let message = "the demo service has to be started before the users";
            return Err(SetupError(message.to_owned()));
        };
        let prepared = Prepared::new(client_settings(&plan.http))
            .map_err(|error| SetupError(error.to_string()))?;
        Ok(Arc::new(Self {
            users,
            first_kind: plan.users.len(),
            prepared,
            base: base.clone(),
            redirects: plan.http.redirects.0,
            headers: default_headers(plan)?,
            inspector: cache_rule(plan),
        }))
    }
}

/// The plan's rule on cache hits. It is asked of good answers only, whatever their status.
fn cache_rule(plan: &Plan) -> Inspector {
    let any = CheckKind::Status(StatusSet([(0, u16::MAX)].into()));
    let check = Check { id: CheckId(0), name: "any status".into(), kind: any };
    Inspector { checks: [check].into(), extracts: [].into(), cache: plan.cache.clone() }
}

/// The plan's default headers. Those with expressions speak of variables that users in code do not
/// have.
fn default_headers(plan: &Plan) -> Result<Vec<DefaultHeader>, SetupError> {
    let mut headers = Vec::new();
    for header in &plan.headers {
        let Some(value) = header.value.as_literal() else { continue };
        Headers::new()
            .push(&header.name, value)
            .map_err(|error| SetupError(format!("default header: {error}")))?;
        headers.push(DefaultHeader {
            name: header.name.to_string(),
            value: value.to_vec(),
            target_only: header.target_only,
        });
    }
    Ok(headers)
}

impl Workload for CodeUsers {
    type Source = CodeSource;

    fn open(self: Arc<Self>, _worker: &WorkerContext) -> Result<CodeSource, SetupError> {
        let whole = BaseUrl { prefix: "".into(), ..self.base.clone() };
        let (origin, _) =
            Origin::parse(&whole.to_string()).map_err(|error| SetupError(error.to_string()))?;
        let scope = WorkerScope {
            shared: Shared::new(Arc::clone(&self.prepared)),
            origin,
            prefix: self.base.prefix.to_string(),
            redirects: self.redirects,
            headers: self.headers.clone(),
            inspector: self.inspector.clone(),
            series: SeriesCache::default(),
            open_connections: Cell::new(0),
        };
        let first = self.first_kind;
        let kinds = self.users.kinds.iter().zip(first..);
        Ok(CodeSource {
            first_kind: first,
            kinds: kinds.map(|(kind, index)| Rc::new(OpenKind::new(kind, index))).collect(),
            scope: Rc::new(scope),
        })
    }
}

/// A kind, as a worker has it.
#[derive(Debug)]
struct OpenKind {
    kind: Arc<dyn AnyKind>,
    facts: Rc<KindFacts>,
    think_time: ThinkTime,
    in_order: bool,
    weights: Vec<u64>,
    total_weight: u64,
}

impl OpenKind {
    fn new(kind: &Arc<dyn AnyKind>, index: usize) -> Self {
        let summary = kind.summary();
        let names = summary.tasks.iter().map(|(name, _)| Arc::clone(name));
        let parts = std::iter::once("on_start".into())
            .chain(names)
            .chain(std::iter::once("on_stop".into()))
            .collect();
        let weights: Vec<_> = summary.tasks.iter().map(|&(_, weight)| u64::from(weight)).collect();
        Self {
            kind: Arc::clone(kind),
            facts: Rc::new(KindFacts { index, name: summary.name, parts }),
            think_time: summary.think_time,
            in_order: summary.in_order,
            total_weight: weights.iter().sum(),
            weights,
        }
    }
}

/// Makes a worker's users in code.
#[derive(Debug)]
pub struct CodeSource {
    first_kind: usize,
    kinds: Vec<Rc<OpenKind>>,
    scope: Rc<WorkerScope>,
}

impl UserSource for CodeSource {
    type User = CodeUser;

    fn user(&self, seat: Rc<Seat>) -> CodeUser {
        let kind = Rc::clone(&self.kinds[seat.kind - self.first_kind]);
        let core = Rc::new(Core::new(seat, Rc::clone(&kind.facts), Rc::clone(&self.scope)));
        let user = Arc::clone(&kind.kind).user(Rc::clone(&core));
        CodeUser { kind, core, user, next_task: 0, has_panicked: false }
    }

    fn open_connections(&self) -> u32 {
        self.scope.open_connections.get()
    }
}

/// A virtual user in code.
pub struct CodeUser {
    kind: Rc<OpenKind>,
    core: Rc<Core>,
    user: Box<dyn AnyUser>,
    next_task: usize,
    /// What it remembers may be half changed: it has to start over.
    has_panicked: bool,
}

impl fmt::Debug for CodeUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeUser").field("core", &self.core).finish_non_exhaustive()
    }
}

impl CodeUser {
    fn choose_task(&mut self) -> usize {
        let kind = &*self.kind;
        if kind.in_order {
            let task = self.next_task;
            self.next_task = (task + 1) % kind.weights.len();
            return task;
        }
        if let [_] = kind.weights[..] {
            return 0;
        }
        let mut left = self.core.random.whole(..kind.total_weight);
        let chosen = kind.weights.iter().position(|&weight| {
            let found = left < weight;
            left = left.saturating_sub(weight);
            found
        });
        chosen.unwrap_or(0)
    }

    /// Runs a part of the user's code and records what nobody has recorded yet.
    async fn settle(
        &mut self,
        part: usize,
        code: impl FnOnce(&mut dyn AnyUser) -> TaskFuture<'_>,
    ) -> Outcome {
        self.core.part.set(part);
        self.core.something_failed.set(false);
        let message = match catch_panics(code(&mut *self.user)).await {
            Ok(Ok(())) => return Outcome::Completed,
            Ok(Err(error)) if error.is_no_more_work() => return Outcome::Exhausted,
            Ok(Err(error)) if error.is_recorded() => return Outcome::Failed,
            Ok(Err(error)) => error.to_string(),
            Err(message) => {
                self.has_panicked = true;
                format!("panicked: {message}")
            }
        };
        self.core.recorder().error_sample(ErrorKind::Script, || Example {
            request: self.core.whereabouts(),
            message,
            status: 0,
            elapsed: Duration::ZERO,
        });
        Outcome::Failed
    }
}

/// Polls to the end; the message of a panic if there is one.
async fn catch_panics(mut code: TaskFuture<'_>) -> Result<TaskResult, String> {
    poll_fn(|cx| {
        // What a panic may leave half done is not used again: the future is dropped, and the user
        // starts over.
        match catch_unwind(AssertUnwindSafe(|| code.as_mut().poll(cx))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic_message(&*panic).to_owned())),
        }
    })
    .await
}

impl VirtualUser for CodeUser {
    async fn start(&mut self) -> Outcome {
        self.has_panicked = false;
        self.settle(0, |user| user.start()).await
    }

    async fn iterate(&mut self) -> Outcome {
        if self.has_panicked {
            match self.start().await {
                Outcome::Completed => {}
                ended => return ended,
            }
        }
        let task = self.choose_task();
        let outcome = self.settle(task + 1, |user| user.task(task)).await;
        self.core.iteration.set(self.core.iteration.get() + 1);
        match outcome {
            // As with a plan's users: what failed has failed, also where the task went on.
            Outcome::Completed if self.core.something_failed.get() => Outcome::Failed,
            outcome => outcome,
        }
    }

    fn think_time(&mut self) -> Duration {
        draw(self.core.seat.phase.think_time.unwrap_or(self.kind.think_time), &self.core.random)
    }

    async fn stop(&mut self) {
        let part = self.kind.weights.len() + 1;
        self.settle(part, |user| user.stop()).await;
    }
}
