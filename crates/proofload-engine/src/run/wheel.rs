//! What somebody has made of the planned load, and the marks that tell of it.

use std::time::Duration;

use proofload_core::event::{ControlState, Mark, MarkKind, MarkLevel};
use proofload_core::units;

/// The state of the controls. Times are since the start of the run.
#[derive(Debug, Default)]
pub(super) struct Wheel {
    state: ControlState,
    /// The mark of the pause that lasts.
    pause: Option<Mark>,
}

impl Wheel {
    pub(super) fn state(&self) -> ControlState {
        self.state
    }

    /// The load is to stand still: what is to be told of that; nothing if it does already.
    pub(super) fn pause(&mut self, at: Duration) -> Vec<Mark> {
        if self.state.paused {
            return Vec::new();
        }
        self.state.paused = true;
        let pause = mark(at, "paused".to_owned());
        self.pause = Some(pause.clone());
        vec![pause]
    }

    /// The load is to go on.
    pub(super) fn resume(&mut self, at: Duration) -> Vec<Mark> {
        self.state.paused = false;
        let Some(pause) = self.end(at) else { return Vec::new() };
        let length = units::human_duration(at.saturating_sub(pause.at));
        vec![pause, mark(at, format!("resumed after {length}"))]
    }

    /// There are to be `factor` times as many users and arrivals as the plan says.
    pub(super) fn scale(&mut self, factor: f64, at: Duration) -> Vec<Mark> {
        if self.state.scale.to_bits() == factor.to_bits() {
            return Vec::new();
        }
        self.state.scale = factor;
        let percent = (factor * 10_000.0).round() / 100.0;
        vec![mark(at, format!("load scaled to {percent} %"))]
    }

    /// The run is over: the end of the pause that lasted until now.
    pub(super) fn end(&mut self, at: Duration) -> Option<Mark> {
        Some(Mark { until: Some(at), ..self.pause.take()? })
    }
}

/// What somebody did.
pub(super) fn mark(at: Duration, text: String) -> Mark {
    Mark { at, until: None, kind: MarkKind::Control, level: MarkLevel::Info, text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn told(marks: &[Mark]) -> Vec<(u64, Option<u64>, &str)> {
        let told = |mark: &Mark| (mark.at.as_secs(), mark.until.map(|until| until.as_secs()));
        marks.iter().map(|mark| (told(mark).0, told(mark).1, mark.text.as_str())).collect()
    }

    #[test]
    fn every_change_is_told_once() {
        let mut wheel = Wheel::default();
        assert_eq!(told(&wheel.resume(s(1))), []);
        assert_eq!(told(&wheel.pause(s(2))), [(2, None, "paused")]);
        assert_eq!(told(&wheel.pause(s(3))), []);
        assert_eq!(wheel.state(), ControlState { paused: true, scale: 1.0 });
        let resumed = wheel.resume(s(14));
        assert_eq!(told(&resumed), [(2, Some(14), "paused"), (14, None, "resumed after 12.0 s")]);
        assert_eq!(told(&wheel.scale(1.0, s(15))), []);
        assert_eq!(told(&wheel.scale(2.0, s(15))), [(15, None, "load scaled to 200 %")]);
        assert_eq!(told(&wheel.scale(1.1, s(16))), [(16, None, "load scaled to 110 %")]);
        assert_eq!(told(&wheel.scale(0.015, s(17))), [(17, None, "load scaled to 1.5 %")]);
        assert_eq!(wheel.end(s(20)), None);
        let _ = wheel.pause(s(18));
        assert_eq!(wheel.end(s(20)).and_then(|mark| mark.until), Some(s(20)));
    }
}
