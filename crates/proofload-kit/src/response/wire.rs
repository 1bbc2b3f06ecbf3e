//! Answers in a layer that processes share, with a version of their own.
//!
//! The codec there is JSON, in which bytes would be lists of numbers. Bodies that are text are written as text; what
//! is not, and values of headers, as text too, each byte as the character of its number.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::answer::{Answer, CachedResponse, Sharing};

/// Of [`Wire`]. Whoever meets another one loads anew.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Wire<'a> {
    version: u8,
    status: u16,
    headers: Vec<(String, String)>,
    /// Whether the body is text as it is.
    text: bool,
    body: std::borrow::Cow<'a, str>,
    made_ms: u64,
    fresh_ms: u64,
    must_revalidate: bool,
}

impl Serialize for CachedResponse {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Answer { status, headers, body, made_ms, fresh_ms, must_revalidate, sharing: _ } =
            &*self.0;
        let text = std::str::from_utf8(body);
        let wire = Wire {
            version: VERSION,
            status: status.as_u16(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.to_string(), characters(value.as_bytes())))
                .collect(),
            text: text.is_ok(),
            body: text.map_or_else(|_| characters(body).into(), Into::into),
            made_ms: *made_ms,
            fresh_ms: *fresh_ms,
            must_revalidate: *must_revalidate,
        };
        wire.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CachedResponse {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        if wire.version != VERSION {
            return Err(D::Error::custom(format_args!(
                "answers of version {} are not known",
                wire.version
            )));
        }
        let mut headers = HeaderMap::with_capacity(wire.headers.len());
        for (name, value) in &wire.headers {
            let name = HeaderName::from_bytes(name.as_bytes()).map_err(D::Error::custom)?;
            let value = bytes::<D::Error>(value)?;
            headers.append(name, HeaderValue::from_bytes(&value).map_err(D::Error::custom)?);
        }
        let body = if wire.text {
            wire.body.into_owned().into()
        } else {
            Bytes::from(bytes::<D::Error>(&wire.body)?)
        };
        Ok(Self(Arc::new(Answer {
            status: StatusCode::from_u16(wire.status).map_err(D::Error::custom)?,
            headers,
            body,
            made_ms: wire.made_ms,
            fresh_ms: wire.fresh_ms,
            must_revalidate: wire.must_revalidate,
            sharing: Sharing::Answer,
        })))
    }
}

/// Each byte as a character.
fn characters(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

/// Each character as a byte.
fn bytes<E: serde::de::Error>(text: &str) -> Result<Vec<u8>, E> {
    let byte = |c| u8::try_from(c).map_err(|_| E::custom("there is a character that is no byte"));
    text.chars().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Response;
    use proptest::prelude::*;

    use super::*;

    fn kept(value: &[u8], body: Vec<u8>) -> CachedResponse {
        let value = HeaderValue::from_bytes(value).unwrap();
        let head = Response::builder().status(404).header("x-a", value).header("x-a", "b");
        let parts = head.body(()).unwrap().into_parts().0;
        CachedResponse::new(parts, body.into(), Duration::from_secs(5), true, None)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(value in "[ -~é]{0,9}", body in prop::collection::vec(any::<u8>(), 0..50)) {
            let kept = kept(value.as_bytes(), body);
            let text = serde_json::to_string(&kept).unwrap();
            prop_assert_eq!(serde_json::from_str::<CachedResponse>(&text).unwrap(), kept);
        }

        #[test]
        fn nothing_foreign_is_too_strange(text in "\\PC{0,60}") {
            let _ = serde_json::from_str::<CachedResponse>(&text);
        }
    }

    #[test]
    fn text_stays_text_and_others_are_refused() {
        let text = serde_json::to_string(&kept(b"a", "größer".into())).unwrap();
        assert!(text.contains("größer"), "{text}");
        let check = |from: &str, to: &str| {
            assert!(text.contains(from), "{text}");
            assert!(
                serde_json::from_str::<CachedResponse>(&text.replace(from, to)).is_err(),
                "{to}"
            );
        };
        check("\"version\":1", "\"version\":2");
        check("\"status\":404", "\"status\":4");
        check("\"x-a\"", "\"x a\"");
        check("\"text\":true,\"body\":\"", "\"text\":false,\"body\":\"漢");
    }
}
