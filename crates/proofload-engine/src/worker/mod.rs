//! One worker: a thread, a runtime, its share of the users.

mod timer;
