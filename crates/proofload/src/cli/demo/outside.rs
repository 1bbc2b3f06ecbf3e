//! What the demo uses outside of this process: a Redis, a PostgreSQL. Where they are is told by URLs, which may have
//! passwords in them.

use percent_encoding::percent_decode_str;
use proofload_testbed::demo::{DatabasePlace, DemoOptions};

use crate::cli::console::Console;
use crate::cli::failure::Failure;

/// The PostgreSQL behind the demo.
#[derive(Clone, Debug, Default, clap::Args)]
pub(in crate::cli) struct PostgresArgs {
    /// PostgreSQL behind the demo: its messages and what its backend knows stand in a schema of their own there, which
    /// is dropped at the end; nothing else is touched
    #[arg(long, value_name = "URL")]
    postgres: Option<String>,
    /// A read replica of it; if not given, the same server stands for one
    #[arg(long, value_name = "URL", requires = "postgres")]
    postgres_replica: Option<String>,
}

impl PostgresArgs {
    /// Whether there is one.
    pub(super) fn is_given(&self) -> bool {
        self.postgres.is_some()
    }

    /// These options with it.
    pub(super) fn applied_to(&self, options: DemoOptions) -> DemoOptions {
        let (postgres, postgres_replica) = (self.postgres.clone(), self.postgres_replica.clone());
        DemoOptions { postgres, postgres_replica, ..options }
    }

    /// No password of these is shown from now on.
    pub(super) fn hide(&self, console: &Console) {
        for address in [&self.postgres, &self.postgres_replica].into_iter().flatten() {
            hide_passwords(address, console);
        }
    }
}

/// Sees to it that what is outside can be used, by starting a demo and ending it again; gives where its data is.
pub(super) fn check(options: DemoOptions) -> Result<Option<DatabasePlace>, Failure> {
    let demo = super::start(options)?;
    let place = demo.database();
    demo.stop();
    Ok(place)
}

/// No password in an address is shown from now on.
pub(super) fn hide_passwords(address: &str, console: &Console) {
    for password in passwords(address) {
        console.hide(&password);
    }
}

/// `scheme://user:PASSWORD@host`, `?password=PASSWORD`, and `password=PASSWORD` among words; as they are written and
/// as they are meant.
fn passwords(address: &str) -> Vec<String> {
    let credentials = address.split_once("://").and_then(|(_, place)| {
        let place = place.split(['/', '?']).next().unwrap_or_default();
        // A slash may stand in a password of somebody who did not escape it.
        let (credentials, _) = place.rsplit_once('@').or_else(|| address.rsplit_once('@'))?;
        let credentials = credentials.split_once("://").map_or(credentials, |(_, rest)| rest);
        credentials.split_once(':').map(|(_, password)| password)
    });
    let named = address.split(['?', '&', ' ']).filter_map(|word| {
        let (key, value) = word.split_once('=')?;
        matches!(key.rsplit("://").next()?, "password" | "pass").then(|| value.trim_matches('\''))
    });
    let written = credentials.into_iter().chain(named).filter(|password| !password.is_empty());
    let decoded = |text| percent_decode_str(text).decode_utf8_lossy().into_owned();
    written.flat_map(|password| [password.to_owned(), decoded(password)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_wherever_they_stand() {
        let check = |address: &str, expect: &[&str]| {
            let mut found = passwords(address);
            found.dedup();
            assert_eq!(found, expect, "{address}");
        };
        check("redis://127.0.0.1:6379/2", &[]);
        check("redis://:pw@a", &["pw"]);
        check("postgres://app:p%40ss%2@a:1/shop?x=1@2", &["p%40ss%2", "p@ss%2"]);
        check("postgres://app:a/b@c@host/shop", &["a/b@c"]);
        check("postgres://app@a/shop?sslmode=disable&password=pw", &["pw"]);
        check("redis+unix:///run/redis?pass=pw", &["pw"]);
        check("host=a user=app password='pw' dbname=shop", &["pw"]);
        check("nonsense", &[]);
    }
}
