//! One request and its answer on an HTTP/1.1 connection.
//!
//! Written as one poll function over plain state instead of an `async fn`: in the common case the
//! request leaves in one write, the answer comes in one read, and nothing is copied, allocated or
//! registered in between.

use std::task::{Context, Poll, ready};
use std::time::Instant;

use proofload_core::metrics::ErrorKind;

use super::encode;
use super::reader::{Complete, ReadRules, Reader};
use crate::http::deadline::Deadline;
use crate::http::exchange::{BodyUse, Failure, Record};
use crate::http::failure::{self, Doing};
use crate::http::request::Request;
use crate::http::shared::Shared;
use crate::http::stream::Stream;

/// A body up to this size is copied behind the head, so that both leave in one write.
const MAX_JOINED_BODY_BYTES: usize = 32 * 1024;

/// An exchange under way.
#[derive(Debug)]
pub(crate) struct Flight<'a> {
    shared: &'a Shared,
    request: &'a Request<'a>,
    stream: Stream,
    body_use: BodyUse,
    /// Made when an answer does not come in one piece. Apart, because thousands of users wait with a
    /// flight in memory, and what each poll touches should be few cache lines.
    partial: Option<Box<Partial>>,
    sending: Sending,
    /// When the connection was ready for the request.
    ready_at: Instant,
    sent_at: Option<Instant>,
    first_byte_at: Option<Instant>,
    bytes_sent: u64,
    bytes_received: u64,
    deadline: Instant,
}

#[derive(Debug)]
enum Sending {
    NotBegun,
    /// What could not be written at once.
    Joined(Box<Unsent>),
    /// The body straight from the caller's memory.
    Body {
        at: usize,
    },
    Flushing,
    Sent,
    /// Writing failed; there may still be an answer that says why.
    Broken(Box<Failure>),
}

/// Head and perhaps body, of which `at` bytes are written.
#[derive(Debug)]
struct Unsent {
    bytes: Vec<u8>,
    at: usize,
    body_follows: bool,
}

/// An answer of which a part has arrived.
#[derive(Debug)]
struct Partial {
    reader: Reader,
    own: Vec<u8>,
}

/// What is left when a flight is over.
#[derive(Debug)]
pub(crate) struct Landed {
    pub(crate) stream: Stream,
    pub(crate) own: Vec<u8>,
    /// A byte of an answer had arrived.
    pub(crate) answer_begun: bool,
    pub(crate) bytes_sent: u64,
}

impl<'a> Flight<'a> {
    pub(crate) fn new(
        shared: &'a Shared,
        request: &'a Request<'a>,
        body_use: BodyUse,
        stream: Stream,
        ready_at: Instant,
        deadline: Instant,
    ) -> Self {
        Self {
            shared,
            request,
            stream,
            body_use,
            partial: None,
            sending: Sending::NotBegun,
            ready_at,
            sent_at: None,
            first_byte_at: None,
            bytes_sent: 0,
            bytes_received: 0,
            deadline,
        }
    }

