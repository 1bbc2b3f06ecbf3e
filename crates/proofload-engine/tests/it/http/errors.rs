//! Every way an exchange can fail is one kind of error, and the client survives it.

use std::io::Write as _;
use std::time::Duration;

use proofload_core::metrics::ErrorKind;
use proofload_engine::http::{BodyUse, ClientSettings, Headers, Origin, Request};
use proofload_testbed::fixture::{
    Behaviour, Body, Fault, Fixture, FullBacklog, Reply, refused_addr,
};

use super::raw::{RawServer, read_request};
use super::support::{Ask, User, kind, run, seen, settings};

/// Short, because it must be waited for; nothing depends on how short.
const SOON: Duration = Duration::from_millis(100);

#[test]
fn answers_gone_wrong() {
    let silent = Some(SOON);
    let cases = [
        (Reply::text("x").fault(Fault::Reset), ErrorKind::Reset, None),
        (Reply::sized(1 << 20).fault(Fault::ResetMidBody), ErrorKind::Reset, None),
        (Reply::text("x").fault(Fault::Close), ErrorKind::Closed, None),
        (Reply::sized(1000).fault(Fault::Truncated), ErrorKind::Truncated, None),
        (Reply::sized(1000).chunked().fault(Fault::Truncated), ErrorKind::Truncated, None),
        (Reply::text("x").fault(Fault::BadChunk), ErrorKind::Malformed, None),
        (Reply::text("x").fault(Fault::BadStatusLine), ErrorKind::Malformed, None),
        (
            Reply::text("x").fault(Fault::HeaderBomb { limit_bytes: 10_000_000 }),
            ErrorKind::HeadTooLarge,
            None,
        ),
        (Reply::text("x").fault(Fault::Silence), ErrorKind::Timeout, silent),
        (Reply::text("x").fault(Fault::SilenceMidBody), ErrorKind::Timeout, silent),
        (Reply::new(200).body(Body::Endless), ErrorKind::BodyTooLarge, None),
        (Reply::sized(20 << 20), ErrorKind::BodyTooLarge, None),
        (Reply::bomb(1 << 30), ErrorKind::BodyTooLarge, None),
        (Reply::text("x").header("content-encoding", "gzip"), ErrorKind::Decode, None),
        (Reply::text("x").header("content-encoding", "exi"), ErrorKind::Decode, None),
    ];
    let mut behaviour = Behaviour::new();
    for (number, (reply, ..)) in cases.iter().enumerate() {
        behaviour = behaviour.exact(format!("/{number}"), reply.clone());
    }
    let fixture = Fixture::start(behaviour.prefix("/ok", Reply::text("ok"))).unwrap();
    run(async {
        let mut user = User::new(settings());
        for (number, (reply, expected, timeout)) in cases.iter().enumerate() {
            let ask = Ask { timeout: *timeout, ..Ask::default() };
            let exchange = user.ask(&fixture.url(&format!("/{number}")), &ask).await;
            assert_eq!(kind(&exchange), *expected, "{reply:?}");
            assert!(exchange.timings.finished >= exchange.timings.started);
            assert!(exchange.bytes_sent > 0, "{reply:?}");
            assert_eq!(seen(user.get(&fixture.url("/ok")).await).text(), "ok", "after {reply:?}");
        }
    });
}

#[test]
fn a_reset_while_the_body_is_being_sent() {
    // Closing with unread bytes resets the connection, at once or when the client waits already.
    for pause in [Duration::ZERO, SOON] {
        let server = RawServer::start(vec![Box::new(move |mut stream| {
            read_request(&mut stream);
            std::thread::sleep(pause);
        })]);
        run(async {
            let ask = Ask { method: "POST", body: vec![b'x'; 64 << 20], ..Ask::default() };
            let exchange = User::new(settings()).ask(&server.url("/"), &ask).await;
            assert_eq!(kind(&exchange), ErrorKind::Reset);
            assert!(exchange.bytes_sent > 0 && exchange.bytes_sent < 64 << 20);
        });
        server.join();
    }
}

#[test]
fn an_answer_before_a_reset_is_an_answer() {
    for pause in [Duration::ZERO, SOON] {
        let server = RawServer::start(vec![Box::new(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno").unwrap();
            std::thread::sleep(pause);
        })]);
        run(async {
            let ask = Ask { method: "POST", body: vec![b'x'; 64 << 20], ..Ask::default() };
            let exchange = User::new(settings()).ask(&server.url("/"), &ask).await;
            assert_eq!(seen(exchange).status, 413);
        });
        server.join();
    }
}

