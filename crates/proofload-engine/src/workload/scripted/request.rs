//! One request of a plan's user: render, send, follow, look at the answer, record.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use proofload_core::metrics::ErrorKind;
use proofload_core::plan::Sign;
use proofload_core::template::Context;

use super::super::exchange::{Follow, Leads, Measured, Trail, UnderWay};
use super::compile::{CompiledRequest, CompiledUrl};
use super::look::{Verdict, look};
use super::sign;
use super::user::ScriptedUser;
use crate::http::{Exchange, Failure, Headers, Origin, Request, redirect};
use crate::worker::{Example, Recorder};

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
        let follow = Follow::first(redirects);
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
        next: redirect::Redirect,
        limit: u16,
    ) -> Sent {
        let mut trail = Trail::new(first, next);
        for hop in 1..=limit {
            let follow = Follow::after(hop, limit);
            match self.exchange(compiled, &trail.request(), follow).await {
                (verdict, None) => return verdict,
                (_, Some(next)) => trail.go(next),
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
        let under_way = UnderWay::new(Rc::clone(&recorder), compiled.series);
        let state = &mut self.state;
        // Where nothing was intended the exchange itself says when it began, a moment from now.
        let began = intended.unwrap_or_else(Instant::now);
        let exchange = self
            .client
            .exchange(request, compiled.body_use, |response| {
                match follow.leads(request, response) {
                    Leads::Nowhere => {
                        let verdict = look(compiled, response, began, state, &recorder);
                        Looked { verdict, next: None }
                    }
                    Leads::On(next) => Looked { next: Some(next), ..Looked::default() },
                    Leads::Astray(failure) => {
                        Looked { verdict: Verdict::from(failure), next: None }
                    }
                }
            })
            .await;
        under_way.ended();
        record(&recorder, compiled, intended, self.seat.phase.open, exchange)
    }

    fn record_unsent(&mut self, request: &CompiledRequest, message: String) -> Sent {
        let recorder = &self.seat.phase.recorder;
        let intended = self.seat.take_intended_start();
        let (measured, open) = (Measured::nothing(), self.seat.phase.open);
        let sample = measured.sample(intended, open, 0, Some(ErrorKind::Request), None);
        recorder.record(request.series, &sample);
        recorder.error_sample(ErrorKind::Request, || Example {
            request: request.name.to_string(),
            message,
            status: 0,
            elapsed: measured.service(),
        });
        Sent::Failed
    }
}

/// What was seen in an answer.
#[derive(Debug, Default)]
struct Looked {
    verdict: Verdict,
    next: Option<redirect::Redirect>,
}

fn record(
    recorder: &Recorder,
    compiled: &CompiledRequest,
    intended: Option<Instant>,
    open: bool,
    exchange: Exchange<Looked>,
) -> (Sent, Option<redirect::Redirect>) {
    let measured = Measured::from(&exchange);
    let (status, error, cached, next) = match exchange.outcome {
        Ok((status, Looked { verdict, next })) => (status, verdict.failure, verdict.cached, next),
        Err(failure) => (0, Some(failure), None, None),
    };
    let kind = error.as_ref().map(|failure| failure.kind);
    recorder.record(compiled.series, &measured.sample(intended, open, status, kind, cached));
    let Some(Failure { kind, detail }) = error else {
        return (Sent::Good, next);
    };
    recorder.error_sample(kind, || Example {
        request: compiled.name.to_string(),
        message: detail.into_owned(),
        status,
        elapsed: measured.service(),
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
        let to_target = match &request.url {
            CompiledUrl::Whole { base, .. } => origin == *base,
            CompiledUrl::Known { .. } | CompiledUrl::Path { .. } => true,
        };
        let target_headers = request.target_headers.iter().filter(|_| to_target);
        for (name, value) in request.changing_headers.iter().chain(target_headers) {
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
