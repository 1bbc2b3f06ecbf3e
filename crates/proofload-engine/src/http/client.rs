//! The client of one virtual user: its connections, its cookies, and the way one exchange goes.

use std::future::poll_fn;
use std::rc::Rc;
use std::time::Instant;

use proofload_core::metrics::ErrorKind;

use super::connect;
use super::cookies::Jar;
use super::deadline::Deadline;
use super::decode;
use super::exchange::{BodyUse, Exchange, Failure, Protocol, Record};
use super::h1::connection::Flight;
use super::h1::encode;
use super::h1::reader::Complete;
use super::h2::{self, Http2};
use super::origin::Origin;
use super::request::{Request, is_idempotent};
use super::response::{Head, Response};
use super::shared::Shared;
use super::stream::Stream;

/// Connections a user keeps. A user sends one request at a time, so it is one an origin.
const MAX_IDLE_CONNECTIONS: usize = 16;

/// The HTTP client of one virtual user. Dropping it closes its connections.
///
/// Must be used inside a `LocalRuntime` or a `LocalSet`: HTTP/2 connections are driven by local tasks.
#[derive(Debug)]
pub struct Client {
    shared: Rc<Shared>,
    idle: Vec<Connection>,
    timer: Deadline,
    /// Made with the first cookie.
    jar: Option<Box<Jar>>,
}

#[derive(Debug)]
struct Connection {
    origin: Origin,
    link: Link,
}

#[derive(Debug)]
enum Link {
    Http1(Stream),
    Http2(Box<Http2>),
}

/// A complete answer and where it lies.
enum Answer {
    Http1 { complete: Complete, own: Vec<u8> },
    Http2(Box<h2::Answer>),
}

impl Answer {
    fn into_buffer(self) -> Vec<u8> {
        match self {
            Self::Http1 { own, .. } => own,
            Self::Http2(answer) => answer.body,
        }
    }
}

/// What an attempt over one connection is given.
#[derive(Clone, Copy)]
struct Attempt<'a> {
    request: &'a Request<'a>,
    body: BodyUse,
    cookies: Option<&'a [u8]>,
    ready_at: Instant,
    deadline: Instant,
}

/// An attempt that failed.
struct Failed {
    failure: Failure,
    /// Had the connection been a kept one, the request may be sent again on a fresh one.
    repeatable: bool,
}

impl Client {
    /// A client without connections.
    #[must_use]
    pub fn new(shared: Rc<Shared>) -> Self {
        Self { shared, idle: Vec::new(), timer: Deadline::default(), jar: None }
    }

    /// Closes all connections and keeps the cookies, as a visitor who comes back later.
    pub fn close_connections(&mut self) {
        self.idle.clear();
    }

    /// Forgets all cookies.
    pub fn clear_cookies(&mut self) {
        if let Some(jar) = &mut self.jar {
            jar.clear();
        }
    }

