//! Pieces of SVG as text.

use crate::style::Style;
use crate::text::clean;

/// Appends text so that it cannot end an attribute or an element.
pub(super) fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

/// Text from elsewhere, without control and direction characters and at most so many characters long.
pub(crate) fn label(text: &str, most: usize) -> String {
    // Cleaning takes time in proportion; what comes far behind the cut need not be looked at.
    let beginning = text.char_indices().nth(most * 4).map_or(text, |(end, _)| &text[..end]);
    let cleaned = clean(beginning, &Style::plain());
    match cleaned.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &cleaned[..end]),
        None => cleaned,
    }
}

/// The text, cleaned, cut and escaped.
pub(super) fn escaped(text: &str, most: usize) -> String {
    let text = label(text, most);
    let mut out = String::with_capacity(text.len() + 8);
    escape(&text, &mut out);
    out
}

/// A place as a percentage with two decimals: `12.5%`.
pub(super) fn percent(fraction: f64) -> String {
    let hundredths = if fraction.is_finite() { (fraction * 1e4).round() as i64 } else { 0 };
    let (whole, rest) = (hundredths / 100, (hundredths % 100).abs());
    match rest {
        0 => format!("{whole}%"),
        rest if rest % 10 == 0 => format!("{whole}.{}%", rest / 10),
        rest => format!("{whole}.{rest:02}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_harmless() {
        assert_eq!(escaped("<a href=\"'&\u{202e}\u{0}", 99), "&lt;a href=&quot;&#39;&amp;\u{fffd}");
        assert_eq!(escaped("abcdef", 3), "abc…");
        assert_eq!(label(&"x".repeat(100_000), 5), "xxxxx…");
    }

    #[test]
    fn percentages() {
        let check = |fraction: f64, expect: &str| assert_eq!(percent(fraction), expect);
        check(0.0, "0%");
        check(0.125, "12.5%");
        check(0.333_33, "33.33%");
        check(1.0, "100%");
        check(0.0005, "0.05%");
        check(f64::NAN, "0%");
    }
}
