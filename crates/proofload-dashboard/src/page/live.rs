//! The live page, and the pieces of it that change.

use std::time::Duration;

use maud::{Markup, PreEscaped, html};
use proofload_core::result::{MarkRow, RunResult};
use proofload_report::html::View;

use super::controls::controls;
use super::layout::{document, mark};
use super::runs::list;
use super::sections::SECTIONS;
use super::start::start;
use super::text::clock;
use super::{head, runs, sections};
use crate::config::Mode;
use crate::live::{Frame, Live, Piece, Shared, Stage};

/// Alerts that are shown above everything; the table of events has them all.
const MAX_ALERTS: usize = 4;

/// Alerts that are not over, the gravest first.
pub(super) fn alerts_on(result: &RunResult) -> impl Iterator<Item = &MarkRow> {
    let is_on = |row: &&MarkRow| row.kind == "alert" && row.until_seconds.is_none();
    let (critical, others): (Vec<_>, Vec<_>) =
        result.marks.iter().filter(is_on).partition(|row| row.level == "critical");
    critical.into_iter().chain(others)
}

/// Draws every piece of the live page.
pub(crate) fn pieces(shared: &Shared, live: &Live) -> Vec<Piece> {
    let redactor = &shared.config.redactor;
    let load = live.load();
    let result = live.run.as_ref().map(|run| run.result(redactor));
    let result = result.as_ref();
    let piece = |id: &'static str, markup: Markup| Piece { id, html: markup.into_string() };
    let mut pieces = vec![
        Piece { id: "state", html: head::state(live, load, shared.config.mode, result) },
        piece("head", head::head(live, load, result)),
        piece("trouble", trouble(live, shared, result)),
    ];
    if let (Some(run), Some(result)) = (&live.run, result) {
        let code = run.end.as_ref().map(|end| end.exit_code);
        let verdict = code.map(|code| sections::verdict(result, code)).unwrap_or_default();
        let view = View::new(result);
        pieces.push(piece("verdict-place", verdict));
        pieces.push(piece("tiles", head::tiles(run, result)));
        pieces.extend(SECTIONS.map(|id| sections::section(id, &view)));
    } else {
        let empty = |id| Piece { id, html: String::new() };
        pieces.extend(["verdict-place", "tiles"].into_iter().chain(SECTIONS).map(empty));
    }
    pieces.push(piece("downloads", downloads(live)));
    pieces.push(piece("past", list(&shared.past_runs(), runs::ON_LIVE_PAGE)));
    pieces
}

/// What the user must know before all figures.
fn trouble(live: &Live, shared: &Shared, result: Option<&RunResult>) -> Markup {
    let missed = live.run.as_ref().map_or(0, |run| run.missed);
    let alerts: Vec<&MarkRow> = match (&live.run, result) {
        (Some(run), Some(result)) if run.end.is_none() => alerts_on(result).collect(),
        _ => Vec::new(),
    };
    html! {
        @for alert in alerts.iter().take(MAX_ALERTS) {
            div class={ "banner " (if alert.level == "critical" { "bad" } else { "warn" }) } data-alert=(alert.level) {
                strong { "Alert since " (clock(Duration::from_secs_f64(alert.at_seconds.max(0.0)))) ":" } " " bdi { (alert.text) }
            }
        }
        @if alerts.len() > MAX_ALERTS { div.banner.warn { (alerts.len() - MAX_ALERTS) " more alerts, below" } }
        @if let Stage::Failed(why) = &live.stage {
            div.banner.bad { strong { "The run came to no result." } pre { (shared.config.redactor.text(why)) } }
        }
        @if missed > 0 {
            div.banner.warn { (missed) " events did not reach this page: the machine was too busy. Its figures are too low; those of the result are not." }
        }
    }
}

fn downloads(live: &Live) -> Markup {
    if live.run.is_none() {
        return html! {};
    }
    html! {
        section.card aria-labelledby="downloads-h" {
            h2 #downloads-h { "Downloads" }
            p.note { "As far as the run has come." }
            (runs::files("/download"))
        }
    }
}

/// The live page with the picture of now; the script keeps it up to date.
pub(crate) fn live(shared: &Shared, frame: &Frame) -> Markup {
    let held = |id: &'static str| html! { div id=(id) data-piece { (PreEscaped(frame.html(id))) } };
    let body = html! {
        body.live data-state=(frame.html("state")) {
            a.skip href="#main" { "Skip to the figures" }
            header.bar {
                a.brand href="/" { (mark()) span { "Proofload" } }
                nav aria-label="Pages" { a href="/" aria-current="page" { "Live" } a href="/runs" { "Past runs" } }
                span #link role="status" { "connecting" }
            }
            div.top {
                div #head.head data-piece { (PreEscaped(frame.html("head"))) }
                (controls())
            }
            p #announce.vh role="status" aria-live="polite" {}
            main #main {
                (held("trouble"))
                @if shared.config.mode == Mode::Serve { (start(&shared.plans)) }
                (held("verdict-place"))
                (held("tiles"))
                @for id in SECTIONS { (held(id)) }
                (held("downloads"))
                (held("past"))
            }
            noscript { p.banner.warn { "Without script this page does not keep itself up to date: load it again." } }
        }
    };
    document("Proofload", &shared.instance, &body)
}
