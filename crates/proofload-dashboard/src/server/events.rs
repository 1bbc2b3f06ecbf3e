//! The stream of pictures that a viewer's browser listens to.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use http_body::Frame as BodyFrame;
use serde_json::json;
use tokio::sync::mpsc;

use crate::live::{Shared, Viewer, event};

/// Viewers at once. One more is told to try later.
pub const MAX_VIEWERS: usize = 64;
/// After that much silence something is sent, so that either side notices when the other is gone.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// Streams pictures to a viewer for as long as it listens.
pub(super) async fn events(State(shared): State<Arc<Shared>>) -> Response {
    let Some(viewer) = shared.let_in(MAX_VIEWERS) else {
        let text = "Too many look at this page already.\n";
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "10")], text)
            .into_response();
    };
    // One picture may wait; a viewer that is slower than that skips some.
    let (sender, receiver) = mpsc::channel(1);
    let hello = event("hello", &json!({"instance": shared.instance}));
    tokio::spawn(show(viewer, hello, sender));
    let headers =
        [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    (headers, Body::new(Pictures(receiver))).into_response()
}

/// Sends what has changed since the viewer last looked, until it is gone.
async fn show(mut viewer: Viewer, hello: Bytes, sender: mpsc::Sender<Bytes>) {
    if sender.send(hello).await.is_err() {
        return;
    }
    let mut seen = 0;
    loop {
        let frame = Arc::clone(&viewer.frames.borrow_and_update());
        if frame.number > seen {
            let changed: Vec<Bytes> = frame.since(seen).collect();
            if sender.send(changed.concat().into()).await.is_err() {
                return;
            }
            seen = frame.number;
        }
        drop(frame);
        tokio::select! {
            changed = viewer.frames.changed() => if changed.is_err() { return },
            () = sender.closed() => return,
            () = tokio::time::sleep(HEARTBEAT) => {
                if sender.send(Bytes::from_static(b":\n\n")).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A body of pictures.
struct Pictures(mpsc::Receiver<Bytes>);

impl http_body::Body for Pictures {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<BodyFrame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|bytes| bytes.map(|bytes| Ok(BodyFrame::data(bytes))))
    }
}
