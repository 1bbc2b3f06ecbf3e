//! The Grafana dashboard. Written by hand: the structure never changes, and a service should not have to build a JSON
//! library for it.

use std::fmt::{self, Write as _};

use super::panels::{Panel, SECTIONS};
use super::promql::PromQl;

/// Grafana computes it from the resolution of the picture.
const WINDOW: &str = "$__rate_interval";
/// The grid has 24 columns.
const COLUMNS: usize = 24;
/// Three panels beside each other.
const PANEL_WIDTH: usize = 8;
const PANEL_HEIGHT: usize = 8;
const DATASOURCE: &str = r#"{ "type": "prometheus", "uid": "${datasource}" }"#;

pub(super) fn write(title: &str, promql: &PromQl) -> String {
    let mut grid = Grid::default();
    for section in SECTIONS {
        grid.row(section.title);
        for panel in section.panels {
            grid.panel(panel, promql);
        }
    }
    format!(
        r#"{{
  "title": {title},
  "description": "Caches, circuit breakers, queues, pools and requests, as proofload-kit shows them.",
  "tags": ["proofload-kit"],
  "schemaVersion": 39,
  "editable": true,
  "graphTooltip": 1,
  "refresh": "30s",
  "time": {{ "from": "now-6h", "to": "now" }},
  "timezone": "browser",
  "annotations": {{ "list": [] }},
  "links": [],
  "templating": {{ "list": [
    {{ "name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "refresh": 1, "hide": 0 }}
  ] }},
  "panels": [
{panels}
  ]
}}
"#,
        title = Json(title),
        panels = grid.panels.join(",\n"),
    )
}

/// Puts panels beside and below each other.
#[derive(Default)]
struct Grid {
    panels: Vec<String>,
    x: usize,
    y: usize,
}

impl Grid {
    fn row(&mut self, title: &str) {
        if self.x > 0 {
            (self.x, self.y) = (0, self.y + PANEL_HEIGHT);
        }
        let place = self.place(COLUMNS, 1);
        self.panels.push(format!(
            r#"    {{ "type": "row", "title": {}, "collapsed": false, "panels": [], {place} }}"#,
            Json(title)
        ));
    }

    fn panel(&mut self, panel: &Panel, promql: &PromQl) {
        let place = self.place(PANEL_WIDTH, PANEL_HEIGHT);
        let targets: Vec<String> = ('A'..='Z')
            .zip(panel.queries)
            .map(|(letter, (expr, legend))| {
                format!(
                    r#"        {{ "refId": "{letter}", "datasource": {DATASOURCE}, "editorMode": "code", "range": true, "legendFormat": {}, "expr": {} }}"#,
                    Json(legend),
                    Json(&promql.expression(expr, WINDOW)),
                )
            })
            .collect();
        self.panels.push(format!(
            r#"    {{
      "type": "timeseries", "title": {title}, "description": {description},
      {place},
      "datasource": {DATASOURCE},
      "fieldConfig": {{
        "defaults": {{ "unit": "{unit}", "min": 0, "custom": {{ "lineWidth": 2, "fillOpacity": 8, "showPoints": "never"{style} }}{bound} }},
        "overrides": []
      }},
      "options": {{
        "legend": {{ "displayMode": "list", "placement": "bottom", "showLegend": true }},
        "tooltip": {{ "mode": "multi", "sort": "desc" }}
      }},
      "targets": [
{targets}
      ]
    }}"#,
            title = Json(panel.title),
            description = Json(panel.description),
            unit = panel.unit.name(),
            style = if panel.bound.is_some() { r#", "thresholdsStyle": { "mode": "line" }"# } else { "" },
            bound = bound(panel.bound),
            targets = targets.join(",\n"),
        ));
    }

    fn place(&mut self, width: usize, height: usize) -> String {
        let place = format!(
            r#""id": {}, "gridPos": {{ "x": {}, "y": {}, "w": {width}, "h": {height} }}"#,
            self.panels.len() + 1,
            self.x,
            self.y
        );
        self.x += width;
        if self.x >= COLUMNS {
            (self.x, self.y) = (0, self.y + height);
        }
        place
    }
}

fn bound(bound: Option<f64>) -> String {
    let Some(bound) = bound else { return String::new() };
    format!(
        r#", "thresholds": {{ "mode": "absolute", "steps": [{{ "color": "transparent", "value": null }}, {{ "color": "red", "value": {bound} }}] }}"#
    )
}

/// A JSON string.
struct Json<'a>(&'a str);

impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for character in self.0.chars() {
            match character {
                '"' | '\\' => write!(f, "\\{character}")?,
                control if control < ' ' => write!(f, "\\u{:04x}", u32::from(control))?,
                other => f.write_char(other)?,
            }
        }
        f.write_char('"')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_json() {
        for text in ["", "Shop", "a \"b\" \\ c\n\t\u{0}\u{7f} ü \u{2028}"] {
            let written = Json(text).to_string();
            assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text, "{written}");
        }
    }
}
