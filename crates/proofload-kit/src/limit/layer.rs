//! The limiter around a tower service.

use std::{
    fmt,
    marker::PhantomData,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::StatusCode;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{Hold, Limiter, LimiterPermit, Refused, UntilEnd, UntilHead, permit::Lesson};
use crate::{
    breaker::Outcome,
    guard::{Answer, AsError, AsResponse, ByOverload, Classify, OnlySuccess},
};

/// Puts a [`Limiter`] around a tower service. The layer is cheap to clone; all services it makes
/// share the limiter.
///
/// [`new`](Self::new) is for any service, refuses with an error, and holds a permit until the service's
/// future is done. [`http`](Self::http) is for HTTP, refuses with a response, and holds a permit until
/// the body has ended, so that what is streamed counts as the work it is. Streams that never end, of
/// events say, had better have a limiter of their own, or be held [`until_head`](Self::until_head).
///
/// An adaptive limit learns the latency up to the head in both cases: how fast a client reads says
/// nothing about the backend. Calls that are given up teach it nothing.
///
/// ```
/// use proofload_kit::{Limiter, limit::LimiterLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let limiter = Limiter::builder("api").limit(1).build()?;
/// let service = ServiceBuilder::new()
///     .layer(LimiterLayer::http(&limiter).full_status(http::StatusCode::TOO_MANY_REQUESTS))
///     .service(service_fn(|_: http::Request<()>| async {
///         Ok::<_, std::io::Error>(http::Response::new(String::new()))
///     }));
///
/// let _in_use = limiter.try_acquire()?;
/// let response = service.oneshot(http::Request::new(())).await?;
/// assert_eq!(response.status(), 429);
/// assert_eq!(response.headers()["retry-after"], "1");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct LimiterLayer<C = OnlySuccess, A = AsError, H = UntilHead> {
    limiter: Limiter,
    classify: C,
    answer: A,
    hold: H,
}

impl LimiterLayer {
    /// For any service: a refusal is a [`CallError`](crate::guard::CallError).
    #[must_use]
    pub fn new(limiter: &Limiter) -> Self {
        Self { limiter: limiter.clone(), classify: OnlySuccess, answer: AsError, hold: UntilHead }
    }
}

impl LimiterLayer<ByOverload, AsResponse, UntilEnd> {
    /// For HTTP: a refusal is a 503 with `Retry-After`. The error type stays that of the service,
    /// so it fits a router. The body must have a default, which is sent. An adaptive limit takes a
    /// 429, 503 or 504 for "too much".
    #[must_use]
    pub fn http(limiter: &Limiter) -> Self {
        Self {
            limiter: limiter.clone(),
            classify: ByOverload,
            answer: AsResponse::default(),
            hold: UntilEnd,
        }
    }
}

impl<C, H> LimiterLayer<C, AsResponse, H> {
    /// The status for calls that found the queue full, often 429. Calls that waited until the
    /// deadline get 503 in any case. Default 503.
    #[must_use]
    pub fn full_status(mut self, status: StatusCode) -> Self {
        self.answer.crowd = status;
        self
    }
}

impl<C, A, H> LimiterLayer<C, A, H> {
    /// Asks `classify` what an adaptive limit learns from a result: a success its latency, a
    /// failure that it was too much, an ignored call nothing.
    pub fn classify<N>(self, classify: N) -> LimiterLayer<N, A, H> {
        LimiterLayer { limiter: self.limiter, classify, answer: self.answer, hold: self.hold }
    }

    /// Holds permits until the service's future is done: until the head of a response.
    pub fn until_head(self) -> LimiterLayer<C, A, UntilHead> {
        self.hold(UntilHead)
    }

    /// Holds permits until the body of a response has ended or was dropped. The body becomes a
    /// [`LimiterBody`](super::LimiterBody).
    pub fn until_end(self) -> LimiterLayer<C, A, UntilEnd> {
        self.hold(UntilEnd)
    }

    fn hold<N>(self, hold: N) -> LimiterLayer<C, A, N> {
        LimiterLayer { limiter: self.limiter, classify: self.classify, answer: self.answer, hold }
    }
}

impl<S, C: Clone, A: Clone, H: Clone> Layer<S> for LimiterLayer<C, A, H> {
    type Service = LimiterService<S, C, A, H>;

