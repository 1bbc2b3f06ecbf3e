//! What can be set when the demo starts.

use std::time::Duration;

use super::knobs::Knobs;

/// How a demo is started. Everything that grows has a bound here.
#[derive(Clone)]
pub struct DemoOptions {
    /// Loopback port to listen on; 0 takes a free one.
    pub port: u16,
    /// Server threads, each with a runtime of its own; at least 1.
    pub threads: usize,
    /// Latency, errors, capacity and stalls; can also be changed while it runs.
    pub knobs: Knobs,
    /// Seed of everything that is random: jitter, errors, tokens, sample data.
    pub seed: u64,
    /// Messages kept; beyond that the oldest is forgotten.
    pub max_messages: usize,
    /// Messages there are at the start.
    pub seed_messages: usize,
    /// Login tokens kept; beyond that the oldest is no longer valid.
    pub max_tokens: usize,
    /// Accounts the bot remembers; beyond that the oldest is forgotten.
    pub max_accounts: usize,
    /// Answers each cache keeps; beyond that some have to make room. 0 keeps none.
    pub cache_capacity: usize,
    /// How long a chat answer stays cached.
    pub chat_ttl: Duration,
    /// How long a chat answer to a question about a policy stays cached.
    pub policy_ttl: Duration,
    /// How long the result of an analytics query stays cached.
    pub query_ttl: Duration,
    /// Twilio's auth token. When set, the webhook refuses requests without a valid
    /// `X-Twilio-Signature`.
    pub twilio_auth_token: Option<String>,
    /// Redis in which the caches keep what they remember too, for other processes:
    /// `redis://[user:password@]host[:port][/db]`. It must be there at the start.
    pub redis: Option<String>,
    /// PostgreSQL in which messages and what the backend knows are kept, in a schema of its own that is dropped at
    /// the end: `postgres://user:password@host/database`. It must be there at the start.
    pub postgres: Option<String>,
    /// A read replica of that one, from which messages are read; without it they come from the same server.
    pub postgres_replica: Option<String>,
    /// Origin that Twilio signs, such as `https://bot.example`, when it differs from the address
    /// that requests are sent to.
    pub public_origin: Option<String>,
}

impl Default for DemoOptions {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self {
            port: 0,
            threads: 1,
            knobs: Knobs::default(),
            seed: 1,
            max_messages: 10_000,
            seed_messages: 500,
            max_tokens: 100_000,
            max_accounts: 100_000,
            cache_capacity: 10_000,
            chat_ttl: HOUR,
            policy_ttl: 7 * 24 * HOUR,
            query_ttl: Duration::from_secs(5),
            twilio_auth_token: None,
            redis: None,
            postgres: None,
            postgres_replica: None,
            public_origin: None,
        }
    }
}

impl std::fmt::Debug for DemoOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the auth token, and without passwords in addresses.
        f.debug_struct("DemoOptions")
            .field("port", &self.port)
            .field("threads", &self.threads)
            .field("knobs", &self.knobs)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
