//! The users of a plan as a workload.
//!
//! A plan is compiled once for each worker ([`compile`]): series are registered, what never changes
//! about a request is put together. A [`user`] then only fills in what does change.

mod compile;
mod feeds;
mod look;
mod request;
mod settings;
mod sign;
mod user;

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;

use proofload_core::plan::{Plan, Target};

use self::compile::CompiledKind;
use self::feeds::Feeds;
use self::request::Buffers;
pub(crate) use self::settings::client_settings;
pub use self::user::ScriptedUser;
use super::{Seat, SetupError, UserSource, WorkerContext, Workload};
use crate::http::{Prepared, Shared};

/// The users of a plan, ready to run.
#[derive(Debug)]
pub struct Scripted {
    plan: Arc<Plan>,
    prepared: Arc<Prepared>,
    feeds: Arc<Feeds>,
}

impl Scripted {
    /// Prepares the users of `plan`, whose target must be a URL by now.
    ///
    /// # Errors
    /// Certificates that cannot be used, or a target that is still to be started.
    pub fn new(plan: Arc<Plan>) -> Result<Arc<Self>, SetupError> {
        if !matches!(plan.target, Target::Url(_)) {
            let message = "the demo service has to be started before the plan's users";
            return Err(SetupError(message.to_owned()));
        }
        let prepared = Prepared::new(client_settings(&plan.http))
            .map_err(|error| SetupError(error.to_string()))?;
        let feeds = Arc::new(Feeds::new(&plan));
        Ok(Arc::new(Self { plan, prepared, feeds }))
    }
}

impl Workload for Scripted {
    type Source = ScriptedSource;

    fn open(self: Arc<Self>, worker: &WorkerContext) -> Result<ScriptedSource, SetupError> {
        let kinds = compile::kinds(&self.plan, &worker.recorder)?;
        let shared = Shared::new(Arc::clone(&self.prepared));
        let (redirects, feeds) = (self.plan.http.redirects.0, Arc::clone(&self.feeds));
        let scope = Rc::new(WorkerScope {
            shared,
            redirects,
            feeds,
            buffers: Buffers::default(),
            open_connections: Cell::new(0),
            most_connections: Cell::new(0),
        });
        Ok(ScriptedSource { kinds, scope })
    }
}

/// Makes a worker's users of a plan.
#[derive(Debug)]
pub struct ScriptedSource {
    kinds: Vec<Rc<CompiledKind>>,
    scope: Rc<WorkerScope>,
}

/// What the users of one worker share.
#[derive(Debug)]
struct WorkerScope {
    shared: Rc<Shared>,
    redirects: u16,
    feeds: Arc<Feeds>,
    buffers: Buffers,
    open_connections: Cell<u32>,
    /// The most there were since somebody last asked.
    most_connections: Cell<u32>,
}

impl UserSource for ScriptedSource {
    type User = ScriptedUser;

    fn user(&self, seat: Rc<Seat>) -> ScriptedUser {
        let kind = Rc::clone(&self.kinds[seat.kind]);
        ScriptedUser::new(kind, seat, Rc::clone(&self.scope))
    }

    fn open_connections(&self) -> u32 {
        self.scope.most_connections.replace(self.scope.open_connections.get())
    }
}
