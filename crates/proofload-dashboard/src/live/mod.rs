//! What is known of the run that is under way, and its picture: told from elsewhere, drawn once a second,
//! seen by any number of viewers.

mod follow;
mod frame;
mod shared;
mod state;
mod tell;

pub(crate) use follow::follow;
pub(crate) use frame::{Frame, Piece, event};
pub(crate) use shared::{Shared, Viewer};
pub(crate) use state::{Live, Run, Stage};
pub(crate) use tell::{Teller, Told, channel};

pub use state::{RunEnd, RunStart};
