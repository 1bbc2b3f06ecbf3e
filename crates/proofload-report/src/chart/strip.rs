//! The phases of a run on its time axis.

use std::fmt::Write;

use super::axis::XAxis;
use super::svg::{escaped, percent};

/// Phases that are drawn.
const MAX_PHASES: usize = 200;

/// A phase.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StripPhase {
    /// Its name.
    pub name: String,
    /// Where it begins, in seconds.
    pub start_seconds: f64,
    /// Where it ends, in seconds.
    pub end_seconds: f64,
    /// A sign before the name: how it came out.
    pub sign: String,
    /// A class of the style sheet for its colour: `g-excellent`, `g-good`, `g-fair`, `g-poor`, `g-none`, `g-now`.
    pub class: &'static str,
    /// Its place in the plan: `data-phase` of the drawing.
    pub phase: usize,
}

/// Phases beside each other, each with its name as far as it fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhaseStrip {
    /// The axis of the charts below it.
    pub x: XAxis,
    /// The phases.
    pub phases: Vec<StripPhase>,
}

impl PhaseStrip {
    /// The drawing. `id` becomes the id of the outer element and must be unique in the page.
    #[must_use]
    pub fn to_svg(&self, id: &str) -> String {
        let mut out = format!(
            "<svg class=\"chart strip\" id=\"{}\" height=\"26\" role=\"img\" aria-label=\"Phases on the time axis\">",
            escaped(id, 80)
        );
        for phase in self.phases.iter().take(MAX_PHASES) {
            let (start, end) =
                (self.x.clamped(phase.start_seconds), self.x.clamped(phase.end_seconds));
            let name = escaped(&format!("{} {}", phase.sign, phase.name), 80);
            // A nested drawing cuts off what does not fit.
            let _ = write!(
                out,
                "<svg class=\"{}\" data-phase=\"{}\" x=\"{}\" width=\"{}\" height=\"26\">\
                 <title>{name}</title><rect width=\"100%\" height=\"100%\"/>",
                phase.class,
                phase.phase,
                percent(start),
                percent((end - start).max(0.001)),
            );
            // Where not even a few letters fit, the title has to do.
            if end - start > 0.03 {
                let _ = write!(out, "<text x=\"7\" y=\"17\">{name}</text>");
            }
            out.push_str("</svg>");
        }
        out.push_str("</svg>");
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phases_stand_where_they_were() {
        let phase = |name: &str, start_seconds, end_seconds| StripPhase {
            name: name.to_owned(),
            start_seconds,
            end_seconds,
            sign: "✓".to_owned(),
            class: "g-good",
            phase: 0,
        };
        let strip = PhaseStrip {
            x: XAxis::Elapsed { start_seconds: 0.0, end_seconds: 100.0 },
            phases: vec![phase("Normal", 0.0, 60.0), phase("<b>", 60.0, 61.0)],
        };
        insta::assert_snapshot!(strip.to_svg("strip").replace("><", ">\n<"));
    }
}
