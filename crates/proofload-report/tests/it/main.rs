//! What people read, from results like those of real runs.

mod scenes;
mod summary;
