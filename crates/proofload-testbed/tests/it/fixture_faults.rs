//! Every way to go wrong, as its victim sees it.

use std::io::{ErrorKind, Read as _};
use std::time::Duration;

use proofload_testbed::fixture::{Behaviour, Fault, Fixture, Ledger, Reply};

use crate::client::{PATIENCE, connect, get};

/// Sends one request and returns what arrives until the end, how it ended, and the ledger.
fn suffer(reply: Reply) -> (Vec<u8>, Option<ErrorKind>, Ledger) {
    let fixture = Fixture::start(Behaviour::new().prefix("/", reply)).unwrap();
    let mut client = connect(fixture.addr());
    client.send("GET", "/", &[], b"");
    let mut bytes = Vec::new();
    let end = client.stream.read_to_end(&mut bytes).err().map(|error| error.kind());
    (bytes, end, fixture.stop())
}

#[test]
fn faults_before_an_answer() {
    let (bytes, end, ledger) = suffer(Reply::text("never").fault(Fault::Reset));
    assert_eq!((bytes.as_slice(), end), (b"".as_slice(), Some(ErrorKind::ConnectionReset)));
    assert_eq!((ledger.requests, ledger.fault("reset"), ledger.responses), (1, 1, 0));

    let (bytes, end, ledger) = suffer(Reply::text("never").fault(Fault::Close));
    assert_eq!((bytes.as_slice(), end), (b"".as_slice(), None));
    assert_eq!(ledger.fault("close"), 1);
}

#[test]
fn faults_in_the_middle_of_an_answer() {
    let (bytes, end, ledger) = suffer(Reply::sized(1000).fault(Fault::Truncated));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("content-length: 1000\r\n"), "{text}");
    assert_eq!(text.split("\r\n\r\n").nth(1).unwrap().len(), 500);
    assert_eq!((end, ledger.fault("truncated")), (None, 1));

    let (bytes, end, _) = suffer(Reply::sized(4096).chunked().fault(Fault::Truncated));
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("transfer-encoding: chunked\r\n"), "{text}");
    assert!(!text.ends_with("0\r\n\r\n") && end.is_none());

    let (bytes, end, _) = suffer(Reply::sized(1000).fault(Fault::ResetMidBody));
    assert!(bytes.is_empty() || bytes.starts_with(b"HTTP/1.1 200 OK\r\n"));
    assert_eq!(end, Some(ErrorKind::ConnectionReset));

    let (bytes, end, _) = suffer(Reply::text("never").fault(Fault::BadChunk));
    assert!(String::from_utf8(bytes).unwrap().contains("\r\nno-such-size\r\n") && end.is_none());
}

#[test]
fn faults_of_the_head() {
    let (bytes, _, _) = suffer(Reply::text("never").fault(Fault::BadStatusLine));
    assert!(bytes.starts_with(b"HTTP/9.9 2x0 Nonsense\r\n"));

    let limit_bytes = 1_000_000;
    let (bytes, end, ledger) = suffer(Reply::new(200).fault(Fault::HeaderBomb { limit_bytes }));
    assert_eq!(bytes.len() as u64, limit_bytes + "HTTP/1.1 200 OK\r\n".len() as u64);
    assert!(!bytes.windows(4).any(|four| four == b"\r\n\r\n") && end.is_none());
    assert_eq!(ledger.fault("header_bomb"), 1);
}

#[test]
fn silence_lasts_until_the_client_leaves() {
    for (fault, expected) in [(Fault::Silence, 0), (Fault::SilenceMidBody, 1)] {
        let fixture =
            Fixture::start(Behaviour::new().prefix("/", Reply::sized(10).fault(fault))).unwrap();
        let mut client = connect(fixture.addr());
        client.stream.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        client.send("GET", "/", &[], b"");
        let mut bytes = Vec::new();
        let end = client.stream.read_to_end(&mut bytes).unwrap_err().kind();
        assert!(matches!(end, ErrorKind::WouldBlock | ErrorKind::TimedOut), "{end:?}");
        assert_eq!(bytes.windows(4).filter(|four| four == b"\r\n\r\n").count(), expected);
        drop(client);
        let closed =
            super::fixture_basics::wait_for(&fixture, |ledger| ledger.connections_open == 0);
        assert_eq!((closed.fault(fault.id()), closed.aborted), (1, 0));
    }
}

#[test]
fn a_mute_server_accepts_and_does_nothing() {
    let fixture = Fixture::start(Behaviour::new().prefix("/", Reply::text("no")).mute()).unwrap();
    let mut client = connect(fixture.addr());
    client.stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
    client.send("GET", "/", &[], b"");
    assert!(client.answer("GET").is_err());
    let ledger = fixture.stop();
    assert_eq!((ledger.connections, ledger.requests, ledger.bytes_written), (1, 0, 0));
}

#[test]
fn only_every_nth_request_meets_the_fault() {
    let reply = Reply::text("ok").fault_every(4, Fault::Close);
    let fixture = Fixture::start(Behaviour::new().prefix("/", reply)).unwrap();
    let mut client = connect(fixture.addr());
    let mut met = Vec::new();
    for number in 1..=10 {
        client.send("GET", "/", &[], b"");
        if client.answer("GET").is_err() {
            met.push(number);
            client = connect(fixture.addr());
        }
    }
    assert_eq!(met, [4, 8]);
    let ledger = fixture.stop();
    assert_eq!((ledger.requests, ledger.responses, ledger.fault("close")), (10, 8, 2));
}

#[test]
fn a_dripping_answer_is_whole_in_the_end() {
    let reply = Reply::text("slow but sure").drip(7, Duration::from_millis(1));
    let fixture = Fixture::start(Behaviour::new().prefix("/", reply).record_samples(10)).unwrap();
    let answer = get(fixture.addr(), "/");
    assert_eq!(answer.text(), "slow but sure");
    let ledger = fixture.settled_ledger(PATIENCE).unwrap();
    // The server waited 1 ms after each seven bytes: its own clock must show at least that.
    let pieces = ledger.bytes_written.div_ceil(7) - 1;
    assert!(ledger.samples[0].service >= Duration::from_millis(pieces), "{:?}", ledger.samples);
}
