//! Real servers for tests, each in a folder of its own and gone with the process that started it. Shared
//! by the unit tests, the integration tests and an example.
//!
//! - `process`: a process that ends with this one; `folder`: a folder that is removed;
//! - `redis_server`, `postgres`: the servers.

pub mod folder;
#[cfg(feature = "postgres-pool")]
pub mod postgres;
pub mod process;
#[cfg(feature = "redis")]
pub mod redis_server;
