//! Expressions as they stand in `panels` and `alerts`, for one service. There, `{$}` and `$}` are where its labels
//! go, metrics are without prefix, and `[w]` is the window that suits the picture.

use crate::registry::catalogue;

#[derive(Clone, Debug, Default)]
pub(super) struct PromQl {
    /// `job="shop",zone="north"`
    matchers: String,
    /// With its underscore.
    prefix: String,
}

impl PromQl {
    pub(super) fn add_matcher(&mut self, name: &str, value: &str) {
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        if !self.matchers.is_empty() {
            self.matchers.push(',');
        }
        self.matchers.push_str(&format!("{name}=\"{value}\""));
    }

    pub(super) fn set_prefix(&mut self, prefix: &str) {
        self.prefix = format!("{prefix}_");
    }

    /// The expression for this service, with rates over this window.
    pub(super) fn expression(&self, pattern: &str, window: &str) -> String {
        let pattern = self.prefixed(pattern).replace("[w]", &format!("[{window}]"));
        let mut expression = String::new();
        let mut rest = pattern.as_str();
        // From left to right: what a label's value contains is not looked at again.
        while let Some((before, after)) = rest.split_once("$}") {
            match before.strip_suffix('{') {
                Some(metric) if self.matchers.is_empty() => expression.push_str(metric),
                Some(_) => expression.extend([before, &self.matchers, "}"]),
                None if self.matchers.is_empty() => expression.extend([before, "}"]),
                None => expression.extend([before, ",", &self.matchers, "}"]),
            }
            rest = after;
        }
        expression + rest
    }

    fn prefixed(&self, pattern: &str) -> String {
        if self.prefix.is_empty() {
            return pattern.to_owned();
        }
        words(pattern)
            .map(|word| {
                let prefix = if catalogue::is_series(word) { self.prefix.as_str() } else { "" };
                format!("{prefix}{word}")
            })
            .collect()
    }
}

/// The words of an expression, and what is between them.
pub(super) fn words(expression: &str) -> impl Iterator<Item = &str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let mut rest = expression;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| is_word(c) != is_word(first)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_prefix_and_window() {
        let pattern = "rate(pool_leaks_total{$}[w]) / rate(x_total{a=\"1\"$}[5m])";
        let mut promql = PromQl::default();
        let check = |promql: &PromQl, expect: &str| {
            assert_eq!(promql.expression(pattern, "1m"), expect);
        };
        check(&promql, "rate(pool_leaks_total[1m]) / rate(x_total{a=\"1\"}[5m])");
        promql.add_matcher("job", "a\"$}[w]{$}");
        promql.set_prefix("shop");
        check(
            &promql,
            "rate(shop_pool_leaks_total{job=\"a\\\"$}[w]{$}\"}[1m]) / rate(x_total{a=\"1\",job=\"a\\\"$}[w]{$}\"}[5m])",
        );
    }
}
