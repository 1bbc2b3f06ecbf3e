//! Bodies of requests, as far as they say what is asked for.

use std::future::Future;

use bytes::{Buf, Bytes};
use http_body::Body;
use http_body_util::BodyExt as _;

/// What is known of a request's body.
#[doc(hidden)]
#[derive(Debug)]
pub enum BodyRead<B> {
    /// To be handed on; with its bytes, as far as they are part of the key.
    Known(B, Option<Bytes>),
    /// To be handed on without asking the cache.
    Unknown(B),
    /// It broke off: there is nobody to answer.
    Broken,
}

/// Whether bodies of requests are part of their key: [`IgnoreBody`] or [`HashBody`].
pub trait KeyBody<B>: sealed::Sealed + Clone + Send + Sync + 'static {
    /// Whether they are.
    const IN_KEY: bool;

    /// Reads one.
    #[doc(hidden)]
    fn read(&self, body: B) -> impl Future<Output = BodyRead<B>> + Send;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::IgnoreBody {}
    impl Sealed for super::HashBody {}
}

/// Requests with a body go to the service.
#[derive(Debug, Clone, Copy)]
pub struct IgnoreBody;

impl<B: Body + Send> KeyBody<B> for IgnoreBody {
    const IN_KEY: bool = false;

    // In HTTP/2 a body needs neither a length nor an encoding to announce it.
    async fn read(&self, body: B) -> BodyRead<B> {
        if body.is_end_stream() { BodyRead::Known(body, None) } else { BodyRead::Unknown(body) }
    }
}

/// A hash of the body is part of the key.
#[derive(Debug, Clone, Copy)]
pub struct HashBody {
    pub(super) max_bytes: usize,
}

impl<B> KeyBody<B> for HashBody
where
    B: Body + From<Bytes> + Send,
    B::Data: Send,
    B::Error: Send,
{
    const IN_KEY: bool = true;

    async fn read(&self, body: B) -> BodyRead<B> {
        // Only what says how long it is can be read without the danger of having to put it together again.
        match body.size_hint().exact() {
            Some(length) if length <= self.max_bytes as u64 => match body.collect().await {
                Ok(read) => {
                    let mut read = read.aggregate();
                    let bytes = read.copy_to_bytes(read.remaining());
                    BodyRead::Known(B::from(bytes.clone()), Some(bytes))
                }
                Err(_) => BodyRead::Broken,
            },
            _ => BodyRead::Unknown(body),
        }
    }
}
