//! What viewers see, as HTML: whole pages, and the pieces of the live page that change.

mod compare;
mod controls;
mod head;
mod layout;
mod live;
mod runs;
mod sections;
mod start;
mod text;

pub(crate) use compare::compare;
pub(crate) use layout::{login, nothing_there};
pub(crate) use live::{live, pieces};
pub(crate) use runs::{run, runs};
pub(crate) use sections::code_of;
