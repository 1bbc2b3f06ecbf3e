//! What stands above everything: which plan, where it is, how it goes.

use std::time::Duration;

use maud::{Markup, html};
use proofload_core::event::ControlState;
use proofload_core::result::{PhaseResult, RunResult, TimelineRow};
use proofload_core::units::{human_count, human_rate};
use serde_json::json;

use super::live::alerts_on;
use super::text::{clock, grade_class, ms, share};
use crate::config::Mode;
use crate::live::{Live, Run, Stage};

/// Where things stand in one word, as the script and the style sheet know it.
pub(super) fn stage_word(live: &Live, load: ControlState) -> &'static str {
    match live.stage {
        Stage::Idle => "idle",
        Stage::Preparing(_) => "preparing",
        Stage::Running if live.is_stopping => "stopping",
        Stage::Running if load.paused => "paused",
        Stage::Running => "running",
        Stage::Ended => "ended",
        Stage::Failed(_) => "failed",
    }
}

/// The same for people.
fn stage_text(word: &str) -> &'static str {
    match word {
        "preparing" => "Preparing",
        "stopping" => "Stopping",
        "paused" => "Paused",
        "running" => "Running",
        "ended" => "Ended",
        "failed" => "Failed",
        _ => "Ready",
    }
}

/// What the script needs to know. `say` is spoken by screen readers when it changes, so it has nothing in
/// it that changes every second.
pub(super) fn state(
    live: &Live,
    load: ControlState,
    mode: Mode,
    result: Option<&RunResult>,
) -> String {
    let word = stage_word(live, load);
    let title = match result {
        Some(result) => format!("{}: {} – Proofload", stage_text(word), result.run.name),
        None => "Proofload".to_owned(),
    };
    json!({
        "stage": word,
        "factor": load.scale,
        "title": title,
        "say": say(live, word, load, result),
        "over": live.is_over,
        "can_start": mode == Mode::Serve,
    })
    .to_string()
}

fn say(live: &Live, word: &str, load: ControlState, result: Option<&RunResult>) -> String {
    let mut text = stage_text(word).to_owned();
    if let (Some(run), Some(result)) = (&live.run, result) {
        if let Some(phase) = run.phase().and_then(|phase| result.test_results.get(phase)) {
            text.push_str(&format!(", phase {}", phase.scenario));
        }
        if load.scale != 1.0 && run.end.is_none() {
            text.push_str(&format!(", load at {:.0} percent", load.scale * 100.0));
        }
        let broken = result.summary.limits - result.summary.limits_met;
        if broken > 0 {
            text.push_str(&format!(", {broken} {} broken", plural(broken, "limit", "limits")));
        }
        let alerts = if run.end.is_none() { alerts_on(result).count() } else { 0 };
        if alerts > 0 {
            text.push_str(&format!(", {alerts} {}", plural(alerts, "alert", "alerts")));
        }
        if run.end.is_some()
            && let Some(grade) = result.summary.grade
        {
            text.push_str(&format!(", grade {grade}"));
        }
    }
    text
}

fn plural<N: Copy + PartialEq + From<u8>>(
    count: N,
    one: &'static str,
    many: &'static str,
) -> &'static str {
    if count == N::from(1) { one } else { many }
}

/// Plan, target, state, phase, time.
pub(super) fn head(live: &Live, load: ControlState, result: Option<&RunResult>) -> Markup {
    let word = stage_word(live, load);
    let pill = html! { span.pill data-stage=(word) { (stage_text(word)) } };
    match (&live.run, result) {
        (Some(run), Some(result)) => html! {
            div.title {
                h1 { bdi { (result.run.name) } }
                (pill)
                @if load.scale != 1.0 && run.end.is_none() { span.pill data-stage="scaled" { (format!("{:.0} % load", load.scale * 100.0)) } }
            }
            p.sub {
                span { bdi { (result.run.target) } }
                @if let Some(phase) = run.phase() {
                    @if let Some(now) = result.test_results.get(phase) {
                        span { "phase " (phase + 1) " of " (result.test_results.len()) ": " bdi { (now.scenario) } }
                    }
                }
                span { (clock(run.elapsed())) @if run.end.is_some() { " long" } @else { " so far" } }
                @if let Some(rest) = run.remaining() { span { (remaining(rest, load)) } }
            }
        },
        _ => html! {
            div.title {
                h1 { @match &live.stage { Stage::Preparing(name) => bdi { (name) }, _ => "Proofload" } }
                (pill)
            }
            @match &live.stage {
                Stage::Preparing(_) => p.sub { span { "Asking the target whether it is there" } },
                Stage::Failed(_) => p.sub { span { "The run came to no result" } },
                _ => p.sub { span { "Nothing has been run yet" } },
            }
        },
    }
}

fn remaining(rest: Duration, load: ControlState) -> String {
    if load.paused {
        return "paused".to_owned();
    }
    format!("about {} left", clock(rest))
}

/// The figures of the moment; once the run has ended, the verdict has those of the whole.
pub(super) fn tiles(run: &Run, result: &RunResult) -> Markup {
    if run.end.is_some() {
        return html! {};
    }
    let now = result.timeline.last();
    let summary = &result.summary;
    let phase = run.phase().and_then(|phase| result.test_results.get(phase));
    let rate = now.and_then(|now| per_second(now, now.requests));
    html! {
        dl.tiles {
            (tile("rate", "Throughput", &rate.map_or_else(dash, human_rate),
                &format!("{} requests in all", human_count(summary.total_requests)), ""))
            (tile("users", "Users", &now.map_or_else(dash, |now| human_count(now.users.into())), &most(result), ""))
            (tile("p95", "p95", &ms(now.and_then(|now| now.p95_ms)), &phase_latency(phase), ""))
            (tile("failed", "Failed", &now.map_or_else(dash, |now| share(now.failed, now.requests)),
                &format!("{} of {} in all", human_count(summary.failed), human_count(summary.total_requests)),
                if summary.failed > 0 { "bad" } else { "" }))
            (grade_tile(result))
        }
    }
}

fn dash() -> String {
    "–".to_owned()
}

fn per_second(row: &TimelineRow, count: u64) -> Option<f64> {
    (row.length_seconds > 0.0).then(|| count as f64 / row.length_seconds)
}

fn most(result: &RunResult) -> String {
    let most = result.timeline.iter().map(|row| row.users).max().unwrap_or(0);
    format!("at most {}", human_count(most.into()))
}

fn phase_latency(phase: Option<&PhaseResult>) -> String {
    let p95 = phase.and_then(|phase| phase.p95_latency_ms);
    format!("{} in this phase", ms(p95))
}

fn grade_tile(result: &RunResult) -> Markup {
    let summary = &result.summary;
    let word = summary.grade.map_or("–", |grade| grade.name());
    let below = if summary.targets + summary.limits == 0 {
        "nothing is expected".to_owned()
    } else {
        format!(
            "{} of {} targets, {} of {} limits",
            summary.targets_met, summary.targets, summary.limits_met, summary.limits
        )
    };
    tile("grade", "Grade so far", word, &below, grade_class(summary.grade))
}

/// A figure with what it is and a remark. `name` is for those who read the page by program.
fn tile(name: &str, heading: &str, value: &str, below: &str, class: &str) -> Markup {
    html! {
        div class={ "tile " (class) } data-tile=(name) {
            dt { (heading) }
            dd.value { (value) }
            dd.below { (below) }
        }
    }
}
