//! Back from a compiled template to text.

use std::fmt::Write as _;

use super::base64;
use super::ir::{Escape, Expr, Filter, Segment, Source, Template};

impl Template {
    /// A text that compiles to the same template where values are escaped as `place` by default.
    /// Bytes that are not UTF-8 become `{{ base64("…") | raw }}`.
    #[must_use]
    pub fn to_text(&self, place: Escape) -> String {
        let mut text = String::new();
        for segment in self.segments() {
            match segment {
                Segment::Literal(bytes) => push_literal(&mut text, bytes),
                Segment::Expr(expr) => {
                    text.push_str("{{ ");
                    push_expr(&mut text, expr, place);
                    text.push_str(" }}");
                }
            }
        }
        text
    }
}

fn push_literal(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        // `raw`: the bytes are as they have to be already.
        text.push_str(&chunk.valid().replace("{{", "{{ \"{{\" | raw }}"));
        if !chunk.invalid().is_empty() {
            let _ = write!(text, "{{{{ base64(\"{}\") | raw }}}}", base64::encode(chunk.invalid()));
        }
    }
}

fn push_expr(text: &mut String, expr: &Expr, place: Escape) {
    push_source(text, &expr.source);
    for filter in &expr.filters {
        text.push_str(" | ");
        text.push_str(word(Filter::WORDS, *filter));
    }
    if expr.escape != place {
        text.push_str(" | ");
        text.push_str(word(Escape::WORDS, expr.escape));
    }
}

fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, value)| *value == wanted).map_or("", |(word, _)| word)
}

fn push_source(text: &mut String, source: &Source) {
    // Writing into a String cannot fail.
    let _ = match source {
        Source::Variable { name, .. } => write!(text, "{name}"),
        Source::Data { name, .. } => {
            let (feed, column) = name.split_once('.').unwrap_or((name, ""));
            write!(text, "data.{}.{}", path_part(feed), path_part(column))
        }
        Source::RandomInt { min, max } => write!(text, "random.int({min}, {max})"),
        Source::RandomFloat { min, max } => write!(text, "random.float({min}, {max})"),
        Source::RandomHex(digits) => write!(text, "random.hex({digits})"),
        Source::RandomAlnum(length) => write!(text, "random.alnum({length})"),
        Source::RandomUuid => write!(text, "random.uuid"),
        Source::RandomChoice(choices) => {
            let list: Vec<String> =
                choices.iter().map(|choice| quote(&String::from_utf8_lossy(choice))).collect();
            write!(text, "random.choice({})", list.join(", "))
        }
        Source::Counter { name, .. } if &**name == "counter" => write!(text, "counter"),
        Source::Counter { name, .. } => write!(text, "counter({})", quote(name)),
        Source::UserId => write!(text, "user.id"),
        Source::Iteration => write!(text, "iteration"),
        Source::NowSeconds => write!(text, "now"),
        Source::NowMillis => write!(text, "now.ms"),
        Source::NowIso => write!(text, "now.iso"),
        Source::Group(inner) => write!(text, "template({})", quote(&inner.to_text(Escape::None))),
    };
}

fn path_part(name: &str) -> String {
    let is_word = name.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    if is_word { name.to_owned() } else { quote(name) }
}

fn quote(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
