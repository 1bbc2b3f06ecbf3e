//! Puts an HTTP/1.1 request together.

use std::io::Write;

use proofload_core::metrics::ErrorKind;

use crate::http::exchange::Failure;
use crate::http::request::Request;
use crate::http::shared::Shared;
use crate::http::syntax;

/// Checks what a request is made of. Headers were checked when they were pushed.
pub(crate) fn check(request: &Request<'_>) -> Result<(), Failure> {
    if !syntax::is_token(request.method.as_bytes()) {
        return Err(refused(format!("method `{}` is not valid", request.method)));
    }
    if !syntax::is_target(request.target) || !matches!(request.target[0], b'/' | b'*') {
        return Err(refused(format!(
            "target `{}` must begin with / and be percent-encoded",
            String::from_utf8_lossy(request.target)
        )));
    }
    Ok(())
}

fn refused(detail: String) -> Failure {
    Failure::new(ErrorKind::Request, detail)
}

/// Whether a body length must be told: where there is a body, and where the method is one that
/// usually has one (RFC 9110 §8.6).
pub(crate) fn tells_length(request: &Request<'_>) -> bool {
    !request.headers.given().content_length
        && (!request.body.is_empty() || matches!(request.method, "POST" | "PUT" | "PATCH"))
}

/// Writes the head of a request to the end of `out`.
pub(crate) fn head(
    out: &mut Vec<u8>,
    request: &Request<'_>,
    shared: &Shared,
    cookies: Option<&[u8]>,
) {
    let given = request.headers.given();
    for part in [request.method.as_bytes(), b" ", request.target, b" HTTP/1.1\r\n"] {
        out.extend_from_slice(part);
    }
    if !given.host {
        out.extend_from_slice(request.origin.host_line());
    }
    if !given.user_agent {
        out.extend_from_slice(shared.user_agent_line());
    }
    if !given.accept_encoding {
        out.extend_from_slice(shared.accept_encoding_line());
    }
    out.extend_from_slice(request.headers.lines());
    if let Some(cookies) = cookies
        && !given.cookie
    {
        out.extend_from_slice(b"Cookie: ");
        out.extend_from_slice(cookies);
        out.extend_from_slice(b"\r\n");
    }
    if !given.connection && !shared.settings().keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    }
    if tells_length(request) {
        // Writing to a vector cannot fail.
        let _ = write!(out, "Content-Length: {}\r\n", request.body.len());
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{ClientSettings, Headers, Origin, Prepared};

    fn encode(
        method: &str,
        headers: &[(&str, &str)],
        body: &[u8],
        settings: ClientSettings,
    ) -> String {
        let (origin, target) = Origin::parse("http://a.test:81/x?y=z").unwrap();
        let mut block = Headers::new();
        for (name, value) in headers {
            block.push(name, value).unwrap();
        }
        let request = Request {
            method,
            origin: &origin,
            target: target.as_bytes(),
            headers: &block,
            body,
            timeout: None,
        };
        check(&request).unwrap();
        let shared = Shared::new(Prepared::new(settings).unwrap());
        let mut out = Vec::new();
        head(&mut out, &request, &shared, Some(b"k=v"));
        String::from_utf8(out).unwrap()
    }

    fn plain() -> ClientSettings {
        ClientSettings {
            user_agent: Some("U".into()),
            accept_encoding: None,
            ..ClientSettings::default()
        }
    }

    #[test]
    fn writes_the_usual_headers() {
        assert_eq!(
            encode("GET", &[("A", "b")], b"", plain()),
            "GET /x?y=z HTTP/1.1\r\nHost: a.test:81\r\nUser-Agent: U\r\nA: b\r\nCookie: k=v\r\n\r\n"
        );
        let default = encode("GET", &[], b"", ClientSettings::default());
        assert!(default.contains("User-Agent: proofload/"), "{default}");
        assert!(default.contains("Accept-Encoding: gzip, deflate, br, zstd\r\n"), "{default}");
    }

    #[test]
    fn given_headers_replace_its_own() {
        let given = [
            ("host", "h"),
            ("user-agent", "u"),
            ("accept-encoding", "e"),
            ("cookie", "c"),
            ("connection", "close"),
            ("content-length", "7"),
        ];
        let settings = ClientSettings { keep_alive: false, ..ClientSettings::default() };
        assert_eq!(
            encode("POST", &given, b"x", settings),
            "POST /x?y=z HTTP/1.1\r\nhost: h\r\nuser-agent: u\r\naccept-encoding: e\r\n\
             cookie: c\r\nconnection: close\r\ncontent-length: 7\r\n\r\n"
        );
    }

    #[test]
    fn tells_the_length_of_a_body() {
        for (method, body, tells) in [
            ("GET", "", None),
            ("GET", "ab", Some("Content-Length: 2\r\n")),
            ("POST", "", Some("Content-Length: 0\r\n")),
            ("DELETE", "", None),
        ] {
            let head = encode(method, &[], body.as_bytes(), plain());
            assert_eq!(head.contains("Content-Length"), tells.is_some(), "{head}");
            assert!(head.contains(tells.unwrap_or_default()));
        }
    }

    #[test]
    fn says_when_it_will_not_keep_the_connection() {
        let head = encode("GET", &[], b"", ClientSettings { keep_alive: false, ..plain() });
        assert!(head.contains("Connection: close\r\n"));
    }
}
