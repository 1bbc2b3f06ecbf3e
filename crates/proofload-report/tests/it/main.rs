//! What people and programs read, from results like those of real runs.

mod browser;
mod compared;
mod courses;
mod export;
mod history;
mod hostile;
mod html;
mod junit;
mod locust_csv;
mod markdown;
mod pages;
mod scenes;
mod suite;
mod summary;
