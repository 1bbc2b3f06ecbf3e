//! Until when the permit of a call is held around a tower service: until the head of the answer, or until the end
//! of its body.

use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::Response;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::LimiterPermit;

/// Until when a permit is held: [`UntilHead`] or [`UntilEnd`].
pub trait Hold<T>: sealed::Sealed {
    /// The response of the limited service.
    type Response;

    /// Hands the permit to whoever gives it back.
    fn hold(response: T, permit: LimiterPermit) -> Self::Response;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::UntilHead {}
    impl Sealed for super::UntilEnd {}
}

/// Until the service's future is done, as tower's own `ConcurrencyLimit` does.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UntilHead;

/// Until the body of the response has ended or was dropped, as Envoy's limits do: what is streamed is
/// work, too.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UntilEnd;

impl<T> Hold<T> for UntilHead {
    type Response = T;

    fn hold(response: T, permit: LimiterPermit) -> T {
        drop(permit);
        response
    }
}

impl<B: Body> Hold<Response<B>> for UntilEnd {
    type Response = Response<LimiterBody<B>>;

    fn hold(response: Response<B>, permit: LimiterPermit) -> Self::Response {
        response.map(|body| {
            let permit = (!body.is_end_stream()).then_some(permit);
            LimiterBody { body, permit }
        })
    }
}

pin_project! {
    /// The body of a response that a limiter let through. Its permit is free again when it has ended,
    /// or is dropped.
    #[derive(Debug, Default)]
    pub struct LimiterBody<B> {
        // Dropped before the permit is given back: what it holds may be what is limited.
        #[pin]
        body: B,
        permit: Option<LimiterPermit>,
    }
}

impl<B: Body> Body for LimiterBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let mut this = self.project();
        let frame = ready!(this.body.as_mut().poll_frame(context));
        if !matches!(frame, Some(Ok(_))) || this.body.is_end_stream() {
            *this.permit = None;
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(all(test, not(kit_loom)))]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;
    use http_body_util::{BodyExt as _, Full, StreamBody};

    use super::*;
    use crate::Limiter;

    type Frames = Vec<Result<Frame<Bytes>, &'static str>>;

    /// How many permits are in use before the body is read, after each frame, and after it is dropped.
    async fn check<B: Body<Data = Bytes, Error: std::fmt::Debug> + Unpin>(
        body: B,
        expect: &[usize],
    ) {
        let limiter = Limiter::builder("api").limit(2).build().unwrap();
        let permit = limiter.try_acquire().unwrap();
        let mut body = UntilEnd::hold(Response::new(body), permit).into_body();
        let mut seen = vec![limiter.in_use()];
        while body.frame().await.is_some() {
            seen.push(limiter.in_use());
        }
        seen.push(limiter.in_use());
        assert_eq!(seen, expect);
        drop(body);
        assert_eq!(limiter.in_use(), 0);
    }

    #[tokio::test]
    async fn a_permit_is_held_until_the_last_of_the_body() {
        let stream = |frames: Frames| StreamBody::new(stream::iter(frames));
        let data = || Ok(Frame::data(Bytes::from_static(b"x")));
        check(Full::<Bytes>::default(), &[0, 0]).await;
        check(Full::<Bytes>::from("x"), &[1, 0, 0]).await;
        check(stream(vec![data(), data()]), &[1, 1, 1, 0]).await;
        check(stream(vec![data(), Err("broke off")]), &[1, 1, 0, 0]).await;
    }

    #[tokio::test]
    async fn a_client_that_goes_away_gives_it_back() {
        let limiter = Limiter::builder("api").limit(1).build().unwrap();
        let permit = limiter.try_acquire().unwrap();
        let response = UntilEnd::hold(Response::new(Full::<Bytes>::from("x")), permit);
        assert_eq!(limiter.in_use(), 1);
        drop(response);
        assert_eq!(limiter.in_use(), 0);
    }
}