    /// Drives the exchange. An answer that is not `owned` lies in the shared read buffer until the
    /// caller next returns to the runtime.
    pub(crate) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        cookies: Option<&[u8]>,
        timer: &mut Deadline,
    ) -> Poll<Result<Complete, Failure>> {
        let mut now = None;
        if !matches!(self.sending, Sending::Sent) {
            self.poll_send(cx, cookies);
            now = self.sent_at;
        }
        let mut buffer = self.shared.read_buffer.borrow_mut();
        loop {
            let count = match self.stream.poll_read(cx, &mut buffer) {
                Poll::Pending => break,
                Poll::Ready(Ok(count)) => count,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.read_failure(&error))),
            };
            if count == 0 {
                let end = match &mut self.partial {
                    Some(partial) => partial.reader.end(&partial.own),
                    None => Reader::new(self.rules()).end(b""),
                };
                return Poll::Ready(end.map_err(|failure| self.cause(failure)));
            }
            if self.first_byte_at.is_none() {
                self.first_byte_at = Some(Instant::now());
            }
            self.bytes_received += count as u64;
            match self.feed(&mut buffer[..count]) {
                Ok(None) => {}
                Ok(Some(complete)) => return Poll::Ready(Ok(complete)),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
        drop(buffer);
        // A TCP socket that cannot be written to will report its end, and an answer that came before it,
        // as soon as the runtime hears of it; TLS may have failed by itself.
        if let Sending::Broken(failure) = &self.sending
            && !self.stream.is_plain()
        {
            return Poll::Ready(Err(Failure::clone(failure)));
        }
        ready!(timer.poll(cx, self.deadline, now));
        Poll::Ready(Err(self.timeout()))
    }

    fn feed(&mut self, piece: &mut [u8]) -> Result<Option<Complete>, Failure> {
        if let Some(partial) = &mut self.partial {
            return partial.reader.feed(piece, &mut partial.own);
        }
        let (mut reader, mut own) = (Reader::new(self.rules()), self.shared.take_buffer());
        let result = reader.feed(piece, &mut own);
        if matches!(result, Ok(None)) {
            self.partial = Some(Box::new(Partial { reader, own }));
        } else {
            self.shared.recycle(own);
        }
        result
    }

    fn rules(&self) -> ReadRules {
        let settings = self.shared.settings();
        ReadRules {
            max_head_bytes: settings.max_head_bytes,
            max_kept_body_bytes: settings.max_kept_body_bytes,
            body: self.body_use,
            head_request: self.request.method == "HEAD",
        }
    }

    /// Whether a byte of an answer has arrived.
    fn answer_begun(&self) -> bool {
        self.first_byte_at.is_some()
    }

    /// Whether the whole request was handed over.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.sending, Sending::Sent)
    }

    /// Notes times and bytes and gives back what can be used again.
    pub(crate) fn land(self, record: &mut Record, one_read: bool) -> Landed {
        let timings = &mut record.timings;
        timings.finished = match self.first_byte_at {
            Some(at) if one_read => at,
            _ => Instant::now(),
        };
        let first_byte = self.first_byte_at.unwrap_or(timings.finished);
        let sent = self.sent_at.unwrap_or(first_byte).min(first_byte);
        timings.send = sent - self.ready_at;
        timings.wait = first_byte - sent;
        timings.receive = timings.finished - first_byte;
        record.bytes_sent += self.bytes_sent;
        record.bytes_received += self.bytes_received;
        Landed {
            answer_begun: self.first_byte_at.is_some(),
            stream: self.stream,
            own: self.partial.map(|partial| partial.own).unwrap_or_default(),
            bytes_sent: self.bytes_sent,
        }
    }

    fn poll_send(&mut self, cx: &mut Context<'_>, cookies: Option<&[u8]>) {
        match self.try_send(cx, cookies) {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => {
                self.sending = Sending::Sent;
                self.sent_at = Some(Instant::now());
            }
            Poll::Ready(Err(error)) => {
                self.sending =
                    Sending::Broken(Box::new(failure::from_io(&error, Doing::Exchanging)));
            }
        }
    }

    fn try_send(
        &mut self,
        cx: &mut Context<'_>,
        cookies: Option<&[u8]>,
    ) -> Poll<std::io::Result<()>> {
        loop {
            match &mut self.sending {
                Sending::NotBegun => {
                    let joined = self.request.body.len() <= MAX_JOINED_BODY_BYTES;
                    let mut out = self.shared.write_buffer.borrow_mut();
                    out.clear();
                    encode::head(&mut out, self.request, self.shared, cookies);
                    if joined {
                        out.extend_from_slice(self.request.body);
                    }
                    let count = match self.stream.poll_write(cx, &out) {
                        Poll::Ready(result) => result?,
                        Poll::Pending => 0,
                    };
                    self.bytes_sent += count as u64;
                    self.sending = if count < out.len() {
                        let bytes = out[count..].to_vec();
                        Sending::Joined(Box::new(Unsent { bytes, at: 0, body_follows: !joined }))
                    } else if joined {
                        Sending::Flushing
                    } else {
                        Sending::Body { at: 0 }
                    };
                }
                Sending::Joined(unsent) => {
                    let Unsent { bytes, at, body_follows } = unsent.as_mut();
                    let count = ready!(self.stream.poll_write(cx, &bytes[*at..]))?;
                    self.bytes_sent += count as u64;
                    *at += count;
                    if *at == bytes.len() {
                        let body_follows = *body_follows;
                        self.sending =
                            if body_follows { Sending::Body { at: 0 } } else { Sending::Flushing };
                    }
                }
                Sending::Body { at } => {
                    let count = ready!(self.stream.poll_write(cx, &self.request.body[*at..]))?;
                    self.bytes_sent += count as u64;
                    *at += count;
                    if *at == self.request.body.len() {
                        self.sending = Sending::Flushing;
                    }
                }
                Sending::Flushing => return self.stream.poll_flush(cx),
                Sending::Sent | Sending::Broken(_) => return Poll::Pending,
            }
        }
    }

    fn read_failure(&self, error: &std::io::Error) -> Failure {
        let failure = failure::from_io(error, Doing::Exchanging);
        // TLS: the connection ended without the announcement that it would.
        if failure.kind == ErrorKind::Truncated && !self.answer_begun() {
            return self.cause(Failure::new(ErrorKind::Closed, failure.detail));
        }
        self.cause(failure)
    }

    /// Prefers the failure to write over the end of the connection that followed from it.
    fn cause(&self, later: Failure) -> Failure {
        match &self.sending {
            Sending::Broken(first) if !self.answer_begun() => Failure::clone(first),
            _ => later,
        }
    }

    fn timeout(&self) -> Failure {
        let detail = if self.answer_begun() {
            "the answer was not complete in time"
        } else if self.is_sent() {
            "no answer in time"
        } else {
            "the request could not be sent in time"
        };
        Failure::new(ErrorKind::Timeout, detail)
    }
}
