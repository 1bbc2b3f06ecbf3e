//! The few lines that are drawn again and again on a terminal.

use std::time::Duration;

use proofload_core::metrics::GeneratorStats;
use proofload_core::units::{human_count, human_ns, human_rate};

use super::track::{Current, Latest, PhasePlan, Track, clock, errors};
use crate::load_text::{counted, users_count};
use crate::style::{Style, Tone};
use crate::text::{Line, bar, clean, fit_middle, sparkline, width_of};

/// Where the figures begin, behind the labels.
const LABELS: usize = 12;
/// Widest sparkline.
const SPARKS: usize = 40;
/// Widest bar.
const BAR: usize = 50;
/// A generator that is busier than this is near its limit.
const NEARLY_SATURATED: f64 = 0.75;

/// The lines to be drawn now; none while no phase is under way.
pub(super) fn view(style: &Style, track: &Track, now: Duration) -> Vec<Line> {
    let Some((current, plan)) = track.current() else { return Vec::new() };
    vec![
        phase_line(style, track, current, plan, now),
        run_line(style, track, now),
        requests_line(style, track, current),
        response_line(style, current),
        generator_line(style, current),
    ]
}

/// `Spike  2 of 3   420 of 1,000 users   0:12 of 1:00`
fn phase_line(
    style: &Style,
    track: &Track,
    current: &Current,
    plan: &PhasePlan,
    now: Duration,
) -> Line {
    let elapsed = current.elapsed(now);
    let mut facts = Line::new(style);
    let count = track.phases().len();
    if count > 1 {
        facts.dim(&format!("  {} of {count}", current.phase + 1));
    }
    let mut time = Line::new(style);
    time.text("   ").text(&clock(elapsed));
    if let Some(duration) = plan.duration() {
        time.dim(" of ").text(&clock(duration));
    }
    let load = load_now(style, current, plan, elapsed);
    let name = clean(&plan.name, style);
    let mut line = Line::new(style);
    // The name makes way for the figures, but not entirely.
    let figures = facts.width() + load.width() + time.width();
    let room = style.width.saturating_sub(figures).max(LABELS);
    line.push(&fit_middle(&name, room, style), Tone::Bold);
    line.append(&facts);
    line.append_if_fits(&load);
    line.append_if_fits(&time);
    line
}

/// Users or rate: as it is, and as it is wanted.
fn load_now(style: &Style, current: &Current, plan: &PhasePlan, elapsed: Duration) -> Line {
    let mut line = Line::new(style);
    line.text("   ");
    let Some(Latest { users, .. }) = current.latest else {
        line.dim(&plan.load_text);
        return line;
    };
    if let Some(rate) = plan.rate_at(elapsed) {
        line.text(&human_rate(rate)).dim(" wanted, ");
        line.text(&human_count(users.into()));
        line.dim(&format!(" of {} busy", users_count(plan.peak_users())));
    } else if plan.has_bursts() || users > plan.peak_users() {
        line.text(&users_count(users));
    } else {
        line.text(&human_count(users.into()));
        line.dim(&format!(" of {}", users_count(plan.peak_users())));
    }
    if let Some(iterations) = plan.iterations() {
        line.text("   ").text(&human_count(current.sums.iterations));
        line.dim(&format!(" of {}", counted(iterations, "iteration")));
    }
    line
}

/// The bar over the whole run.
fn run_line(style: &Style, track: &Track, now: Duration) -> Line {
    let mut line = label(style, "run");
    let mut facts = Line::new(style);
    let Some(outlook) = track.outlook(now) else {
        line.text(&clock(now)).dim(", until the work is done").append(&control(style, track));
        return line;
    };
    facts.text(&format!("  {:>3.0}%", (outlook.share * 100.0).floor()));
    facts.dim("  ").text(&clock(now));
    let at_least = if outlook.is_open_ended { "≥ " } else { "" };
    facts.dim(&format!(", {at_least}{} left", clock(outlook.left)));
    facts.append(&control(style, track));
    let room = line.room().saturating_sub(facts.width()).min(BAR);
    let filled = bar(outlook.share, room, style);
    let track = style.symbols().track.repeat(room.saturating_sub(width_of(&filled)));
    line.push(&filled, Tone::Good).dim(&track);
    line.append(&facts);
    line
}

