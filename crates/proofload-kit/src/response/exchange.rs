//! One request on its way: from the cache, with others, or to the service.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use tokio::sync::oneshot;
use tower_service::Service;

use super::answer::{CachedResponse, Sharing};
use super::body::{self, Read, ResponseCacheBody};
use super::key;
use super::outcome::{CacheOutcome, CacheStatus, X_CACHE};
use super::question::{BodyRead, KeyBody};
use super::rules::{Verdict, is_write};
use super::shared::{Failed, Shared};
use super::vary::Vary;
use crate::{LoadError, Loaded};

/// How often a request asks anew because answers vary with more than was known.
const MOST_VARIANTS: usize = 3;

/// The service behind the cache, and what is shared with other requests.
#[derive(Clone)]
pub(super) struct Exchange<S> {
    pub(super) service: S,
    pub(super) shared: Arc<Shared>,
}

/// What is asked for.
struct Question {
    method: Method,
    path: String,
    /// The question without headers.
    base: String,
    body: Option<Bytes>,
    /// The client's `If-None-Match`.
    known: Option<HeaderValue>,
    status: CacheStatus,
}

/// Under which key an answer is loaded.
struct Slot {
    base: String,
    key: String,
    vary: Vary,
    path: String,
}

/// What the service gave to the request that was the one to ask it.
type Own<B, E> = Result<Response<ResponseCacheBody<B>>, E>;

