//! The primitives that loads under way are made of. Under `--cfg kit_loom` they are a model checker's,
//! which tries every order in which threads can use them.

#[cfg(kit_loom)]
mod model;

#[cfg(kit_loom)]
pub(super) use loom::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(kit_loom)]
pub(super) use loom::sync::{Mutex, MutexGuard};
#[cfg(kit_loom)]
pub(super) use loom::thread::{ThreadId, current};
#[cfg(kit_loom)]
pub(super) use model::{Event, Listener, OnceLock};

#[cfg(not(kit_loom))]
pub(super) use event_listener::{Event, Listener};
#[cfg(not(kit_loom))]
pub(super) use std::sync::atomic::{AtomicBool, AtomicU64};
#[cfg(not(kit_loom))]
pub(super) use std::sync::{Mutex, MutexGuard, OnceLock};
#[cfg(not(kit_loom))]
pub(super) use std::thread::{ThreadId, current};

pub(super) use std::sync::{PoisonError, atomic::Ordering};
