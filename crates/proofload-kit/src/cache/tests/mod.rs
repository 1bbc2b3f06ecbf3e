//! Caches as a whole, where tests need to see inside.
//!
//! - `gate`: loaders that count and wait;
//! - `flights`: one load for all, whoever fails; `invalidation`: what beats loads under way;
//! - `races`: the same with threads that really run at once;
//! - `aging`: stale values, timeouts, failures; `bounds`: memory; `model`: all of it at random;
//! - `fake`: a shared layer; `layers`: caches on it.

mod aging;
mod bounds;
mod extremes;
mod fake;
mod flights;
mod gate;
mod invalidation;
mod layers;
mod model;
mod races;
