//! What people read, from results like those of real runs.

mod hostile;
mod junit;
mod markdown;
mod scenes;
mod summary;
