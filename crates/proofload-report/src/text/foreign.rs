//! Text from elsewhere, made safe to show: names in a plan, messages of a server.
//!
//! Such text must not be able to move the cursor, change colours or reorder what stands beside it,
//! and its width must be known. Control characters, invisible format characters and those that
//! change the direction of writing are therefore taken out before anything is laid out.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

use crate::style::Style;

/// Columns that a text takes up. Only meaningful for text that has been through [`clean`].
pub(crate) fn width_of(text: &str) -> usize {
    text.width()
}

/// The text on one line and without characters that a terminal would act upon. Where the style
/// allows ASCII only, other characters become similar ones or `?`.
pub(crate) fn clean(text: &str, style: &Style) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => {
                out.push(' ');
            }
            c if is_invisible(c) => {}
            c if c.is_control() => out.push(if style.unicode { '\u{fffd}' } else { '?' }),
            c if c.is_ascii() || style.unicode => out.push(c),
            c => out.push_str(ascii_of(c)),
        }
    }
    out
}

/// Characters without a glyph: joiners, marks of direction, variation selectors, tags. Terminals
/// disagree about the width of what contains them.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
        | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// A text that is laid out already, for where only ASCII may be written: lines, tabs and colours stay.
#[must_use]
pub fn ascii(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c);
        } else if !is_invisible(c) {
            out.push_str(ascii_of(c));
        }
    }
    Cow::Owned(out)
}

/// What stands for a character where only ASCII may be written.
fn ascii_of(c: char) -> &'static str {
    match c {
        '\u{b5}' | '\u{3bc}' => "u",
        '–' | '—' | '−' => "-",
        '…' => "..",
        '·' | '│' => "|",
        '≤' => "<=",
        '≥' => ">=",
        '×' => "x",
        '→' => "->",
        '“' | '”' | '„' => "\"",
        '‘' | '’' => "'",
        '\u{a0}' | '\u{202f}' => " ",
        _ => "?",
    }
}

/// The longest beginning of a text that is at most this wide.
pub(super) fn head(text: &str, width: usize) -> &str {
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let mut best = 0;
    for end in ends {
        let wide = width_of(&text[..end]);
        if wide <= width {
            best = end;
        } else if wide > width + 8 {
            // A ligature may make a longer text narrower, but not by this much.
            break;
        }
    }
    &text[..best]
}

/// The longest end of a text that is at most this wide.
fn tail(text: &str, width: usize) -> &str {
    let mut best = text.len();
    for (start, _) in text.char_indices().rev() {
        let wide = width_of(&text[start..]);
        if wide <= width {
            best = start;
        } else if wide > width + 8 {
            break;
        }
    }
    // A mark without its letter would stick to the ellipsis.
    text[best..].trim_start_matches(|c: char| width_of(c.encode_utf8(&mut [0; 4])) == 0)
}

/// The text cut in the middle, with an ellipsis, where it is wider than `width`: names and URLs
/// differ at their ends more often than at their beginnings.
pub(crate) fn fit_middle(text: &str, width: usize, style: &Style) -> String {
    if width_of(text) <= width {
        return text.to_owned();
    }
    let ellipsis = head(style.symbols().ellipsis, width);
    let room = width - width_of(ellipsis);
    let start = head(text, room.div_ceil(2));
    let end = tail(text, room - width_of(start));
    format!("{start}{ellipsis}{end}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASCII: Style = Style { color: false, unicode: false, width: 80 };

    #[test]
    fn nothing_that_a_terminal_acts_upon_is_left() {
        let check = |text: &str, unicode: &str, ascii: &str| {
            assert_eq!(clean(text, &Style::plain()), unicode);
            assert_eq!(clean(text, &ASCII), ascii);
        };
        check("GET /a", "GET /a", "GET /a");
        check("\u{1b}[31mred\u{1b}[0m", "\u{fffd}[31mred\u{fffd}[0m", "?[31mred?[0m");
        check("a\r\nb\tc", "a  b c", "a  b c");
        check("\u{9b}2J", "\u{fffd}2J", "?2J");
        check("x\u{202e}y\u{2066}z\u{200b}", "xyz", "xyz");
        check("\u{1f469}\u{200d}\u{1f680}", "\u{1f469}\u{1f680}", "??");
        check("Grüße", "Grüße", "Gr??e");
        check("12.0 µs – 3…", "12.0 µs – 3…", "12.0 us - 3..");
    }

    #[test]
    fn what_is_too_wide_is_cut() {
        let check = |text: &str, width: usize, expect: &str| {
            assert_eq!(fit_middle(text, width, &Style::plain()), expect);
            assert!(width_of(expect) <= width);
        };
        check("short", 5, "short");
        check("GET /api/messages", 11, "GET /…sages");
        check("日本語テキスト", 7, "日…スト");
        check("日本語テキスト", 9, "日本…スト");
        check("abc", 1, "…");
        check("abc", 0, "");
        // The accent goes with its letter.
        check("abcde\u{301}f", 4, "ab…f");
    }

    #[test]
    fn an_ellipsis_in_ascii_is_two_wide() {
        assert_eq!(fit_middle("GET /api/messages", 8, &ASCII), "GET..ges");
    }
}
