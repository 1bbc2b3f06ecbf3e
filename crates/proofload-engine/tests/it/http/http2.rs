//! HTTP/2: by prior knowledge and by ALPN.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use proofload_core::metrics::ErrorKind;
use proofload_engine::http::{BodyUse, ClientSettings, HttpVersion, Protocol, TlsSettings};
use proofload_testbed::fixture::{
    Behaviour, Body, Encoding, Fault, Fixture, Protocol as Speaks, Reply, TlsOptions,
};

use super::raw::RawServer;
use super::support::{Ask, User, kind, run, seen, settings};

fn http2() -> ClientSettings {
    ClientSettings { version: HttpVersion::Http2, ..settings() }
}

fn fixture(reply: Reply) -> Fixture {
    Fixture::start(Behaviour::new().prefix("/", reply).protocol(Speaks::Http2)).unwrap()
}

#[test]
fn one_connection_serves_many_requests() {
    let fixture = fixture(Reply::echo());
    run(async {
        let mut user = User::new(http2());
        for (number, size) in [0_usize, 5, 300_000].into_iter().enumerate() {
            let ask = Ask {
                method: "POST",
                headers: vec![("X-Thing", "a b"), ("Connection", "keep-alive")],
                body: vec![b'z'; size],
                ..Ask::default()
            };
            let exchange = user.ask(&fixture.url("/p?q=1"), &ask).await;
            assert_eq!(exchange.protocol, Protocol::Http2);
            assert_eq!(exchange.new_connection, number == 0);
            assert!(exchange.bytes_sent > size as u64);
            let seen = seen(exchange);
            assert_eq!(seen.header("Content-Type"), Some("application/json"));
            let text = seen.text();
            for part in [
                "\"path\":\"/p\"",
                "\"query\":\"q=1\"",
                "\"x-thing\":\"a b\"",
                "\"user-agent\":\"proofload/",
                &format!("\"body_bytes\":{size}"),
            ] {
                assert!(text.contains(part), "{part} not in {}", &text[..text.len().min(600)]);
            }
            assert!(!text.contains("\"connection\""));
        }
    });
    let ledger = fixture.stop();
    assert_eq!((ledger.http2_requests, ledger.connections, ledger.reused), (3, 1, 2));
}

#[test]
fn bodies_flow_and_are_decoded() {
    const HUGE: u64 = 64 << 20;
    let behaviour = Behaviour::new()
        .exact("/huge", Reply::sized(HUGE))
        .exact("/br", Reply::text("hello").encoding(Encoding::Brotli))
        .exact("/204", Reply::new(204))
        .exact("/cookie", Reply::text("in").set_cookie("sid=1; Path=/"))
        .exact("/me", Reply::text("me").require_cookie("sid", "1", 401))
        .protocol(Speaks::Http2);
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(ClientSettings { cookies: true, ..http2() });
        let discard = Ask { body_use: BodyUse::Discard, ..Ask::default() };
        let huge = seen(user.ask(&fixture.url("/huge"), &discard).await);
        assert_eq!((huge.body_bytes, huge.body.len()), (HUGE, 0));
        let encoded = seen(user.get(&fixture.url("/br")).await);
        assert_eq!(
            (encoded.header("content-encoding"), encoded.text()),
            (Some("br"), "hello".into())
        );
        assert_eq!(seen(user.get(&fixture.url("/204")).await).status, 204);
        seen(user.get(&fixture.url("/cookie")).await);
        assert_eq!(seen(user.get(&fixture.url("/me")).await).status, 200);
    });
    assert_eq!(fixture.stop().connections, 1);
}

/// What the end of a connection may be counted as.
const ENDED: &[ErrorKind] =
    &[ErrorKind::Http2, ErrorKind::Truncated, ErrorKind::Closed, ErrorKind::Reset];

#[test]
fn failures() {
    let soon = Some(Duration::from_millis(100));
    let cases = [
        (Reply::text("x").fault(Fault::Reset), &[ErrorKind::Http2][..], None),
        (Reply::sized(1 << 20).fault(Fault::ResetMidBody), &[ErrorKind::Http2], None),
        (Reply::text("x").fault(Fault::Silence), &[ErrorKind::Timeout], soon),
        (Reply::text("x").fault(Fault::SilenceMidBody), &[ErrorKind::Timeout], soon),
        // The whole connection ends; what of that is seen first is up to the network.
        (Reply::sized(1000).fault(Fault::Truncated), ENDED, None),
        (Reply::new(200).body(Body::Endless), &[ErrorKind::BodyTooLarge], None),
        (Reply::bomb(1 << 30), &[ErrorKind::BodyTooLarge], None),
    ];
    let mut behaviour = Behaviour::new().protocol(Speaks::Http2);
    for (number, (reply, ..)) in cases.iter().enumerate() {
        behaviour = behaviour.exact(format!("/{number}"), reply.clone());
    }
    let fixture = Fixture::start(behaviour.prefix("/ok", Reply::text("ok"))).unwrap();
    run(async {
        let mut user = User::new(http2());
        for (number, (reply, expected, timeout)) in cases.iter().enumerate() {
            let ask = Ask { timeout: *timeout, method: "POST", ..Ask::default() };
            let exchange = user.ask(&fixture.url(&format!("/{number}")), &ask).await;
            let outcome = &exchange.outcome;
            assert!(expected.contains(&kind(&exchange)), "{reply:?}: {outcome:?}");
            assert_eq!(seen(user.get(&fixture.url("/ok")).await).text(), "ok", "after {reply:?}");
        }
    });
}

