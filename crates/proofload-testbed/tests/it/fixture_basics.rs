//! Routes, bodies, framings, connection policy, and that the ledger tells all of it.

use std::io::Write as _;
use std::time::Duration;

use proofload_testbed::fixture::{
    Behaviour, Body, Encoding, Fixture, Framing, FullBacklog, Reply, refused_addr,
};
use serde_json::json;

use crate::client::{PATIENCE, connect, get};

fn fixture(behaviour: Behaviour) -> Fixture {
    Fixture::start(behaviour).unwrap()
}

#[test]
fn the_first_matching_route_answers_and_everything_is_booked() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/hello", Reply::text("hello"))
            .prefix("/api/", Reply::json(&json!({"ok": true})).status(201))
            .exact("/api/hidden", Reply::new(204))
            .exact("/none", Reply::new(204)),
    );
    let mut client = connect(fixture.addr());
    assert_eq!(client.get("/hello?x=1").text(), "hello");
    assert_eq!(client.get("/hello").text(), "hello");
    let created = client.request("POST", "/api/hidden", &[], b"12345");
    assert_eq!((created.status, created.json()), (201, json!({"ok": true})));
    let head = client.request("HEAD", "/hello", &[], b"");
    assert_eq!(head.header("content-length"), Some("5"));
    let none = client.get("/none");
    assert_eq!((none.status, none.header("content-length")), (204, None));
    assert_eq!(get(fixture.addr(), "/missing").status, 404);

    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    assert_eq!((ledger.connections, ledger.requests, ledger.responses), (2, 6, 6));
    assert_eq!(ledger.reused, 4);
    assert_eq!((ledger.path("/hello"), ledger.path("/api/hidden")), (3, 1));
    assert_eq!((ledger.method("GET"), ledger.method("POST"), ledger.method("HEAD")), (4, 1, 1));
    let by_status: Vec<_> = ledger.by_status.iter().map(|(&status, &n)| (status, n)).collect();
    assert_eq!(by_status, [(200, 3), (201, 1), (204, 1), (404, 1)]);
    assert_eq!(ledger.request_body_bytes, 5);
    drop(client);
    let ledger = fixture.stop();
    assert_eq!((ledger.connections_open, ledger.in_flight, ledger.aborted), (0, 0, 0));
}

#[test]
fn bytes_written_are_the_bytes_the_client_reads() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/close", Reply::sized(100_000).framing(Framing::Close))
            .exact("/chunked", Reply::sized(100_000).chunked().close_every(1)),
    );
    let mut bytes = 0;
    for path in ["/close", "/chunked"] {
        let mut client = connect(fixture.addr());
        client.send("GET", path, &[], b"");
        bytes += client.rest().unwrap().len() as u64;
    }
    let ledger = fixture.stop();
    assert!(bytes > 200_000);
    assert_eq!(ledger.bytes_written, bytes);
}

#[test]
fn every_framing_carries_the_same_body() {
    let reply = Reply::sized(200_000);
    let fixture = fixture(
        Behaviour::new()
            .exact("/length", reply.clone())
            .exact("/chunked", reply.clone().framing(Framing::Chunked(777)))
            .exact("/close", reply.framing(Framing::Close)),
    );
    let alphabet: Vec<u8> = (b'a'..=b'z').cycle().take(200_000).collect();
    for path in ["/length", "/chunked", "/close"] {
        let answer = get(fixture.addr(), path);
        assert!(answer.body == alphabet, "{path}: {} bytes", answer.body.len());
    }
}

#[test]
fn the_echo_shows_the_request() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::echo()));
    let answer = connect(fixture.addr()).request(
        "PUT",
        "/a/b?c=d&e",
        &[("x-one", "1"), ("X-One", "2"), ("cookie", "sid=7; lang=en")],
        "grüße".as_bytes(),
    );
    assert_eq!(
        answer.json(),
        json!({
            "method": "PUT", "path": "/a/b", "query": "c=d&e", "version": "1.1",
            "headers": {
                "host": "localhost", "x-one": "1, 2", "cookie": "sid=7; lang=en", "content-length": "7",
            },
            "cookies": {"sid": "7", "lang": "en"},
            "body": "grüße", "body_bytes": 7,
        })
    );
}

