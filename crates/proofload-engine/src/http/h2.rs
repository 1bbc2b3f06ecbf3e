//! HTTP/2 over the `h2` crate: one connection a user and origin, one stream at a time.
//!
//! The connection is driven by a task of its own, so that pings and settings are answered while
//! the user thinks. Dropping the connection ends that task and closes the socket.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};
use http::header::{self, HeaderName, HeaderValue};
use http::{HeaderMap, Method, Uri, Version};
use proofload_core::metrics::ErrorKind;
use tokio::task::{JoinHandle, spawn_local};

use super::deadline::Deadline;
use super::exchange::{BodyUse, Failure, Record};
use super::failure::{self, Doing};
use super::h1::encode::tells_length;
use super::request::Request;
use super::shared::Shared;
use super::stream::Stream;

/// Receive window of a stream and of a connection: large enough that a body flows at line speed on
/// a local network, and returned as the body is read.
const WINDOW_BYTES: u32 = 1 << 20;

/// An HTTP/2 connection.
#[derive(Debug)]
pub(crate) struct Http2 {
    sender: SendRequest<Bytes>,
    driver: JoinHandle<()>,
}

impl Drop for Http2 {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Http2 {
    /// Says hello on a new stream and starts the driver.
    pub(crate) async fn start(stream: Stream, shared: &Shared) -> Result<Self, Failure> {
        let max_head = u32::try_from(shared.settings().max_head_bytes).unwrap_or(u32::MAX);
        let (sender, connection) = h2::client::Builder::new()
            .initial_window_size(WINDOW_BYTES)
            .initial_connection_window_size(WINDOW_BYTES)
            .max_header_list_size(max_head)
            .enable_push(false)
            .handshake(stream)
            .await
            .map_err(|error| to_failure(&error))?;
        let driver = spawn_local(async move {
            // What ends the connection also ends the stream under way, which reports it.
            let _ = connection.await;
        });
        Ok(Self { sender, driver })
    }

    /// Whether the connection is still up, as far as its driver knows.
    pub(crate) fn is_open(&self) -> bool {
        !self.driver.is_finished()
    }
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    pub(crate) body_bytes: u64,
}

/// An exchange that failed.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) failure: Failure,
    /// The server said that it did nothing for the request, or it was never sent.
    pub(crate) unprocessed: bool,
    /// A kept connection ended before any answer.
    pub(crate) disconnected: bool,
    /// Only this stream failed.
    pub(crate) connection_lives: bool,
}

/// An exchange under way.
pub(crate) struct Flight<'a> {
    shared: &'a Shared,
    body_use: BodyUse,
    connection: &'a mut Http2,
    deadline: Instant,
    ready_at: Instant,
    sent_at: Option<Instant>,
    head_at: Option<Instant>,
    bytes_sent: u64,
    bytes_received: u64,
    body_bytes: u64,
    stage: Stage,
}

enum Stage {
    Waiting(Option<(http::Request<()>, Bytes)>),
    Sending { stream: SendStream<Bytes>, rest: Bytes, response: ResponseFuture },
    Sent(ResponseFuture),
    Receiving { stream: RecvStream, status: u16, headers: HeaderMap, body: Vec<u8> },
}

