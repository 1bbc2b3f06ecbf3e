//! Exchanges that succeed, and what is reported of them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use proofload_engine::http::{BodyUse, ClientSettings, DnsSettings, Protocol};
use proofload_testbed::fixture::{Behaviour, Encoding, Fixture, Framing, Reply};

use super::raw::{RawServer, read_request};
use super::support::{Ask, User, run, seen, settings};

fn fixture(reply: Reply) -> Fixture {
    Fixture::start(Behaviour::new().prefix("/", reply)).unwrap()
}

#[test]
fn one_connection_serves_many_requests() {
    let fixture = fixture(Reply::text("hello"));
    run(async {
        let mut user = User::new(settings());
        for number in 0..5 {
            let exchange = user.get(&fixture.url("/x")).await;
            assert_eq!(exchange.new_connection, number == 0);
            assert_eq!(exchange.timings.connect.is_some(), number == 0);
            assert!(exchange.timings.tls.is_none() && exchange.timings.dns.is_none());
            let timings = exchange.timings;
            assert!(timings.send + timings.wait + timings.receive <= timings.total());
            assert_eq!(timings.receive, Duration::ZERO, "it came in one piece");
            assert!(!exchange.reconnected);
            assert_eq!(exchange.protocol, Protocol::Http11);
            assert_eq!(seen(exchange).text(), "hello");
        }
        assert_eq!(user.client.connections(), 1);
    });
    let ledger = fixture.stop();
    assert_eq!((ledger.requests, ledger.connections, ledger.responses), (5, 1, 5));
}

#[test]
fn bytes_are_those_on_the_wire() {
    let fixture = fixture(Reply::sized(100_000).chunked());
    let mut received = 0;
    run(async {
        let mut user = User::new(settings());
        for body_use in [BodyUse::Discard, BodyUse::Keep] {
            let ask = Ask { body_use, ..Ask::default() };
            let exchange = user.ask(&fixture.url("/"), &ask).await;
            received += exchange.bytes_received;
            let seen = seen(exchange);
            assert_eq!(seen.body_bytes, 100_000);
            assert_eq!(seen.body.len(), if body_use == BodyUse::Keep { 100_000 } else { 0 });
        }
    });
    assert_eq!(fixture.stop().bytes_written, received);
}

#[test]
fn the_request_arrives_as_described() {
    let fixture = fixture(Reply::echo());
    run(async {
        let mut user = User::new(settings());
        for (method, size) in [("POST", 5_usize), ("PUT", 200_000), ("DELETE", 0), ("PATCH", 0)] {
            let ask = Ask {
                method,
                headers: vec![("X-Thing", "a b"), ("Content-Type", "text/plain")],
                body: vec![b'z'; size],
                ..Ask::default()
            };
            let exchange = user.ask(&fixture.url("/p?q=1"), &ask).await;
            assert!(exchange.bytes_sent > size as u64);
            let text = seen(exchange).text();
            for part in [
                format!("\"method\":\"{method}\""),
                "\"path\":\"/p\"".to_owned(),
                "\"query\":\"q=1\"".to_owned(),
                "\"x-thing\":\"a b\"".to_owned(),
                format!("\"body_bytes\":{size}"),
                "\"user-agent\":\"proofload/".to_owned(),
                format!("\"host\":\"{}\"", fixture.addr()),
            ] {
                assert!(text.contains(&part), "{part} not in {}", &text[..text.len().min(600)]);
            }
        }
    });
}

#[test]
fn answers_in_every_framing_and_coding() {
    let text: String = ('a'..='z').cycle().take(3000).collect();
    let reply = Reply::text(text.clone());
    let mut behaviour = Behaviour::new();
    let framings = [Framing::Length, Framing::Chunked(7), Framing::Chunked(4096), Framing::Close];
    let encodings = [
        None,
        Some(Encoding::Gzip),
        Some(Encoding::Deflate),
        Some(Encoding::RawDeflate),
        Some(Encoding::Brotli),
        Some(Encoding::Zstd),
    ];
    for (f, framing) in framings.into_iter().enumerate() {
        for (e, encoding) in encodings.into_iter().enumerate() {
            let mut reply = reply.clone().framing(framing);
            if let Some(encoding) = encoding {
                reply = reply.encoding(encoding);
            }
            behaviour = behaviour.exact(format!("/{f}/{e}"), reply);
        }
    }
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(settings());
        for f in 0..framings.len() {
            for e in 0..encodings.len() {
                let seen = seen(user.get(&fixture.url(&format!("/{f}/{e}"))).await);
                assert_eq!(seen.text(), text, "framing {f} coding {e}");
                assert_eq!(seen.body_bytes == 3000, e == 0, "compressed on the wire");
            }
        }
    });
}