    /// How many connections are kept open.
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
            Ok(answer) => {
                let result = self.conclude(request, body, &answer, inspect);
                self.shared.recycle(answer.into_buffer());
                result
            }
            Err(failure) => {
                record.timings.finished = record.timings.finished.max(Instant::now());
                Err(failure)
            }
        };
        record.finish(outcome)
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
        let cookies = match &self.jar {
            Some(jar) => jar.header(request.origin, request.target),
            None => None,
        };
        let cookies = cookies.as_deref();
        loop {
            let (Connection { origin, link }, kept) = match self.take_idle(request.origin) {
                Some(connection) => (connection, true),
                // Boxed: rare, and its state would make every user larger.
                None => (Box::pin(self.open(request.origin, deadline, record)).await?, false),
            };
            let ready_at = if kept { record.timings.started } else { Instant::now() };
            let attempt = Attempt { request, body, cookies, ready_at, deadline };
            let (result, link) = match link {
                Link::Http1(stream) => self.over_http1(attempt, stream, record).await,
                Link::Http2(http2) => Box::pin(self.over_http2(attempt, http2, record)).await,
            };
            if let Some(link) = link {
                self.keep(Connection { origin, link });
            }
            match result {
                Ok(answer) => return Ok(answer),
                // Once: the second attempt can meet a kept connection too, where a server refused
                // only the stream.
                Err(failed) if kept && failed.repeatable && !record.reconnected => {
                    record.reconnected = true;
                }
                Err(failed) => return Err(failed.failure),
            }
        }
    }

    async fn over_http1(
        &mut self,
        attempt: Attempt<'_>,
        stream: Stream,
        record: &mut Record,
    ) -> (Result<Answer, Failed>, Option<Link>) {
        let Attempt { request, body, cookies, ready_at, deadline } = attempt;
        let mut flight = Flight::new(&self.shared, request, body, stream, ready_at, deadline);
        let timer = &mut self.timer;
        let result = poll_fn(|cx| flight.poll(cx, cookies, timer)).await;
        let sent = flight.is_sent();
        let one_read = matches!(&result, Ok(complete) if !complete.owned);
        let landed = flight.land(record, one_read);
        match result {
            Ok(complete) => {
                record.protocol = complete.facts.protocol;
                record.surplus_bytes = complete.surplus as u64;
                let keep = complete.reusable && sent && self.may_keep(request);
                let link = keep.then_some(Link::Http1(landed.stream));
                (Ok(Answer::Http1 { complete, own: landed.own }), link)
            }
            Err(failure) => {
                self.shared.recycle(landed.own);
                let disconnected = matches!(failure.kind, ErrorKind::Closed | ErrorKind::Reset);
                let harmless = landed.bytes_sent == 0 || is_idempotent(request.method);
                let repeatable = disconnected && !landed.answer_begun && harmless;
                (Err(Failed { failure, repeatable }), None)
            }
        }
    }

    async fn over_http2(
        &mut self,
        attempt: Attempt<'_>,
        mut http2: Box<Http2>,
        record: &mut Record,
    ) -> (Result<Answer, Failed>, Option<Link>) {
        record.protocol = Protocol::Http2;
        let Attempt { request, body, cookies, ready_at, deadline } = attempt;
        let times = (ready_at, deadline);
        let flight = h2::Flight::new(&self.shared, request, body, cookies, &mut http2, times);
        let mut flight = match flight {
            Ok(flight) => flight,
            Err(failure) => {
                return (Err(Failed { failure, repeatable: false }), Some(Link::Http2(http2)));
            }
        };
        let timer = &mut self.timer;
        let result = poll_fn(|cx| flight.poll(cx, timer)).await;
        flight.land(record);
        match result {
            Ok(answer) => {
                let link = self.may_keep(request).then_some(Link::Http2(http2));
                (Ok(Answer::Http2(Box::new(answer))), link)
            }
            Err(broken) => {
                let repeatable =
                    broken.unprocessed || (broken.disconnected && is_idempotent(request.method));
                let link = broken.connection_lives.then_some(Link::Http2(http2));
                (Err(Failed { failure: broken.failure, repeatable }), link)
            }
        }
    }

    async fn open(
        &self,
        origin: &Origin,
        deadline: Instant,
        record: &mut Record,
    ) -> Result<Connection, Failure> {
        let connected = connect::connect(&self.shared, origin, deadline, record).await?;
        let link = if connected.http2 {
            record.protocol = Protocol::Http2;
            Link::Http2(Box::new(Http2::start(connected.stream, &self.shared).await?))
        } else {
            Link::Http1(connected.stream)
        };
        Ok(Connection { origin: origin.clone(), link })
    }

    /// Shows the answer to the caller, with its body decompressed and its cookies kept.
    fn conclude<R>(
        &mut self,
        request: &Request<'_>,
        body_use: BodyUse,
        answer: &Answer,
        inspect: impl FnOnce(&Response<'_>) -> R,
    ) -> Result<(u16, R), Failure> {
        let shared = Rc::clone(&self.shared);
        let read_buffer = shared.read_buffer.borrow();
        let (response, encoded, sets_cookie) = view(answer, &read_buffer);
        if sets_cookie && shared.settings().cookies {
            self.keep_cookies(request, &response);
        }
        let status = response.status;
        let result = if encoded && body_use == BodyUse::Keep {
            inspect_decoded(&shared, response, inspect)
        } else {
            Ok(inspect(&response))
        };
        result.map(|value| (status, value))
    }

    #[cold]
    fn keep_cookies(&mut self, request: &Request<'_>, response: &Response<'_>) {
        let lines = response
            .headers()
            .filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"))
            .map(|(_, value)| value);
        self.jar.get_or_insert_default().keep(request.origin, request.target, lines);
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
            Link::Http2(http2) => http2.is_open(),
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

/// The answer as the caller sees it, whether its body is encoded, and whether it sets a cookie.
fn view<'a>(answer: &'a Answer, read_buffer: &'a [u8]) -> (Response<'a>, bool, bool) {
    match answer {
        Answer::Http1 { complete, own } => {
            let bytes = if complete.owned { own } else { read_buffer };
            let response = Response {
                status: complete.facts.status,
                protocol: complete.facts.protocol,
                head: Head::Lines(&bytes[complete.head.clone()]),
                body: &bytes[complete.body.clone()],
                body_bytes: complete.body_bytes,
            };
            (response, complete.facts.encoded, complete.facts.sets_cookie)
        }
        Answer::Http2(answer) => {
            let response = Response {
                status: answer.status,
                protocol: Protocol::Http2,
                head: Head::Map(&answer.headers),
                body: &answer.body,
                body_bytes: answer.body_bytes,
            };
            let has = |name| answer.headers.contains_key(name);
            (response, has(http::header::CONTENT_ENCODING), has(http::header::SET_COOKIE))
        }
    }
}

#[cold]
fn inspect_decoded<R>(
    shared: &Shared,
    response: Response<'_>,
    inspect: impl FnOnce(&Response<'_>) -> R,
) -> Result<R, Failure> {
    let named = response
        .headers()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"))
        .map(|(_, value)| value);
    let codings = decode::codings(named);
    let mut plain = shared.take_buffer();
    let max = shared.settings().max_kept_body_bytes;
    let result = decode::decode(&codings, response.body, max, &mut plain)
        .map(|()| inspect(&Response { body: &plain, ..response }));
    shared.recycle(plain);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{ClientSettings, Headers, Prepared};

    /// A user's task holds its client and one exchange; ten thousand users hold ten thousand.
    #[test]
    fn a_user_is_small() {
        let shared = Shared::new(Prepared::new(ClientSettings::default()).unwrap());
        let (origin, _) = Origin::parse("http://127.0.0.1/").unwrap();
        let headers = Headers::new();
        let request = Request {
            method: "GET",
            origin: &origin,
            target: b"/",
            headers: &headers,
            body: b"",
            timeout: None,
        };
        let mut client = Client::new(shared);
        let client_bytes = size_of_val(&client);
        let exchange_bytes = size_of_val(
            &client.exchange(&request, BodyUse::Discard, |r| (r.status(), r.body_bytes())),
        );
        assert!(client_bytes <= 128, "{client_bytes}");
        assert!(exchange_bytes <= 768, "{exchange_bytes}");
    }
}
