//! Watched pools of PostgreSQL connections.

use deadpool_postgres::Manager;
use deadpool_postgres::tokio_postgres::{Config, Error, NoTls};

use super::{WatchedPool, WatchedPoolBuilder};

/// A watched pool of PostgreSQL connections.
///
/// ```no_run
/// use proofload_kit::pool::PostgresPool;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let pool = PostgresPool::for_url("orders", "postgres://app@127.0.0.1/shop")?.size(20).build()?;
/// let connection = pool.get().await?;
/// let row = connection.query_one("SELECT count(*) FROM orders", &[]).await?;
/// let orders: i64 = row.get(0);
/// # Ok(()) }
/// ```
///
/// An idle connection is handed out unless it is known to be closed. For TLS, or to have each connection checked by a
/// query first, make the [`Manager`] yourself and give it to [`WatchedPool::builder`].
pub type PostgresPool = WatchedPool<Manager>;

impl PostgresPool {
    /// Settings of a pool of connections to this address, without TLS: `postgres://user:password@host/database`, or
    /// `host=… user=… dbname=…`. Nothing is connected yet.
    ///
    /// # Errors
    /// When it is no address of a PostgreSQL server.
    pub fn for_url(
        name: impl Into<String>,
        url: &str,
    ) -> Result<WatchedPoolBuilder<Manager>, Error> {
        let config: Config = url.parse()?;
        Ok(Self::builder(name, Manager::new(config, NoTls)))
    }
}
