//! One request of a plan's user: render, send, follow, look at the answer, record.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use proofload_core::metrics::{ErrorKind, RequestSample, SeriesId};
use proofload_core::plan::Sign;
use proofload_core::template::Context;

use super::compile::{CompiledRequest, CompiledUrl};
use super::look::{Verdict, look};
use super::sign;
use super::user::ScriptedUser;
use crate::http::{Exchange, Failure, Headers, Origin, Request, Response, redirect};
use crate::worker::{Example, Recorder, nanos};

/// How a request ended, for the flow of the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// An answer came and everything that had to hold held.
    Good,
    /// Anything else; it has been recorded.
    Failed,
}

/// Memory for requests that change, lent to users while they have one under way. A user that thinks
/// holds none.
#[derive(Debug, Default)]
pub(super) struct Buffers(RefCell<Vec<Rendered>>);

/// A request as it is sent.
#[derive(Debug, Default)]
struct Rendered {
    target: Vec<u8>,
    headers: Headers,
    body: Vec<u8>,
    value: Vec<u8>,
}

impl Buffers {
    fn take(&self) -> Rendered {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    fn give_back(&self, buffers: Rendered) {
        self.0.borrow_mut().push(buffers);
    }
}

impl ScriptedUser {
    /// Sends one request of the plan and everything that follows from it.
    pub(super) async fn request(&mut self, request: &Rc<CompiledRequest>) -> Sent {
        let sent = if request.is_static {
            let CompiledUrl::Known { origin, target } = &request.url else {
                unreachable!("a static request has a known URL")
            };
            let body = request.spec.body.as_ref().and_then(|body| body.content.as_literal());
            self.send(
                request,
                &Request {
                    method: request.spec.method.as_str(),
                    origin,
                    target,
                    headers: &request.headers,
                    body: body.unwrap_or_default(),
                    timeout: request.spec.timeout,
                },
            )
            .await
        } else {
            self.send_rendered(request).await
        };
        self.count_connections();
        sent
    }

    async fn send_rendered(&mut self, request: &Rc<CompiledRequest>) -> Sent {
        let mut rendered = self.scope.buffers.take();
        let sent = match rendered.fill(request, &mut self.state) {
            Ok(origin) => {
                self.send(
                    request,
                    &Request {
                        method: request.spec.method.as_str(),
                        origin: &origin,
                        target: &rendered.target,
                        headers: &rendered.headers,
                        body: &rendered.body,
                        timeout: request.spec.timeout,
                    },
                )
                .await
            }
            Err(message) => self.record_unsent(request, message),
        };
        self.scope.buffers.give_back(rendered);
        sent
    }

    /// Sends a request and follows its redirects. Every exchange is recorded by itself: each is one
    /// request in the server's log.
    async fn send(&mut self, compiled: &CompiledRequest, first: &Request<'_>) -> Sent {
        let redirects = compiled.spec.redirects.map_or(self.scope.redirects, |limit| limit.0);
        let follow = if redirects > 0 { Follow::Yes } else { Follow::No };
        let (verdict, next) = self.exchange(compiled, first, follow).await;
        let Some(next) = next else {
            return verdict;
        };
        Box::pin(self.follow(compiled, first, next, redirects)).await
    }

    /// The rare part of [`ScriptedUser::send`].
    async fn follow(
        &mut self,
        compiled: &CompiledRequest,
        first: &Request<'_>,
        mut next: redirect::Redirect,
        limit: u16,
    ) -> Sent {
        let (mut method, mut body) = (first.method, first.body);
        let mut headers = first.headers.clone();
        for hop in 1..=limit {
            if next.to_get {
                (method, body) = ("GET", b"");
            }
            headers = next.headers(&headers);
            let request = Request {
                method,
                origin: &next.origin,
                target: next.target.as_bytes(),
                headers: &headers,
                body,
                timeout: first.timeout,
            };
            let follow = if hop < limit { Follow::Yes } else { Follow::NoFurther(limit) };
            let (verdict, further) = self.exchange(compiled, &request, follow).await;
            match further {
                None => return verdict,
                Some(redirect) => next = redirect,
            }
        }
        Sent::Failed
    }

