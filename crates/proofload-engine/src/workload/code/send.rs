//! Sending a request: find out where it goes, send, follow, judge the answer, record.

use std::borrow::Cow;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::time::Instant;

use proofload_core::inspect::Sink;
use proofload_core::metrics::{ErrorKind, SeriesId};
use proofload_core::plan::{CheckId, VarSlot};

use super::super::exchange::{Follow, Leads, Measured, Trail, UnderWay};
use super::answer::Answer;
use super::error::RequestError;
use super::panic_message;
use super::request::RequestBuilder;
use super::scope::{Core, Tags};
use crate::http::{BodyUse, Client, Exchange, Failure, Origin, Request, redirect};
use crate::worker::Example;

impl<'u> RequestBuilder<'u> {
    /// Everything up to the verdict on the last answer. What fails before is recorded here.
    pub(super) async fn fly(mut self) -> Result<Landed<'u>, RequestError> {
        let core = self.core;
        let address = Address::of(&self.url, &self.query, core);
        let shown = shown_url(&self.url, address.as_ref().ok());
        let (name, url) = match self.name.take() {
            Some(name) => (name.into_owned(), ""),
            None => (format!("{} {shown}", self.method), &*shown),
        };
        let tags = Tags { name: &name, method: &self.method, url };
        let series = core.series(tags, self.checks.iter().map(|check| &*check.name));
        let line = Line { core, series, name };
        let address = match (self.fault.take(), address) {
            (None, Ok(address)) => address,
            (Some(fault), _) | (None, Err(fault)) => return Err(line.record_unsent(fault)),
        };
        let to_target = address.origin == core.scope.origin;
        for header in core.scope.headers.iter().filter(|header| to_target || !header.target_only) {
            if !self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(&header.name)) {
                // They were accepted when the worker was set up.
                let _ = self.headers.push(&header.name, &header.value);
            }
        }
        let landing = {
            let first = Request {
                method: &self.method,
                origin: &address.origin,
                target: address.target.as_bytes(),
                headers: &self.headers,
                body: &self.body,
                timeout: self.timeout,
            };
            let needs_body = core.scope.inspector.needs_body() && self.cached.is_none();
            let body_use =
                if self.keep_body || needs_body { BodyUse::Keep } else { BodyUse::Discard };
            let limit = self.redirects.unwrap_or(core.scope.redirects);
            let mut client = core.client.lock().await;
            let follow = Follow::first(limit);
            let going = line.exchange(&mut client, &first, body_use, follow).await;
            let landing = match going {
                Going::Landed(landing) => landing,
                Going::On(next) => {
                    Box::pin(line.follow(&mut client, &first, next, body_use, limit)).await
                }
            };
            core.count_connections(client.connections());
            landing
        };
        let Landing { under_way, intended, exchange } = landing;
        let mut landed = Landed {
            line,
            under_way,
            intended,
            sample: Measured::from(&exchange),
            timings: exchange.timings,
            answer: None,
            failure: None,
            cached: None,
        };
        match exchange.outcome {
            Ok((_, seen)) => landed.judge(self, *seen),
            Err(failure) => landed.failure = Some(failure),
        }
        Ok(landed)
    }
}

/// Where a request goes.
struct Address {
    origin: Origin,
    target: String,
    /// Elsewhere than the plan's target.
    is_foreign: bool,
}

impl Address {
    fn of(url: &str, query: &str, core: &Core) -> Result<Self, String> {
        let scope = &core.scope;
        let (origin, mut target, is_foreign) = if is_absolute(url) {
            let (origin, target) = Origin::parse(url).map_err(|error| error.to_string())?;
            (origin, target, true)
        } else {
            let slash = if url.starts_with('/') { "" } else { "/" };
            let url = url.split('#').next().unwrap_or_default();
            let target = [&scope.prefix, slash, url].concat();
            let is_clean = target.bytes().all(|b| matches!(b, b'!' | b'#'..=b'~'));
            // Rare enough to be slow: something has to be percent-encoded.
            let target = if is_clean {
                target
            } else {
                Origin::parse(&scope.origin.url(&target)).map_err(|error| error.to_string())?.1
            };
            (scope.origin.clone(), target, false)
        };
        if !query.is_empty() {
            target.push(if target.contains('?') { '&' } else { '?' });
            target.push_str(query);
        }
        Ok(Self { origin, target, is_foreign })
    }
}