impl<S> Exchange<S> {
    /// Answers a request.
    pub(super) async fn answer<Q, B, K>(self, request: Request<Q>, key_body: &K) -> Own<B, S::Error>
    where
        S: Service<Request<Q>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Send + 'static,
        K: KeyBody<Q>,
        Q: Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        let (mut parts, body) = request.into_parts();
        let status = CacheStatus::default();
        parts.extensions.insert(status.clone());
        let base =
            if self.shared.rules.asks(&parts, K::IN_KEY) { self.shared.base(&parts) } else { None };
        let Some(base) = base else {
            return self
                .pass(Request::from_parts(parts, body), &status, CacheOutcome::Bypass)
                .await;
        };
        let (body, bytes) = match key_body.read(body).await {
            BodyRead::Known(body, bytes) => (body, bytes),
            BodyRead::Unknown(body) => {
                return self
                    .pass(Request::from_parts(parts, body), &status, CacheOutcome::Bypass)
                    .await;
            }
            BodyRead::Broken => return Ok(empty(StatusCode::BAD_REQUEST, CacheOutcome::Bypass)),
        };
        // What is kept is the whole answer: whether the client has it already is found out here. To other methods
        // the condition means something else.
        let reads = matches!(parts.method, Method::GET | Method::HEAD);
        let known = reads.then(|| parts.headers.remove(IF_NONE_MATCH)).flatten();
        parts.headers.remove(IF_MODIFIED_SINCE);
        let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
        let question = Question { method, path, base, body: bytes, known, status };
        self.ask(question, Request::from_parts(parts, body)).await
    }

    /// Asks the cache, and through it the service.
    async fn ask<Q, B>(self, question: Question, request: Request<Q>) -> Own<B, S::Error>
    where
        S: Service<Request<Q>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send + 'static,
        S::Error: Send + 'static,
        Q: Send + 'static,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Send,
    {
        let Self { service, shared } = self;
        let mut waiting = Some(request);
        for _ in 0..MOST_VARIANTS {
            let Some(request) = waiting.take() else { break };
            let (parts, body) = request.into_parts();
            let vary = shared.vary(&question.base);
            let key = key::whole(&question.base, &parts, &vary, question.body.as_deref());
            if let Some(Some(found)) = shared.cache.answer(&key, false) {
                return Ok(question.respond(&found, CacheOutcome::Hit, shared.field()));
            }
            let request = Request::from_parts(parts, body);
            if shared.is_private(&key) {
                let exchange = Exchange { service, shared };
                return exchange.pass(request, &question.status, CacheOutcome::Bypass).await;
            }
            // The load takes it when it begins. One that the shared layer answers never does.
            let place = Arc::new(Mutex::new(Some(request)));
            let (tell, mut own) = oneshot::channel();
            let slot = Slot { base: question.base.clone(), key, vary, path: question.path.clone() };
            let key = slot.key.clone();
            // Cloned here, because services need not be `Sync`: no reference to one may be held while waiting.
            let exchange = Exchange { service: service.clone(), shared: Arc::clone(&shared) };
            let (request, mut led) = (Arc::clone(&place), false);
            let lead = &mut led;
            let load = move || {
                *lead = true;
                exchange.load(request, slot, tell)
            };
            let brought = shared.cache.get_or_load(&key, load).await;
            match brought.as_ref().map(|answer| answer.0.sharing) {
                Ok(Sharing::Answer) => {
                    let Ok(answer) = brought else { break };
                    let stale = answer.is_stale();
                    if stale && answer.0.must_revalidate && !led {
                        shared.cache.remove_local(&key);
                        waiting = take(&place);
                        continue;
                    }
                    if stale && answer.0.must_revalidate {
                        // Its own question is on its way to the service, unless the shared layer answered.
                        if let Ok(own) = own.await {
                            return question.said(own);
                        }
                        waiting = take(&place);
                        break;
                    }
                    let outcome = if stale {
                        CacheOutcome::Stale
                    } else if led && is_taken(&place) {
                        question.status.said().unwrap_or(CacheOutcome::Miss)
                    } else {
                        CacheOutcome::Hit
                    };
                    return Ok(question.respond(&answer, outcome, shared.field()));
                }
                Ok(_) | Err(LoadError::Failed(_)) if led => {
                    if let Ok(own) = own.try_recv() {
                        return question.said(own);
                    }
                    waiting = take(&place);
                    break;
                }
                Ok(Sharing::Varies) => waiting = take(&place),
                Err(LoadError::Failed(failed)) => match &failed.answer {
                    Some(answer) => {
                        return Ok(question.respond(answer, CacheOutcome::Miss, shared.field()));
                    }
                    None => {
                        waiting = take(&place);
                        break;
                    }
                },
                Err(LoadError::Panicked(message)) if led => {
                    panic!("the service panicked: {message}")
                }
                Ok(Sharing::Private) | Err(_) => {
                    waiting = take(&place);
                    break;
                }
            }
        }
        match waiting {
            Some(request) => {
                let exchange = Exchange { service, shared };
                exchange.pass(request, &question.status, CacheOutcome::Miss).await
            }
            // The load was given up with the request.
            None => Ok(empty(StatusCode::GATEWAY_TIMEOUT, CacheOutcome::Miss)),
        }
    }

    /// Asks the service for the cache, in a task of its own.
    async fn load<Q, B>(
        mut self,
        request: Arc<Place<Q>>,
        slot: Slot,
        tell: oneshot::Sender<Own<B, S::Error>>,
    ) -> Result<Loaded<CachedResponse>, Failed>
    where
        S: Service<Request<Q>, Response = Response<B>>,
        B: Body,
    {
        let Some(request) = take(&request) else { return Err(Failed { answer: None }) };
        let is_head = request.method() == Method::HEAD;
        let answered = self.call(request).await;
        let (parts, body) = match answered {
            Ok(response) => response.into_parts(),
            Err(error) => {
                // Nobody hears it when the caller is gone or was given something stale.
                let _ = tell.send(Err(error));
                return Err(Failed { answer: None });
            }
        };
        let shared = &*self.shared;
        let verdict = shared.rules.judge(&parts);
        if matches!(verdict, Verdict::Private | Verdict::Failure { vary: None }) {
            let _ = tell.send(Ok(Response::from_parts(parts, ResponseCacheBody::untouched(body))));
            return if verdict == Verdict::Private {
                private(shared, &slot.key).await
            } else {
                Err(Failed { answer: None })
            };
        }
        let body = match body::read(body, shared.settings.max_body_bytes).await {
            Read::Whole(body) => body,
            Read::Larger(body) => {
                let _ = tell.send(Ok(Response::from_parts(parts, body)));
                return private(shared, &slot.key).await;
            }
            Read::Broken(body) => {
                let _ = tell.send(Ok(Response::from_parts(parts, body)));
                return Err(Failed { answer: None });
            }
        };
        if !is_head && is_cut_off(&parts.headers, &body) {
            let _ = tell.send(Ok(Response::from_parts(parts, ResponseCacheBody::whole(body))));
            return Err(Failed { answer: None });
        }
        brought(shared, verdict, Response::from_parts(parts, body), slot, tell).await
    }

    /// To the service, past the cache.
    async fn pass<Q, B>(
        mut self,
        request: Request<Q>,
        status: &CacheStatus,
        outcome: CacheOutcome,
    ) -> Own<B, S::Error>
    where
        S: Service<Request<Q>, Response = Response<B>>,
        B: Body,
    {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self.call(request).await?;
        if self.shared.settings.writes_invalidate && is_write(&method, response.status()) {
            self.shared.written(&path).await;
        }
        let mut response = response.map(ResponseCacheBody::untouched);
        tell_outcome(&mut response, status.said().unwrap_or(outcome));
        Ok(response)
    }

    /// To the service, as soon as it is ready.
    async fn call<Q>(&mut self, request: Request<Q>) -> Result<S::Response, S::Error>
    where
        S: Service<Request<Q>>,
    {
        poll_fn(|context| self.service.poll_ready(context)).await?;
        self.service.call(request).await
    }
}