    fn layer(&self, service: S) -> Self::Service {
        LimiterService { service, layer: self.clone() }
    }
}

/// A service behind a limiter. Made by [`LimiterLayer`].
#[derive(Debug, Clone)]
pub struct LimiterService<S, C = OnlySuccess, A = AsError, H = UntilHead> {
    service: S,
    layer: LimiterLayer<C, A, H>,
}

impl<Request, S, C, A, H> Service<Request> for LimiterService<S, C, A, H>
where
    S: Service<Request> + Clone,
    C: Classify<S::Response, S::Error> + Clone,
    A: Answer<Refused, H::Response, S::Error> + Clone,
    H: Hold<S::Response>,
{
    type Response = H::Response;
    type Error = A::Error;
    type Future = LimiterFuture<S, Request, C, A, H>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context).map_err(A::failed)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let limiter = &self.layer.limiter;
        let state = if limiter.inner.try_enter() {
            // Before the call: should it panic, the permit is there to be dropped.
            let permit = quiet(limiter.permit());
            State::Called { future: self.service.call(request), permit: Some(permit) }
        } else {
            // The service that is ready waits with the request; its clone takes its place.
            let clone = self.service.clone();
            let service = std::mem::replace(&mut self.service, clone);
            let limiter = limiter.clone();
            let permit: Wait = Box::pin(async move { limiter.acquire().await });
            State::Waiting { wait: permit, service, request: Some(request) }
        };
        LimiterFuture {
            state,
            classify: self.layer.classify.clone(),
            answer: self.layer.answer.clone(),
            hold: PhantomData,
        }
    }
}

/// Allocated only by calls that have to wait.
type Wait = Pin<Box<dyn Future<Output = Result<LimiterPermit, Refused>> + Send>>;

pin_project! {
    /// The response of a [`LimiterService`].
    #[must_use = "a future does nothing until it is awaited"]
    pub struct LimiterFuture<S: Service<Request>, Request, C, A, H = UntilHead> {
        #[pin]
        state: State<S, Request>,
        classify: C,
        answer: A,
        hold: PhantomData<fn() -> H>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Request>, Request> {
        Waiting { wait: Wait, service: S, request: Option<Request> },
        Called { #[pin] future: S::Future, permit: Option<LimiterPermit> },
    }
}

impl<S: Service<Request>, Request, C, A, H> fmt::Debug for LimiterFuture<S, Request, C, A, H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            State::Waiting { .. } => "waiting",
            State::Called { .. } => "called",
        };
        f.debug_struct("LimiterFuture").field("state", &state).finish_non_exhaustive()
    }
}

impl<S, Request, C, A, H> Future for LimiterFuture<S, Request, C, A, H>
where
    S: Service<Request>,
    C: Classify<S::Response, S::Error>,
    A: Answer<Refused, H::Response, S::Error>,
    H: Hold<S::Response>,
{
    type Output = Result<H::Response, A::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let (permit, future) = match this.state.as_mut().project() {
                StateProjection::Called { future, permit } => {
                    let result = ready!(future.poll(context));
                    let Some(mut permit) = permit.take() else {
                        unreachable!("polled again after it was done")
                    };
                    permit.0.teach(match this.classify.classify(&result) {
                        Outcome::Success => Lesson::Latency,
                        Outcome::Failure => Lesson::Overload,
                        Outcome::Ignored => Lesson::Nothing,
                    });
                    return Poll::Ready(match result {
                        Ok(response) => Ok(H::hold(response, permit)),
                        Err(error) => Err(A::failed(error)),
                    });
                }
                StateProjection::Waiting { wait, service, request } => {
                    let permit = match ready!(wait.as_mut().poll(context)) {
                        Ok(permit) => quiet(permit),
                        Err(refused) => return Poll::Ready(this.answer.refused(refused)),
                    };
                    let Some(request) = request.take() else {
                        unreachable!("polled again after a panic")
                    };
                    (permit, service.call(request))
                }
            };
            this.state.set(State::Called { future, permit: Some(permit) });
        }
    }
}

/// A permit that teaches nothing by being dropped: a call that is given up, or panics, was not answered.
fn quiet(mut permit: LimiterPermit) -> LimiterPermit {
    permit.0.lesson = Lesson::Nothing;
    permit
}