fn is_absolute(url: &str) -> bool {
    let scheme = url.split(['/', '?', '#']).next().unwrap_or_default();
    scheme.ends_with(':') && url[scheme.len()..].starts_with("//")
}

/// A URL as it stands in names: as written, without the query; without credentials, if it is a
/// whole one.
fn shown_url<'a>(url: &'a str, address: Option<&Address>) -> Cow<'a, str> {
    let without_query = |url: &str| url.find(['?', '#']).unwrap_or(url.len());
    match address {
        Some(Address { origin, target, is_foreign: true }) => {
            origin.url(&target[..without_query(target)]).into()
        }
        None if is_absolute(url) => "(invalid URL)".into(),
        _ if url.starts_with('/') => url[..without_query(url)].into(),
        _ => format!("/{}", &url[..without_query(url)]).into(),
    }
}

/// One line of a report, on behalf of one user.
struct Line<'u> {
    core: &'u Core,
    series: SeriesId,
    name: String,
}

/// An answer, or where it leads.
enum Seen {
    Answer(Answer),
    Redirect(redirect::Redirect),
    /// A redirect that cannot be followed.
    Astray(Answer, Failure),
}

/// The last exchange of a request, not recorded yet.
struct Landing {
    under_way: UnderWay,
    intended: Option<Instant>,
    exchange: Exchange<Box<Seen>>,
}

enum Going {
    Landed(Landing),
    On(redirect::Redirect),
}

impl Line<'_> {
    /// One exchange. A redirect that is followed is recorded here.
    async fn exchange(
        &self,
        client: &mut Client,
        request: &Request<'_>,
        body_use: BodyUse,
        follow: Follow,
    ) -> Going {
        let intended = self.core.seat.take_intended_start();
        let under_way = UnderWay::new(Rc::clone(self.core.recorder()), self.series);
        let exchange = client
            .exchange(request, body_use, |response| {
                Box::new(match follow.leads(request, response) {
                    Leads::Nowhere => Seen::Answer(Answer::new(response)),
                    Leads::On(next) => Seen::Redirect(next),
                    Leads::Astray(failure) => Seen::Astray(Answer::new(response), failure),
                })
            })
            .await;
        let measured = Measured::from(&exchange);
        match exchange.outcome {
            Ok((status, seen)) if matches!(*seen, Seen::Redirect(_)) => {
                let Seen::Redirect(next) = *seen else { unreachable!("it was looked at") };
                under_way.ended();
                self.record(intended, &measured, status, None, None);
                Going::On(next)
            }
            _ => Going::Landed(Landing { under_way, intended, exchange }),
        }
    }

    /// The rare part: follows redirects to the last answer.
    async fn follow(
        &self,
        client: &mut Client,
        first: &Request<'_>,
        next: redirect::Redirect,
        body_use: BodyUse,
        limit: u16,
    ) -> Landing {
        let mut trail = Trail::new(first, next);
        let mut hops = 1;
        loop {
            let follow = Follow::after(hops, limit);
            match self.exchange(client, &trail.request(), body_use, follow).await {
                Going::On(next) => trail.go(next),
                Going::Landed(landing) => return landing,
            }
            hops += 1;
        }
    }

    fn record(
        &self,
        intended: Option<Instant>,
        measured: &Measured,
        status: u16,
        failure: Option<&Failure>,
        cached: Option<bool>,
    ) {
        let phase = &self.core.seat.phase;
        let kind = failure.map(|failure| failure.kind);
        let sample = measured.sample(intended, phase.open, status, kind, cached);
        phase.recorder.record(self.series, &sample);
        if let Some(failure) = failure {
            self.core.something_failed.set(true);
            phase.recorder.error_sample(failure.kind, || Example {
                request: self.name.clone(),
                message: failure.detail.to_string(),
                status,
                elapsed: measured.service(),
            });
        }
    }

    /// A request that could not be put together is one that failed at once.
    fn record_unsent(self, detail: String) -> RequestError {
        let intended = self.core.seat.take_intended_start();
        let measured = Measured::nothing();
        let failure = Failure::new(ErrorKind::Request, detail);
        self.record(intended, &measured, 0, Some(&failure), None);
        self.error(failure, None)
    }

    fn error(self, failure: Failure, answer: Option<Answer>) -> RequestError {
        RequestError {
            name: self.name,
            kind: failure.kind,
            detail: failure.detail.into_owned(),
            answer: answer.map(Box::new),
        }
    }
}

