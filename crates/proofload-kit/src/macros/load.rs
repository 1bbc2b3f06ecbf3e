//! The three ways in which a function under `#[cached]` makes its value, and what its callers are given when the
//! value cannot be made.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use super::Shape;
use super::writer::{Writer, with_key, written};
use crate::{Cache, LoadError, Loaded, Ttl};

/// The key of a call that was not answered from memory.
#[derive(Debug)]
pub struct Missing {
    key: String,
    tags: Vec<String>,
}

impl Missing {
    /// Adds a tag to the value that is about to be made.
    #[must_use]
    pub fn tag(mut self, write: impl FnOnce(&mut Writer)) -> Self {
        self.tags.push(written(write));
        self
    }
}

/// The answer that memory has, or the key under which to load one.
///
/// # Errors
/// The key, when there is something to load.
#[inline]
pub fn find<S>(
    cache: &Cache<S::Value>,
    _: S,
    write: impl FnOnce(&mut Writer),
) -> Result<S::Answer, Missing>
where
    S: Shape,
{
    with_key(write, |key| match cache.answer(key, S::OPTIONAL) {
        Some(value) => Ok(S::join(Ok(value))),
        None => Err(Missing { key: key.to_owned(), tags: Vec::new() }),
    })
}

/// What turns the failures of a load into the function's own.
#[derive(Debug)]
pub struct Failures<M, T> {
    /// Makes an error out of one that several callers share.
    pub map: M,
    /// Makes the error of a load that took too long.
    pub timeout: T,
}

/// The error of a load that took longer than the hard timeout of its cache.
pub trait OnTimeout<E> {
    /// Whether there is one.
    const GIVEN: bool;
    /// Makes it.
    fn error(self, cache: &str, after: Duration) -> E;
}

/// `timeout_error = …`
#[derive(Debug)]
pub struct TimeoutError<F>(pub F);

impl<E, F: FnOnce() -> E> OnTimeout<E> for TimeoutError<F> {
    const GIVEN: bool = true;

    fn error(self, _: &str, _: Duration) -> E {
        (self.0)()
    }
}

/// The attribute says nothing about timeouts.
#[derive(Debug)]
pub struct NoTimeoutError;

impl<E> OnTimeout<E> for NoTimeoutError {
    const GIVEN: bool = false;

    fn error(self, cache: &str, after: Duration) -> E {
        panic!(
            "a load of the cache `{cache}` took longer than {after:?}, and there is no `timeout_error` to say so"
        );
    }
}

/// One error out of an error that several callers share.
#[diagnostic::on_unimplemented(
    message = "the error `{E}` cannot be given to several callers",
    label = "one load answers all who wait for it: each needs the error",
    note = "derive `Clone` for it, return an `Arc` of it, or write `map_error = function`, which makes an error out of an `Arc` of one"
)]
pub trait OnError<E> {
    /// Makes it.
    fn another(self, shared: Arc<E>) -> E;
}

/// The attribute says nothing about errors.
#[derive(Debug)]
pub struct CloneError;

#[diagnostic::do_not_recommend]
impl<E: Clone> OnError<E> for CloneError {
    fn another(self, shared: Arc<E>) -> E {
        E::clone(&shared)
    }
}

/// `map_error = …`
#[derive(Debug)]
pub struct MapError<F>(pub F);

#[diagnostic::do_not_recommend]
impl<E, F: FnOnce(Arc<E>) -> E> OnError<E> for MapError<F> {
    fn another(self, shared: Arc<E>) -> E {
        (self.0)(shared)
    }
}

/// Makes the value in a task of its own.
pub async fn load_detached<S, M, T, Fut>(
    cache: Cache<S::Value>,
    _: S,
    missing: Missing,
    failures: Failures<M, T>,
    load: Fut,
) -> S::Answer
where
    S: Shape + 'static,
    S::Error: Send + Sync + 'static,
    M: OnError<S::Error>,
    T: OnTimeout<S::Error>,
    Fut: Future<Output = S::Answer> + Send + 'static,
{
    let failures = failures.checked(&cache);
    let Missing { key, tags } = missing;
    let loaded = if S::OPTIONAL {
        let load = async { S::split(load.await).map(|value| Loaded::new(value).tags(tags)) };
        cache.get_or_load_option(&key, || load).await
    } else {
        let load =
            async { S::split(load.await).map(|value| Loaded::new(present(value)).tags(tags)) };
        cache.get_or_load(&key, || load).await.map(Some)
    };
    S::join(loaded.map_err(|error| failures.of(&cache, error)))
}

