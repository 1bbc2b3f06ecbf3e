//! Why a PostgreSQL cannot be used, and what to do about it.

use std::error::Error as _;
use std::fmt;
use std::time::Duration;

use proofload_kit::pool::deadpool_postgres::tokio_postgres::Error;
use proofload_kit::pool::deadpool_postgres::tokio_postgres::error::SqlState;

/// What is wrong, where, and what to do, in two lines.
#[derive(Debug)]
pub(crate) struct Unusable(String);

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}

/// While it serves, nobody is told more than that.
impl From<Error> for Unusable {
    fn from(error: Error) -> Self {
        Self(cause(&error))
    }
}

impl Unusable {
    /// It is no address.
    pub(crate) fn address(error: &Error) -> Self {
        Self(format!(
            "this is no address of a PostgreSQL ({})\n  \
             it looks like postgres://HOST:PORT/DATABASE, with USER:PASSWORD@ before the host",
            cause(error)
        ))
    }

    /// The server, or the way to it, said no.
    pub(crate) fn server(at: &str, error: &Error) -> Self {
        Self(format!("PostgreSQL at {at} cannot be used: {}\n  {}", cause(error), advice(error)))
    }

    /// It said nothing.
    pub(crate) fn silent(at: &str, waited: Duration) -> Self {
        let seconds = waited.as_secs();
        Self(format!(
            "PostgreSQL at {at} does not answer within {seconds} s\n  \
             is it up, reachable from here, and its address right?"
        ))
    }

    /// It takes too few connections.
    pub(crate) fn connections(at: &str, free: i64, needed: usize) -> Self {
        Self(format!(
            "PostgreSQL at {at} takes {free} more connections, and the demo needs {needed}\n  \
             raise its max_connections, or end what else is connected to it"
        ))
    }

    /// The replica does not follow the primary.
    pub(crate) fn replica(at: &str, primary: &str, waited: Duration) -> Self {
        let seconds = waited.as_secs();
        Self(format!(
            "PostgreSQL at {at} does not have the tables that were made at {primary} {seconds} s ago\n  \
             is it a replica of that one, of the same database, and does it keep up?"
        ))
    }
}

/// The error with what is behind it, as the server put it.
fn cause(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        return said.message().to_owned();
    }
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(behind) = source {
        text = format!("{text}: {behind}");
        source = behind.source();
    }
    text
}

fn advice(error: &Error) -> &'static str {
    const ADVICE: [(SqlState, &str); 8] = [
        (SqlState::INVALID_PASSWORD, WHO),
        (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, WHO),
        (SqlState::INVALID_CATALOG_NAME, "name a database that exists, or make it with createdb"),
        (
            SqlState::INSUFFICIENT_PRIVILEGE,
            "the user must be allowed to make a schema: GRANT CREATE ON DATABASE … TO …",
        ),
        (SqlState::TOO_MANY_CONNECTIONS, "raise its max_connections, or end what is connected"),
        (
            SqlState::READ_ONLY_SQL_TRANSACTION,
            "this seems to be a replica: --postgres names the server that can be written to, --postgres-replica the other",
        ),
        (SqlState::CANNOT_CONNECT_NOW, "it is starting or stopping: try again in a moment"),
        (SqlState::DISK_FULL, "its disk is full"),
    ];
    const WHO: &str = "are user and password right, and does pg_hba.conf let them in from here?";
    let code = error.code();
    let known = ADVICE.iter().find(|(known, _)| Some(known) == code).map(|(_, advice)| *advice);
    match (known, code) {
        (Some(advice), _) => advice,
        (None, Some(_)) => "the server's log may say more",
        (None, None) => "is it up, a PostgreSQL without TLS, and its address right?",
    }
}
