//! The screen where nothing but ASCII can be shown: what was drawn is replaced, cell by cell.
//!
//! The picture is made in one way only; a terminal that cannot show a line gets a `-` in its place, and its
//! layout stays the same because every cell keeps its width.

use ratatui::buffer::Buffer;

/// Replaces everything beyond ASCII.
pub(super) fn replace(picture: &mut Buffer) {
    for cell in &mut picture.content {
        if !cell.symbol().is_ascii() {
            let c = cell.symbol().chars().next().unwrap_or(' ');
            cell.set_char(stand_in(c));
        }
    }
}

/// One column that comes nearest to a character.
fn stand_in(c: char) -> char {
    match c {
        '━' | '═' => '=',
        '─' | '╌' | '┄' | '–' | '—' | '−' | '‐' | '‑' => '-',
        '│' | '┃' | '║' | '┆' | '┊' | '·' => '|',
        // All other lines are corners and crossings.
        '\u{2500}'..='\u{257f}' => '+',
        '▁' | '▂' => '_',
        '▃' | '▄' => '=',
        '░' | '▒' => ':',
        '\u{2585}'..='\u{259f}' => '#',
        '\u{2800}' => ' ',
        '\u{2801}'..='\u{28ff}' => braille(c),
        '→' | '▶' | '▸' | '›' | '»' => '>',
        '←' | '◀' | '‹' | '«' => '<',
        '↑' | '▲' => '^',
        '↓' | '▼' => 'v',
        '✓' | '★' => '+',
        '✗' | '×' => 'x',
        '•' | '●' | '◆' | '■' => '*',
        '…' => '.',
        '\u{b5}' | '\u{3bc}' => 'u',
        '≤' => '<',
        '≥' => '>',
        '“' | '”' | '„' => '"',
        '‘' | '’' => '\'',
        '\u{a0}' | '\u{202f}' => ' ',
        _ => '?',
    }
}

/// The dots of a chart: by whether they are at the top, at the bottom, or both.
fn braille(c: char) -> char {
    /// The upper four of the eight dots of a character (Unicode, chapter 21.1: dots 1, 2, 4 and 5).
    const UPPER: u32 = 0b0001_1011;
    let dots = u32::from(c) & 0xff;
    match (dots & UPPER != 0, dots & !UPPER & 0xff != 0) {
        (true, true) => ':',
        (true, false) => '\'',
        _ => '.',
    }
}

#[cfg(test)]
mod tests {
    use super::stand_in;

    #[test]
    fn what_stands_for_what() {
        let check = |drawn: &str, expect: &str| {
            assert_eq!(drawn.chars().map(stand_in).collect::<String>(), expect, "{drawn}");
        };
        check("╭─┐│├┼", "+-+|++");
        check("▁▄█▌", "_=##");
        check("⠀⠁⢀⣿⠒", " '.:'");
        check("→↑µ…✓✗日", ">^u.+x?");
    }
}
