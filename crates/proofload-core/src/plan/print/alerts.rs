//! `[alerts]` as TOML.

use super::Secrets;
use super::toml_text::{InlineTable, Writer};
use crate::plan::model::AlertRules;
use crate::units::duration_text;

/// What differs from the defaults.
pub(super) fn print_alerts(out: &mut Writer, rules: &AlertRules, secrets: Secrets) {
    if !rules.enabled {
        out.raw("alerts", "false");
        return;
    }
    let default = AlertRules::default();
    let mut table = InlineTable::default();
    if rules.window != default.window {
        table.text("window", &duration_text(rules.window));
    }
    if rules.min_requests != default.min_requests {
        table.raw("min_requests", &rules.min_requests.to_string());
    }
    let shares = [
        ("throughput_drop", rules.throughput_drop, default.throughput_drop),
        ("error_burst", rules.error_burst, default.error_burst),
        ("queue", rules.queue, default.queue),
    ];
    for (key, share, usual) in shares.into_iter().filter(|(_, share, usual)| share != usual) {
        debug_assert!(usual.is_some(), "{key} is looked at unless told otherwise");
        // A bare number is a share; `1` is a whole number and must not become one.
        table.raw(key, &share.map_or_else(|| "false".to_owned(), |share| format!("{share:?}")));
    }
    if let Some(webhook) = &rules.webhook {
        table.text("webhook", if secrets == Secrets::Hide { "***" } else { webhook });
    }
    if !table.is_empty() {
        out.raw("alerts", &table.finish());
    }
}
