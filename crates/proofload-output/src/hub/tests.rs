use std::sync::mpsc::{Receiver, Sender, channel};

use proofload_core::event::Interval;

use super::*;
use crate::output::{OutputError, Trouble};

const SECOND: Duration = Duration::from_secs(1);
/// Nothing here takes nearly as long on an idle machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// An output made of a function that hears; it says what came.
struct Scripted<F> {
    hear: F,
    said: Sender<&'static str>,
    lost: u64,
}

impl<F: FnMut(&RunEvent) -> Result<(), OutputError> + Send> Output for Scripted<F> {
    fn name(&self) -> String {
        "test".to_owned()
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        let done = (self.hear)(event);
        self.lost += u64::from(done.is_err());
        let _ = self.said.send("heard");
        done
    }

    fn finish(&mut self, result: Option<&RunResult>) -> Result<(), OutputError> {
        let _ = self.said.send(if result.is_some() { "result" } else { "end" });
        Ok(())
    }

    fn lost(&self) -> u64 {
        self.lost
    }
}

fn hub_with(
    hear: impl FnMut(&RunEvent) -> Result<(), OutputError> + Send + 'static,
) -> (Hub, Receiver<&'static str>) {
    let (said, heard) = channel();
    let mut hub = Hub::new(1);
    hub.add(Box::new(Scripted { hear, said, lost: 0 })).expect("a thread");
    (hub, heard)
}

fn notice(text: &str) -> RunEvent {
    RunEvent::Notice(text.to_owned())
}

fn complaints(hub: &Hub) -> Vec<String> {
    hub.complaints().map(|complaint| complaint.to_string()).collect()
}

#[test]
fn everything_told_is_heard_in_order_before_the_end() {
    let (hub, heard) = hub_with(|_| Ok(()));
    for _ in 0..20 {
        hub.tell(&notice("n"));
    }
    assert!(hub.settle(PATIENCE));
    assert_eq!(heard.try_iter().count(), 20);
    let reports = hub.finish(Some(&RunResult::default()), PATIENCE);
    assert_eq!(heard.iter().collect::<Vec<_>>(), ["result"]);
    assert_eq!((reports.len(), reports[0].state), (1, OutputState::Working));
    assert_eq!(reports[0].notice(), None);
}

#[test]
fn only_what_is_of_interest_is_told() {
    let (hub, heard) = hub_with(|_| Ok(()));
    hub.tell(&RunEvent::Interval(Arc::default()));
    let shard = proofload_core::metrics::ShardId::default();
    let snapshot = proofload_core::metrics::IntervalSnapshot::new(shard, 0, 0);
    hub.tell(&RunEvent::Snapshot(Arc::new(snapshot)));
    assert!(hub.settle(PATIENCE));
    assert_eq!(heard.try_iter().count(), 1);
}

#[test]
fn a_stuck_output_is_reported_and_left_behind() {
    let (release, stuck) = channel::<()>();
    let (hub, _heard) = hub_with(move |_| {
        let _ = stuck.recv();
        Ok(())
    });
    for _ in 0..1_000 {
        hub.tell(&RunEvent::Interval(Arc::new(Interval::default())));
    }
    assert!(!hub.settle(Duration::ZERO));
    let told = complaints(&hub);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("does not keep up"), "{told:?}");
    let reports = hub.finish(None, SECOND / 100);
    assert_eq!(reports[0].state, OutputState::LeftBehind);
    // One is being heard, unless the thread has not come to it yet.
    assert!((969..=970).contains(&reports[0].dropped), "{reports:?}");
    assert!(reports[0].notice().is_some_and(|text| text.contains("left behind")));
    drop(release);
}

#[test]
fn the_same_trouble_is_told_once_and_so_is_its_end() {
    let mut call = 0;
    let (hub, _heard) = hub_with(move |_| {
        call += 1;
        match call {
            1..=5 | 8..=9 => Err(OutputError::new(Trouble::Connect, "connection refused")),
            6 => Err(OutputError::new(Trouble::Status(500), "status 500")),
            _ => Ok(()),
        }
    });
    for _ in 0..10 {
        hub.tell(&notice("n"));
    }
    assert!(hub.settle(PATIENCE));
    let told = complaints(&hub);
    assert_eq!(
        told[..2],
        [
            "test: connection refused; goes on trying; 1 events lost so far",
            "test: status 500; goes on trying; 6 events lost so far",
        ]
    );
    assert!(told[2].starts_with("test: works again after "), "{told:?}");
    assert!(told[2].ends_with("; 6 events lost") && told.len() == 3, "{told:?}");
    let reports = hub.finish(None, PATIENCE);
    assert_eq!(reports[0].state, OutputState::Working);
    assert_eq!(reports[0].notice().as_deref(), Some("test: 8 events lost"));
}

#[test]
fn one_that_gives_up_hears_nothing_more() {
    let (hub, heard) =
        hub_with(|_| Err(OutputError::new(Trouble::Other, "wrong token").for_good()));
    for _ in 0..3 {
        hub.tell(&notice("n"));
        hub.settle(PATIENCE);
    }
    assert_eq!(complaints(&hub), ["test: wrong token; given up; 1 events lost so far"]);
    let reports = hub.finish(None, PATIENCE);
    assert_eq!(heard.iter().collect::<Vec<_>>(), ["heard"]);
    assert_eq!(reports[0].state, OutputState::GaveUp);
}

#[test]
fn a_panic_hurts_nobody_else() {
    let (mut hub, _heard) = hub_with(|_| panic!("of a test, on purpose"));
    let (said, heard) = channel();
    hub.add(Box::new(Scripted { hear: |_: &RunEvent| Ok(()), said, lost: 0 })).expect("a thread");
    hub.tell(&notice("n"));
    assert!(hub.settle(PATIENCE));
    hub.tell(&notice("n"));
    let told = complaints(&hub);
    assert!(told.len() == 1 && told[0].contains("of a test, on purpose"), "{told:?}");
    let reports = hub.finish(None, PATIENCE);
    let states: Vec<_> = reports.iter().map(|report| report.state).collect();
    assert_eq!(states, [OutputState::Panicked, OutputState::Working]);
    assert_eq!(heard.iter().collect::<Vec<_>>(), ["heard", "heard", "end"]);
}

#[test]
fn a_hub_that_is_dropped_ends_its_threads() {
    let (hub, heard) = hub_with(|_| Ok(()));
    drop(hub);
    // The output is dropped with its thread, and its end of the channel with it.
    assert_eq!(heard.recv_timeout(PATIENCE).ok(), None);
}
