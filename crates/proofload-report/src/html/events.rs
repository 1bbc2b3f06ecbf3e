//! What happened in the run, numbered as in the charts.

use maud::{Markup, html};

use super::text::{and_more, count, message, scroll};
use super::view::{View, tone};
use crate::chart::elapsed_text;

/// Events that are listed.
const MAX_ROWS: usize = 200;

/// The section with alerts, changes of the load, faults and notices; empty if there were none.
#[must_use]
pub fn events(view: &View<'_>) -> Markup {
    let marks = &view.result.marks;
    if marks.is_empty() {
        return html! {};
    }
    let rows = marks.iter().enumerate().take(MAX_ROWS);
    let table = html! {
        table {
            thead { tr { th scope="col" { "No." } th scope="col" { "Time" } th scope="col" { "Kind" } th scope="col" { "What" } } }
            tbody {
                @for (number, mark) in rows {
                    tr {
                        th scope="row" { span class={ "sign " (tone(&mark.level).class()) } { (number + 1) } }
                        td.nowrap {
                            (elapsed_text(mark.at_seconds))
                            @if let Some(until) = mark.until_seconds { " – " (elapsed_text(until)) }
                        }
                        td { (message(&mark.kind)) @if mark.level != "info" { ", " (message(&mark.level)) } }
                        td { (message(&mark.text)) }
                    }
                }
            }
        }
    };
    html! {
        section #events aria-labelledby="events-h" {
            h2 #events-h { "Events" }
            p.note { "Numbers are those in the charts." }
            (scroll("Events", &table))
            (and_more(marks.len(), MAX_ROWS, "events"))
            @if view.result.marks_dropped > 0 {
                p.note { (count(view.result.marks_dropped)) " further events were not kept." }
            }
        }
    }
}
