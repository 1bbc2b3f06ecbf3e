//! What every workload has to do around an exchange, so that all are measured alike: notice that it
//! was cut off, decide about redirects, make a sample of what was measured.

use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_core::metrics::{ErrorKind, RequestSample, SeriesId};

use crate::http::{Exchange, Failure, Headers, Request, Response, redirect};
use crate::worker::{Recorder, nanos};

/// A request under way. Dropped without an end, it was cut off and is counted as that.
#[derive(Debug)]
pub(super) struct UnderWay {
    recorder: Rc<Recorder>,
    series: SeriesId,
    ended: bool,
}

impl UnderWay {
    pub(super) fn new(recorder: Rc<Recorder>, series: SeriesId) -> Self {
        Self { recorder, series, ended: false }
    }

    /// The request has ended by itself.
    pub(super) fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        if !self.ended {
            self.recorder.record_interrupted(self.series);
        }
    }
}

/// What to do about an answer that redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Follow {
    /// It is the answer.
    No,
    /// What it leads to is the answer.
    Yes,
    /// So many have been followed, and that is the limit: it is a failure.
    NoFurther(u16),
}

/// Where an answer leads.
#[derive(Debug)]
pub(super) enum Leads {
    /// Nowhere: it is the answer.
    Nowhere,
    /// To another request.
    On(redirect::Redirect),
    /// Astray: it cannot be followed.
    Astray(Failure),
}

impl Follow {
    /// What to do about the first answer, if so many redirects may be followed.
    pub(super) fn first(limit: u16) -> Self {
        if limit > 0 { Self::Yes } else { Self::No }
    }

    /// What to do about the answer after so many redirects.
    pub(super) fn after(hops: u16, limit: u16) -> Self {
        if hops < limit { Self::Yes } else { Self::NoFurther(limit) }
    }

    /// Where the answer to `request` leads.
    pub(super) fn leads(self, request: &Request<'_>, response: &Response<'_>) -> Leads {
        if self == Self::No || !(300..400).contains(&response.status()) {
            return Leads::Nowhere;
        }
        let location = response.header("location");
        match (redirect::next(request, response.status(), location), self) {
            (Ok(None), _) => Leads::Nowhere,
            (Ok(Some(_)), Self::NoFurther(limit)) => {
                let detail = format!("still a redirect after {limit}");
                Leads::Astray(Failure::new(ErrorKind::Redirect, detail))
            }
            (Ok(Some(next)), _) => Leads::On(next),
            (Err(failure), _) => Leads::Astray(failure),
        }
    }
}

/// The way from a request along its redirects: what is asked for next.
#[derive(Debug)]
pub(super) struct Trail<'a> {
    method: &'a str,
    body: &'a [u8],
    headers: Headers,
    timeout: Option<Duration>,
    next: redirect::Redirect,
}

impl<'a> Trail<'a> {
    /// The answer to `first` led to `next`.
    pub(super) fn new(first: &Request<'a>, next: redirect::Redirect) -> Self {
        Self::after(first.method, first.body, first.headers, first.timeout, next)
    }

    /// The answer to [`Trail::request`] led to `next`.
    pub(super) fn go(&mut self, next: redirect::Redirect) {
        *self = Self::after(self.method, self.body, &self.headers, self.timeout, next);
    }

    fn after(
        method: &'a str,
        body: &'a [u8],
        headers: &Headers,
        timeout: Option<Duration>,
        next: redirect::Redirect,
    ) -> Self {
        let (method, body) = if next.to_get { ("GET", &b""[..]) } else { (method, body) };
        Self { method, body, headers: next.headers(headers), timeout, next }
    }

    /// What to ask for now.
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            method: self.method,
            origin: &self.next.origin,
            target: self.next.target.as_bytes(),
            headers: &self.headers,
            body: self.body,
            timeout: self.timeout,
        }
    }
}

/// What was measured about an exchange, but for the verdict on its answer.
#[derive(Debug)]
pub(super) struct Measured {
    started: Instant,
    /// With the service time as response time.
    sample: RequestSample,
}

impl<R> From<&Exchange<R>> for Measured {
    fn from(exchange: &Exchange<R>) -> Self {
        let timings = &exchange.timings;
        let sample = RequestSample {
            response_ns: nanos(timings.total()),
            dns_ns: timings.dns.map(nanos),
            connect_ns: timings.connect.map(nanos),
            tls_ns: timings.tls.map(nanos),
            send_ns: nanos(timings.send),
            wait_ns: nanos(timings.wait),
            receive_ns: nanos(timings.receive),
            bytes_sent: exchange.bytes_sent,
            bytes_received: exchange.bytes_received,
            new_connection: exchange.new_connection,
            reconnected: exchange.reconnected,
            ..RequestSample::default()
        };
        Self { started: timings.started, sample }
    }
}

impl Measured {
    /// Of a request that was not sent.
    pub(super) fn nothing() -> Self {
        Self { started: Instant::now(), sample: RequestSample::default() }
    }

    /// How long the exchange itself took.
    pub(super) fn service(&self) -> Duration {
        Duration::from_nanos(self.sample.response_ns)
    }

    /// The sample to record. Response time runs from the intended start where there was one; service
    /// time stands beside it in phases where they may differ.
    pub(super) fn sample(
        &self,
        intended: Option<Instant>,
        open: bool,
        status: u16,
        error: Option<ErrorKind>,
        cached: Option<bool>,
    ) -> RequestSample {
        let lag = intended.map_or(Duration::ZERO, |at| self.started.saturating_duration_since(at));
        let service_ns = self.sample.response_ns;
        RequestSample {
            response_ns: service_ns.saturating_add(nanos(lag)),
            service_ns: open.then_some(service_ns),
            error,
            status,
            cached,
            ..self.sample
        }
    }
}
