//! What happens to connections inside deadpool while one caller waits. Its hooks tell when an idle connection
//! is about to be checked and when that went well, but not when it failed: deadpool quietly takes the
//! next. So each caller remembers what it is at, in a task-local value that the hooks find.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{Hook, HookError, Manager, Object, PoolBuilder};

use super::watch::{Watch, count};

tokio::task_local! {
    static CALL: Call;
}

/// One caller's way through deadpool.
struct Call {
    watch: Arc<Watch>,
    /// An idle connection is being checked, and nothing has come of it yet.
    is_checking: Cell<bool>,
}

impl Call {
    /// Whatever comes next, a check that was not reported as good is a failure.
    fn settle(&self) {
        if self.is_checking.replace(false) {
            count(&self.watch.counts.recycle_failures);
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.settle();
    }
}

/// Runs a caller's `get` so that the hooks know it.
pub(super) async fn counted<F: Future>(watch: &Arc<Watch>, get: F) -> F::Output {
    let call = Call { watch: Arc::clone(watch), is_checking: Cell::new(false) };
    CALL.scope(call, get).await
}

/// The hooks that must come before those of the service. They do not find a call where somebody uses the
/// deadpool pool directly.
pub(super) fn first_hooks<M, W>(
    builder: PoolBuilder<M, W>,
    watch: &Arc<Watch>,
    oldest: Option<Duration>,
) -> PoolBuilder<M, W>
where
    M: Manager,
    W: From<Object<M>>,
{
    let (creating, checking) = (Arc::clone(watch), Arc::clone(watch));
    builder
        .post_create(Hook::sync_fn(move |_, _| {
            let _ = CALL.try_with(Call::settle);
            count(&creating.counts.created);
            Ok(())
        }))
        .pre_recycle(Hook::sync_fn(move |_, metrics| {
            let _ = CALL.try_with(Call::settle);
            if oldest.is_some_and(|oldest| metrics.age() >= oldest) {
                count(&checking.counts.expired);
                return Err(HookError::message("older than `recycle` allows"));
            }
            let _ = CALL.try_with(|call| call.is_checking.set(true));
            Ok(())
        }))
}

/// The hook that must come after those of the service.
pub(super) fn last_hook<M, W>(builder: PoolBuilder<M, W>, watch: &Arc<Watch>) -> PoolBuilder<M, W>
where
    M: Manager,
    W: From<Object<M>>,
{
    let watch = Arc::clone(watch);
    builder.post_recycle(Hook::sync_fn(move |_, _| {
        let _ = CALL.try_with(|call| call.is_checking.set(false));
        count(&watch.counts.recycled);
        Ok(())
    }))
}
