//! Kinds of users: what they do, how often, and how they are stored whatever they remember.

use std::fmt;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use proofload_core::plan::ThinkTime;

use super::error::TaskResult;
use super::scope::Core;
use super::user::{Pause, User};

pub(super) type TaskFuture<'a> = Pin<Box<dyn Future<Output = TaskResult> + 'a>>;

/// A piece of a user's code, whatever its type.
trait Code<S>: Send + Sync {
    fn run<'a>(&'a self, user: &'a mut User<S>) -> TaskFuture<'a>;
}

impl<S, F> Code<S> for F
where
    F: AsyncFn(&mut User<S>) -> TaskResult + Send + Sync,
{
    fn run<'a>(&'a self, user: &'a mut User<S>) -> TaskFuture<'a> {
        Box::pin(self(user))
    }
}

/// A kind of user: what it does, in async Rust.
///
/// Tasks are plain `async fn`s (or async closures) that take a `&mut User<S>`; `S` is what the user
/// remembers. Their futures need not be `Send`: a user lives on one thread. They must not block that
/// thread, on which thousands of other users live.
///
/// ```
/// use proofload_engine::workload::code::{Kind, TaskResult, User};
///
/// async fn home(user: &mut User) -> TaskResult {
///     user.get("/").send().await?;
///     Ok(())
/// }
///
/// let visitor = Kind::new("visitor").task("home", 3, home).task("about", 1, async |user: &mut User| {
///     user.get("/about").send().await?;
///     Ok(())
/// });
/// ```
pub struct Kind<S = ()> {
    name: Arc<str>,
    weight: u32,
    count: Option<u32>,
    think_time: ThinkTime,
    in_order: bool,
    new_state: Box<dyn Fn(u64) -> S + Send + Sync>,
    on_start: Vec<Box<dyn Code<S>>>,
    tasks: Vec<Task<S>>,
    on_stop: Vec<Box<dyn Code<S>>>,
}

struct Task<S> {
    name: Arc<str>,
    weight: u32,
    code: Box<dyn Code<S>>,
}

impl<S: Default + 'static> Kind<S> {
    /// A kind whose users start with the default of what they remember. Its weight is 1, and it does
    /// not think between tasks. The name must be unique among all kinds of a run.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self::with_state(name, |_| S::default())
    }
}

impl<S: 'static> Kind<S> {
    /// As [`Kind::new`], with what a user remembers when it starts, made from its
    /// [number](User::id).
    #[must_use]
    pub fn with_state(name: &str, new: impl Fn(u64) -> S + Send + Sync + 'static) -> Self {
        Self {
            name: name.into(),
            weight: 1,
            count: None,
            think_time: ThinkTime::None,
            in_order: false,
            new_state: Box::new(new),
            on_start: Vec::new(),
            tasks: Vec::new(),
            on_stop: Vec::new(),
        }
    }

    /// Share among the kinds of a phase, where the phase does not say otherwise. With 0 it takes part
    /// only where a phase names it.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight;
        self
    }

    /// Exactly this many of the users of a phase are of this kind, before weights are applied.
    #[must_use]
    pub fn count(mut self, users: u32) -> Self {
        self.count = Some(users);
        self
    }

    /// How long a user pauses after each task, in closed load: a time, or a range of times of which
    /// one is drawn.
    #[must_use]
    pub fn think_time(mut self, time: impl Pause) -> Self {
        self.think_time = time.into_think_time();
        self
    }

    /// Tasks are done in the order in which they were added, round and round; weights do not count.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.in_order = true;
        self
    }

    /// What a user does once, before its first task. If it fails, the user starts over a second later,
    /// with nothing remembered. Called again, it adds to what was there.
    #[must_use]
    pub fn on_start<F>(mut self, code: F) -> Self
    where
        F: AsyncFn(&mut User<S>) -> TaskResult + Send + Sync + 'static,
    {
        self.on_start.push(Box::new(code));
        self
    }

    /// Something a user does over and over. One execution is an iteration; `weight` is its share among
    /// the tasks of the kind. The name must be unique in the kind.
    #[must_use]
    pub fn task<F>(mut self, name: &str, weight: u32, code: F) -> Self
    where
        F: AsyncFn(&mut User<S>) -> TaskResult + Send + Sync + 'static,
    {
        self.tasks.push(Task { name: name.into(), weight, code: Box::new(code) });
        self
    }

    /// What a user does once, when it leaves in good order. Called again, it adds to what was there.
    #[must_use]
    pub fn on_stop<F>(mut self, code: F) -> Self
    where
        F: AsyncFn(&mut User<S>) -> TaskResult + Send + Sync + 'static,
    {
        self.on_stop.push(Box::new(code));
        self
    }
}

impl<S> fmt::Debug for Kind<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kind")
            .field("name", &self.name)
            .field("weight", &self.weight)
            .field("count", &self.count)
            .field("think_time", &self.think_time)
            .finish_non_exhaustive()
    }
}

/// What a kind is to phases and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KindSummary {
    pub(super) name: Arc<str>,
    pub(super) weight: u32,
    pub(super) count: Option<u32>,
    pub(super) think_time: ThinkTime,
    pub(super) in_order: bool,
    pub(super) tasks: Vec<(Arc<str>, u32)>,
}

/// A kind, whatever its users remember.
pub(super) trait AnyKind: fmt::Debug + Send + Sync {
    fn summary(&self) -> KindSummary;
    fn user(self: Arc<Self>, core: Rc<Core>) -> Box<dyn AnyUser>;
}

/// A user, whatever it remembers.
pub(super) trait AnyUser: fmt::Debug {
    /// Forgets everything and starts.
    fn start(&mut self) -> TaskFuture<'_>;
    /// Does a task, by its place.
    fn task(&mut self, at: usize) -> TaskFuture<'_>;
    fn stop(&mut self) -> TaskFuture<'_>;
}

impl<S: 'static> AnyKind for Kind<S> {
    fn summary(&self) -> KindSummary {
        KindSummary {
            name: Arc::clone(&self.name),
            weight: self.weight,
            count: self.count,
            think_time: self.think_time,
            in_order: self.in_order,
            tasks: self.tasks.iter().map(|t| (Arc::clone(&t.name), t.weight)).collect(),
        }
    }

    fn user(self: Arc<Self>, core: Rc<Core>) -> Box<dyn AnyUser> {
        Box::new(Seated { kind: self, core, user: None })
    }
}

/// A user with its kind.
struct Seated<S> {
    kind: Arc<Kind<S>>,
    core: Rc<Core>,
    /// Since it has started.
    user: Option<User<S>>,
}

impl<S> fmt::Debug for Seated<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seated").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<S: 'static> AnyUser for Seated<S> {
    fn start(&mut self) -> TaskFuture<'_> {
        let Self { kind, core, user } = self;
        Box::pin(async move {
            // In here and not before: it is the user's code, too.
            let state = (kind.new_state)(core.seat.user_id - 1);
            let user = user.insert(User::new(state, Rc::clone(core)));
            run_all(&kind.on_start, user).await
        })
    }

    fn task(&mut self, at: usize) -> TaskFuture<'_> {
        match &mut self.user {
            Some(user) => self.kind.tasks[at].code.run(user),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn stop(&mut self) -> TaskFuture<'_> {
        match &mut self.user {
            Some(user) => Box::pin(run_all(&self.kind.on_stop, user)),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }
}

async fn run_all<S>(all: &[Box<dyn Code<S>>], user: &mut User<S>) -> TaskResult {
    for code in all {
        code.run(user).await?;
    }
    Ok(())
}
