//! Bodies of answers: read up to a bound so that they can be kept, or passed on as they come.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use pin_project_lite::pin_project;

pin_project! {
    /// The body of an answer that went through a [`ResponseCacheService`](super::ResponseCacheService).
    pub struct ResponseCacheBody<B: Body> {
        // Comes in this order: what was read already; what was not; the error that reading ended with; a body that
        // was not read at all.
        read: VecDeque<Frame<Bytes>>,
        rest: Option<Pin<Box<B>>>,
        error: Option<B::Error>,
        #[pin]
        untouched: Option<B>,
    }
}

impl<B: Body> ResponseCacheBody<B> {
    fn of(read: VecDeque<Frame<Bytes>>) -> Self {
        Self { read, rest: None, error: None, untouched: None }
    }

    /// All of it is known.
    pub(super) fn whole(bytes: Bytes) -> Self {
        let frames =
            if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([Frame::data(bytes)]) };
        Self::of(frames)
    }

    /// As the service gives it.
    pub(super) fn untouched(body: B) -> Self {
        Self { untouched: Some(body), ..Self::of(VecDeque::new()) }
    }
}

impl<B: Body> Body for ResponseCacheBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(frame) = this.read.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(rest) = this.rest {
            return rest.as_mut().poll_frame(context).map_ok(owned);
        }
        match this.untouched.as_pin_mut() {
            Some(body) => body.poll_frame(context).map_ok(owned),
            None => Poll::Ready(this.error.take().map(Err)),
        }
    }

    fn is_end_stream(&self) -> bool {
        let ended = |body: &B| body.is_end_stream();
        self.read.is_empty()
            && self.error.is_none()
            && self.rest.as_deref().is_none_or(ended)
            && self.untouched.as_ref().is_none_or(ended)
    }

    fn size_hint(&self) -> SizeHint {
        if self.error.is_some() {
            return SizeHint::new();
        }
        let read: u64 =
            self.read.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        let rest = self.rest.as_deref().or(self.untouched.as_ref());
        let rest = rest.map_or_else(|| SizeHint::with_exact(0), Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(read.saturating_add(rest.lower()));
        if let Some(upper) = rest.upper().and_then(|upper| upper.checked_add(read)) {
            hint.set_upper(upper);
        }
        hint
    }
}

impl<B: Body> fmt::Debug for ResponseCacheBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseCacheBody")
            .field("frames_read", &self.read.len())
            .finish_non_exhaustive()
    }
}

/// A frame whose data are our own; copies nothing where they are `Bytes` already.
fn owned<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

/// What became of reading a body.
pub(super) enum Read<B: Body> {
    /// It ended within the bound.
    Whole(Bytes),
    /// It is larger than the bound, or has trailers: to be passed on from its beginning.
    Larger(ResponseCacheBody<B>),
    /// It broke off: to be passed on from its beginning up to the error.
    Broken(ResponseCacheBody<B>),
}

/// Reads a body of at most `limit` bytes.
pub(super) async fn read<B: Body>(body: B, limit: usize) -> Read<B> {
    if body.size_hint().lower() > limit as u64 {
        return Read::Larger(ResponseCacheBody::untouched(body));
    }
    let mut body = Box::pin(body);
    let mut frames = VecDeque::new();
    let mut length = 0;
    loop {
        let frame = match body.frame().await {
            None => return Read::Whole(joined(frames, length)),
            Some(Ok(frame)) => owned(frame),
            Some(Err(error)) => {
                return Read::Broken(ResponseCacheBody {
                    error: Some(error),
                    ..ResponseCacheBody::of(frames)
                });
            }
        };
        if frame.data_ref().is_some_and(Bytes::is_empty) {
            continue;
        }
        length += frame.data_ref().map_or(0, Bytes::len);
        let keep = frame.is_data() && length <= limit;
        frames.push_back(frame);
        if !keep {
            return Read::Larger(ResponseCacheBody {
                rest: Some(body),
                ..ResponseCacheBody::of(frames)
            });
        }
    }
}

/// The data of all frames; copies nothing where there is one.
fn joined(mut frames: VecDeque<Frame<Bytes>>, length: usize) -> Bytes {
    let single = if frames.len() == 1 {
        frames.pop_front().and_then(|frame| frame.into_data().ok())
    } else {
        None
    };
    single.unwrap_or_else(|| {
        let mut bytes = BytesMut::with_capacity(length);
        frames.iter().filter_map(Frame::data_ref).for_each(|data| bytes.extend_from_slice(data));
        bytes.freeze()
    })
}

#[cfg(test)]
mod tests {
    use futures_util::stream;
    use http::HeaderMap;
    use http_body_util::{Full, StreamBody};

    use super::*;

    type Frames = Vec<Result<Frame<Bytes>, &'static str>>;

    fn body(frames: Frames) -> impl Body<Data = Bytes, Error = &'static str> {
        StreamBody::new(stream::iter(frames))
    }

    fn data(text: &'static str) -> Result<Frame<Bytes>, &'static str> {
        Ok(Frame::data(Bytes::from_static(text.as_bytes())))
    }

    /// What reading says, and what is passed on.
    async fn check(frames: Frames, expect: (&str, &str)) {
        let shown = format!("{frames:?}");
        let (kind, mut rest) = match read(body(frames), 6).await {
            Read::Whole(bytes) => ("whole", ResponseCacheBody::whole(bytes)),
            Read::Larger(body) => ("larger", body),
            Read::Broken(body) => ("broken", body),
        };
        let mut passed = String::new();
        while let Some(frame) = rest.frame().await {
            match frame.map(Frame::into_data) {
                Ok(Ok(data)) => passed.push_str(std::str::from_utf8(&data).unwrap()),
                Ok(Err(_)) => passed.push_str(" +trailers"),
                Err(error) => passed.push_str(error),
            }
        }
        assert!(kind != "whole" || rest.is_end_stream());
        assert_eq!((kind, passed.as_str()), expect, "{shown}");
    }

    #[tokio::test]
    async fn nothing_is_lost_whatever_becomes_of_a_body() {
        check(vec![], ("whole", "")).await;
        check(vec![data("abc")], ("whole", "abc")).await;
        check(vec![data("abc"), data(""), data("def")], ("whole", "abcdef")).await;
        check(vec![data("abc"), data("def"), data("g")], ("larger", "abcdefg")).await;
        check(vec![data("abcdefghi"), data("j")], ("larger", "abcdefghij")).await;
        check(vec![data("abc"), Err("!")], ("broken", "abc!")).await;
        check(vec![data("abcdefg"), Err("!")], ("larger", "abcdefg!")).await;
        let trailers = Ok(Frame::trailers(HeaderMap::new()));
        check(vec![data("abc"), trailers], ("larger", "abc +trailers")).await;
    }

    #[tokio::test]
    async fn sizes_are_known_where_they_can_be() {
        let full = || Full::<Bytes>::from("abcdef");
        assert_eq!(ResponseCacheBody::untouched(full()).size_hint().exact(), Some(6));
        let Read::Larger(larger) = read(full(), 5).await else { panic!("it is larger") };
        assert_eq!(larger.size_hint().exact(), Some(6));
        let whole: ResponseCacheBody<Full<Bytes>> = ResponseCacheBody::whole("abc".into());
        assert_eq!(whole.size_hint().exact(), Some(3));
    }
}
