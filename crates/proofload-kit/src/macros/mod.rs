//! What functions under `#[cached]` and `#[cache_invalidate]` call. Not for use by hand: it changes with the macros.
//!
//! - `returns`: what a function returns, taken apart;
//! - `slot`: the caches of functions that have one of their own;
//! - `writer`, `part`: keys and tags;
//! - `load`: making values; `pending`: taking them away.

mod load;
mod part;
mod pending;
mod returns;
mod slot;
mod writer;

pub use load::{
    BackgroundSelf, CloneError, Failures, IntoDuration, IntoTtl, MapError, Missing, NoTimeoutError,
    OnError, OnTimeout, TimeoutError, compute, find, load_detached, load_scoped, own, own_receiver,
};
pub use part::{AsDisplay, AsKeyPart, AsNothing, KeyArgument, Part};
pub use pending::Pending;
pub use returns::{
    Answered, AnyAnswer, FunctionReturnsNoResult, Keepable, OfBoth, OfOption, OfResult, OfValue,
    ResultAnswer, Returns, ReturnsBoth, ReturnsOption, ReturnsResult, ReturnsValue, Shape, never,
};
pub use slot::{Own, Settings, Slot, place_of};
pub use writer::Writer;