#[test]
fn head_and_bodiless_statuses_keep_the_connection() {
    let behaviour = Behaviour::new()
        .exact("/204", Reply::new(204))
        .exact("/304", Reply::new(304))
        .exact("/100", Reply::text("late").interim(100).interim(103))
        .prefix("/", Reply::text("hello"));
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(settings());
        let head = Ask { method: "HEAD", ..Ask::default() };
        let answer = seen(user.ask(&fixture.url("/"), &head).await);
        assert_eq!((answer.header("content-length"), answer.body.len()), (Some("5"), 0));
        for status in [204, 304] {
            assert_eq!(seen(user.get(&fixture.url(&format!("/{status}"))).await).status, status);
        }
        assert_eq!(seen(user.get(&fixture.url("/100")).await).text(), "late");
        assert_eq!(seen(user.get(&fixture.url("/")).await).text(), "hello");
    });
    assert_eq!(fixture.stop().connections, 1);
}

#[test]
fn a_huge_body_is_counted_and_not_kept() {
    const HUGE: u64 = 300 * 1024 * 1024;
    let fixture = fixture(Reply::sized(HUGE));
    run(async {
        let mut user = User::new(settings());
        let ask = Ask { body_use: BodyUse::Discard, ..Ask::default() };
        let exchange = user.ask(&fixture.url("/"), &ask).await;
        assert!(exchange.bytes_received > HUGE);
        assert_eq!(seen(exchange).body_bytes, HUGE);
    });
}

#[test]
fn cookies_come_back_when_wanted() {
    let behaviour = Behaviour::new()
        .exact("/login", Reply::text("in").set_cookie("sid=42; Path=/; HttpOnly"))
        .prefix("/", Reply::text("me").require_cookie("sid", "42", 401));
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        for (cookies, status) in [(true, 200), (false, 401)] {
            let mut user = User::new(ClientSettings { cookies, ..settings() });
            assert_eq!(seen(user.get(&fixture.url("/me")).await).status, 401);
            seen(user.get(&fixture.url("/login")).await);
            assert_eq!(seen(user.get(&fixture.url("/me")).await).status, status);
            user.client.clear_cookies();
            assert_eq!(seen(user.get(&fixture.url("/me")).await).status, 401);
        }
    });
}

#[test]
fn names_can_be_fixed_and_the_local_address_chosen() {
    let fixture = fixture(Reply::text("hello"));
    let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let dns = DnsSettings { hosts: vec![("shop.test".into(), ip)], ..DnsSettings::default() };
    let local_address = Some("127.0.0.9".parse().unwrap());
    run(async {
        let mut user = User::new(ClientSettings { dns, local_address, ..settings() });
        let url = format!("http://shop.test:{}/", fixture.addr().port());
        assert_eq!(seen(user.get(&url).await).text(), "hello");
        let url = format!("http://localhost:{}/", fixture.addr().port());
        let exchange = User::new(settings()).get(&url).await;
        assert!(exchange.timings.dns.is_some());
        assert_eq!(seen(exchange).text(), "hello");
    });
}

#[test]
fn an_answer_before_the_body_is_sent_is_an_answer() {
    let server = RawServer::start(vec![Box::new(|mut stream| {
        use std::io::Write as _;
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 413 Too Much\r\nContent-Length: 2\r\n\r\nno").unwrap();
        // Stays open, reads nothing: the client must not wait for its body to leave.
        let _ = std::io::Read::read(&mut stream.try_clone().unwrap(), &mut [0; 1]);
        std::thread::sleep(Duration::from_millis(50));
    })]);
    run(async {
        let mut user = User::new(settings());
        let ask = Ask { method: "POST", body: vec![b'x'; 64 << 20], ..Ask::default() };
        let exchange = user.ask(&server.url("/"), &ask).await;
        assert!(exchange.bytes_sent < 64 << 20);
        assert_eq!(seen(exchange).status, 413);
        assert_eq!(user.client.connections(), 0, "half a request is on it");
    });
    server.join();
}

#[test]
fn answers_dripping_in_are_put_together() {
    let reply = Reply::text("drip drop").drip(3, Duration::from_millis(1));
    let fixture = fixture(reply);
    run(async {
        let mut user = User::new(settings());
        for _ in 0..2 {
            assert_eq!(seen(user.get(&fixture.url("/")).await).text(), "drip drop");
        }
    });
}
