//! When the use of a pool is high: it must have stayed there for a while, and to be over it must have been
//! clearly lower for a whole look. Pure: the time is an argument.

use std::time::Duration;

use tokio::time::Instant;

/// When to raise, and when it is over.
#[derive(Clone, Copy, Debug)]
pub(super) struct Levels {
    /// Share of the pool in use, 0 to 1, at which it is high.
    pub(super) raise_at: f64,
    /// Share below which it is over.
    pub(super) calm_below: f64,
    /// How long it must stay high.
    pub(super) after: Duration,
}

/// The lowest and highest share in use between two looks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) lowest: f64,
    pub(super) highest: f64,
}

/// A change that is worth telling.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Change {
    /// It was high for this long, without a break.
    Raised { lasted: Duration },
    /// It was raised this long ago, and is over.
    Calmed { lasted: Duration },
}

#[derive(Debug)]
pub(super) struct Alarm {
    levels: Levels,
    last_look: Instant,
    /// Use was high at every moment since.
    high_since: Option<Instant>,
    raised: Option<Instant>,
}

impl Alarm {
    pub(super) fn new(levels: Levels, now: Instant) -> Self {
        Self { levels, last_look: now, high_since: None, raised: None }
    }

    /// Takes what was seen since the last look.
    pub(super) fn look(&mut self, now: Instant, seen: Seen) -> Option<Change> {
        let last_look = std::mem::replace(&mut self.last_look, now);
        if let Some(raised) = self.raised {
            let is_over = seen.highest < self.levels.calm_below;
            return is_over.then(|| {
                self.raised = None;
                Change::Calmed { lasted: now - raised }
            });
        }
        if seen.lowest < self.levels.raise_at {
            self.high_since = None;
            return None;
        }
        let lasted = now - *self.high_since.get_or_insert(last_look);
        (lasted >= self.levels.after).then(|| {
            self.high_since = None;
            self.raised = Some(now);
            Change::Raised { lasted }
        })
    }

    pub(super) fn is_raised(&self) -> bool {
        self.raised.is_some()
    }

    /// After a pause in which nobody looked because nothing was in use.
    pub(super) fn resume(&mut self, now: Instant) {
        self.last_look = now;
        self.high_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Looks once a second at these lowest and highest shares; gives the changes by second.
    fn check(seen: &[(f64, f64)], expect: &[(usize, &str)]) {
        let start = Instant::now();
        let after = Duration::from_secs(3);
        let mut alarm = Alarm::new(Levels { raise_at: 0.8, calm_below: 0.7, after }, start);
        let changes: Vec<(usize, String)> = (1..)
            .zip(seen)
            .filter_map(|(second, &(lowest, highest))| {
                let now = start + Duration::from_secs(second as u64);
                let change = alarm.look(now, Seen { lowest, highest })?;
                Some((second, format!("{change:?}")))
            })
            .collect();
        let changes: Vec<(usize, &str)> = changes.iter().map(|(at, what)| (*at, &**what)).collect();
        assert_eq!(changes, expect, "{seen:?}");
    }

    #[test]
    fn it_must_stay_high() {
        check(&[(0.8, 0.8); 2], &[]);
        check(&[(0.8, 0.8); 8], &[(3, "Raised { lasted: 3s }")]);
        // A moment below is a break, however high it was at the looks themselves.
        check(&[(0.9, 1.0), (0.9, 1.0), (0.79, 1.0), (1.0, 1.0), (1.0, 1.0)], &[]);
        check(
            &[(0.9, 1.0), (0.1, 1.0), (0.9, 1.0), (0.9, 1.0), (0.9, 1.0)],
            &[(5, "Raised { lasted: 3s }")],
        );
    }

    #[test]
    fn it_is_over_when_it_was_clearly_lower() {
        let high = [(1.0, 1.0); 3];
        let raised = (3, "Raised { lasted: 3s }");
        let after = |rest: &[(f64, f64)]| [&high[..], rest].concat();
        check(&after(&[(0.0, 0.7), (0.69, 0.71), (0.75, 0.75)]), &[raised]);
        check(
            &after(&[(0.7, 0.9), (0.1, 0.69), (0.0, 0.0)]),
            &[raised, (5, "Calmed { lasted: 2s }")],
        );
        check(
            &after(&[(0.0, 0.1), (0.8, 0.8), (0.8, 0.8), (0.8, 0.8)]),
            &[raised, (4, "Calmed { lasted: 1s }"), (7, "Raised { lasted: 3s }")],
        );
    }
}