#[test]
fn requests_may_be_chunked_pipelined_and_announced() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::echo()));
    let mut client = connect(fixture.addr());
    client
        .stream
        .write_all(
            b"POST /1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
              5\r\nhello\r\n0\r\n\r\n\
              GET /2 HTTP/1.1\r\nHost: h\r\n\r\n\
              POST /3 HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
        )
        .unwrap();
    assert_eq!(client.answer("POST").unwrap().json()["body"], "hello");
    assert_eq!(client.answer("GET").unwrap().json()["path"], "/2");
    assert_eq!(client.answer("POST").unwrap().status, 100);
    client.stream.write_all(b"abc").unwrap();
    assert_eq!(client.answer("POST").unwrap().json()["body"], "abc");
}

#[test]
fn errors_and_closes_come_exactly_every_nth_time() {
    let fixture =
        fixture(Behaviour::new().exact("/", Reply::text("ok").error_every(3).close_every(4)));
    let mut statuses = Vec::new();
    let mut client = connect(fixture.addr());
    for number in 1..=12 {
        let answer = client.get("/");
        statuses.push(answer.status);
        let is_closed = answer.header("connection") == Some("close");
        assert_eq!(is_closed, number % 4 == 0, "request {number}");
        if is_closed {
            assert_eq!(client.rest().unwrap(), b"");
            if number < 12 {
                client = connect(fixture.addr());
            }
        }
    }
    assert_eq!(statuses, [200, 200, 500, 200, 200, 500, 200, 200, 500, 200, 200, 500]);
    let ledger = fixture.stop();
    assert_eq!((ledger.status(200), ledger.status(500), ledger.connections), (8, 4, 3));
}

#[test]
fn connections_can_be_closed_without_notice() {
    let fixture =
        fixture(Behaviour::new().prefix("/", Reply::text("ok")).close_unannounced_after(2));
    let mut client = connect(fixture.addr());
    for _ in 0..2 {
        assert_eq!(client.get("/").header("connection"), None);
    }
    assert_eq!(client.rest().unwrap(), b"");

    let idle = Fixture::start(
        Behaviour::new().prefix("/", Reply::text("ok")).close_idle_after(Duration::from_millis(20)),
    )
    .unwrap();
    let mut client = connect(idle.addr());
    assert_eq!(client.get("/").status, 200);
    assert_eq!(client.rest().unwrap(), b"");
}

#[test]
fn redirects_cookies_and_required_headers() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/old", Reply::redirect(308, "/new?from=old"))
            .exact("/loop", Reply::redirect(302, "/loop"))
            .exact("/login", Reply::new(200).set_cookie("sid=s3; Path=/; HttpOnly"))
            .exact("/mine", Reply::text("yours").require_cookie("sid", "s3", 403))
            .exact("/api", Reply::text("in").require_header("Authorization", "Bearer t", 401)),
    );
    let mut client = connect(fixture.addr());
    let old = client.get("/old");
    assert_eq!((old.status, old.header("location")), (308, Some("/new?from=old")));
    assert_eq!(client.get("/loop").header("location"), Some("/loop"));
    assert_eq!(client.get("/login").header("set-cookie"), Some("sid=s3; Path=/; HttpOnly"));
    assert_eq!(client.get("/mine").status, 403);
    assert_eq!(client.request("GET", "/mine", &[("cookie", "a=b; sid=s3")], b"").text(), "yours");
    assert_eq!(client.get("/api").status, 401);
    let bearer = [("authorization", "Bearer t")];
    assert_eq!(client.request("GET", "/api", &bearer, b"").text(), "in");
}

#[test]
fn interim_answers_and_many_headers_come_before_the_body() {
    let reply = Reply::text("done").interim(102).interim(103).many_headers(150);
    let fixture = fixture(Behaviour::new().exact("/", reply));
    let mut client = connect(fixture.addr());
    assert_eq!(client.get("/").status, 102);
    assert_eq!(client.answer("GET").unwrap().status, 103);
    let answer = client.answer("GET").unwrap();
    assert_eq!((answer.status, answer.text().as_str()), (200, "done"));
    assert_eq!(
        answer.headers.iter().filter(|(name, _)| name.starts_with("x-filler-")).count(),
        150
    );
}

