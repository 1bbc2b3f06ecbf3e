//! Retries around a tower service.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::SystemTime,
};

use http::{Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use super::{Advice, Retry};
use crate::guard::retry_after_of;

/// What a result says of trying again. Any closure of that form does.
pub trait Advise<T, E> {
    /// `None`: this is the answer.
    fn advise(&self, result: &Result<T, E>) -> Option<Advice>;
}

impl<T, E, F: Fn(&Result<T, E>) -> Option<Advice>> Advise<T, E> for F {
    fn advise(&self, result: &Result<T, E>) -> Option<Advice> {
        self(result)
    }
}

/// How a request is made once more. Any closure of that form does.
pub trait Repeat<R> {
    /// The same request, or `None` if it must not be repeated.
    fn repeat(&self, request: &R) -> Option<R>;
}

impl<R, F: Fn(&R) -> Option<R>> Repeat<R> for F {
    fn repeat(&self, request: &R) -> Option<R> {
        self(request)
    }
}

/// Every error is worth another try.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnError;

impl<T, E> Advise<T, E> for OnError {
    fn advise(&self, result: &Result<T, E>) -> Option<Advice> {
        result.is_err().then_some(Advice::Retry)
    }
}

/// Errors and the statuses 429, 502, 503 and 504 are worth another try, not before their `Retry-After`,
/// in seconds or as a date. A date is compared with the response's own `Date`, so that clocks need not agree.
#[derive(Debug, Clone, Copy, Default)]
pub struct OnStatus;

impl<B, E> Advise<Response<B>, E> for OnStatus {
    fn advise(&self, result: &Result<Response<B>, E>) -> Option<Advice> {
        let Ok(response) = result else { return Some(Advice::Retry) };
        match response.status().as_u16() {
            429 | 502..=504 => {
                let hint = retry_after_of(response.headers(), SystemTime::now());
                Some(hint.map_or(Advice::Retry, Advice::RetryAfter))
            }
            _ => None,
        }
    }
}

/// Requests are cloned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cloned;

impl<R: Clone> Repeat<R> for Cloned {
    fn repeat(&self, request: &R) -> Option<R> {
        Some(request.clone())
    }
}

/// Requests are cloned if their method is idempotent: what is done twice is as if done once.
#[derive(Debug, Clone, Copy, Default)]
pub struct Idempotent;

impl<B: Clone> Repeat<Request<B>> for Idempotent {
    fn repeat(&self, request: &Request<B>) -> Option<Request<B>> {
        let idempotent = [
            Method::GET,
            Method::HEAD,
            Method::OPTIONS,
            Method::TRACE,
            Method::PUT,
            Method::DELETE,
        ];
        idempotent.contains(request.method()).then(|| request.clone())
    }
}

/// Puts a [`Retry`] around a tower service: usually a client, outside of its breaker. Tell the policy of that
/// by [`RetryBuilder::breaker`](super::RetryBuilder::breaker), or it waits for as long as the breaker says.
///
/// [`new`](Self::new) is for any service whose requests can be cloned, [`http`](Self::http) is for
/// HTTP. Every call allocates once, for its future.
///
/// ```
/// use proofload_kit::retry::{Retry, RetryLayer};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let retry = Retry::builder("users").build()?;
/// let answers = std::sync::Arc::new(std::sync::Mutex::new(vec![200, 503]));
/// let server = service_fn(move |_: http::Request<()>| {
///     let status = answers.lock().unwrap().pop().unwrap();
///     async move { http::Response::builder().status(status).body(()) }
/// });
/// let client = ServiceBuilder::new().layer(RetryLayer::http(&retry)).service(server);
/// assert_eq!(client.oneshot(http::Request::new(())).await?.status(), 200);
/// assert_eq!(retry.stats().recovered, 1);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct RetryLayer<W = OnError, R = Cloned> {
    retry: Retry,
    advise: W,
    repeat: R,
}

impl RetryLayer {
    /// For any service: every error is worth another try.
    #[must_use]
    pub fn new(retry: &Retry) -> Self {
        Self { retry: retry.clone(), advise: OnError, repeat: Cloned }
    }
}

impl RetryLayer<OnStatus, Idempotent> {
    /// For HTTP: errors and the statuses 429, 502, 503 and 504 of idempotent requests. A
    /// `Retry-After` is waited for.
    #[must_use]
    pub fn http(retry: &Retry) -> Self {
        Self { retry: retry.clone(), advise: OnStatus, repeat: Idempotent }
    }
}

impl<W, R> RetryLayer<W, R> {
    /// Asks `advise` what a result says of trying again.
    pub fn advise<N>(self, advise: N) -> RetryLayer<N, R> {
        RetryLayer { retry: self.retry, advise, repeat: self.repeat }
    }

    /// Asks `repeat` for the request of the next try; with [`Cloned`], requests of any method are
    /// repeated.
    pub fn repeat<N>(self, repeat: N) -> RetryLayer<W, N> {
        RetryLayer { retry: self.retry, advise: self.advise, repeat }
    }
}

impl<S, W: Clone, R: Clone> Layer<S> for RetryLayer<W, R> {
    type Service = RetryService<S, W, R>;

    fn layer(&self, service: S) -> Self::Service {
        RetryService { service, layer: self.clone() }
    }
}

/// A service whose calls are tried again. Made by [`RetryLayer`].
#[derive(Debug, Clone)]
pub struct RetryService<S, W = OnError, R = Cloned> {
    service: S,
    layer: RetryLayer<W, R>,
}

impl<Req, S, W, R> Service<Req> for RetryService<S, W, R>
where
    Req: Send + 'static,
    S: Service<Req> + Clone + Send + 'static,
    S::Future: Send,
    S::Response: Send,
    S::Error: Send,
    W: Advise<S::Response, S::Error> + Clone + Send + 'static,
    R: Repeat<Req> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RetryFuture<S::Response, S::Error>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: Req) -> Self::Future {
        // The service that is ready makes the first try; its clone takes its place.
        let clone = self.service.clone();
        let mut service = std::mem::replace(&mut self.service, clone);
        let RetryLayer { retry, advise, repeat } = self.layer.clone();
        RetryFuture(Box::pin(async move {
            let mut course = retry.begin();
            let mut request = request;
            loop {
                let next = repeat.repeat(&request);
                let result = service.call(request).await;
                let advice = advise.advise(&result);
                let Some(advice) = advice else {
                    course.succeeded();
                    return result;
                };
                let advice = if next.is_some() { advice } else { Advice::Stop };
                let (Some(wait), Some(next)) = (course.wait_after(advice), next) else {
                    return result;
                };
                // A response may hold a connection or a permit, which others need meanwhile. That a breaker opens
                // during the wait is therefore told by the breaker itself, at the next try.
                drop(result);
                course.pause(wait).await;
                course.next();
                request = next;
                std::future::poll_fn(|context| service.poll_ready(context)).await?;
            }
        }))
    }
}

/// The response of a [`RetryService`].
#[must_use = "a future does nothing until it is awaited"]
pub struct RetryFuture<T, E>(Pin<Box<dyn Future<Output = Result<T, E>> + Send>>);

impl<T, E> Future for RetryFuture<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T, E> fmt::Debug for RetryFuture<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryFuture").finish_non_exhaustive()
    }
}
