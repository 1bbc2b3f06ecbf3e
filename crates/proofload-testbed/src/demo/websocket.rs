//! `/ws`: an echo, or a room in which everyone hears everyone.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use tokio::sync::broadcast;

use super::error::ApiError;
use super::state::{Shared, lock};

/// Rooms at a time.
const MAX_ROOMS: usize = 1_000;
/// Longest name of a room, in bytes.
const MAX_NAME_BYTES: usize = 128;
/// Longest message, in bytes.
const MAX_MESSAGE_BYTES: usize = 64 * 1024;
/// Messages kept for a listener that falls behind; older ones it misses.
const ROOM_BACKLOG: usize = 256;
/// Small buffers: ten thousand connections are to fit in little memory.
const BUFFER_BYTES: usize = 4 * 1024;

/// Who is connected, and the rooms. A room is there as long as somebody is in it.
#[derive(Debug, Default)]
pub(crate) struct Rooms {
    by_name: Mutex<HashMap<String, broadcast::Sender<Utf8Bytes>>>,
    connections: AtomicU64,
}

impl Rooms {
    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    fn join(&self, name: &str) -> Result<broadcast::Sender<Utf8Bytes>, ApiError> {
        let mut rooms = lock(&self.by_name);
        if !rooms.contains_key(name) && rooms.len() >= MAX_ROOMS {
            rooms.retain(|_, room| room.receiver_count() > 0);
            if rooms.len() >= MAX_ROOMS {
                let message = "there are too many rooms";
                return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message));
            }
        }
        let room = rooms.entry(name.to_owned());
        Ok(room.or_insert_with(|| broadcast::Sender::new(ROOM_BACKLOG)).clone())
    }
}

/// Counts a connection until it is dropped.
struct Connected(Shared);

impl Connected {
    fn new(service: &Shared) -> Self {
        service.rooms.connections.fetch_add(1, Ordering::Relaxed);
        Self(service.clone())
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.rooms.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Debug, Deserialize)]
pub(crate) struct Entrance {
    room: Option<String>,
}

/// `GET /ws?room=…`: without a room every message comes back; with one, texts go to everyone in it,
/// the sender included.
pub(crate) async fn upgrade(
    State(service): State<Shared>,
    Query(entrance): Query<Entrance>,
    upgrade: WebSocketUpgrade,
) -> Result<Response, ApiError> {
    let room = match entrance.room {
        None => None,
        Some(name) if name.is_empty() || name.len() > MAX_NAME_BYTES => {
            let message = format!("a room's name must have from 1 to {MAX_NAME_BYTES} bytes");
            return Err(ApiError::bad_request(message));
        }
        Some(name) => Some(service.rooms.join(&name)?),
    };
    let upgrade = upgrade
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES);
    Ok(upgrade.on_upgrade(async move |socket| {
        let _connected = Connected::new(&service);
        match room {
            None => echo(socket).await,
            Some(room) => take_part(socket, &room).await,
        }
    }))
}

/// Sends back what comes, until the client leaves. Pings are answered underneath.
async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        if matches!(message, Message::Text(_) | Message::Binary(_))
            && socket.send(message).await.is_err()
        {
            return;
        }
    }
}

/// Tells the room what the client says and the client what the room says.
async fn take_part(mut socket: WebSocket, room: &broadcast::Sender<Utf8Bytes>) {
    let mut heard = room.subscribe();
    loop {
        tokio::select! {
            said = socket.recv() => match said {
                // Somebody listens: this very connection.
                Some(Ok(Message::Text(text))) => { let _ = room.send(text); }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            text = heard.recv() => match text {
                Ok(text) => {
                    if socket.send(Message::Text(text)).await.is_err() {
                        return;
                    }
                }
                // Too slow: what was missed is missed.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
        }
    }
}
