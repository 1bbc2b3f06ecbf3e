//! The file of alert rules.

use std::fmt::Write as _;

use super::alerts::ALERTS;
use super::promql::PromQl;

pub(super) fn write(title: &str, promql: &PromQl) -> String {
    let mut text = String::from("groups:\n");
    // Writing to a string cannot fail.
    let _ = writeln!(text, "  - name: {}", quoted(title));
    text.push_str("    rules:\n");
    for alert in ALERTS {
        let _ = write!(
            text,
            "      - alert: {}\n        expr: {}\n        for: {}\n        labels:\n          severity: {}\n        \
             annotations:\n          summary: {}\n          description: {}\n",
            alert.name,
            quoted(&promql.expression(alert.expr, "5m")),
            alert.lasting,
            alert.severity.name(),
            quoted(alert.summary),
            quoted(alert.description),
        );
    }
    text
}

/// A YAML string on one line. Single quotes have no escapes but themselves, so control characters, which
/// only a title can have, become spaces.
fn quoted(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    format!("'{}'", text.chars().map(plain).collect::<String>().replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_stay_on_their_line() {
        let check = |text, expect| assert_eq!(quoted(text), expect);
        check("Shop", "'Shop'");
        check("Bob's: \"shop\" #1\n- x", "'Bob''s: \"shop\" #1 - x'");
    }
}