/// What somebody has made of the planned load.
fn control(style: &Style, track: &Track) -> Line {
    let mut line = Line::new(style);
    let state = track.control();
    if state.scale.to_bits() != 1.0_f64.to_bits() {
        let percent = (state.scale * 10_000.0).round() / 100.0;
        line.dim(", load at ").push(&format!("{percent}%"), Tone::Fair);
    }
    if state.paused {
        line.dim(", ").push("paused", Tone::Fair);
    }
    line
}

/// Throughput and counts.
fn requests_line(style: &Style, track: &Track, current: &Current) -> Line {
    let mut line = label(style, "requests");
    let per_second = current.latest.map_or(0.0, |latest| latest.per_second);
    line.push(&format!("{:>8}", human_rate(per_second)), Tone::Bold);
    let run = track.run();
    let (mut total, mut failed) = (Line::new(style), Line::new(style));
    total.text("  ").text(&human_count(run.requests)).dim(" in all");
    failed.text("  ").append(&errors(style, run));
    // Errors matter more than the total, and the total more than the picture.
    let room = line.room().saturating_sub(failed.width());
    let has_total = total.width() <= room;
    let room = room.saturating_sub(if has_total { total.width() + 2 } else { 2 });
    let sparks = sparkline(track.history(), room.min(SPARKS), style);
    if !sparks.is_empty() && has_total {
        line.text("  ").dim(&sparks);
    }
    if has_total {
        line.append(&total);
    }
    line.append(&failed);
    line
}

/// Percentiles of the last interval.
fn response_line(style: &Style, current: &Current) -> Line {
    let mut line = label(style, "response");
    match current.latest {
        Some(Latest { percentiles: Some(percentiles), .. }) => {
            for (name, ns) in ["p50", "p95", "p99"].iter().zip(percentiles) {
                let mut figure = Line::new(style);
                figure.dim(&format!("{name} ")).text(&format!("{:<9}", human_ns(ns as f64)));
                if !line.append_if_fits(&figure) {
                    break;
                }
            }
        }
        Some(_) => {
            line.push("no answer in the last second", Tone::Fair);
        }
        None => {
            line.dim("no answers yet");
        }
    }
    line
}

/// How the load generator does, and what it left undone.
fn generator_line(style: &Style, current: &Current) -> Line {
    let mut line = label(style, "generator");
    let latest = current.latest.unwrap_or_default();
    let busy = latest.busy.unwrap_or(0.0);
    let (tone, remark) = if busy > GeneratorStats::SATURATED {
        (Tone::Bad, ", saturated")
    } else if busy > NEARLY_SATURATED {
        (Tone::Fair, "")
    } else {
        (Tone::Plain, "")
    };
    line.push(&format!("{:.0}%", busy * 100.0), tone).dim(" busy").push(remark, tone);
    let connections = match latest.connections {
        1 => "connection",
        _ => "connections",
    };
    let facts = [
        (current.sums.dropped, "dropped", Tone::Bad),
        (current.sums.queued, "queued", Tone::Fair),
        (latest.connections.into(), connections, Tone::Plain),
    ];
    for (count, what, tone) in facts.into_iter().filter(|(count, ..)| *count > 0) {
        let mut fact = Line::new(style);
        fact.text("   ").push(&human_count(count), tone).dim(&format!(" {what}"));
        line.append_if_fits(&fact);
    }
    line
}

fn label(style: &Style, text: &str) -> Line {
    let mut line = Line::new(style);
    line.dim(&format!("  {text}")).pad_to(LABELS);
    line
}
