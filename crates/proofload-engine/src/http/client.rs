//! The client of one virtual user: its connections, its cookies, and the way one exchange goes.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Instant;

use proofload_core::metrics::ErrorKind;

use super::connect;
use super::deadline::Deadline;
use super::exchange::{BodyUse, Exchange, Failure, Record};
use super::h1::connection::Flight;
use super::h1::encode;
use super::h1::reader::Complete;
use super::origin::Origin;
use super::request::{Request, is_idempotent};
use super::response::{Head, Response};
use super::shared::Shared;
use super::stream::Stream;

/// Connections a user keeps. A user sends one request at a time, so it is one an origin.
const MAX_IDLE_CONNECTIONS: usize = 16;

/// The HTTP client of one virtual user. Dropping it closes its connections.
#[derive(Debug)]
pub struct Client {
    shared: Rc<Shared>,
    idle: Vec<Connection>,
    timer: Deadline,
}

#[derive(Debug)]
struct Connection {
    origin: Origin,
    link: Link,
}

#[derive(Debug)]
enum Link {
    Http1(Stream),
}

/// A complete answer and where it lies.
enum Answer {
    Http1 { complete: Complete, own: Vec<u8> },
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new(shared: Rc<Shared>) -> Self {
        Self { shared, idle: Vec::new(), timer: Deadline::default() }
    }

    /// Closes all connections, as a user who leaves and comes back would.
    pub fn close(&mut self) {
        self.idle.clear();
    }

    /// How many connections are open.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.idle.len()
    }

    /// Sends one request and waits for its answer: exactly one exchange on the wire. Redirects are
    /// not followed; see [`redirect`](super::redirect).
    ///
    /// `inspect` sees the answer while it still lies in the buffers; what it returns is in the
    /// outcome. It is not called when there is no complete answer.
    ///
    /// Dropping the future abandons the exchange and closes its connection.
    pub async fn exchange<R>(
        &mut self,
        request: &Request<'_>,
        body: BodyUse,
        inspect: impl FnOnce(&Response<'_>) -> R,
    ) -> Exchange<R> {
        let mut record = Record::new(Instant::now());
        let outcome = match self.perform(request, body, &mut record).await {
            // No `await` from here on: the answer may lie in the shared buffer.
            Ok(answer) => self.conclude(answer, inspect),
            Err(failure) => Err(failure),
        };
        record.finish(outcome)
    }

    fn conclude<R>(
        &mut self,
        answer: Answer,
        inspect: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<(u16, R), Failure> {
        match answer {
            Answer::Http1 { complete, own } => {
                let shared_buffer = self.shared.read_buffer.borrow();
                let bytes = if complete.owned { &own[..] } else { &shared_buffer[..] };
                let response = Response {
                    status: complete.facts.status,
                    protocol: complete.facts.protocol,
                    head: Head::Lines(&bytes[complete.head]),
                    body: &bytes[complete.body],
                    body_bytes: complete.body_bytes,
                };
                let result = inspect(&response);
                drop(shared_buffer);
                self.shared.recycle(own);
                Ok((complete.facts.status, result))
            }
        }
    }

    async fn perform(
        &mut self,
        request: &Request<'_>,
        body: BodyUse,
        record: &mut Record,
    ) -> Result<Answer, Failure> {
        encode::check(request)?;
        let timeout = request.timeout.unwrap_or(self.shared.settings().timeout);
        let deadline = record.timings.started + timeout;
        loop {
            let (connection, kept) = match self.take_idle(request.origin) {
                Some(connection) => (connection, true),
                // Boxed: rare, and its state would make every user larger.
                None => (Box::pin(self.open(request.origin, deadline, record)).await?, false),
            };
            let Connection { origin, link: Link::Http1(stream) } = connection;
            let ready_at = if kept { record.timings.started } else { Instant::now() };
            let shared = Rc::clone(&self.shared);
            let mut flight = Flight::new(&shared, request, body, stream, ready_at, deadline);
            let timer = &mut self.timer;
            let result = poll_fn(|cx| flight.poll(cx, None, timer)).await;
            let sent = flight.is_sent();
            let one_read = matches!(&result, Ok(complete) if !complete.owned);
            let landed = flight.land(record, one_read);
            match result {
                Ok(complete) => {
                    record.protocol = complete.facts.protocol;
                    record.surplus_bytes = complete.surplus as u64;
                    if complete.reusable && sent && self.may_keep(request) {
                        self.keep(Connection { origin, link: Link::Http1(landed.stream) });
                    }
                    return Ok(Answer::Http1 { complete, own: landed.own });
                }
                Err(failure) => {
                    self.shared.recycle(landed.own);
                    let untouched = !landed.answer_begun
                        && matches!(failure.kind, ErrorKind::Closed | ErrorKind::Reset);
                    let repeatable = landed.bytes_sent == 0 || is_idempotent(request.method);
                    if !(kept && untouched && repeatable) {
                        return Err(failure);
                    }
                    record.reconnected = true;
                }
            }
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        deadline: Instant,
        record: &mut Record,
    ) -> Result<Connection, Failure> {
        record.new_connection = true;
        let result = connect::connect(&self.shared, origin, deadline, &mut record.timings).await;
        match result {
            Ok(connected) if connected.http2 => {
                Err(Failure::new(ErrorKind::Http2, "HTTP/2 is not spoken yet"))
            }
            Ok(connected) => {
                Ok(Connection { origin: origin.clone(), link: Link::Http1(connected.stream) })
            }
            Err(failure) => {
                record.timings.finished = Instant::now();
                Err(failure)
            }
        }
    }

    fn may_keep(&self, request: &Request<'_>) -> bool {
        self.shared.settings().keep_alive && !request.headers.given().connection_close
    }

    /// A kept connection to the origin, unless the server has closed it or said something unasked.
    fn take_idle(&mut self, origin: &Origin) -> Option<Connection> {
        let at = self.idle.iter().position(|idle| idle.origin == *origin)?;
        let mut connection = self.idle.swap_remove(at);
        let usable = match &mut connection.link {
            Link::Http1(stream) => stream.is_quiet(),
        };
        usable.then_some(connection)
    }

    fn keep(&mut self, connection: Connection) {
        if self.idle.len() >= MAX_IDLE_CONNECTIONS {
            self.idle.remove(0);
        }
        self.idle.push(connection);
    }
}
