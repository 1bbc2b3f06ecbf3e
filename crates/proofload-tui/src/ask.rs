//! What keys ask for.

/// What the user wants to be done, by whoever holds the controls of the run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ask {
    /// Let the load stand still.
    Pause,
    /// Let it go on.
    Resume,
    /// So many times the planned load.
    Scale(f64),
    /// End this phase, begin the next.
    NextPhase,
    /// End the run in good order.
    Stop,
    /// What an interrupt signal does: the terminal does not send one while it is taken over.
    Interrupt,
    /// Close the view; the run goes on.
    Leave,
    /// Draw everything again: something else has written on the terminal.
    Redraw,
}

/// Scales that `+` and `-` go through.
const SCALES: [f64; 23] = [
    0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 7.5, 10.0,
    15.0, 20.0, 30.0, 50.0, 100.0,
];

/// The next scale above `now`, or the last.
pub(crate) fn more(now: f64) -> f64 {
    SCALES.into_iter().find(|&scale| scale > now * 1.001).unwrap_or(100.0)
}

/// The next scale below `now`, or the first.
pub(crate) fn less(now: f64) -> f64 {
    SCALES.into_iter().rev().find(|&scale| scale < now * 0.999).unwrap_or(0.01)
}
