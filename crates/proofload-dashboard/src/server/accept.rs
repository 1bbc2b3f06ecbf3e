//! Accepting connections, in limits: how many, how large a head, how slow a client.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::patience::Patient;

/// Connections open at once. A browser takes up to six.
pub(super) const MAX_CONNECTIONS: usize = 256;
/// Longest a client may take for the head of a request; also how long an idle connection is kept.
const HEAD_PATIENCE: Duration = Duration::from_secs(10);
/// Longest a client may take nothing of an answer.
const WRITE_PATIENCE: Duration = Duration::from_secs(20);
/// Largest head of a request, in bytes.
const MAX_HEAD: usize = 16 * 1024;
/// Most header fields of a request.
const MAX_HEADERS: usize = 64;

/// Accepts until the end of the runtime.
pub(super) async fn accept(listener: TcpListener, router: Router) {
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                rest_after(&error).await;
                continue;
            }
        };
        match Arc::clone(&free).try_acquire_owned() {
            Ok(permit) => {
                let router = router.clone();
                tokio::spawn(async move {
                    converse(stream, router).await;
                    drop(permit);
                });
            }
            Err(_) => {
                tokio::spawn(refuse(stream));
            }
        }
    }
}

/// Out of descriptors, mostly: the run needs them more. Accepting again at once would spin.
async fn rest_after(error: &io::Error) {
    let is_of_one_client =
        matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset);
    if !is_of_one_client {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

async fn converse(stream: TcpStream, router: Router) {
    // Pictures are small and should be seen at once.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEAD)
        .serve_connection(
            TokioIo::new(Patient::new(stream, WRITE_PATIENCE)),
            TowerToHyperService::new(router),
        );
    // A client that went away or lost patience with us is nobody's error.
    let _ = connection.await;
}

/// Says that there are too many connections, if that can be said at once.
async fn refuse(mut stream: TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nretry-after: 5\r\nconnection: close\r\n\r\n";
    let _ = tokio::time::timeout(Duration::from_secs(1), stream.write_all(ANSWER)).await;
}
