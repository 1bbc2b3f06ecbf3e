//! What went over the wire, and what came from a cache.

use proofload_core::result::PhaseResult;
use proofload_core::units::{human_bytes, human_count, human_ratio};

use super::heading;
use crate::style::{Style, Tone};
use crate::text::Line;

pub(super) fn lines(style: &Style, phases: &[&PhaseResult]) -> Vec<Line> {
    let sum = |of: fn(&PhaseResult) -> u64| -> u64 {
        phases.iter().fold(0, |sum, phase| sum.saturating_add(of(phase)))
    };
    let mut rows: Vec<(&str, String, Tone)> = Vec::new();
    let (sent, received) = (sum(|p| p.bytes_sent), sum(|p| p.bytes_received));
    if sent > 0 || received > 0 {
        let (sent, received) = (human_bytes(sent as f64), human_bytes(received as f64));
        rows.push(("data", format!("{received} received, {sent} sent"), Tone::Plain));
    }
    let opened = sum(|p| p.connections_opened);
    if opened > 0 {
        let mut text = format!("{} opened", human_count(opened));
        let again = sum(|p| p.reconnects);
        if again > 0 {
            text.push_str(&format!(
                ", {} requests sent again after the server had closed one",
                human_count(again)
            ));
        }
        rows.push(("connections", text, Tone::Plain));
    }
    let known = sum(|p| p.cache_known_responses);
    if known > 0 {
        let hits = sum(|p| p.cached_responses);
        let share = human_ratio(hits as f64 / known as f64);
        let text = format!("{share} ({} of {})", human_count(hits), human_count(known));
        rows.push(("cache hits", text, Tone::Plain));
    }
    let dropped = sum(|p| p.iterations.dropped);
    if dropped > 0 {
        let text = format!("{} iterations, because all users were busy", human_count(dropped));
        rows.push(("dropped", text, Tone::Fair));
    }
    let cut_off = sum(|p| p.iterations.interrupted);
    if cut_off > 0 {
        let text = format!("{} iterations, at the end of their phase", human_count(cut_off));
        rows.push(("cut off", text, Tone::Plain));
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![heading(style, "Traffic", "")];
    for (label, text, tone) in rows {
        let mut line = Line::new(style);
        line.dim(&format!("  {label}")).pad_to(15).push(&text, tone);
        lines.push(line);
    }
    lines
}