/// Whether an answer says that it is longer, or shorter, than what came (RFC 9111, section 3.3).
fn is_cut_off(headers: &HeaderMap, body: &Bytes) -> bool {
    let said = headers.get(CONTENT_LENGTH).map(|length| length.to_str().map(str::parse::<usize>));
    said.is_some_and(|said| !matches!(said, Ok(Ok(length)) if body.len() == length))
}

/// A request until somebody sends it to the service: the load, if it begins, or the caller.
type Place<Q> = Mutex<Option<Request<Q>>>;

fn take<Q>(place: &Place<Q>) -> Option<Request<Q>> {
    place.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn is_taken<Q>(place: &Place<Q>) -> bool {
    place.lock().unwrap_or_else(PoisonError::into_inner).is_none()
}

/// What a whole answer is to the cache and to those who wait.
async fn brought<B: Body, E>(
    shared: &Shared,
    verdict: Verdict,
    response: Response<Bytes>,
    slot: Slot,
    tell: oneshot::Sender<Own<B, E>>,
) -> Result<Loaded<CachedResponse>, Failed> {
    let (parts, body) = response.into_parts();
    let whole = |parts: &http::response::Parts, body: &Bytes| {
        let mut response = Response::new(ResponseCacheBody::whole(body.clone()));
        *response.status_mut() = parts.status;
        *response.headers_mut() = parts.headers.clone();
        *response.extensions_mut() = parts.extensions.clone();
        response
    };
    let own = whole(&parts, &body);
    // It is not kept, so it cannot grow old.
    let once = |parts, body| CachedResponse::new(parts, body, Duration::MAX, false, None);
    let new = verdict.vary().filter(|vary| !slot.vary.covers(vary));
    if let Some(new) = new {
        shared.learn(&slot.base, &slot.vary, new).await;
    }
    let varies = new.is_some();
    match verdict {
        Verdict::Failure { .. } => {
            let _ = tell.send(Ok(own));
            Err(Failed { answer: (!varies).then(|| once(parts, body)) })
        }
        Verdict::Keep { .. } | Verdict::Share { .. } if varies => {
            let _ = tell.send(Ok(own));
            Ok(Loaded::new(CachedResponse::none(Sharing::Varies)).do_not_keep())
        }
        Verdict::Keep { fresh_for, must_revalidate, .. } => {
            let fresh_for = fresh_for.unwrap_or_else(|| shared.fresh_for());
            let answer =
                CachedResponse::new(parts, body, fresh_for, must_revalidate, shared.field());
            let _ = tell.send(Ok(own));
            Ok(shared.keep(answer, &slot.path))
        }
        Verdict::Share { .. } | Verdict::Private => {
            shared.forget(&slot.key).await;
            let _ = tell.send(Ok(own));
            Ok(Loaded::new(once(parts, body)).do_not_keep())
        }
    }
}

/// Notes that answers to a question are for one client each.
async fn private(shared: &Shared, key: &str) -> Result<Loaded<CachedResponse>, Failed> {
    shared.note_private(key).await;
    shared.forget(key).await;
    Ok(Loaded::new(CachedResponse::none(Sharing::Private)).do_not_keep())
}

impl Question {
    /// An answer of the cache for this request.
    fn respond<B: Body>(
        &self,
        answer: &CachedResponse,
        outcome: CacheOutcome,
        field: Option<&str>,
    ) -> Response<ResponseCacheBody<B>> {
        answer.respond(&self.method, self.known.as_ref(), outcome, field)
    }

    /// What the service said to this very request.
    fn said<B: Body, E>(&self, own: Own<B, E>) -> Own<B, E> {
        own.map(|mut response| {
            tell_outcome(&mut response, self.status.said().unwrap_or(CacheOutcome::Miss));
            response
        })
    }
}

fn tell_outcome<B>(response: &mut Response<B>, outcome: CacheOutcome) {
    response.headers_mut().insert(X_CACHE, outcome.header());
    response.extensions_mut().insert(outcome);
}

/// A response without content.
fn empty<B: Body>(status: StatusCode, outcome: CacheOutcome) -> Response<ResponseCacheBody<B>> {
    let mut response = Response::new(ResponseCacheBody::whole(Bytes::new()));
    *response.status_mut() = status;
    tell_outcome(&mut response, outcome);
    response
}