    /// One exchange, recorded. An answer whose redirect is followed is not looked at: what it leads
    /// to is.
    async fn exchange(
        &mut self,
        compiled: &CompiledRequest,
        request: &Request<'_>,
        follow: Follow,
    ) -> (Sent, Option<redirect::Redirect>) {
        let intended = self.seat.take_intended_start();
        let recorder = Rc::clone(&self.seat.phase.recorder);
        let under_way = UnderWay::new(&recorder, compiled.series);
        let state = &mut self.state;
        // Where nothing was intended the exchange itself says when it began, a moment from now.
        let began = intended.unwrap_or_else(Instant::now);
        let exchange = self
            .client
            .exchange(request, compiled.body_use, |response| {
                if let Some(looked) = follow.look(request, response) {
                    return looked;
                }
                Looked { verdict: look(compiled, response, began, state, &recorder), next: None }
            })
            .await;
        under_way.ended();
        record(&recorder, compiled, intended, self.seat.phase.open, exchange)
    }

    fn record_unsent(&mut self, request: &CompiledRequest, message: String) -> Sent {
        let recorder = &self.seat.phase.recorder;
        let intended = self.seat.take_intended_start();
        let lag = intended.map_or(Duration::ZERO, |at| at.elapsed());
        let sample = RequestSample {
            response_ns: nanos(lag),
            error: Some(ErrorKind::Request),
            ..RequestSample::default()
        };
        recorder.record(request.series, &sample);
        recorder.error_sample(ErrorKind::Request, || Example {
            request: request.name.to_string(),
            message,
            status: 0,
            elapsed: lag,
        });
        Sent::Failed
    }
}

/// What to do about an answer that redirects.
#[derive(Clone, Copy, Debug)]
enum Follow {
    /// It is the answer.
    No,
    /// What it leads to is the answer.
    Yes,
    /// So many have been followed, and that is the limit: it is a failure.
    NoFurther(u16),
}

impl Follow {
    /// What is seen in an answer that redirects; `None` where the answer is to be looked at itself.
    fn look(self, request: &Request<'_>, response: &Response<'_>) -> Option<Looked> {
        if matches!(self, Self::No) || !(300..400).contains(&response.status()) {
            return None;
        }
        let location = response.header("location");
        match (redirect::next(request, response.status(), location), self) {
            (Ok(None), _) => None,
            (Ok(Some(_)), Self::NoFurther(limit)) => {
                let detail = format!("still a redirect after {limit}");
                Some(Verdict::from(Failure::new(ErrorKind::Redirect, detail)).into())
            }
            (Ok(next), _) => Some(Looked { next, ..Looked::default() }),
            (Err(failure), _) => Some(Verdict::from(failure).into()),
        }
    }
}

/// What was seen in an answer.
#[derive(Debug, Default)]
struct Looked {
    verdict: Verdict,
    next: Option<redirect::Redirect>,
}

impl From<Verdict> for Looked {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, next: None }
    }
}

