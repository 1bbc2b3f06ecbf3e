//! Kept connections: when they are used again, when not, and what a user is told.

use std::io::Write as _;
use std::time::Duration;

use proofload_core::metrics::ErrorKind;
use proofload_engine::http::ClientSettings;
use proofload_testbed::fixture::{Behaviour, Fixture, Reply};

use super::raw::{RawServer, read_request};
use super::support::{Ask, User, kind, run, seen, settings};

const HELLO: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

#[test]
fn keep_alive_can_be_off() {
    let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::echo())).unwrap();
    run(async {
        let mut user = User::new(ClientSettings { keep_alive: false, ..settings() });
        for _ in 0..3 {
            let exchange = user.get(&fixture.url("/")).await;
            assert!(exchange.new_connection && !exchange.reconnected);
            assert!(seen(exchange).text().contains("\"connection\":\"close\""));
        }
        let mut user = User::new(settings());
        let ask = Ask { headers: vec![("Connection", "close")], ..Ask::default() };
        seen(user.ask(&fixture.url("/"), &ask).await);
        assert_eq!(user.client.connections(), 0);
    });
    assert_eq!(fixture.stop().connections, 4);
}

#[test]
fn an_announced_close_is_obeyed() {
    const CLOSING: &[u8] =
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello";
    let server = RawServer::answering(&[CLOSING]);
    run(async {
        let mut user = User::new(settings());
        assert_eq!(seen(user.get(&server.url("/")).await).text(), "hello");
        assert_eq!(user.client.connections(), 0);
    });
    server.join();
}

#[test]
fn an_unannounced_close_costs_a_connection_and_no_failure() {
    let behaviour = Behaviour::new().prefix("/", Reply::text("hello")).close_unannounced_after(2);
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(settings());
        for _ in 0..9 {
            assert_eq!(seen(user.get(&fixture.url("/")).await).text(), "hello");
        }
    });
    let ledger = fixture.stop();
    assert_eq!((ledger.requests, ledger.responses, ledger.connections), (9, 9, 5));
}

/// The server takes the second request on a kept connection and closes without an answer.
fn betraying() -> RawServer {
    RawServer::start(vec![
        Box::new(|mut stream| {
            read_request(&mut stream);
            stream.write_all(HELLO).unwrap();
            read_request(&mut stream);
        }),
        Box::new(|mut stream| {
            if !read_request(&mut stream).is_empty() {
                stream.write_all(HELLO).unwrap();
            }
        }),
    ])
}

#[test]
fn a_repeatable_request_is_sent_once_more_and_says_so() {
    let server = betraying();
    run(async {
        let mut user = User::new(settings());
        seen(user.get(&server.url("/")).await);
        let exchange = user.get(&server.url("/")).await;
        assert!(exchange.reconnected && exchange.new_connection);
        assert!(exchange.timings.connect.is_some());
        let per_request = 2 * exchange.bytes_received;
        assert!(exchange.bytes_sent > per_request, "both attempts are counted");
        assert_eq!(seen(exchange).text(), "hello");
    });
    server.join();
}

#[test]
fn a_post_is_not_sent_twice() {
    let server = betraying();
    run(async {
        let mut user = User::new(settings());
        seen(user.get(&server.url("/")).await);
        let ask = Ask { method: "POST", ..Ask::default() };
        let exchange = user.ask(&server.url("/"), &ask).await;
        assert!(!exchange.reconnected);
        assert_eq!(kind(&exchange), ErrorKind::Closed);
    });
    drop(std::net::TcpStream::connect(server.addr).unwrap());
    server.join();
}

#[test]
fn a_fresh_connection_is_not_tried_twice() {
    let server = RawServer::start(vec![Box::new(|mut stream| {
        read_request(&mut stream);
    })]);
    run(async {
        let mut user = User::new(settings());
        let exchange = user.get(&server.url("/")).await;
        assert!(!exchange.reconnected);
        assert_eq!(kind(&exchange), ErrorKind::Closed);
    });
    server.join();
}

#[test]
fn junk_behind_an_answer_is_counted_and_ends_the_connection() {
    let server = RawServer::start(vec![
        Box::new(|mut stream| {
            read_request(&mut stream);
            stream.write_all(&[HELLO, b"JUNK"].concat()).unwrap();
            read_request(&mut stream);
        }),
        Box::new(|mut stream| {
            read_request(&mut stream);
            stream.write_all(HELLO).unwrap();
        }),
    ]);
    run(async {
        let mut user = User::new(settings());
        let exchange = user.get(&server.url("/")).await;
        assert_eq!(exchange.surplus_bytes, 4);
        assert_eq!(seen(exchange).text(), "hello");
        assert_eq!(user.client.connections(), 0);
        let exchange = user.get(&server.url("/")).await;
        assert!(exchange.new_connection && !exchange.reconnected);
        assert_eq!(exchange.surplus_bytes, 0);
    });
    server.join();
}

#[test]
fn a_connection_on_which_junk_arrived_is_not_used() {
    let (junk_is_out, junk_came) = std::sync::mpsc::channel();
    let server = RawServer::start(vec![
        Box::new(move |mut stream| {
            read_request(&mut stream);
            stream.write_all(HELLO).unwrap();
            std::thread::sleep(Duration::from_millis(20));
            stream.write_all(b"HTTP/1.1 408 Too Slow\r\nContent-Length: 0\r\n\r\n").unwrap();
            junk_is_out.send(()).unwrap();
            read_request(&mut stream);
        }),
        Box::new(|mut stream| {
            read_request(&mut stream);
            stream.write_all(HELLO).unwrap();
        }),
    ]);
    run(async {
        let mut user = User::new(settings());
        seen(user.get(&server.url("/")).await);
        // Gives the runtime time to hear of the bytes.
        let waited = tokio::task::spawn_blocking(move || junk_came.recv());
        waited.await.unwrap().unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        let exchange = user.get(&server.url("/")).await;
        assert!(exchange.new_connection && !exchange.reconnected);
        assert_eq!(seen(exchange).status, 200);
    });
    server.join();
}

#[test]
fn an_abandoned_exchange_leaves_no_connection() {
    let behaviour = Behaviour::new()
        .exact("/slow", Reply::text("slow").after(Duration::from_secs(30)))
        .prefix("/", Reply::text("hello"));
    let fixture = Fixture::start(behaviour).unwrap();
    run(async {
        let mut user = User::new(settings());
        seen(user.get(&fixture.url("/")).await);
        let url = fixture.url("/slow");
        let abandoned = tokio::time::timeout(Duration::from_millis(50), user.get(&url)).await;
        assert!(abandoned.is_err());
        assert_eq!(user.client.connections(), 0);
        assert_eq!(seen(user.get(&fixture.url("/")).await).text(), "hello");
    });
}
