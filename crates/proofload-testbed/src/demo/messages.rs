//! Messages with cursor pagination, and groups.

use std::collections::VecDeque;

use axum::Json;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::auth::Member;
use super::background::Notification;
use super::error::ApiError;
use super::state::{Shared, lock, unix_ms};

/// Messages on a page, unless asked otherwise.
const DEFAULT_LIMIT: usize = 50;
/// Most messages on a page.
const MAX_LIMIT: usize = 100;
/// Longest content accepted, in bytes.
const MAX_CONTENT_BYTES: usize = 16 * 1024;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    id: u64,
    sender: String,
    recipient: String,
    content: String,
    encrypted: bool,
    timestamp_ms: u64,
}

/// The latest messages, oldest first; identifiers grow by one with each.
#[derive(Debug)]
pub(crate) struct Messages {
    capacity: usize,
    ring: VecDeque<Message>,
    next_id: u64,
}

impl Messages {
    /// Begins with `count` made-up messages, one a second up to now.
    pub(crate) fn new(capacity: usize, count: usize, random: &mut fastrand::Rng) -> Self {
        let mut messages = Self { capacity, ring: VecDeque::new(), next_id: 1 };
        let now_ms = unix_ms();
        for number in 0..count {
            let age_ms = (count - number) as u64 * 1_000;
            let (sender, recipient) = (random.u16(..100), random.u16(..100));
            messages.push(
                format!("0x{sender:040x}"),
                Draft {
                    recipient: format!("0x{recipient:040x}"),
                    content: format!("Message {number} of the archive"),
                    encrypted: random.bool(),
                },
                now_ms.saturating_sub(age_ms),
            );
        }
        messages
    }

    pub(crate) fn len(&self) -> usize {
        self.ring.len()
    }

    fn push(&mut self, sender: String, draft: Draft, timestamp_ms: u64) -> u64 {
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
    let _replica = service.stores.read().await?;
    let (messages, has_more) = lock(&service.messages).page(page.cursor, limit.min(MAX_LIMIT));
    let next_cursor = messages.last().map(|oldest| oldest.id);
    Ok(Json(json!({"messages": messages, "next_cursor": next_cursor, "has_more": has_more})))
}

#[derive(Debug, Deserialize)]
pub(crate) struct Draft {
    recipient: String,
    content: String,
    #[serde(default)]
    encrypted: bool,
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
    let primary = service.stores.write().await?;
    let id = lock(&service.messages).push(member.address, draft, timestamp_ms);
    drop(primary);
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
        Messages::new(capacity, count, &mut fastrand::Rng::with_seed(1))
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
