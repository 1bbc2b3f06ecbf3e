//! The primitives the semaphore is made of. Under `--cfg kit_loom` they are a model checker's,
//! which tries every order in which threads can use them.

#[cfg(kit_loom)]
pub(super) use loom::sync::{Mutex, MutexGuard, atomic::AtomicU64};
#[cfg(not(kit_loom))]
pub(super) use std::sync::{Mutex, MutexGuard, atomic::AtomicU64};
pub(super) use std::sync::{PoisonError, atomic::Ordering};
