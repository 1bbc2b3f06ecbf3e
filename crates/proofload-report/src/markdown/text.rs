//! Texts in Markdown: ours as text, those from elsewhere as code.

use crate::style::Style;
use crate::text::{clean, fit_middle};

/// Columns of a name before its middle is left out.
const MAX_WIDTH: usize = 100;
/// Columns of a sentence before its middle is left out.
const MAX_PLAIN_WIDTH: usize = 400;

/// A text from elsewhere as a code span, on one line, fit for a cell of a table. Nothing in a code span
/// is interpreted but the backticks that end it and, in a table, the pipe.
pub(super) fn code(text: &str) -> String {
    let text = fit_middle(&clean(text, &Style::plain()), MAX_WIDTH, &Style::plain());
    let text = text.trim();
    if text.is_empty() {
        return "*(no name)*".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    // A backtick at either end would belong to the fence.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{}{pad}{fence}", escaped_pipes(text))
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Tables are cut at pipes before code is looked for. A backslash keeps a pipe from that and is taken
/// away again, unless an odd number of backslashes stood there already: those get a space.
fn escaped_pipes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut backslashes = 0;
    for c in text.chars() {
        if c == '|' {
            out.push_str(if backslashes % 2 == 1 { " \\" } else { "\\" });
        }
        backslashes = if c == '\\' { backslashes + 1 } else { 0 };
        out.push(c);
    }
    out
}

/// A text of our own, such as a figure or a bound, that shows as it is.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let text = fit_middle(&clean(text, &Style::plain()), MAX_PLAIN_WIDTH, &Style::plain());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // Nobody is told of a figure: the space without width keeps this from being a mention.
            '@' => out.push_str("@\u{200b}"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '#' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreign_is_code() {
        let check = |text: &str, expect: &str| assert_eq!(code(text), expect);
        check("GET /a?b=<c>&d=*", "`GET /a?b=<c>&d=*`");
        check("a`b``c", "```a`b``c```");
        check("`a`", "`` `a` ``");
        check("a|b", "`a\\|b`");
        check("a\\|b\\\\|c", "`a\\ \\|b\\\\\\|c`");
        check("two\nlines @user #1", "`two lines @user #1`");
        check("", "*(no name)*");
        check(" \n", "*(no name)*");
        check("\u{1b}[31m\u{202e}x", "`\u{fffd}[31mx`");
        assert!(code(&"long ".repeat(100)).chars().count() < 110);
    }

    #[test]
    fn what_is_ours_shows_as_it_is() {
        let check = |text: &str, expect: &str| assert_eq!(plain(text), expect);
        check("< 300 ms", "&lt; 300 ms");
        check("99.5%", "99.5%");
        check("a|b_c*d", "a\\|b\\_c\\*d");
        check("<b>&amp;", "&lt;b&gt;&amp;amp;");
        check("@me", "@\u{200b}me");
    }
}
