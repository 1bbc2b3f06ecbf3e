//! The demo's data in a real PostgreSQL: messages, and what the backend knows.
//!
//! Everything stands in a schema of its own with a name that nobody else has, made and filled in one transaction when
//! the demo starts and dropped when it ends; nothing else is touched. Reads of messages go to a replica if there is one.
//! How long the backend takes is a knob here, too: its queries are real, and sleep within the server (`pg_sleep`), so
//! that a slow call occupies a real connection and a real process of the server.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use proofload_kit::pool::deadpool_postgres::tokio_postgres::{Client, Config, NoTls, Row};
use proofload_kit::pool::deadpool_postgres::{self, Manager};
use proofload_kit::pool::{PostgresPool, ReadReplicas, WatchedPoolBuilder};
use proofload_kit::{BuildError, Registry};

use super::backend::STORE_WAIT;
use super::knowledge::{Lookup, TOPICS, WARNING_SIGNS};
use super::messages::{Draft, Message, Seed};
use super::options::DemoOptions;
use super::postgres_error::Unusable;
use super::state::unix_ms;

/// Connections for messages, to the primary and to the replica: with those of the backend after it was made to hold
/// its load they fit into the 100 that a server takes unless told otherwise.
const MESSAGE_CONNECTIONS: usize = 5;
/// Connections of the backend where the knobs set no bound.
const BACKEND_CONNECTIONS: usize = 20;
/// Longest wait for the server when the demo starts and when it ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a replica is asked whether it has the tables by now.
const REPLICA_EVERY: Duration = Duration::from_millis(50);
/// After so many messages those beyond the capacity are deleted.
const PRUNE_EVERY: i64 = 100;

/// Where a demo's data is, without users and passwords.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabasePlace {
    /// The PostgreSQL: `HOST:PORT/NAME`.
    pub server: String,
    /// Its read replica, if there is one.
    pub replica: Option<String>,
    /// The schema in it, which is dropped when the demo ends.
    pub schema: String,
}

/// The addresses, the schema in them, and the queries.
pub(crate) struct Database {
    primary: Config,
    replica: Option<Config>,
    schema: String,
    is_made: AtomicBool,
    /// Messages written so far.
    written: AtomicU64,
    max_messages: usize,
    queries: Queries,
}

/// With the name of the schema in them.
#[derive(Debug)]
struct Queries {
    page: String,
    add: String,
    prune: String,
    answer: String,
    warning_signs: String,
    messages: String,
}

impl Queries {
    fn new(schema: &str) -> Self {
        let columns = "sender, recipient, content, encrypted, timestamp_ms";
        let slow = |what: &str| format!("SELECT ({what}), pg_sleep($1)::text");
        Self {
            page: format!(
                "SELECT id, {columns} FROM {schema}.messages WHERE id < $1 ORDER BY id DESC LIMIT $2"
            ),
            add: format!(
                "INSERT INTO {schema}.messages ({columns}) VALUES ($1, $2, $3, $4, $5) RETURNING id"
            ),
            prune: format!("DELETE FROM {schema}.messages WHERE id <= $1"),
            answer: slow(&format!(
                "SELECT answer FROM {schema}.topics WHERE position(topic in $2) > 0 ORDER BY number LIMIT 1"
            )),
            warning_signs: slow(&format!(
                "SELECT count(*)::text FROM {schema}.warning_signs WHERE position(word in $2) > 0"
            )),
            messages: slow(&format!(
                "SELECT count(*)::text FROM {schema}.messages WHERE content <> $2"
            )),
        }
    }
}

impl Database {
    /// The database of the options, if they name one. Nothing is connected yet.
    pub(crate) fn new(options: &DemoOptions) -> Result<Option<Self>, Unusable> {
        let Some(primary) = &options.postgres else { return Ok(None) };
        let schema = format!("proofload_demo_{}_{}", std::process::id(), unix_ms());
        let parsed = |address: &String| -> Result<Config, Unusable> {
            let mut config: Config = address.parse().map_err(|error| Unusable::address(&error))?;
            // By that the server says whose connections these are, and so they are found at the end.
            config.application_name(&schema).connect_timeout(PATIENCE);
            Ok(config)
        };
        let primary = parsed(primary)?;
        let replica = options.postgres_replica.as_ref().map(parsed).transpose()?;
        Ok(Some(Self {
            primary,
            replica,
            is_made: AtomicBool::new(false),
            written: AtomicU64::new(0),
            max_messages: options.max_messages,
            queries: Queries::new(&schema),
            schema,
        }))
    }