impl<'a> Flight<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        request: &Request<'_>,
        body_use: BodyUse,
        cookies: Option<&[u8]>,
        connection: &'a mut Http2,
        (ready_at, deadline): (Instant, Instant),
    ) -> Result<Self, Failure> {
        let message = message(request, shared, cookies)?;
        let bytes_sent = request.method.len() + request.target.len() + size_of(message.headers());
        let body = Bytes::copy_from_slice(request.body);
        Ok(Self {
            shared,
            body_use,
            connection,
            deadline,
            ready_at,
            sent_at: None,
            head_at: None,
            bytes_sent: bytes_sent as u64,
            bytes_received: 0,
            body_bytes: 0,
            stage: Stage::Waiting(Some((message, body))),
        })
    }

    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        timer: &mut Deadline,
    ) -> Poll<Result<Answer, Broken>> {
        if let Poll::Ready(result) = self.poll_answer(cx) {
            return Poll::Ready(result);
        }
        ready!(timer.poll(cx, self.deadline, None));
        Poll::Ready(Err(Broken::of(Failure::new(ErrorKind::Timeout, "no complete answer in time"))))
    }

    /// Notes times and bytes.
    pub(crate) fn land(self, record: &mut Record) {
        let timings = &mut record.timings;
        timings.finished = Instant::now();
        let head = self.head_at.unwrap_or(timings.finished);
        let sent = self.sent_at.unwrap_or(head).min(head);
        timings.send = sent.saturating_duration_since(self.ready_at);
        timings.wait = head - sent;
        timings.receive = timings.finished - head;
        record.bytes_sent += self.bytes_sent;
        record.bytes_received += self.bytes_received;
    }

    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Broken>> {
        loop {
            match &mut self.stage {
                Stage::Waiting(parts) => {
                    if let Err(error) = ready!(self.connection.sender.poll_ready(cx)) {
                        let broken = Broken::of(to_failure(&error));
                        return Poll::Ready(Err(Broken { unprocessed: true, ..broken }));
                    }
                    if let Some((message, body)) = parts.take()
                        && let Err(error) = self.begin(message, body)
                    {
                        let broken = Broken::by(&error);
                        return Poll::Ready(Err(Broken { unprocessed: true, ..broken }));
                    }
                }
                Stage::Sending { stream, rest, response } => {
                    let sent = poll_body(cx, stream, rest, &mut self.bytes_sent);
                    // The answer may come before the body has left: then it was not wanted.
                    let answer = Pin::new(response).poll(cx);
                    match (sent, answer) {
                        (_, Poll::Ready(result)) => self.receive(result)?,
                        (Poll::Pending, Poll::Pending) => return Poll::Pending,
                        (Poll::Ready(()), Poll::Pending) => self.sent(),
                    }
                }
                Stage::Sent(response) => {
                    let result = ready!(Pin::new(response).poll(cx));
                    self.receive(result)?;
                }
                Stage::Receiving { .. } => return self.poll_body(cx),
            }
        }
    }

    fn begin(&mut self, message: http::Request<()>, body: Bytes) -> Result<(), h2::Error> {
        let (response, stream) = self.connection.sender.send_request(message, body.is_empty())?;
        if body.is_empty() {
            self.sent_at = Some(Instant::now());
            self.stage = Stage::Sent(response);
        } else {
            self.stage = Stage::Sending { stream, rest: body, response };
        }
        Ok(())
    }

    fn sent(&mut self) {
        self.sent_at = Some(Instant::now());
        let stage = std::mem::replace(&mut self.stage, Stage::Waiting(None));
        if let Stage::Sending { response, .. } = stage {
            self.stage = Stage::Sent(response);
        }
    }

    fn receive(
        &mut self,
        result: Result<http::Response<RecvStream>, h2::Error>,
    ) -> Result<(), Broken> {
        let (parts, stream) = result.map_err(|error| Broken::by(&error))?.into_parts();
        self.head_at = Some(Instant::now());
        self.bytes_received += (3 + size_of(&parts.headers)) as u64;
        let (status, headers) = (parts.status.as_u16(), parts.headers);
        self.stage = Stage::Receiving { stream, status, headers, body: self.shared.take_buffer() };
        Ok(())
    }

    fn poll_body(&mut self, cx: &mut Context<'_>) -> Poll<Result<Answer, Broken>> {
        let Stage::Receiving { stream, status, headers, body } = &mut self.stage else {
            return Poll::Pending;
        };
        while let Some(data) = ready!(stream.poll_data(cx)) {
            let data = data.map_err(|error| Broken::during_body(&error))?;
            // The window is given back at once: this reader is never behind.
            let _ = stream.flow_control().release_capacity(data.len());
            self.body_bytes += data.len() as u64;
            self.bytes_received += data.len() as u64;
            if self.body_use == BodyUse::Keep {
                let max = self.shared.settings().max_kept_body_bytes;
                if body.len() + data.len() > max {
                    return Poll::Ready(Err(Broken::of(Failure::new(
                        ErrorKind::BodyTooLarge,
                        format!("the body is to be inspected and larger than {max} bytes"),
                    ))));
                }
                body.extend_from_slice(&data);
            }
        }
        Poll::Ready(Ok(Answer {
            status: *status,
            headers: std::mem::take(headers),
            body: std::mem::take(body),
            body_bytes: self.body_bytes,
        }))
    }
}