/// A request whose last exchange is over and whose verdict is being found.
pub(super) struct Landed<'u> {
    line: Line<'u>,
    under_way: UnderWay,
    intended: Option<Instant>,
    sample: Measured,
    timings: crate::http::Timings,
    answer: Option<Answer>,
    failure: Option<Failure>,
    cached: Option<bool>,
}

impl Landed<'_> {
    /// Judges a complete answer.
    fn judge(&mut self, request: RequestBuilder<'_>, seen: Seen) {
        let (mut answer, astray) = match seen {
            Seen::Answer(answer) => (answer, None),
            Seen::Astray(answer, failure) => (answer, Some(failure)),
            Seen::Redirect(_) => unreachable!("redirects have been followed"),
        };
        answer.set_timings(self.timings);
        let mut failure = astray.or_else(|| status_failure(answer.status(), &request.statuses));
        let recorder = self.line.core.recorder();
        for (index, check) in request.checks.into_iter().enumerate() {
            let holds = catch_unwind(AssertUnwindSafe(|| (check.holds)(&answer)));
            recorder.record_check(self.line.series, index, matches!(holds, Ok(true)));
            let wrong = match holds {
                Ok(true) => continue,
                Ok(false) => {
                    Failure::new(ErrorKind::CheckFailed, format!("check `{}` failed", check.name))
                }
                Err(panic) => panic_failure(&format!("check `{}`", check.name), &*panic),
            };
            failure.get_or_insert(wrong);
        }
        if failure.is_none() {
            match request.cached {
                None => self.cached = cache_hit(self.line.core, &answer),
                Some(is_hit) => match catch_unwind(AssertUnwindSafe(|| is_hit(&answer))) {
                    Ok(hit) => self.cached = Some(hit),
                    Err(panic) => failure = Some(panic_failure("the cache rule", &*panic)),
                },
            }
        }
        if !request.keep_body {
            answer.forget_body();
        }
        (self.answer, self.failure) = (Some(answer), failure);
    }

    /// Takes something out of a good answer; fails the request if that is not there.
    pub(super) fn extract<T, E: Display>(
        &mut self,
        find: impl FnOnce(&Answer) -> Result<T, E>,
    ) -> Option<T> {
        let answer = self.answer.as_ref().filter(|_| self.failure.is_none())?;
        let wrong = match catch_unwind(AssertUnwindSafe(|| find(answer))) {
            Ok(Ok(found)) => return Some(found),
            Ok(Err(error)) => Failure::new(ErrorKind::ExtractFailed, error.to_string()),
            Err(panic) => panic_failure("extracting a value", &*panic),
        };
        self.failure = Some(wrong);
        None
    }

    /// Records the request.
    pub(super) fn conclude(self) -> Result<Answer, RequestError> {
        let status = self.answer.as_ref().map_or(0, Answer::status);
        self.under_way.ended();
        self.line.record(self.intended, &self.sample, status, self.failure.as_ref(), self.cached);
        match (self.answer, self.failure) {
            (Some(answer), None) => Ok(answer),
            (answer, Some(failure)) => Err(self.line.error(failure, answer)),
            (None, None) => unreachable!("without an answer there is a failure"),
        }
    }
}

fn status_failure(status: u16, expected: &[u16]) -> Option<Failure> {
    let is_good = if expected.is_empty() { status < 400 } else { expected.contains(&status) };
    if is_good {
        return None;
    }
    let kind = match status {
        500.. => ErrorKind::Http5xx,
        400.. => ErrorKind::Http4xx,
        _ => ErrorKind::CheckFailed,
    };
    Some(Failure::new(kind, format!("status {status}")))
}

fn panic_failure(what: &str, panic: &(dyn std::any::Any + Send)) -> Failure {
    let message: Cow<'static, str> = format!("{what} panicked: {}", panic_message(panic)).into();
    Failure::new(ErrorKind::Script, message)
}

/// What the plan's rule says.
fn cache_hit(core: &Core, answer: &Answer) -> Option<bool> {
    let inspector = &core.scope.inspector;
    inspector.cache.as_ref()?;
    inspector.inspect(answer, &mut Nobody).cache_hit
}

/// Nobody needs to be told of the checks and extractions that a rule on cache hits does not have.
struct Nobody;

impl Sink for Nobody {
    fn check(&mut self, _id: CheckId, _passed: bool) {}

    fn extracted(&mut self, _slot: VarSlot, _value: &[u8]) {}
}