    /// Where everything is.
    pub(crate) fn place(&self) -> DatabasePlace {
        DatabasePlace {
            server: shown(&self.primary),
            replica: self.replica.as_ref().map(shown),
            schema: self.schema.clone(),
        }
    }

    /// Makes the schema and fills it, after a look at whether the server can take what the demo will ask of it.
    pub(crate) async fn set_up(&self, backend: usize, seeds: &[Seed]) -> Result<(), Unusable> {
        let at = shown(&self.primary);
        let unusable = |error| Unusable::server(&at, &error);
        let mut client = connect(&self.primary).await?;
        let pools_of_messages = if self.replica.is_some() { 1 } else { 2 };
        let needed = backend + pools_of_messages * MESSAGE_CONNECTIONS;
        let free = free_connections(&client).await.map_err(unusable)?;
        if free < i64::try_from(needed).unwrap_or(i64::MAX) {
            return Err(Unusable::connections(&at, free.max(0), needed));
        }
        let transaction = client.transaction().await.map_err(unusable)?;
        transaction.batch_execute(&self.tables()).await.map_err(unusable)?;
        let insert = format!(
            "INSERT INTO {}.messages (sender, recipient, content, encrypted, timestamp_ms) \
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bool[], $5::int8[])",
            self.schema
        );
        let text = |of: fn(&Seed) -> &str| seeds.iter().map(of).collect::<Vec<_>>();
        let encrypted: Vec<bool> = seeds.iter().map(|seed| seed.draft.encrypted).collect();
        let times: Vec<i64> = seeds.iter().map(|seed| signed(seed.timestamp_ms)).collect();
        let (senders, recipients, contents) = (
            text(|seed| &seed.sender),
            text(|seed| &seed.draft.recipient),
            text(|seed| &seed.draft.content),
        );
        transaction
            .execute(&insert, &[&senders, &recipients, &contents, &encrypted, &times])
            .await
            .map_err(unusable)?;
        transaction.commit().await.map_err(unusable)?;
        self.is_made.store(true, Ordering::Relaxed);
        self.written.store(seeds.len() as u64, Ordering::Relaxed);
        match &self.replica {
            Some(replica) => self.wait_for(replica).await,
            None => Ok(()),
        }
    }

    fn tables(&self) -> String {
        let schema = &self.schema;
        let topics = TOPICS.iter().enumerate();
        let topics = topics.map(|(at, (topic, answer))| format!("({at}, '{topic}', '{answer}')"));
        let words = WARNING_SIGNS.iter().map(|word| format!("('{word}')"));
        format!(
            "CREATE SCHEMA {schema};
             COMMENT ON SCHEMA {schema} IS 'Made by the demo service of Proofload, which drops it when it ends';
             CREATE TABLE {schema}.messages (
                 id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, sender text NOT NULL, recipient text NOT NULL,
                 content text NOT NULL, encrypted boolean NOT NULL, timestamp_ms bigint NOT NULL);
             CREATE TABLE {schema}.topics (number int PRIMARY KEY, topic text NOT NULL, answer text NOT NULL);
             CREATE TABLE {schema}.warning_signs (word text PRIMARY KEY);
             INSERT INTO {schema}.topics VALUES {};
             INSERT INTO {schema}.warning_signs VALUES {};",
            topics.collect::<Vec<_>>().join(", "),
            words.collect::<Vec<_>>().join(", "),
        )
    }

