//! The command as people run it: a child process with arguments, environment, files and signals.
//!
//! - `support`: a sandbox to run the binary in, and what is asked of the result;
//! - `wiretap`: a server that keeps every byte it was sent;
//! - `exit_codes`, `signals`: how a run ends;
//! - `examples`: every plan that is shipped, with everything that can be overridden;
//! - `export`: alerts and dashboards for production;
//! - `full_screen`: `--tui`, on a terminal of its own;
//! - `guides`: every command of the guides in `docs/`;
//! - `result_file`: the result as other programs read it;
//! - `journal`: what is left of a run that is killed;
//! - `outputs`: where a run goes while it is under way, and alerts;
//! - `one_liner`: `proofload http`;
//! - `bad_input`, `bad_targets`: what is said when something is wrong;
//! - `disk`: folders that cannot be written, disks that are full;
//! - `cost`: what a run costs with the cache and without it;
//! - `report`: stored results in other formats;
//! - `story`: the demo before and after;
//! - `suite`: tests one after the other, and what they prove;
//! - `history`: runs over time;
//! - `secrets`: what is never said;
//! - `web`: the live page in a real browser.

mod bad_input;
mod bad_targets;
mod baseline;
mod compare;
mod cost;
mod disk;
mod examples;
mod exit_codes;
mod export;
#[cfg(unix)]
mod full_screen;
mod guides;
mod history;
#[cfg(unix)]
mod journal;
mod one_liner;
mod out_files;
mod outputs;
mod report;
mod result_file;
mod secrets;
#[cfg(unix)]
mod signals;
mod story;
mod suite;
mod support;
mod web;
mod wiretap;