/// Makes the value within the caller.
pub async fn load_scoped<S, M, T, Fut>(
    cache: Cache<S::Value>,
    _: S,
    missing: Missing,
    failures: Failures<M, T>,
    load: Fut,
) -> S::Answer
where
    S: Shape,
    S::Error: Send + Sync + 'static,
    M: OnError<S::Error>,
    T: OnTimeout<S::Error>,
    Fut: Future<Output = S::Answer>,
{
    let failures = failures.checked(&cache);
    let Missing { key, tags } = missing;
    let loaded = if S::OPTIONAL {
        let load = async { S::split(load.await).map(|value| Loaded::new(value).tags(tags)) };
        cache.get_or_load_option_scoped(&key, || load).await
    } else {
        let load =
            async { S::split(load.await).map(|value| Loaded::new(present(value)).tags(tags)) };
        cache.get_or_load_scoped(&key, || load).await.map(Some)
    };
    S::join(loaded.map_err(|error| failures.of(&cache, error)))
}

/// Makes the value in the calling thread.
#[expect(clippy::needless_pass_by_value, reason = "as the other two")]
pub fn compute<S, M, T>(
    cache: Cache<S::Value>,
    _: S,
    missing: Missing,
    failures: Failures<M, T>,
    compute: impl FnOnce() -> S::Answer,
) -> S::Answer
where
    S: Shape,
    S::Error: Send + Sync + 'static,
    M: OnError<S::Error>,
    T: OnTimeout<S::Error>,
{
    let Missing { key, tags } = missing;
    let computed = if S::OPTIONAL {
        cache.get_or_compute_option(&key, || {
            S::split(compute()).map(|value| Loaded::new(value).tags(tags))
        })
    } else {
        let compute = || S::split(compute()).map(|value| Loaded::new(present(value)).tags(tags));
        cache.get_or_compute(&key, compute).map(Some)
    };
    S::join(computed.map_err(|error| failures.of(&cache, error)))
}

/// Functions that are not optional always have a value.
fn present<V>(value: Option<V>) -> V {
    value.unwrap_or_else(|| unreachable!("a function that always returns a value has one"))
}

impl<M, T> Failures<M, T> {
    /// Finds out at the first load, and not at the first slow one, that there is no error for slow ones.
    fn checked<V, E>(self, cache: &Cache<V>) -> Self
    where
        V: Clone + Send + Sync + 'static,
        T: OnTimeout<E>,
    {
        if !T::GIVEN
            && let Some(after) = cache.hard_timeout()
        {
            let name = cache.name();
            panic!(
                "the cache `{name}` gives loads up after {after:?}: write `timeout_error = …` into `#[cached]`"
            );
        }
        self
    }

    /// The function's own error.
    ///
    /// # Panics
    /// When the load panicked, as the function would have.
    fn of<V, E>(self, cache: &Cache<V>, error: LoadError<E>) -> E
    where
        V: Clone + Send + Sync + 'static,
        M: OnError<E>,
        T: OnTimeout<E>,
    {
        match error {
            LoadError::Failed(error) => match Arc::try_unwrap(error) {
                Ok(error) => error,
                Err(shared) => self.map.another(shared),
            },
            LoadError::TimedOut { after } => self.timeout.error(cache.name(), after),
            LoadError::Panicked(message) => {
                panic!("the function that `#[cached]` called panicked: {message}")
            }
            LoadError::Cancelled => panic!(
                "the runtime shuts down: the load of the cache `{}` was cancelled",
                cache.name()
            ),
        }
    }
}

/// What may be given as `ttl = …`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no time to live",
    label = "expected a `Ttl`, a `Duration`, or whole seconds as `u64`"
)]
pub trait IntoTtl {
    /// As a `Ttl`.
    fn into_ttl(self) -> Ttl;
}

impl IntoTtl for Ttl {
    fn into_ttl(self) -> Ttl {
        self
    }
}

impl IntoTtl for Duration {
    fn into_ttl(self) -> Ttl {
        Ttl::from(self)
    }
}

impl IntoTtl for u64 {
    fn into_ttl(self) -> Ttl {
        Ttl::seconds(self)
    }
}

/// What may be given as a length of time.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no length of time",
    label = "expected a `Duration`, or whole seconds as `u64`"
)]
pub trait IntoDuration {
    /// As a `Duration`.
    fn into_duration(self) -> Duration;
}

impl IntoDuration for Duration {
    fn into_duration(self) -> Duration {
        self
    }
}

impl IntoDuration for u64 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(self)
    }
}

/// An argument for a load that outlives its caller.
pub fn own<T: ToOwned + ?Sized>(argument: &T) -> T::Owned {
    argument.to_owned()
}

/// `self` for a load that outlives its caller.
pub fn own_receiver<T: BackgroundSelf>(receiver: &T) -> T {
    T::own(receiver)
}

/// What a method's load can take along into the background.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be taken along by a load in the background",
    label = "the load goes on when its caller is gone: it needs a `self` of its own",
    note = "derive `Clone` (cheap, when its fields are `Arc`s and pools), or take `self: Arc<Self>`"
)]
pub trait BackgroundSelf: Sized {
    /// One of its own.
    fn own(&self) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Clone> BackgroundSelf for T {
    fn own(&self) -> T {
        self.clone()
    }
}