    /// A replica follows a moment later; one that never has the tables is none of this primary.
    async fn wait_for(&self, replica: &Config) -> Result<(), Unusable> {
        let at = shown(replica);
        let client = connect(replica).await?;
        let table = format!("{}.messages", self.schema);
        let follows = async {
            loop {
                let found = client.query_one("SELECT to_regclass($1) IS NOT NULL", &[&table]).await;
                if found?.get::<_, bool>(0) {
                    return Ok(());
                }
                tokio::time::sleep(REPLICA_EVERY).await;
            }
        };
        match tokio::time::timeout(PATIENCE, follows).await {
            Ok(found) => found.map_err(|error| Unusable::server(&at, &error)),
            Err(_) => Err(Unusable::replica(&at, &shown(&self.primary), PATIENCE)),
        }
    }

    /// Ends the connections of this demo, which may be in the middle of a long query, and drops the schema, if it was
    /// made.
    pub(crate) async fn clean_up(&self) {
        if !self.is_made.swap(false, Ordering::Relaxed) {
            return;
        }
        let dropped = async {
            let client = connect(&self.primary).await?;
            let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                       WHERE application_name = $1 AND pid <> pg_backend_pid()";
            client.query(end, &[&self.schema]).await?;
            let statement = format!("DROP SCHEMA {} CASCADE", self.schema);
            Ok::<_, Unusable>(client.batch_execute(&statement).await?)
        };
        // A server that has gone keeps it; its name and the comment on it say what it is.
        let _ = dropped.await;
    }

    /// The pools of the messages: what is written goes to the primary, what is read comes from the replica.
    pub(crate) fn stores(&self, registry: &Registry) -> Result<ReadReplicas<Manager>, BuildError> {
        let pool = |name: &str, config: &Config| {
            let pool = builder(name, config).size(MESSAGE_CONNECTIONS).timeout(STORE_WAIT);
            pool.registry(registry).build()
        };
        let replica = pool("messages-replica", self.replica.as_ref().unwrap_or(&self.primary))?;
        Ok(ReadReplicas::new(pool("messages", &self.primary)?, [replica]))
    }

    /// The settings of the backend's pool.
    pub(crate) fn backend(&self) -> WatchedPoolBuilder<Manager> {
        builder("backend", &self.primary)
    }

    /// How many connections the backend has where so many are wanted.
    pub(crate) fn backend_connections(wanted: Option<usize>) -> usize {
        wanted.unwrap_or(BACKEND_CONNECTIONS)
    }

    /// The newest messages before `cursor`, newest first.
    pub(crate) async fn page(
        &self,
        connection: &deadpool_postgres::Client,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<Vec<Message>, Unusable> {
        let statement = connection.prepare_cached(&self.queries.page).await?;
        let before = cursor.map_or(i64::MAX, signed);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = connection.query(&statement, &[&before, &limit]).await?;
        Ok(rows.iter().map(message).collect())
    }

    /// Keeps a message, and forgets the oldest from time to time.
    pub(crate) async fn add(
        &self,
        connection: &deadpool_postgres::Client,
        sender: &str,
        draft: &Draft,
        timestamp_ms: u64,
    ) -> Result<u64, Unusable> {
        let statement = connection.prepare_cached(&self.queries.add).await?;
        let Draft { recipient, content, encrypted } = draft;
        let time = signed(timestamp_ms);
        let row = connection
            .query_one(&statement, &[&sender, recipient, content, encrypted, &time])
            .await?;
        let id: i64 = row.get(0);
        self.written.fetch_add(1, Ordering::Relaxed);
        if id % PRUNE_EVERY == 0 {
            let statement = connection.prepare_cached(&self.queries.prune).await?;
            let last = id - i64::try_from(self.max_messages).unwrap_or(i64::MAX);
            connection.execute(&statement, &[&last]).await?;
        }
        Ok(id.unsigned_abs())
    }

    /// Messages that are kept, to within those that are about to be forgotten.
    pub(crate) fn stored(&self) -> u64 {
        self.written.load(Ordering::Relaxed).min(self.max_messages as u64)
    }

    /// Asks what the backend is asked, by a query that takes `cost` longer than it would.
    pub(crate) async fn look_up(
        &self,
        connection: &deadpool_postgres::Client,
        lookup: Lookup<'_>,
        cost: Duration,
    ) -> Result<Option<String>, Unusable> {
        let (query, text) = match lookup {
            Lookup::Answer(question) => (&self.queries.answer, question),
            Lookup::WarningSigns(text) => (&self.queries.warning_signs, text),
            Lookup::Messages => (&self.queries.messages, ""),
        };
        let statement = connection.prepare_cached(query).await?;
        let row = connection.query_one(&statement, &[&cost.as_secs_f64(), &text]).await?;
        Ok(row.get(0))
    }
}

/// Without passwords in addresses.
impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("schema", &self.schema).finish_non_exhaustive()
    }
}

