//! The circuit breaker around a tower service.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{CircuitBreaker, Refused, handle::Inner, permit::Pass};
use crate::guard::{Answer, AsError, AsResponse, ByResult, ByStatus, Classify};

/// Puts a [`CircuitBreaker`] around a tower service. The layer is cheap to clone; all services it
/// makes share the breaker.
///
/// [`new`](Self::new) is for any service and refuses with an error, [`http`](Self::http) is for
/// HTTP and refuses with a response. The breaker sees calls, not readiness: while it is open,
/// callers still wait until the service behind is ready, which HTTP clients and axum always are.
///
/// ```
/// use proofload_kit::{CircuitBreaker, breaker::CircuitBreakerLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let breaker = CircuitBreaker::builder("users").build()?;
/// let service = ServiceBuilder::new()
///     .layer(CircuitBreakerLayer::http(&breaker))
///     .service(service_fn(|_: http::Request<()>| async {
///         Ok::<_, std::io::Error>(http::Response::new(String::new()))
///     }));
///
/// breaker.force_open();
/// let response = service.oneshot(http::Request::new(())).await?;
/// assert_eq!(response.status(), 503);
/// assert_eq!(response.headers()["retry-after"], "10");
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct CircuitBreakerLayer<C = ByResult, A = AsError> {
    breaker: CircuitBreaker,
    classify: C,
    answer: A,
}

impl CircuitBreakerLayer {
    /// For any service: errors are failures, a refusal is a [`CallError`](crate::guard::CallError).
    #[must_use]
    pub fn new(breaker: &CircuitBreaker) -> Self {
        Self { breaker: breaker.clone(), classify: ByResult, answer: AsError }
    }
}

impl CircuitBreakerLayer<ByStatus, AsResponse> {
    /// For HTTP: errors and statuses of 500 and above are failures, a refusal is a 503 with
    /// `Retry-After`. The error type stays that of the service, so it fits a router. The body must
    /// have a default, which is sent.
    #[must_use]
    pub fn http(breaker: &CircuitBreaker) -> Self {
        Self { breaker: breaker.clone(), classify: ByStatus, answer: AsResponse::default() }
    }
}

impl<C, A> CircuitBreakerLayer<C, A> {
    /// Asks `classify` what a result says of the backend. Should it panic, the call is ignored.
    pub fn classify<N>(self, classify: N) -> CircuitBreakerLayer<N, A> {
        CircuitBreakerLayer { breaker: self.breaker, classify, answer: self.answer }
    }
}

impl<S, C: Clone, A: Clone> Layer<S> for CircuitBreakerLayer<C, A> {
    type Service = CircuitBreakerService<S, C, A>;

    fn layer(&self, service: S) -> Self::Service {
        CircuitBreakerService { service, layer: self.clone() }
    }
}

/// A service behind a circuit breaker. Made by [`CircuitBreakerLayer`].
#[derive(Debug, Clone)]
pub struct CircuitBreakerService<S, C = ByResult, A = AsError> {
    service: S,
    layer: CircuitBreakerLayer<C, A>,
}

impl<Request, S, C, A> Service<Request> for CircuitBreakerService<S, C, A>
where
    S: Service<Request>,
    C: Classify<S::Response, S::Error> + Clone,
    A: Answer<Refused, S::Response, S::Error> + Clone,
{
    type Response = S::Response;
    type Error = A::Error;
    type Future = CircuitBreakerFuture<S::Future, C, A>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context).map_err(A::failed)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inner = &self.layer.breaker.inner;
        let state = match inner.admit() {
            Err(open) => State::Refused { open },
            Ok((ticket, began)) => {
                // Before the call: should it panic, the permit is there to be dropped.
                let pass = Pass::new(Arc::clone(inner), ticket, began);
                State::Called { future: self.service.call(request), pass: Some(pass) }
            }
        };
        CircuitBreakerFuture {
            state,
            classify: self.layer.classify.clone(),
            answer: self.layer.answer.clone(),
        }
    }
}

pin_project! {
    /// The response of a [`CircuitBreakerService`].
    #[derive(Debug)]
    #[must_use = "a future does nothing until it is awaited"]
    pub struct CircuitBreakerFuture<F, C, A> {
        #[pin]
        state: State<F>,
        classify: C,
        answer: A,
    }
}

pin_project! {
    #[project = StateProjection]
    #[derive(Debug)]
    enum State<F> {
        Refused { open: Refused },
        Called { #[pin] future: F, pass: Option<Pass<Arc<Inner>>> },
    }
}

impl<F, T, E, C, A> Future for CircuitBreakerFuture<F, C, A>
where
    F: Future<Output = Result<T, E>>,
    C: Classify<T, E>,
    A: Answer<Refused, T, E>,
{
    type Output = Result<T, A::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (future, pass) = match this.state.project() {
            StateProjection::Refused { open } => return Poll::Ready(this.answer.refused(*open)),
            StateProjection::Called { future, pass } => (future, pass),
        };
        // Somebody above may catch the panic of a call and drop this later, when nothing panics any
        // more.
        if let Some(pass) = pass {
            pass.running(true);
        }
        let polled = future.poll(context);
        if let Some(pass) = pass {
            pass.running(false);
        }
        let result = ready!(polled);
        if let Some(mut pass) = pass.take() {
            pass.answered();
            let outcome = this.classify.classify(&result);
            pass.end(outcome);
        }
        Poll::Ready(result.map_err(A::failed))
    }
}
