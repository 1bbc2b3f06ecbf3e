//! A plan's users and users in code, in one run.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use proofload_core::plan::Plan;

use super::workload::{CodeSource, CodeUser, CodeUsers, Users};
use crate::workload::scripted::{Scripted, ScriptedSource, ScriptedUser};
use crate::workload::{
    Outcome, Seat, SetupError, UserSource, VirtualUser, WorkerContext, Workload,
};

/// A plan's users and users in code, side by side in the same phases. Phases number the kinds: first
/// those of the plan, then those in code.
#[derive(Debug)]
pub struct Combined {
    scripted: Arc<Scripted>,
    code: Arc<CodeUsers>,
}

impl Combined {
    /// Prepares both. Either may be empty.
    ///
    /// # Errors
    /// As for [`Scripted::new`] and [`CodeUsers::new`].
    pub fn new(plan: Arc<Plan>, users: Users) -> Result<Arc<Self>, SetupError> {
        let code = CodeUsers::behind(&plan, users)?;
        Ok(Arc::new(Self { scripted: Scripted::new(plan)?, code }))
    }
}

impl Workload for Combined {
    type Source = CombinedSource;

    fn open(self: Arc<Self>, worker: &WorkerContext) -> Result<CombinedSource, SetupError> {
        Ok(CombinedSource {
            first_code: self.code.first_kind,
            scripted: Arc::clone(&self.scripted).open(worker)?,
            code: Arc::clone(&self.code).open(worker)?,
        })
    }
}

/// Makes a worker's users of both sorts.
#[derive(Debug)]
pub struct CombinedSource {
    first_code: usize,
    scripted: ScriptedSource,
    code: CodeSource,
}

impl UserSource for CombinedSource {
    type User = CombinedUser;

    fn user(&self, seat: Rc<Seat>) -> CombinedUser {
        if seat.kind < self.first_code {
            CombinedUser::Scripted(self.scripted.user(seat))
        } else {
            CombinedUser::Code(self.code.user(seat))
        }
    }

    fn open_connections(&self) -> u32 {
        self.scripted.open_connections() + self.code.open_connections()
    }
}

/// A virtual user of either sort.
#[derive(Debug)]
pub enum CombinedUser {
    /// Of the plan.
    Scripted(ScriptedUser),
    /// In code.
    Code(CodeUser),
}

impl VirtualUser for CombinedUser {
    async fn start(&mut self) -> Outcome {
        match self {
            Self::Scripted(user) => user.start().await,
            Self::Code(user) => user.start().await,
        }
    }

    async fn iterate(&mut self) -> Outcome {
        match self {
            Self::Scripted(user) => user.iterate().await,
            Self::Code(user) => user.iterate().await,
        }
    }

    fn think_time(&mut self) -> Duration {
        match self {
            Self::Scripted(user) => user.think_time(),
            Self::Code(user) => user.think_time(),
        }
    }

    async fn stop(&mut self) {
        match self {
            Self::Scripted(user) => user.stop().await,
            Self::Code(user) => user.stop().await,
        }
    }
}
