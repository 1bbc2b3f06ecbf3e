//! A promise of all parts: after a panic that was caught they go on as if the call had never been made. What was taken
//! is given back, no lock stays poisoned, and no code of a user's runs while one is held. The compiler cannot see that
//! through closures and locks of others, so it is told here.

use std::panic::{RefUnwindSafe, UnwindSafe};

impl<V> UnwindSafe for crate::Cache<V> {}
impl<V> RefUnwindSafe for crate::Cache<V> {}
impl UnwindSafe for crate::CircuitBreaker {}
impl RefUnwindSafe for crate::CircuitBreaker {}
#[cfg(feature = "redis")]
impl UnwindSafe for crate::Redis {}
#[cfg(feature = "redis")]
impl RefUnwindSafe for crate::Redis {}
#[cfg(feature = "pool")]
impl<M, W> UnwindSafe for crate::WatchedPool<M, W>
where
    M: deadpool::managed::Manager,
    W: From<deadpool::managed::Object<M>>,
{
}
#[cfg(feature = "pool")]
impl<M, W> RefUnwindSafe for crate::WatchedPool<M, W>
where
    M: deadpool::managed::Manager,
    W: From<deadpool::managed::Object<M>>,
{
}
