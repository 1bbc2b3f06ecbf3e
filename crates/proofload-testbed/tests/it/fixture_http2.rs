//! The same routes and the same ledger over HTTP/2.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use h2::Reason;
use h2::client::SendRequest;
use proofload_testbed::fixture::{Behaviour, Fault, Fixture, Protocol, Reply};

use crate::client::{PATIENCE, get};

fn fixture(behaviour: Behaviour) -> Fixture {
    Fixture::start(behaviour.protocol(Protocol::Both)).unwrap()
}

/// Runs a test against one connection with prior knowledge.
fn with_connection<F: Future<Output = T>, T>(
    addr: SocketAddr,
    test: impl FnOnce(SendRequest<Bytes>) -> F,
) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(addr).await.unwrap();
        let (send, connection) = h2::client::handshake(socket).await.unwrap();
        let driver = tokio::spawn(connection);
        let result = tokio::time::timeout(PATIENCE, test(send)).await.expect("no answer");
        driver.abort();
        result
    })
}

async fn request(
    send: &SendRequest<Bytes>,
    path: &str,
    body: &'static [u8],
) -> Result<(u16, Vec<u8>), h2::Error> {
    let mut send = send.clone().ready().await?;
    let request = http::Request::post(format!("http://test{path}")).body(()).unwrap();
    let (response, mut stream) = send.send_request(request, body.is_empty())?;
    if !body.is_empty() {
        stream.send_data(Bytes::from_static(body), true)?;
    }
    let (parts, mut stream) = response.await?.into_parts();
    let mut bytes = Vec::new();
    while let Some(data) = stream.data().await {
        let data = data?;
        stream.flow_control().release_capacity(data.len())?;
        bytes.extend_from_slice(&data);
    }
    Ok((parts.status.as_u16(), bytes))
}

#[test]
fn routes_answer_and_are_booked_over_http2_too() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/echo", Reply::echo().after(Duration::from_millis(1)))
            .exact("/big", Reply::sized(500_000))
            .exact("/odd", Reply::text("x").error_every(2)),
    );
    with_connection(fixture.addr(), |send| async move {
        let (status, body) = request(&send, "/echo?a=b", b"hello").await.unwrap();
        let echo: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(status, 200);
        assert_eq!((&echo["body"], &echo["version"]), (&"hello".into(), &"2".into()));
        assert_eq!((&echo["query"], &echo["headers"]["host"]), (&"a=b".into(), &"test".into()));
        let (_, big) = request(&send, "/big", b"").await.unwrap();
        assert_eq!(big, (b'a'..=b'z').cycle().take(500_000).collect::<Vec<u8>>());
        assert_eq!(request(&send, "/odd", b"").await.unwrap().0, 200);
        assert_eq!(request(&send, "/odd", b"").await.unwrap().0, 500);
    });
    // The same port still speaks HTTP/1.1.
    assert_eq!(get(fixture.addr(), "/odd").status, 200);
    let ledger = fixture.stop();
    assert_eq!((ledger.connections, ledger.requests, ledger.http2_requests), (2, 5, 4));
    assert_eq!((ledger.responses, ledger.reused, ledger.status(500)), (5, 3, 1));
    assert_eq!(ledger.request_body_bytes, 5);
}

#[test]
fn streams_of_a_connection_are_served_side_by_side() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/slow", Reply::text("slow").after(Duration::from_millis(300)))
            .exact("/quick", Reply::text("quick")),
    );
    with_connection(fixture.addr(), |send| async move {
        let slow = request(&send, "/slow", b"");
        let quick = request(&send, "/quick", b"");
        tokio::pin!(slow);
        tokio::select! {
            biased;
            _ = &mut slow => panic!("the slow stream held up the quick one"),
            quick = quick => assert_eq!(quick.unwrap().1, b"quick"),
        }
        assert_eq!(slow.await.unwrap().1, b"slow");
    });
    assert_eq!(fixture.stop().in_flight_max, 2);
}

#[test]
fn faults_become_resets_and_goodbyes() {
    let fixture = fixture(
        Behaviour::new()
            .exact("/reset", Reply::text("x").fault(Fault::Reset))
            .exact("/mid", Reply::sized(1000).fault(Fault::ResetMidBody))
            .exact("/cut", Reply::sized(1000).fault(Fault::Truncated))
            .exact("/away", Reply::text("x").fault(Fault::Close))
            .exact("/bye", Reply::text("bye").close_every(1)),
    );
    let addr = fixture.addr();
    for path in ["/reset", "/mid"] {
        let error =
            with_connection(addr, async |send| request(&send, path, b"").await).unwrap_err();
        assert!(error.is_reset() && error.reason() == Some(Reason::INTERNAL_ERROR), "{error:?}");
    }
    assert!(with_connection(addr, async |send| request(&send, "/cut", b"").await).is_err());
    assert_eq!(abrupt_goodbye(addr), Some(Reason::INTERNAL_ERROR));
    let (bye, after) = with_connection(addr, async |send| {
        let bye = request(&send, "/bye", b"").await.unwrap();
        // The goodbye may be a moment behind the answer.
        let mut after = request(&send, "/bye", b"").await;
        while after.is_ok() {
            after = request(&send, "/bye", b"").await;
        }
        (bye, after)
    });
    assert_eq!(bye, (200, b"bye".to_vec()));
    assert!(after.is_err());
    let ledger = fixture.stop();
    assert_eq!(ledger.faults.values().sum::<u64>(), 4);
}

/// Asks for `/away` and returns the reason in the `GOAWAY` that ends the connection.
fn abrupt_goodbye(addr: SocketAddr) -> Option<Reason> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpStream::connect(addr).await.unwrap();
        let (send, connection) = h2::client::handshake(socket).await.unwrap();
        let (answer, end) = tokio::join!(request(&send, "/away", b""), connection);
        assert!(answer.is_err());
        end.err().filter(h2::Error::is_go_away).and_then(|error| error.reason())
    })
}

#[test]
fn a_cancelled_stream_is_not_booked_as_answered() {
    let late = Reply::text("late").after(Duration::from_secs(3600));
    let fixture = fixture(Behaviour::new().exact("/", late));
    let ledger = with_connection(fixture.addr(), async |send| {
        let impatient = request(&send, "/", b"");
        assert!(tokio::time::timeout(Duration::from_millis(30), impatient).await.is_err());
        // The connection stays open: it is the stream that is gone.
        while fixture.ledger().aborted == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        fixture.ledger()
    });
    assert_eq!((ledger.connections_open, ledger.in_flight), (1, 0));
    assert_eq!((ledger.requests, ledger.responses), (1, 0));
}
