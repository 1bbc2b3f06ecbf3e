//! Messages with cursor pagination, and groups. They are kept in memory, or in a PostgreSQL.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use proofload_kit::Registry;
use proofload_kit::pool::ReadReplicas;
use proofload_kit::pool::deadpool_postgres::Manager;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth::Member;
use super::backend::{Lines, stores};
use super::background::Notification;
use super::error::ApiError;
use super::options::DemoOptions;
use super::postgres::Database;
use super::postgres_error::Unusable;
use super::state::{Failure, Shared, lock, unix_ms};

/// Messages on a page, unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Most messages on a page.
const MAX_LIMIT: usize = 100;
/// Longest content accepted, in bytes.
const MAX_CONTENT_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    pub(crate) id: u64,
    pub(crate) sender: String,
    pub(crate) recipient: String,
    pub(crate) content: String,
    pub(crate) encrypted: bool,
    pub(crate) timestamp_ms: u64,
}

/// A message of the archive, before it is kept.
#[derive(Debug)]
pub(crate) struct Seed {
    pub(crate) sender: String,
    pub(crate) draft: Draft,
    pub(crate) timestamp_ms: u64,
}

/// Made-up messages, one a second up to now.
pub(crate) fn seeds(count: usize, random: &mut fastrand::Rng) -> Vec<Seed> {
    let now_ms = unix_ms();
    let seed = |number| {
        let age_ms = (count - number) as u64 * 1_000;
        let (sender, recipient) = (random.u16(..100), random.u16(..100));
        Seed {
            sender: format!("0x{sender:040x}"),
            draft: Draft {
                recipient: format!("0x{recipient:040x}"),
                content: format!("Message {number} of the archive"),
                encrypted: random.bool(),
            },
            timestamp_ms: now_ms.saturating_sub(age_ms),
        }
    };
    (0..count).map(seed).collect()
}

/// Where messages are kept, and the connections to it: to the primary, which is written to, and to its replica, which
/// is read from.
#[derive(Debug)]
pub(crate) enum Store {
    /// Connections to nowhere: both are this memory.
    Memory(ReadReplicas<Lines>, Mutex<Messages>),
    Postgres(ReadReplicas<Manager>, Arc<Database>),
}

impl Store {
    /// The store; one in memory has the seeds in it.
    pub(crate) fn new(
        options: &DemoOptions,
        database: Option<&Arc<Database>>,
        seeds: Vec<Seed>,
        registry: &Registry,
    ) -> Result<Self, Failure> {
        Ok(match database {
            Some(database) => Self::Postgres(database.stores(registry)?, Arc::clone(database)),
            None => {
                let messages = Messages::new(options.max_messages, seeds);
                Self::Memory(stores(registry)?, Mutex::new(messages))
            }
        })
    }

    /// How many there are.
    pub(crate) fn stored(&self) -> u64 {
        match self {
            Self::Memory(_, messages) => lock(messages).len() as u64,
            Self::Postgres(_, database) => database.stored(),
        }
    }

    /// The newest messages before `cursor`, newest first, and whether there are older ones.
    async fn page(
        &self,
        cursor: Option<u64>,
        limit: usize,
    ) -> Result<(Vec<Message>, bool), ApiError> {
        match self {
            Self::Memory(pools, messages) => {
                let _replica = pools.read().await?;
                Ok(lock(messages).page(cursor, limit))
            }
            Self::Postgres(pools, database) => {
                // One more tells whether there are more.
                let read = async {
                    let replica = pools.read().await?;
                    Ok::<_, ApiError>(database.page(&replica, cursor, limit + 1).await?)
                };
                // Connecting is a large future.
                let mut found = Box::pin(read).await?;
                let has_more = found.len() > limit;
                found.truncate(limit);
                Ok((found, has_more))
            }
        }
    }

    /// Keeps a message and gives its number.
    async fn add(&self, sender: String, draft: Draft, timestamp_ms: u64) -> Result<u64, ApiError> {
        match self {
            Self::Memory(pools, messages) => {
                let _primary = pools.write().await?;
                Ok(lock(messages).push(Seed { sender, draft, timestamp_ms }))
            }
            Self::Postgres(pools, database) => {
                let write = async {
                    let primary = pools.write().await?;
                    Ok(database.add(&primary, &sender, &draft, timestamp_ms).await?)
                };
                Box::pin(write).await
            }
        }
    }
}

impl From<Unusable> for ApiError {
    fn from(error: Unusable) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, format!("the store of messages failed: {error}"))
    }
}

/// The latest messages, oldest first; identifiers grow by one with each.
#[derive(Debug)]
pub(crate) struct Messages {
    capacity: usize,
    ring: VecDeque<Message>,
    next_id: u64,
}