fn poll_body(
    cx: &mut Context<'_>,
    stream: &mut SendStream<Bytes>,
    rest: &mut Bytes,
    bytes_sent: &mut u64,
) -> Poll<()> {
    while !rest.is_empty() {
        stream.reserve_capacity(rest.len());
        let capacity = match stream.capacity() {
            0 => match ready!(stream.poll_capacity(cx)) {
                Some(Ok(capacity)) => capacity,
                // The server wants no more of it; its answer says why.
                Some(Err(_)) | None => return Poll::Ready(()),
            },
            capacity => capacity,
        };
        let piece = rest.split_to(capacity.min(rest.len()));
        *bytes_sent += piece.len() as u64;
        if !piece.is_empty() && stream.send_data(piece, rest.is_empty()).is_err() {
            return Poll::Ready(());
        }
    }
    Poll::Ready(())
}

impl Broken {
    fn of(failure: Failure) -> Self {
        Self { failure, unprocessed: false, disconnected: false, connection_lives: false }
    }

    fn by(error: &h2::Error) -> Self {
        let reason = error.reason();
        let refused = error.is_reset() && reason == Some(Reason::REFUSED_STREAM);
        // After a graceful GOAWAY only the streams above the last one the server works on hear of
        // it. One with an error ends all of them, also those it had begun to work on.
        let going = error.is_go_away() && error.is_remote();
        let unprocessed = refused || (going && reason == Some(Reason::NO_ERROR));
        Self {
            failure: to_failure(error),
            unprocessed,
            disconnected: error.is_io() || going,
            connection_lives: error.is_reset(),
        }
    }

    fn during_body(error: &h2::Error) -> Self {
        let mut broken = Self::by(error);
        if error.is_io() && broken.failure.kind != ErrorKind::Timeout {
            broken.failure.kind = ErrorKind::Truncated;
        }
        Self { unprocessed: false, disconnected: false, ..broken }
    }
}

fn to_failure(error: &h2::Error) -> Failure {
    match error.get_io() {
        Some(io) if io.kind() == std::io::ErrorKind::BrokenPipe && io.raw_os_error().is_none() => {
            Failure::new(ErrorKind::Closed, "the server closed the HTTP/2 connection")
        }
        Some(io) => failure::from_io(io, Doing::Exchanging),
        None => Failure::new(ErrorKind::Http2, error.to_string()),
    }
}

fn size_of(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

/// The request as `h2` wants it. Headers that belong to an HTTP/1.1 connection are left out
/// (RFC 9113 §8.2.2).
fn message(
    request: &Request<'_>,
    shared: &Shared,
    cookies: Option<&[u8]>,
) -> Result<http::Request<()>, Failure> {
    let refused = |what: &str| Failure::new(ErrorKind::Request, format!("HTTP/2: {what}"));
    let mut authority = request.origin.authority();
    let mut headers = HeaderMap::new();
    let given = request.headers.given();
    let mut add = |name: HeaderName, value: &[u8]| match HeaderValue::from_bytes(value) {
        Ok(value) => {
            headers.append(name, value);
            Ok(())
        }
        Err(_) => Err(refused("header value is not valid")),
    };
    if !given.user_agent {
        add(header::USER_AGENT, shared.user_agent())?;
    }
    if let Some(codings) = shared.settings().accept_encoding.as_deref()
        && !given.accept_encoding
    {
        add(header::ACCEPT_ENCODING, codings.as_bytes())?;
    }
    for (name, value) in request.headers.iter() {
        let lower = name.to_ascii_lowercase();
        match lower.as_str() {
            "connection" | "keep-alive" | "proxy-connection" | "upgrade" => {}
            "te" if value != b"trailers" => {}
            "host" => {
                authority = std::str::from_utf8(value).map_err(|_| refused("Host is not text"))?;
            }
            _ => add(
                HeaderName::from_bytes(lower.as_bytes()).map_err(|_| refused("header name"))?,
                value,
            )?,
        }
    }
    if let Some(cookies) = cookies
        && !given.cookie
    {
        add(header::COOKIE, cookies)?;
    }
    if tells_length(request) {
        add(header::CONTENT_LENGTH, request.body.len().to_string().as_bytes())?;
    }
    let uri = Uri::builder()
        .scheme(request.origin.scheme().as_str())
        .authority(authority)
        .path_and_query(request.target)
        .build()
        .map_err(|error| refused(&error.to_string()))?;
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| refused("method is not valid"))?;
    let mut message = http::Request::new(());
    *message.method_mut() = method;
    *message.uri_mut() = uri;
    *message.version_mut() = Version::HTTP_2;
    *message.headers_mut() = headers;
    Ok(message)
}
