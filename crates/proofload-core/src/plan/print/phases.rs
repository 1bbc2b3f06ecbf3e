//! Phases and thresholds as TOML.

use std::time::Duration;

use super::requests::think_time_text;
use super::toml_text::{self, InlineTable, Writer, list, quote};
use crate::plan::model::{
    ArrivalLoad, Burst, BurstSize, Load, Overload, Phase, Plan, Spacing, UserLoad,
};
use crate::schedule::MixEntry;
use crate::units::{duration_text, parse_rate};
use crate::verdict::{Bound, Expectation, Ladder, Measure, Quantity, Threshold};

pub(super) fn print_phase(out: &mut Writer, plan: &Plan, phase: &Phase) {
    out.section("[[phase]]");
    out.text("name", &phase.name);
    print_load(out, phase);
    print_mix(out, plan, &phase.kinds);
    if !phase.bursts.is_empty() {
        out.raw("burst", &list(phase.bursts.iter().map(burst_text)));
    }
    if !phase.stop_when.is_empty() {
        let mut table = InlineTable::default();
        for rule in &phase.stop_when {
            table.text(&rule.measure.to_string(), &bound_text(&rule.measure, &rule.bound));
        }
        out.raw("until", &table.finish());
    }
    if !phase.expect.is_empty() {
        let mut table = InlineTable::default();
        for expectation in &phase.expect {
            table.raw(&expectation.measure().to_string(), &expectation_text(expectation));
        }
        out.raw("expect", &table.finish());
    }
    if let Some(think_time) = phase.think_time {
        out.text("think_time", &think_time_text(think_time));
    }
    if phase.graceful_stop != Duration::from_secs(30) {
        out.text("graceful_stop", &duration_text(phase.graceful_stop));
    }
    if phase.abort_on_fail {
        out.text("abort_on_fail", &duration_text(phase.abort_delay));
    }
}

/// A level as it is written, and the time to it.
type Piece = (String, Duration);

fn print_load(out: &mut Writer, phase: &Phase) {
    match &phase.load {
        Load::Users(load) => print_users(out, load, phase.step_every),
        Load::SharedIterations { users, iterations, max_duration } => {
            out.raw("users", &users.to_string());
            out.raw("shared_iterations", &iterations.to_string());
            if let Some(duration) = max_duration {
                out.text("duration", &duration_text(*duration));
            }
        }
        Load::Arrivals(load) => print_arrivals(out, load, phase.step_every),
    }
}

fn print_users(out: &mut Writer, load: &UserLoad, step_every: Option<Duration>) {
    let pieces: Vec<Piece> =
        load.stages.iter().map(|stage| (stage.users.to_string(), stage.over)).collect();
    if load.unbounded
        && let [(users, ramp)] = &*pieces
    {
        out.raw("users", users);
        if !ramp.is_zero() {
            out.text("ramp_up", &duration_text(*ramp));
        }
    } else {
        print_pieces(out, "users", &pieces, "0", step_every);
    }
    if let Some(iterations) = load.iterations_per_user {
        out.raw("iterations", &iterations.to_string());
    }
}

fn print_arrivals(out: &mut Writer, load: &ArrivalLoad, step_every: Option<Duration>) {
    let pieces: Vec<Piece> =
        load.stages.iter().map(|stage| (quote(&rate_text(stage.per_second)), stage.over)).collect();
    print_pieces(out, "rate", &pieces, &quote("0/s"), step_every);
    if let Some(requests) = load.max_arrivals {
        out.raw("requests", &requests.to_string());
    }
    out.raw("max_users", &load.max_users.to_string());
    if load.spacing != Spacing::Even {
        out.text("arrivals", toml_text::word(Spacing::WORDS, load.spacing));
    }
    match load.overload {
        Overload::Queue { limit } => out.raw("overload", &format!("{{ queue = {limit} }}")),
        Overload::Drop => out.text("overload", "drop"),
    }
}

/// Steps, or up, hold and down where it is that, or stages.
fn print_pieces(
    out: &mut Writer,
    key: &str,
    pieces: &[Piece],
    zero: &str,
    step_every: Option<Duration>,
) {
    if let Some(every) = step_every {
        let levels = pieces.iter().skip(1).step_by(2).map(|(level, _)| level.clone());
        let mut table = InlineTable::default();
        table.raw("levels", &list(levels));
        table.text("every", &duration_text(every));
        out.raw("step", &table.finish());
        return;
    }
    let trapezoid = match pieces {
        [(up, ramp), (hold, time)] if up == hold => Some((up, *ramp, *time, Duration::ZERO)),
        [(up, ramp), (hold, time), (down, fall)] if up == hold && down == zero && up != zero => {
            Some((up, *ramp, *time, *fall))
        }
        _ => None,
    };
    if let Some((level, ramp, hold, fall)) = trapezoid.filter(|t| !t.2.is_zero() && t.0 != zero) {
        out.raw(key, level);
        if !ramp.is_zero() {
            out.text("ramp_up", &duration_text(ramp));
        }
        out.text("duration", &duration_text(ramp + hold + fall));
        if !fall.is_zero() {
            out.text("ramp_down", &duration_text(fall));
        }
        return;
    }
    let stages = pieces.iter().map(|(level, over)| {
        let mut table = InlineTable::default();
        table.raw(key, level);
        table.text("over", &duration_text(*over));
        table.finish()
    });
    out.raw("stages", &list(stages));
}

