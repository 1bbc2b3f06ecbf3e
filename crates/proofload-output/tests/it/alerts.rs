//! The webhook of alerts.

use std::time::Duration;

use proofload_core::event::{Mark, MarkKind, MarkLevel, RunEvent};
use proofload_core::redact::Redactor;
use proofload_output::sinks::Webhook;
use proofload_output::{Hub, Output};
use serde_json::Value;

use super::receiver::{Manner, PATIENCE, Receiver};

fn mark(kind: MarkKind, until: Option<u64>) -> RunEvent {
    RunEvent::Mark(Mark {
        at: Duration::from_secs(40),
        until: until.map(Duration::from_secs),
        kind,
        level: MarkLevel::Critical,
        text: "Spike: p95 is 2.50 s, limit < 2.00 s".to_owned(),
    })
}

#[test]
fn alerts_are_posted_when_they_begin_and_end() {
    let receiver = Receiver::start(Manner::Status(200));
    let mut hub = Hub::new(1);
    let webhook = Webhook::new(&receiver.url("/services/hunter2"), "dchat", Redactor::default());
    hub.add(Box::new(webhook)).expect("a thread");
    hub.tell(&mark(MarkKind::Control, None));
    hub.tell(&mark(MarkKind::Alert, None));
    hub.tell(&mark(MarkKind::Alert, Some(65)));
    let reports = hub.finish(None, PATIENCE);
    assert_eq!(reports[0].notice(), None);
    let posts: Vec<Value> = receiver
        .received()
        .iter()
        .map(|received| serde_json::from_slice(&received.body).expect("JSON"))
        .collect();
    assert_eq!(posts.len(), 2);
    assert_eq!(posts[0]["text"], "[dchat] CRITICAL: Spike: p95 is 2.50 s, limit < 2.00 s");
    assert_eq!(posts[0]["content"], posts[0]["text"]);
    assert_eq!((&posts[0]["status"], &posts[0]["at_seconds"]), (&"firing".into(), &40.0.into()));
    assert_eq!(posts[1]["text"], "[dchat] over after 25 s: Spike: p95 is 2.50 s, limit < 2.00 s");
    assert_eq!(
        (&posts[1]["status"], &posts[1]["until_seconds"]),
        (&"resolved".into(), &65.0.into())
    );
}

#[test]
fn its_url_is_never_told() {
    let receiver = Receiver::start(Manner::Status(404));
    let url = receiver.url("/services/hunter2");
    let mut webhook = Webhook::new(&url, "dchat", Redactor::default());
    assert!(!webhook.name().contains("hunter2"), "{}", webhook.name());
    let error = webhook.hear(&mark(MarkKind::Alert, None)).expect_err("it is refused");
    assert!(error.text.contains("404") && !error.text.contains("hunter2"), "{error}");
    assert_eq!((webhook.lost(), webhook.lost_what()), (1, "alerts"));
}
