//! Watched pools of Redis connections.

use deadpool_redis::redis::aio::ConnectionLike;
use deadpool_redis::redis::{Cmd, IntoConnectionInfo, Pipeline, RedisError, RedisFuture, Value};
use deadpool_redis::{Connection, Manager};

use super::{WatchedConnection, WatchedPool, WatchedPoolBuilder};

/// A watched pool of Redis connections.
///
/// A connection of `redis` serves many callers at once, so a pool is for what occupies one: transactions with
/// `WATCH`, blocking commands, large values that others should not wait behind.
///
/// ```no_run
/// use proofload_kit::pool::RedisPool;
/// use proofload_kit::pool::deadpool_redis::redis::cmd;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = RedisPool::for_url("sessions", "redis://127.0.0.1:6379")?.size(20).build()?;
/// let mut connection = pool.get().await?;
/// let visits: u64 = cmd("INCR").arg("visits").query_async(&mut connection).await?;
/// # Ok(()) }
/// ```
pub type RedisPool = WatchedPool<Manager, Connection>;

impl RedisPool {
    /// Settings of a pool of connections to this address. Nothing is connected yet.
    ///
    /// # Errors
    /// When it is no address of a Redis server.
    pub fn for_url(
        name: impl Into<String>,
        url: impl IntoConnectionInfo,
    ) -> Result<WatchedPoolBuilder<Manager, Connection>, RedisError> {
        Ok(Self::builder(name, Manager::new(url)?))
    }
}

/// So that a connection from the pool can be used with commands directly.
impl ConnectionLike for WatchedConnection<Connection> {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        (**self).req_packed_command(command)
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        (**self).req_packed_commands(pipeline, offset, count)
    }

    fn get_db(&self) -> i64 {
        (**self).get_db()
    }
}
