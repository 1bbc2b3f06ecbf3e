//! What people read, from results like those of real runs.

mod export;
mod hostile;
mod junit;
mod locust_csv;
mod markdown;
mod scenes;
mod suite;
mod summary;
