//! A drawing with what belongs to it: caption, legend, summary, and the data as a table.

use std::fmt::Write;

use maud::{Markup, PreEscaped, html};

use super::colour::{Colour, Line};
use super::svg::{escaped, label};

/// Rows of the table; more are counted.
const MAX_ROWS: usize = 700;

/// One line of a legend.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) colour: Colour,
    pub(super) line: Line,
}

/// Everything about a drawing.
#[derive(Debug)]
pub(super) struct Figure<'a> {
    pub(super) title: &'a str,
    pub(super) note: &'a str,
    pub(super) legend: Vec<Entry>,
    pub(super) svg: String,
    pub(super) summary: String,
    pub(super) headings: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
}

impl Figure<'_> {
    pub(super) fn render(&self, id: &str) -> Markup {
        html! {
            figure id=(id) aria-labelledby={ (id) "-h" } {
                figcaption {
                    h3 id={ (id) "-h" } { (label(self.title, 200)) }
                    @if !self.note.is_empty() { p.note { (label(self.note, 400)) } }
                    @if !self.legend.is_empty() {
                        ul.legend { @for entry in &self.legend { li { (swatch(entry)) " " (label(&entry.name, 60)) } } }
                    }
                }
                (PreEscaped(&self.svg))
                @if self.rows.is_empty() { p.summary { (label(&self.summary, 600)) } } @else { (self.table()) }
            }
        }
    }

    /// Written by hand: there are thousands of cells, and end tags of rows and cells may be left out.
    fn table(&self) -> Markup {
        let mut out = String::with_capacity(self.rows.len() * 64 + 512);
        out.push_str("<thead><tr>");
        for heading in &self.headings {
            let _ = write!(out, "<th scope=\"col\">{}", escaped(heading, 60));
        }
        out.push_str("<tbody>");
        for row in self.rows.iter().take(MAX_ROWS) {
            for (number, cell) in row.iter().enumerate() {
                let tag = if number == 0 { "<tr><th scope=row>" } else { "<td>" };
                let _ = write!(out, "{tag}{}", escaped(cell, 80));
            }
        }
        let more = self.rows.len().saturating_sub(MAX_ROWS);
        html! {
            details.data {
                summary { b { "Data" } " " (label(&self.summary, 600)) }
                div.scroll tabindex="0" role="region" aria-label={ "Data of " (label(self.title, 200)) } {
                    table.num { (PreEscaped(out)) }
                }
                @if more > 0 { p.note { "and " (more) " more rows" } }
            }
        }
    }
}

/// A short piece of the series' line.
fn swatch(entry: &Entry) -> Markup {
    html! {
        svg.swatch width="22" height="10" aria-hidden="true" {
            g class={ (entry.colour.class()) " " (entry.line.class()) } {
                @if entry.line == Line::Area { rect.fill x="1" y="1" width="20" height="9" {} }
                path.line d=(if entry.line == Line::Area { "M1 1h20" } else { "M1 5h20" }) {}
            }
        }
    }
}
