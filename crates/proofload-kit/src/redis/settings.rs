//! How a [`Redis`] is made.

use std::time::Duration;

use redis::{Client, IntoConnectionInfo};

use super::handle::Redis;
use crate::Registry;
use crate::error::BuildError;

/// Settings of a [`Redis`]; made by [`Redis::builder`].
#[derive(Clone)]
#[must_use = "nothing is made before `build`"]
pub struct RedisBuilder {
    address: String,
    #[cfg(feature = "redis-tls")]
    tls: Tls,
    pub(super) settings: Settings,
}

/// What a handle keeps of its settings.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) name: String,
    pub(super) namespace: String,
    pub(super) timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) failures: u32,
    pub(super) pause: Duration,
    pub(super) compress_above: usize,
    pub(super) max_value_bytes: usize,
    pub(super) ping_every: Duration,
    pub(super) lease: Duration,
    pub(super) registry: Option<Registry>,
}

impl RedisBuilder {
    pub(super) fn new(address: String) -> Self {
        let settings = Settings {
            name: "redis".to_owned(),
            namespace: "proofload".to_owned(),
            timeout: Duration::from_millis(100),
            connect_timeout: Duration::from_secs(2),
            failures: 3,
            pause: Duration::from_secs(1),
            compress_above: 4 * 1024,
            max_value_bytes: 8 * 1024 * 1024,
            ping_every: Duration::from_secs(5),
            lease: Duration::from_secs(5),
            registry: None,
        };
        Self {
            address,
            #[cfg(feature = "redis-tls")]
            tls: Tls::default(),
            settings,
        }
    }

    /// The name in metrics. Default `redis`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.settings.name = name.into();
        self
    }

    /// What all keys in Redis begin with, so that several services can share one. Caches of one name in
    /// one namespace are the same cache, in whatever process. Default `proofload`; neither colon nor brace in it.
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.settings.namespace = namespace.into();
        self
    }

    /// How long a caller waits for one answer, connecting included. Default 100 ms.
    ///
    /// What took longer is a failure, and the cache acts as if Redis were empty.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.settings.timeout = timeout;
        self
    }

    /// How long an attempt to connect may go on, with no caller waiting longer than [`timeout`](Self::timeout). Default 2 s.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// After this many failures in a row Redis is not asked for a while. Default 3.
    pub fn give_up_after(mut self, failures: u32) -> Self {
        self.settings.failures = failures;
        self
    }

    /// How long Redis is not asked before one call tries again. Default 1 s.
    pub fn retry_after(mut self, pause: Duration) -> Self {
        self.settings.pause = pause;
        self
    }

    /// Values of more bytes than this are compressed (LZ4, with the feature `compression`). Default 4 KiB.
    pub fn compress_above(mut self, bytes: usize) -> Self {
        self.settings.compress_above = bytes;
        self
    }

    /// Values of more bytes than this, encoded and not compressed, are not kept in Redis; what is found
    /// to be larger is not read. Default 8 MiB.
    pub fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.settings.max_value_bytes = bytes;
        self
    }

    /// How often the subscription to invalidations is tested. When it does not answer, it is made
    /// anew, and caches forget what they hold in memory. Default 5 s.
    pub fn ping_every(mut self, interval: Duration) -> Self {
        self.settings.ping_every = interval;
        self
    }

    /// How long a process that loads a value is waited for when it dies meanwhile. One that lives says so
    /// every third of this time. Default 5 s.
    pub fn lease(mut self, lease: Duration) -> Self {
        self.settings.lease = lease;
        self
    }

    /// Trusts the certificates in this PEM file's text instead of those of the system. Needs `rediss://`.
    #[cfg(feature = "redis-tls")]
    pub fn root_certificates(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.tls.roots = Some(pem.into());
        self
    }

    /// Shows the server this certificate (chain and key, the text of PEM files). Needs `rediss://`.
    #[cfg(feature = "redis-tls")]
    pub fn client_certificate(
        mut self,
        chain_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.tls.client = Some((chain_pem.into(), key_pem.into()));
        self
    }

    /// Shows its metrics there.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.settings.registry = Some(registry.clone());
        self
    }

    /// The handle. Connects to nothing yet: a Redis that is not there is no error.
    ///
    /// # Errors
    /// If the address cannot be understood (`rediss://` needs the feature `redis-tls`) or a setting is out of range.
    pub fn build(self) -> Result<Redis, BuildError> {
        let settings = self.settings;
        if settings.namespace.is_empty() || settings.namespace.contains([':', '{', '}']) {
            let allowed = "at least one character, and neither colon nor brace";
            return Err(BuildError::new("namespace", settings.namespace, allowed));
        }
        for (setting, duration) in [
            ("timeout", settings.timeout),
            ("connect_timeout", settings.connect_timeout),
            ("retry_after", settings.pause),
            ("ping_every", settings.ping_every),
            ("lease", settings.lease),
        ] {
            if duration.is_zero() || duration > LONGEST {
                let allowed = "more than zero, and no more than a day";
                return Err(BuildError::new(setting, format!("{duration:?}"), allowed));
            }
        }
        if settings.failures == 0 {
            return Err(BuildError::new("give_up_after", "0", "at least 1"));
        }
        if settings.max_value_bytes == 0 || settings.max_value_bytes > MAX_VALUE_BYTES {
            let value = settings.max_value_bytes.to_string();
            return Err(BuildError::new("max_value_bytes", value, "1 to 536870912 (512 MiB)"));
        }
        let address = without_secrets(&self.address);
        let opened = self.address.as_str().into_connection_info().and_then(Client::open);
        // A list of hosts, as of a cluster, would be read as the name of one.
        let client = opened.ok().filter(|_| !address.contains(',')).ok_or_else(|| {
            let allowed = "redis://[user:password@]host[:port][/db] of one server (neither Cluster nor Sentinel), with the feature redis-tls also rediss://…, or unix:///path";
            BuildError::new("address", address, allowed)
        })?;
        #[cfg(feature = "redis-tls")]
        let client = self.tls.apply(client)?;
        Ok(Redis::new(client, settings))
    }
}

