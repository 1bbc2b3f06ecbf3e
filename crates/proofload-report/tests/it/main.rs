//! What people read, from results like those of real runs.

mod hostile;
mod junit;
mod scenes;
mod summary;
