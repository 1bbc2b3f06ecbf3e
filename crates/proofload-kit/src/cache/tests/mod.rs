//! Caches as a whole, where tests need to see inside.
//!
//! - `gate`: loaders that count and wait;
//! - `flights`: one load for all, whoever fails; `invalidation`: what beats loads under way;
//! - `races`: the same with threads that really run at once;
//! - `aging`: stale values, timeouts, failures; `bounds`: memory; `model`: all of it at random;
//! - `fake`: a shared layer; `layers`: caches on it; `writes`: writers that meet others;
//! - `counting`: what is counted; `extremes`: settings at the ends of what can be set.

mod aging;
mod bounds;
mod counting;
mod extremes;
mod fake;
mod flights;
mod gate;
mod invalidation;
mod layers;
mod model;
mod races;
mod writes;