#[test]
fn encoded_bodies_and_bombs_are_what_they_say() {
    use std::io::Read as _;
    let fixture = fixture(
        Behaviour::new()
            .exact("/gzip", Reply::text("x".repeat(5000)).encoding(Encoding::Gzip))
            .exact("/bomb", Reply::bomb(3_000_000)),
    );
    let gzip = get(fixture.addr(), "/gzip");
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    assert!(gzip.body.len() < 200);
    let bomb = get(fixture.addr(), "/bomb");
    assert!(bomb.body.len() < 10_000);
    for (answer, length) in [(gzip, 5000), (bomb, 3 << 20)] {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(answer.body.as_slice()).read_to_end(&mut plain).unwrap();
        assert_eq!(plain.len(), length);
    }
}

#[test]
fn endless_bodies_flow_until_the_client_leaves() {
    use std::io::Read as _;
    let endless = Reply::new(200).body(Body::Endless);
    let fixture = fixture(
        Behaviour::new()
            .exact("/endless", endless.clone().framing(Framing::Close))
            .exact("/chunks", endless.chunked())
            .exact("/10gb", Reply::sized(10_000_000_000)),
    );
    for path in ["/endless", "/chunks", "/10gb"] {
        let mut client = connect(fixture.addr());
        client.send("GET", path, &[], b"");
        let mut some = vec![0; 5_000_000];
        client.stream.read_exact(&mut some).unwrap();
    }
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    assert_eq!((ledger.requests, ledger.aborted, ledger.responses), (3, 3, 0));
    assert!(ledger.bytes_written >= 15_000_000);
}

#[test]
fn what_is_not_http_is_refused_and_booked() {
    let fixture = fixture(Behaviour::new().prefix("/", Reply::text("ok")));
    let mut client = connect(fixture.addr());
    client.stream.write_all(b"EHLO mail\r\n\r\n").unwrap();
    assert_eq!(client.answer("GET").unwrap().status, 400);
    let mut client = connect(fixture.addr());
    client
        .stream
        .write_all(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nhalf")
        .unwrap();
    drop(client);
    let ledger = wait_for(&fixture, |ledger| ledger.requests_cut_off == 1);
    assert_eq!((ledger.requests, ledger.protocol_errors), (0, 1));
}

#[test]
fn addresses_that_refuse_or_ignore() {
    let refused = std::net::TcpStream::connect(refused_addr().unwrap()).unwrap_err();
    assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused);
    let full = FullBacklog::start().unwrap();
    let ignored = std::net::TcpStream::connect_timeout(&full.addr(), Duration::from_millis(100));
    assert_eq!(ignored.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
}

#[test]
fn a_fixture_can_come_back_on_its_port() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("ok"));
    let first = fixture(behaviour.clone());
    let addr = first.addr();
    let mut client = connect(addr);
    assert_eq!(client.get("/").status, 200);
    assert_eq!(first.stop().responses, 1);
    assert!(client.rest().is_ok_and(|rest| rest.is_empty()));
    assert!(std::net::TcpStream::connect(addr).is_err());
    let second = Fixture::start_on(behaviour, addr.port()).unwrap();
    assert_eq!(get(second.addr(), "/").status, 200);
}

#[test]
fn starting_and_stopping_work_inside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let first = fixture(Behaviour::new());
        assert!(Fixture::start_on(Behaviour::new(), first.addr().port()).is_err());
        assert_eq!(first.stop().requests, 0);
    });
}

/// Polls the ledger until it is as wanted.
pub(crate) fn wait_for(
    fixture: &Fixture,
    is_wanted: impl Fn(&proofload_testbed::fixture::Ledger) -> bool,
) -> proofload_testbed::fixture::Ledger {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        let ledger = fixture.ledger();
        if is_wanted(&ledger) {
            return ledger;
        }
        assert!(std::time::Instant::now() < deadline, "never happened: {ledger:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
