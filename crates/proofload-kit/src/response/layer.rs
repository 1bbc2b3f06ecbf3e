//! The layer and its service.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Method, Request, Response};
use http_body::Body;
use tower_layer::Layer;
use tower_service::Service;

use super::ResponseCacheBody;
use super::answer::CachedResponse;
use super::builder::ResponseCacheBuilder;
use super::exchange::Exchange;
use super::key;
use super::question::{IgnoreBody, KeyBody};
use super::shared::Shared;
use crate::{Cache, Ttl};

/// Puts a [`ResponseCacheService`] before services. All services it is put before share one cache.
pub struct ResponseCacheLayer<K = IgnoreBody> {
    pub(super) shared: Arc<Shared>,
    pub(super) body: K,
}

impl ResponseCacheLayer {
    /// A layer with a cache of that name, whose answers are fresh for that long unless they say otherwise.
    pub fn builder(name: impl Into<String>, ttl: impl Into<Ttl>) -> ResponseCacheBuilder {
        ResponseCacheBuilder::new(name.into(), ttl.into())
    }
}

impl<K> ResponseCacheLayer<K> {
    /// The cache below: its statistics, and invalidation. Keys begin with method and path (see
    /// [`key_prefix`](Self::key_prefix)); each answer has the tag `path:` and its path.
    pub fn cache(&self) -> &Cache<CachedResponse> {
        &self.shared.cache
    }

    /// What all keys of a path begin with: of this path itself, and of those it is the beginning of.
    ///
    /// ```
    /// use http::Method;
    /// use proofload_kit::Ttl;
    /// use proofload_kit::response::ResponseCacheLayer;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let layer = ResponseCacheLayer::builder("api", Ttl::QUERY).build()?;
    /// layer.cache().invalidate_prefix(&layer.key_prefix(&Method::GET, "/api/users/")).await;
    /// # Ok(())
    /// # }
    /// ```
    pub fn key_prefix(&self, method: &Method, path: &str) -> String {
        key::resource(method, path)
    }
}

impl<K: Clone> Clone for ResponseCacheLayer<K> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), body: self.body.clone() }
    }
}

impl<K> fmt::Debug for ResponseCacheLayer<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCacheLayer")
            .field("cache", &self.shared.cache)
            .finish_non_exhaustive()
    }
}

impl<S, K: Clone> Layer<S> for ResponseCacheLayer<K> {
    type Service = ResponseCacheService<S, K>;

    fn layer(&self, inner: S) -> ResponseCacheService<S, K> {
        ResponseCacheService { inner, shared: Arc::clone(&self.shared), body: self.body.clone() }
    }
}

/// A service whose answers are kept.
pub struct ResponseCacheService<S, K = IgnoreBody> {
    inner: S,
    shared: Arc<Shared>,
    body: K,
}

impl<S: Clone, K: Clone> Clone for ResponseCacheService<S, K> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            shared: Arc::clone(&self.shared),
            body: self.body.clone(),
        }
    }
}

impl<S, K> fmt::Debug for ResponseCacheService<S, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCacheService")
            .field("cache", &self.shared.cache)
            .finish_non_exhaustive()
    }
}

impl<S, K, Q, B> Service<Request<Q>> for ResponseCacheService<S, K>
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
    type Response = Response<ResponseCacheBody<B>>;
    type Error = S::Error;
    type Future = ResponseCacheFuture<B, S::Error>;

    /// Always ready: what is in the cache need not wait for the service. Whoever goes to the service waits there until
    /// it is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Q>) -> Self::Future {
        let exchange = Exchange { service: self.inner.clone(), shared: Arc::clone(&self.shared) };
        let body = self.body.clone();
        ResponseCacheFuture(Box::pin(async move { exchange.answer(request, &body).await }))
    }
}

type Answer<B, E> = Result<Response<ResponseCacheBody<B>>, E>;

/// The answer of a [`ResponseCacheService`].
#[must_use = "a future does nothing until it is awaited"]
pub struct ResponseCacheFuture<B: Body, E>(Pin<Box<dyn Future<Output = Answer<B, E>> + Send>>);

impl<B: Body, E> Future for ResponseCacheFuture<B, E> {
    type Output = Answer<B, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<B: Body, E> fmt::Debug for ResponseCacheFuture<B, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCacheFuture").finish_non_exhaustive()
    }
}