/// What an encrypted connection is made with besides the system's certificates.
#[cfg(feature = "redis-tls")]
#[derive(Clone, Default)]
struct Tls {
    roots: Option<Vec<u8>>,
    client: Option<(Vec<u8>, Vec<u8>)>,
}

#[cfg(feature = "redis-tls")]
impl Tls {
    fn apply(self, client: Client) -> Result<Client, BuildError> {
        super::handle::ensure_tls_provider();
        if self.roots.is_none() && self.client.is_none() {
            return Ok(client);
        }
        let setting = if self.roots.is_some() { "root_certificates" } else { "client_certificate" };
        let certificates = redis::TlsCertificates {
            client_tls: self.client.map(|(client_cert, client_key)| redis::ClientTlsConfig {
                client_cert,
                client_key,
            }),
            root_cert: self.roots,
        };
        Client::build_with_tls(client.get_connection_info().clone(), certificates).map_err(
            |error| {
                BuildError::new(
                    setting,
                    error,
                    "PEM texts, with an address that begins with rediss://",
                )
            },
        )
    }
}

/// No moment so far ahead overflows a clock, and nobody means more.
const LONGEST: Duration = Duration::from_hours(24);

/// Redis holds no larger strings.
const MAX_VALUE_BYTES: usize = 512 * 1024 * 1024;

impl std::fmt::Debug for RedisBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisBuilder")
            .field("address", &without_secrets(&self.address))
            .field("settings", &self.settings)
            .finish()
    }
}

/// An address without the user and the password in it.
fn without_secrets(address: &str) -> String {
    let Some((scheme, rest)) = address.split_once("://") else {
        return "(no address)".to_owned();
    };
    // Query parameters may hold a password, too.
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    match rest.rsplit_once('@') {
        Some((_, host)) => format!("{scheme}://***@{host}"),
        None => format!("{scheme}://{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_named() {
        let address = "redis://127.0.0.1:1";
        let check = |builder: RedisBuilder, expect: &str| {
            let error = builder.build().expect_err(expect).to_string();
            assert!(error.contains(expect), "{error}");
        };
        check(Redis::builder(address).namespace(""), "namespace");
        check(Redis::builder(address).namespace("a:b"), "a:b");
        check(Redis::builder(address).namespace("{a}"), "{a}");
        check(Redis::builder(address).timeout(Duration::ZERO), "timeout");
        check(Redis::builder(address).retry_after(Duration::ZERO), "retry_after");
        check(Redis::builder(address).retry_after(Duration::MAX), "retry_after");
        check(Redis::builder(address).lease(Duration::MAX), "lease");
        check(Redis::builder(address).give_up_after(0), "give_up_after");
        check(Redis::builder(address).max_value_bytes(usize::MAX), "max_value_bytes");
        check(Redis::builder("localhost"), "address");
        for several in [
            "redis://one,other:7000",
            "redis://one:7000,other:7000",
            "redis+cluster://one:7000",
            "redis-cluster://one:7000",
            "redis+sentinel://one:26379/primary",
            "redis-sentinel://one:26379/primary",
        ] {
            check(Redis::builder(several), "neither Cluster nor Sentinel");
        }
        assert!(Redis::builder(address).build().is_ok());
    }

    #[test]
    fn no_error_shows_a_password() {
        for (address, expect) in [
            ("redis://user:secret@host:1/0", "redis://***@host:1/0"),
            ("redis://:sec@ret@host", "redis://***@host"),
            ("redis://host?password=secret", "redis://host"),
            ("user:secret@host", "(no address)"),
        ] {
            assert_eq!(without_secrets(address), expect);
            let builder = Redis::builder(address);
            assert!(!format!("{builder:?}").contains("secret"));
        }
    }
}