/// A rate in the largest unit in which it is written exactly.
fn rate_text(per_second: f64) -> String {
    let candidates = [(1.0, "s"), (60.0, "m"), (3600.0, "h")];
    let texts = candidates.map(|(factor, unit)| format!("{}/{unit}", per_second * factor));
    let is_exact =
        |text: &&String| parse_rate(text).is_ok_and(|rate| rate.as_per_second() == per_second);
    let shortest = texts.iter().filter(is_exact).min_by_key(|text| text.len());
    shortest.unwrap_or(&texts[0]).clone()
}

fn print_mix(out: &mut Writer, plan: &Plan, kinds: &[MixEntry]) {
    let users = plan.users.iter().map(|user| (&*user.name, user.weight, user.count));
    let others = plan.other_kinds.iter().map(|other| (&*other.name, other.weight, other.count));
    let all: Vec<_> = users.chain(others).collect();
    let name = |entry: &MixEntry| all[entry.kind].0;
    let own = |entry: &MixEntry| (all[entry.kind].1, all[entry.kind].2);
    let is_everyone = kinds.len() == all.len()
        && kinds
            .iter()
            .enumerate()
            .all(|(at, entry)| entry.kind == at && (entry.weight, entry.count) == own(entry));
    if is_everyone {
        return;
    }
    let is_list = kinds.iter().any(|entry| entry.count.is_some());
    if is_list {
        out.raw("mix", &list(kinds.iter().map(|entry| quote(name(entry)))));
        return;
    }
    let mut table = InlineTable::default();
    for entry in kinds {
        table.raw(name(entry), &entry.weight.to_string());
    }
    out.raw("mix", &table.finish());
}

fn burst_text(burst: &Burst) -> String {
    let mut table = InlineTable::default();
    match burst.size {
        BurstSize::Requests(requests) => table.raw("requests", &requests.to_string()),
        BurstSize::Users { users, lasts } => {
            table.raw("users", &users.to_string());
            table.text("for", &duration_text(lasts));
        }
        BurstSize::Rate { per_second, lasts } => {
            table.text("rate", &rate_text(per_second));
            table.text("for", &duration_text(lasts));
        }
    }
    table.text("at", &duration_text(burst.first_at));
    if let Some(every) = burst.every {
        table.text("every", &duration_text(every));
    }
    table.finish()
}

/// A ladder as it is written.
pub(super) fn ladder_text(ladder: &Ladder) -> String {
    let mut table = InlineTable::default();
    table.raw("measure", &quote(&ladder.measure().to_string()));
    for (key, bound) in ["excellent", "good", "fair"].into_iter().zip(ladder.rungs()) {
        table.raw(key, &quote(&bound_text(ladder.measure(), bound)));
    }
    table.finish()
}

fn expectation_text(expectation: &Expectation) -> String {
    let text = |bound: &Bound| quote(&bound_text(expectation.measure(), bound));
    match (expectation.target(), expectation.limit()) {
        (Some(target), Some(limit)) if target == limit => text(target),
        (target, limit) => {
            let mut table = InlineTable::default();
            if let Some(target) = target {
                table.raw("target", &text(target));
            }
            if let Some(limit) = limit {
                table.raw("limit", &text(limit));
            }
            table.finish()
        }
    }
}

/// A bound as it is read back, exactly.
fn bound_text(measure: &Measure, bound: &Bound) -> String {
    let value = bound.value;
    // A monitor's unit is known from what is written only.
    let is_open = measure.quantity() == Quantity::Any;
    let number = match bound.quantity {
        Quantity::Duration => duration_text(Duration::from_nanos(value as u64)),
        Quantity::Ratio => percent_text(measure, bound),
        Quantity::Rate if is_open => format!("{value}/s"),
        Quantity::Bytes if is_open => format!("{value}B"),
        Quantity::BytesRate => format!("{value}B/s"),
        Quantity::Rate | Quantity::Bytes | Quantity::Count | Quantity::Any => value.to_string(),
    };
    format!("{}{number}", bound.comparison.symbol())
}

/// A share as a percentage where that is read back to the same number.
fn percent_text(measure: &Measure, bound: &Bound) -> String {
    let rounded = (bound.value * 100.0 * 1e9).round() / 1e9;
    let percent = format!("{rounded}%");
    let text = format!("{}{percent}", bound.comparison.symbol());
    match Bound::parse(&text, measure) {
        Ok(read) if read.value == bound.value => percent,
        _ if measure.quantity() == Quantity::Any => format!("{}%", bound.value * 100.0),
        _ => bound.value.to_string(),
    }
}

pub(super) fn print_thresholds(out: &mut Writer, thresholds: &[Threshold]) {
    if thresholds.is_empty() {
        return;
    }
    out.section("[thresholds]");
    for same in thresholds.chunk_by(|a, b| a.metric_text == b.metric_text) {
        let conditions = same.iter().map(|threshold| {
            if !threshold.abort_on_fail && threshold.delay_abort_eval.is_zero() {
                return quote(&threshold.condition_text);
            }
            let mut table = InlineTable::default();
            table.text("threshold", &threshold.condition_text);
            table.raw("abort_on_fail", &threshold.abort_on_fail.to_string());
            table.text("delay_abort_eval", &duration_text(threshold.delay_abort_eval));
            table.finish()
        });
        out.raw(&same[0].metric_text, &list(conditions));
    }
}