impl Messages {
    /// Begins with these.
    fn new(capacity: usize, seeds: Vec<Seed>) -> Self {
        let mut messages = Self { capacity, ring: VecDeque::new(), next_id: 1 };
        for seed in seeds {
            messages.push(seed);
        }
        messages
    }

    fn len(&self) -> usize {
        self.ring.len()
    }

    fn push(&mut self, message: Seed) -> u64 {
        let Seed { sender, draft, timestamp_ms } = message;
        let id = self.next_id;
        self.next_id += 1;
        let Draft { recipient, content, encrypted } = draft;
        self.ring.push_back(Message { id, sender, recipient, content, encrypted, timestamp_ms });
        if self.ring.len() > self.capacity {
            self.ring.pop_front();
        }
        id
    }

    /// The newest messages before `cursor`, newest first, and whether there are older ones.
    fn page(&self, cursor: Option<u64>, limit: usize) -> (Vec<Message>, bool) {
        let end = cursor.map_or(self.ring.len(), |cursor| {
            self.ring.partition_point(|message| message.id < cursor)
        });
        let start = end.saturating_sub(limit);
        (self.ring.range(start..end).rev().cloned().collect(), start > 0)
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    limit: Option<usize>,
    cursor: Option<u64>,
}

/// `GET /api/messages?limit&cursor`: newest first; `next_cursor` of one page is the `cursor` of the
/// next.
pub(crate) async fn list(
    _member: Member,
    State(service): State<Shared>,
    Query(page): Query<Page>,
) -> Result<Json<Value>, ApiError> {
    let limit = page.limit.unwrap_or(DEFAULT_LIMIT);
    if limit == 0 {
        return Err(ApiError::bad_request("limit must be at least 1"));
    }
    let (messages, has_more) = service.messages.page(page.cursor, limit.min(MAX_LIMIT)).await?;
    let next_cursor = messages.last().map(|oldest| oldest.id);
    Ok(Json(json!({"messages": messages, "next_cursor": next_cursor, "has_more": has_more})))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Draft {
    pub(crate) recipient: String,
    pub(crate) content: String,
    #[serde(default)]
    pub(crate) encrypted: bool,
}

/// `POST /api/messages`
pub(crate) async fn send(
    member: Member,
    State(service): State<Shared>,
    Json(draft): Json<Draft>,
) -> Result<Json<Value>, ApiError> {
    if draft.recipient.is_empty() {
        return Err(ApiError::bad_request("recipient must not be empty"));
    }
    if draft.content.is_empty() || draft.content.len() > MAX_CONTENT_BYTES {
        return Err(ApiError::bad_request(format!(
            "content must have from 1 to {MAX_CONTENT_BYTES} bytes"
        )));
    }
    let timestamp_ms = unix_ms();
    let recipient = draft.recipient.clone();
    let id = service.messages.add(member.address, draft, timestamp_ms).await?;
    service.background.later(Notification { recipient });
    Ok(Json(json!({"success": true, "id": id, "timestamp_ms": timestamp_ms})))
}

/// `GET /api/groups`
pub(crate) async fn groups(member: Member) -> Json<Value> {
    let groups: Vec<_> = ["Announcements", "Engineering", "Random", "Trading", "Support"]
        .into_iter()
        .enumerate()
        .map(|(index, name)| {
            json!({
                "id": index + 1, "name": name, "is_public": index % 2 == 0,
                "members": 10 * (index + 1), "last_message_id": 100 * (index + 1),
            })
        })
        .collect();
    Json(json!({"groups": groups, "user": member.address}))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(capacity: usize, count: usize) -> Messages {
        Messages::new(capacity, seeds(count, &mut fastrand::Rng::with_seed(1)))
    }

    #[test]
    fn pages_cover_everything_once_newest_first() {
        let messages = messages(1000, 237);
        let (mut cursor, mut ids) = (None, Vec::new());
        loop {
            let (page, has_more) = messages.page(cursor, 50);
            ids.extend(page.iter().map(|message| message.id));
            cursor = page.last().map(|oldest| oldest.id);
            assert_eq!(has_more, ids.len() < 237);
            if !has_more {
                break;
            }
        }
        assert_eq!(ids, (1..=237).rev().collect::<Vec<_>>());
        assert!(messages.page(Some(1), 50).0.is_empty());
    }

    #[test]
    fn the_ring_is_bounded_and_cursors_survive_what_is_forgotten() {
        let messages = messages(10, 25);
        assert_eq!(messages.len(), 10);
        let (page, has_more) = messages.page(Some(18), 50);
        assert_eq!(page.iter().map(|message| message.id).collect::<Vec<_>>(), [17, 16]);
        assert!(!has_more);
        assert_eq!(messages.page(Some(5), 50).0.len(), 0);
    }
}