/// Which of the two is seen first, the notice or the end of the connection, is up to the network.
#[test]
fn a_connection_that_ends_under_a_request() {
    let fixture = fixture(Reply::text("x").fault(Fault::Close));
    run(async {
        let ask = Ask { method: "POST", ..Ask::default() };
        let exchange = User::new(http2()).ask(&fixture.url("/"), &ask).await;
        let kind = kind(&exchange);
        assert!(matches!(kind, ErrorKind::Http2 | ErrorKind::Closed | ErrorKind::Reset), "{kind}");
        assert!(!exchange.reconnected);
    });
}

/// How a hand-made server goes back on a connection that it served one request on.
#[derive(Clone, Copy, Debug)]
enum Betrayal {
    Close,
    /// "I did nothing for streams above the first."
    GoAway,
    /// "I did nothing for this stream", to every stream.
    Refuse,
}

const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;

fn frame(kind: u8, flags: u8, stream_id: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream_id.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// Answers 200 to the first request of the first connection and to all of later ones.
fn betray(mut stream: TcpStream, betrayal: Option<Betrayal>) {
    let mut preface = [0; 24];
    if stream.read_exact(&mut preface).is_err() {
        return;
    }
    stream.write_all(&frame(SETTINGS, 0, 0, b"")).unwrap();
    let mut requests = 0;
    let mut head = [0; 9];
    while stream.read_exact(&mut head).is_ok() {
        let mut payload = vec![0; usize::from(head[1]) << 8 | usize::from(head[2])];
        stream.read_exact(&mut payload).unwrap();
        let stream_id = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let answer = match (head[3], head[4], betrayal) {
            (SETTINGS, 0, _) => frame(SETTINGS, 1, 0, b""),
            (1, _, Some(betrayal)) if requests > 0 => match betrayal {
                Betrayal::Close => return,
                Betrayal::GoAway => frame(GOAWAY, 0, 0, &[0, 0, 0, 1, 0, 0, 0, 0]),
                Betrayal::Refuse => frame(RST_STREAM, 0, stream_id, &[0, 0, 0, 7]),
            },
            (1, ..) => {
                requests += 1;
                // End of stream and of headers; `:status: 200` by its number in the static table.
                frame(1, 5, stream_id, &[0x88])
            }
            _ => continue,
        };
        stream.write_all(&answer).unwrap();
    }
}

#[test]
fn a_request_is_sent_again_only_where_that_is_harmless() {
    for (betrayal, method, is_retried, is_answered) in [
        (Betrayal::Close, "GET", true, true),
        (Betrayal::Close, "POST", false, false),
        (Betrayal::GoAway, "GET", true, true),
        (Betrayal::GoAway, "POST", true, true),
        (Betrayal::Refuse, "POST", true, false),
    ] {
        let server = RawServer::start(vec![
            Box::new(move |stream| betray(stream, Some(betrayal))),
            Box::new(|stream| betray(stream, None)),
        ]);
        run(async {
            let mut user = User::new(http2());
            let ask = Ask { method, ..Ask::default() };
            seen(user.ask(&server.url("/"), &ask).await);
            let exchange = user.ask(&server.url("/"), &ask).await;
            let what = format!("{betrayal:?} {method}: {:?}", exchange.outcome);
            assert_eq!(exchange.reconnected, is_retried, "{what}");
            assert_eq!(exchange.outcome.is_ok(), is_answered, "{what}");
            if !is_answered {
                // In particular not a timeout after endless attempts.
                let expected = [ErrorKind::Http2, ErrorKind::Closed, ErrorKind::Reset];
                assert!(expected.contains(&kind(&exchange)), "{what}");
            }
            user.client.close_connections();
        });
        drop(TcpStream::connect(server.addr));
        server.join();
    }
}

#[test]
fn a_server_without_http2_is_an_http2_error() {
    let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::text("x"))).unwrap();
    run(async {
        let exchange = User::new(http2()).get(&fixture.url("/")).await;
        let kind = kind(&exchange);
        assert!(matches!(kind, ErrorKind::Http2 | ErrorKind::Closed | ErrorKind::Reset), "{kind}");
    });
}

#[test]
fn alpn_decides() {
    for (speaks, without_alpn, version, expected) in [
        (Speaks::Both, false, HttpVersion::Auto, Some(Protocol::Http2)),
        (Speaks::Both, false, HttpVersion::Http1, Some(Protocol::Http11)),
        (Speaks::Http1, false, HttpVersion::Auto, Some(Protocol::Http11)),
        (Speaks::Http1, true, HttpVersion::Auto, Some(Protocol::Http11)),
        (Speaks::Http1, true, HttpVersion::Http2, None),
    ] {
        let tls = TlsOptions { without_alpn, ..TlsOptions::default() };
        let behaviour = Behaviour::new().prefix("/", Reply::text("x")).protocol(speaks).tls(tls);
        let fixture = Fixture::start(behaviour).unwrap();
        let tls = TlsSettings { insecure: true, ..TlsSettings::default() };
        run(async {
            let mut user = User::new(ClientSettings { tls, version, ..settings() });
            let exchange = user.get(&fixture.url("/")).await;
            match expected {
                Some(protocol) => {
                    assert_eq!(exchange.protocol, protocol);
                    assert!(exchange.timings.tls.is_some());
                    assert_eq!(seen(exchange).text(), "x");
                }
                None => assert_eq!(kind(&exchange), ErrorKind::Http2),
            }
        });
    }
}

#[test]
fn dropping_the_client_closes_its_connection() {
    let fixture = fixture(Reply::text("x"));
    run(async {
        let mut user = User::new(http2());
        seen(user.get(&fixture.url("/")).await);
        drop(user);
        tokio::task::yield_now().await;
        let patience = std::time::Instant::now() + super::support::PATIENCE;
        while fixture.ledger().connections_open > 0 {
            assert!(std::time::Instant::now() < patience, "still open");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    });
}
