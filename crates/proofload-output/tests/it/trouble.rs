//! Dead, slow and returning sinks: reported, never waited for.

use std::time::{Duration, Instant};

use proofload_output::{Hub, OutputState};

use super::receiver::{Manner, PATIENCE, Receiver, wait_until};
use super::run::{events, open};

/// A port at which nobody listens.
fn dead_url() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    format!("http://{address}/api/v1/write?token=hunter2")
}

fn hub(kind: &str, url: &str) -> Hub {
    let mut hub = Hub::new(2);
    hub.add(open(kind, Some(url)).expect("an output")).expect("a thread");
    hub
}

fn tell_all(hub: &Hub) {
    events().0.iter().for_each(|event| hub.tell(event));
}

#[test]
fn a_dead_sink_is_told_of_once_and_counted() {
    for kind in ["prometheus-rw", "otlp"] {
        let hub = hub(kind, &dead_url());
        tell_all(&hub);
        let mut told = Vec::new();
        // Metrics go out every five seconds; the first attempt fails then.
        wait_until("it complains", || {
            told.extend(hub.complaints().map(|complaint| complaint.to_string()));
            !told.is_empty()
        });
        assert!(told[0].contains("connection refused; goes on trying"), "{told:?}");
        assert!(!told[0].contains("hunter2"), "{told:?}");
        let reports = hub.finish(None, PATIENCE);
        assert_eq!(reports[0].state, OutputState::Failing);
        let notice = reports[0].notice().expect("something to say");
        assert!(reports[0].lost > 0 && notice.contains("samples lost"), "{notice}");
        assert_eq!(told.len(), 1, "{told:?}");
    }
}

#[test]
fn a_sink_that_never_answers_holds_up_nobody() {
    let receiver = Receiver::start(Manner::Silent);
    let hub = hub("prometheus-rw", &receiver.url("/"));
    tell_all(&hub);
    wait_until("it is asked", || receiver.attempts() > 0);
    // Its thread waits for the answer now.
    let began = Instant::now();
    for _ in 0..10 {
        tell_all(&hub);
    }
    let told = began.elapsed();
    let reports = hub.finish(None, Duration::from_millis(100));
    assert_eq!(reports[0].state, OutputState::LeftBehind);
    assert!(reports[0].notice().is_some_and(|notice| notice.contains("left behind")));
    // Not a matter of milliseconds: the answer would not have come for ten minutes.
    assert!(told < PATIENCE, "{told:?}");
}

#[test]
fn a_sink_that_comes_back_gets_everything() {
    let receiver = Receiver::start(Manner::Status(503));
    let hub = hub("otlp", &receiver.url("/v1/metrics"));
    tell_all(&hub);
    wait_until("it is asked", || receiver.attempts() > 0);
    receiver.behave(Manner::Status(200));
    wait_until("it is there", || !receiver.received().is_empty());
    assert!(hub.settle(PATIENCE));
    let told: Vec<String> = hub.complaints().map(|complaint| complaint.to_string()).collect();
    assert!(told[0].contains("it answered 503: says"), "{told:?}");
    assert!(told[1].contains("works again") && told[1].ends_with("; nothing lost"), "{told:?}");
    let reports = hub.finish(None, PATIENCE);
    assert_eq!((reports[0].state, reports[0].notice()), (OutputState::Working, None));
}

#[test]
fn what_is_refused_is_not_sent_again() {
    let receiver = Receiver::start(Manner::Status(400));
    let mut output = open("otlp", Some(&receiver.url("/v1/metrics"))).expect("an output");
    let error = output.finish(None).expect_err("it is refused");
    assert!(error.text.contains("it answered 400"), "{error}");
    assert_eq!(receiver.attempts(), 1);
    assert!(output.lost() > 0);
}