#[test]
fn a_timeout_moves_with_each_request() {
    let behaviour = Behaviour::new()
        .exact("/never", Reply::text("x").fault(Fault::Silence))
        .prefix("/", Reply::text("ok").after(Duration::from_millis(5)));
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(settings());
        let soon = Ask { timeout: Some(SOON), ..Ask::default() };
        let later = Ask { timeout: Some(3 * SOON), ..Ask::default() };
        // The timer is armed for a long, a short, a longer and again a short time.
        seen(user.get(&fixture.url("/")).await);
        assert_eq!(kind(&user.ask(&fixture.url("/never"), &soon).await), ErrorKind::Timeout);
        let exchange = user.ask(&fixture.url("/never"), &later).await;
        assert_eq!(kind(&exchange), ErrorKind::Timeout);
        assert!(exchange.timings.total() >= 3 * SOON);
        // Long enough for a timer left armed at an old deadline to fire during a later request.
        for _ in 0..30 {
            seen(user.ask(&fixture.url("/"), &Ask::default()).await);
        }
        let exchange = user.ask(&fixture.url("/never"), &soon).await;
        assert_eq!(kind(&exchange), ErrorKind::Timeout);
        assert!(exchange.timings.total() >= SOON);
    });
}

#[test]
fn connections_that_do_not_come_about() {
    let refused = refused_addr().unwrap();
    let full = FullBacklog::start().unwrap();
    let mute = Fixture::start(Behaviour::new().mute()).unwrap();
    run(async {
        let short = || ClientSettings { connect_timeout: SOON, ..settings() };
        let exchange = User::new(settings()).get(&format!("http://{refused}/")).await;
        assert_eq!(kind(&exchange), ErrorKind::ConnectRefused);
        assert!(exchange.timings.connect.is_some() && exchange.bytes_sent == 0);

        let exchange = User::new(short()).get(&format!("http://{}/", full.addr())).await;
        assert_eq!(kind(&exchange), ErrorKind::ConnectTimeout);

        let ask = Ask { timeout: Some(SOON), ..Ask::default() };
        let exchange = User::new(settings()).ask(&format!("http://{}/", full.addr()), &ask).await;
        assert_eq!(kind(&exchange), ErrorKind::Timeout);

        let exchange = User::new(short()).get(&format!("https://{}/", mute.addr())).await;
        assert_eq!(kind(&exchange), ErrorKind::ConnectTimeout, "the handshake hangs");

        let local_address = Some("192.0.2.1".parse().unwrap());
        let elsewhere = ClientSettings { local_address, ..settings() };
        let exchange = User::new(elsewhere).get(&format!("http://{}/", mute.addr())).await;
        assert_eq!(kind(&exchange), ErrorKind::ConnectFailed, "not an address of this machine");

        let exchange = User::new(settings()).get("http://no-such-host.invalid/").await;
        assert_eq!(kind(&exchange), ErrorKind::Dns);
    });
}

#[test]
fn the_next_address_is_tried() {
    let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::text("ok"))).unwrap();
    let mut settings = settings();
    settings.dns.hosts = ["::1", "127.0.0.7", "127.0.0.1"]
        .map(|ip| ("many.test".to_owned(), ip.parse().unwrap()))
        .to_vec();
    run(async {
        let url = format!("http://many.test:{}/", fixture.addr().port());
        assert_eq!(seen(User::new(settings).get(&url).await).text(), "ok");
    });
}

#[test]
fn requests_that_cannot_be_sent() {
    let (origin, _) = Origin::parse("http://127.0.0.1:1/").unwrap();
    let headers = Headers::new();
    run(async {
        let mut user = User::new(settings());
        for (method, target) in [
            ("GET", "/a b"),
            ("GET", "/a\r\nX: y"),
            ("GET", ""),
            ("GET", "a"),
            ("GET", "/\u{e4}"),
            ("G T", "/"),
            ("", "/"),
            ("GET\r\n", "/"),
        ] {
            let request = Request {
                method,
                origin: &origin,
                target: target.as_bytes(),
                headers: &headers,
                body: b"",
                timeout: None,
            };
            let exchange = user.client.exchange(&request, BodyUse::Discard, |_| ()).await;
            let failure = exchange.outcome.unwrap_err();
            assert_eq!(failure.kind, ErrorKind::Request, "{method} {target}");
        }
    });
}

#[test]
fn settings_that_cannot_be_sent_are_refused_at_once() {
    let settings = ClientSettings { user_agent: Some("a\r\nb".into()), ..settings() };
    let error = proofload_engine::http::Prepared::new(settings).unwrap_err();
    assert!(error.to_string().contains("User-Agent"), "{error}");
}