fn builder(name: &str, config: &Config) -> WatchedPoolBuilder<Manager> {
    PostgresPool::builder(name, Manager::new(config.clone(), NoTls)).connect_timeout(PATIENCE)
}

fn message(row: &Row) -> Message {
    Message {
        id: row.get::<_, i64>(0).unsigned_abs(),
        sender: row.get(1),
        recipient: row.get(2),
        content: row.get(3),
        encrypted: row.get(4),
        timestamp_ms: row.get::<_, i64>(5).unsigned_abs(),
    }
}

/// What PostgreSQL has for large numbers.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A connection outside of all pools.
async fn connect(config: &Config) -> Result<Client, Unusable> {
    let at = shown(config);
    let connected = tokio::time::timeout(PATIENCE, config.connect(NoTls)).await;
    let (client, connection) = match connected {
        Ok(connected) => connected.map_err(|error| Unusable::server(&at, &error))?,
        Err(_) => return Err(Unusable::silent(&at, PATIENCE)),
    };
    // Ends with the client; what went wrong is told by whatever is asked.
    drop(tokio::spawn(connection));
    Ok(client)
}

/// Connections that the server would take from somebody without privileges beside those it has.
async fn free_connections(
    client: &Client,
) -> Result<i64, deadpool_postgres::tokio_postgres::Error> {
    let setting = |name: &str| format!("coalesce(current_setting('{name}', true), '0')::int8");
    let query = format!(
        "SELECT {} - {} - {} - (SELECT count(*) FROM pg_stat_activity \
         WHERE backend_type = 'client backend' AND pid <> pg_backend_pid())",
        setting("max_connections"),
        setting("superuser_reserved_connections"),
        setting("reserved_connections"),
    );
    Ok(client.query_one(&query, &[]).await?.get(0))
}

/// Where that is, without user and password: `HOST:PORT/DATABASE`.
fn shown(config: &Config) -> String {
    use proofload_kit::pool::deadpool_postgres::tokio_postgres::config::Host;
    const DEFAULT_PORT: u16 = 5432;
    let ports = config.get_ports();
    let places = config.get_hosts().iter().enumerate().map(|(at, host)| {
        // One port is that of all hosts.
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(DEFAULT_PORT);
        match host {
            Host::Tcp(host) => format!("{host}:{port}"),
            #[cfg(unix)]
            Host::Unix(folder) => folder.display().to_string(),
        }
    });
    let name = config.get_dbname().or(config.get_user()).unwrap_or_default();
    format!("{}/{name}", places.collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_shown_without_credentials() {
        let check =
            |address: &str, expect: &str| assert_eq!(shown(&address.parse().unwrap()), expect);
        check("postgres://app:secret@db.example:6432/shop", "db.example:6432/shop");
        check("postgresql://app@db.example", "db.example:5432/app");
        check("host=10.0.0.1 user=app password=secret dbname=shop", "10.0.0.1:5432/shop");
        check("postgres://app:secret@a:1,b:2/shop", "a:1,b:2/shop");
    }

    #[test]
    fn options_without_a_database_have_none_and_nonsense_is_refused() {
        let with = |address: Option<&str>| {
            let postgres = address.map(str::to_owned);
            Database::new(&DemoOptions { postgres, ..DemoOptions::default() })
        };
        assert!(with(None).unwrap().is_none());
        let database = with(Some("postgres://app:secret@a:1/shop")).unwrap().unwrap();
        let said = format!("{database:?} {:?}", database.place());
        assert!(said.contains("a:1/shop") && !said.contains("secret"), "{said}");
        let error = with(Some("redis://app:secret@a:1")).unwrap_err().to_string();
        assert!(error.contains("postgres://") && !error.contains("secret"), "{error}");
    }
}