fn record(
    recorder: &Recorder,
    compiled: &CompiledRequest,
    intended: Option<Instant>,
    open: bool,
    exchange: Exchange<Looked>,
) -> (Sent, Option<redirect::Redirect>) {
    let timings = &exchange.timings;
    let service_ns = nanos(timings.total());
    let lag = intended.map_or(Duration::ZERO, |at| timings.started.saturating_duration_since(at));
    let (status, error, cached, next) = match exchange.outcome {
        Ok((status, looked)) => {
            let Looked { verdict, next } = looked;
            (status, verdict.failure, verdict.cached, next)
        }
        Err(failure) => (0, Some(failure), None, None),
    };
    let sample = RequestSample {
        response_ns: service_ns.saturating_add(nanos(lag)),
        service_ns: open.then_some(service_ns),
        dns_ns: timings.dns.map(nanos),
        connect_ns: timings.connect.map(nanos),
        tls_ns: timings.tls.map(nanos),
        send_ns: nanos(timings.send),
        wait_ns: nanos(timings.wait),
        receive_ns: nanos(timings.receive),
        error: error.as_ref().map(|failure| failure.kind),
        status,
        bytes_sent: exchange.bytes_sent,
        bytes_received: exchange.bytes_received,
        cached,
        new_connection: exchange.new_connection,
        reconnected: exchange.reconnected,
    };
    recorder.record(compiled.series, &sample);
    let Some(Failure { kind, detail }) = error else {
        return (Sent::Good, next);
    };
    recorder.error_sample(kind, || Example {
        request: compiled.name.to_string(),
        message: detail.into_owned(),
        status,
        elapsed: timings.total(),
    });
    (Sent::Failed, next)
}

impl Rendered {
    /// Renders everything that changes; says where it goes, or why it cannot be sent.
    fn fill(
        &mut self,
        request: &CompiledRequest,
        state: &mut impl Context,
    ) -> Result<Origin, String> {
        self.target.clear();
        let origin = self.fill_target(&request.url, state)?;
        self.headers.clone_from(&request.headers);
        for (name, value) in &request.changing_headers {
            self.value.clear();
            value.render(state, &mut self.value).map_err(|error| error.to_string())?;
            self.headers.push(name, &self.value).map_err(|error| error.to_string())?;
        }
        self.body.clear();
        if let Some(body) = &request.spec.body {
            body.content.render(state, &mut self.body).map_err(|error| error.to_string())?;
        }
        match &request.spec.sign {
            None => {}
            Some(Sign::Twilio { auth_token }) => {
                self.value.clear();
                auth_token.render(state, &mut self.value).map_err(|error| error.to_string())?;
                let url = origin.url(&String::from_utf8_lossy(&self.target));
                let signature = sign::twilio(&self.value, &url, &self.body);
                self.headers
                    .push("x-twilio-signature", signature)
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(origin)
    }

    fn fill_target(
        &mut self,
        url: &CompiledUrl,
        state: &mut impl Context,
    ) -> Result<Origin, String> {
        match url {
            CompiledUrl::Known { origin, target } => {
                self.target.extend_from_slice(target);
                Ok(origin.clone())
            }
            CompiledUrl::Path { origin, prefix, path } => {
                self.target.extend_from_slice(prefix);
                path.render(state, &mut self.target).map_err(|error| error.to_string())?;
                Ok(origin.clone())
            }
            CompiledUrl::Whole { base, prefix, url } => {
                self.value.clear();
                url.render(state, &mut self.value).map_err(|error| error.to_string())?;
                if self.value.starts_with(b"/") {
                    self.target.extend_from_slice(prefix);
                    self.target.extend_from_slice(&self.value);
                    return Ok(base.clone());
                }
                let text = String::from_utf8_lossy(&self.value);
                // The same origin again and again, as a rule: parsing it each time is the price of a
                // URL that is not known in advance.
                let (origin, target) = Origin::parse(&text).map_err(|error| error.to_string())?;
                self.target.extend_from_slice(target.as_bytes());
                Ok(origin)
            }
        }
    }
}

/// A request under way. Dropped without an end, it was cut off and is counted as that.
struct UnderWay<'a> {
    recorder: &'a Recorder,
    series: SeriesId,
    ended: bool,
}

impl<'a> UnderWay<'a> {
    fn new(recorder: &'a Recorder, series: SeriesId) -> Self {
        Self { recorder, series, ended: false }
    }

    fn ended(mut self) {
        self.ended = true;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.recorder.record_interrupted(self.series);
        }
    }
}
