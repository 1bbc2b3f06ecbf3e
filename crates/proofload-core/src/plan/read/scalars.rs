//! Single values: texts, numbers, durations, words.

use std::time::Duration;

use super::Reader;
use crate::plan::model::ThinkTime;
use crate::plan::tree::{Node, Value};
use crate::plan::words::nearest;
use crate::units::{self, UnitError};

impl Reader<'_> {
    /// A text.
    pub(super) fn text<'t>(&mut self, node: &'t Node) -> Option<&'t str> {
        match &node.value {
            Value::Text(text) => Some(&text.text),
            _ => self.wrong(node, format!("expected a text, found {}", node.kind())),
        }
    }

    /// A text with something in it, such as a name.
    pub(super) fn name<'t>(&mut self, node: &'t Node) -> Option<&'t str> {
        let text = self.text(node)?;
        if text.trim().is_empty() {
            return self.wrong(node, "expected a name, found an empty text");
        }
        Some(text)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&mut self, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(value) => Some(*value),
            Value::Text(text) if text.replaced => match text.text.trim() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" | "" => Some(false),
                other => self.wrong(node, format!("expected true or false, found `{other}`")),
            },
            Value::Text(text) if matches!(text.text.as_str(), "true" | "false") => {
                self.wrong_help(node, "expected true or false, found a text", "remove the quotes")
            }
            _ => self.wrong(node, format!("expected true or false, found {}", node.kind())),
        }
    }

    /// A whole number within limits.
    pub(super) fn whole(&mut self, node: &Node, min: u64, max: u64) -> Option<u64> {
        let number = match &node.value {
            Value::Whole(number) => u64::try_from(*number).ok(),
            Value::Text(text) if text.replaced => {
                match text.text.trim().replace('_', "").parse::<u64>() {
                    Ok(number) => Some(number),
                    Err(_) => {
                        let found = text.text.clone();
                        return self
                            .wrong(node, format!("expected a whole number, found `{found}`"));
                    }
                }
            }
            Value::Text(text) if text.text.trim().parse::<u64>().is_ok() => {
                return self.wrong_help(
                    node,
                    "expected a whole number, found a text",
                    "remove the quotes",
                );
            }
            _ => {
                return self.wrong(node, format!("expected a whole number, found {}", node.kind()));
            }
        };
        match number {
            Some(number) if (min..=max).contains(&number) => Some(number),
            Some(number) if number > max => self.wrong(node, format!("must be at most {max}")),
            _ => self.wrong(node, format!("must be at least {min}")),
        }
    }

    /// A whole number from `min` that fits 32 bits.
    pub(super) fn whole_u32(&mut self, node: &Node, min: u32) -> Option<u32> {
        self.whole(node, u64::from(min), u64::from(u32::MAX)).map(|n| n as u32)
    }

    /// How many users: at least `min`, at most ten million.
    pub(super) fn users(&mut self, node: &Node, min: u32) -> Option<u32> {
        if let Value::Text(text) = &node.value
            && !text.replaced
            && units::parse_rate(&text.text).is_ok()
        {
            return self.wrong_help(
                node,
                "expected a number of users, found a rate",
                "users wait for their answers; for a fixed rate use `rate`",
            );
        }
        self.whole(node, u64::from(min), 10_000_000).map(|n| n as u32)
    }

    /// A duration.
    pub(super) fn duration(&mut self, node: &Node) -> Option<Duration> {
        match &node.value {
            Value::Text(text) => self.unit(node, units::parse_duration(&text.text)),
            Value::Whole(number) => {
                let help = format!("a duration has a unit: \"{number}s\" or \"{number}ms\"");
                self.wrong_help(node, "expected a duration, found a whole number", help)
            }
            _ => self.wrong_help(
                node,
                format!("expected a duration, found {}", node.kind()),
                "such as \"300ms\", \"30s\" or \"10m\"",
            ),
        }
    }

    /// A duration above zero.
    pub(super) fn positive_duration(&mut self, node: &Node) -> Option<Duration> {
        let duration = self.duration(node)?;
        if duration.is_zero() {
            return self.wrong(node, "must be longer than 0s");
        }
        Some(duration)
    }

    /// A duration, or a range of them.
    pub(super) fn think_time(&mut self, node: &Node) -> Option<ThinkTime> {
        let Some(text) = node.as_text() else {
            return self.wrong_help(
                node,
                format!("expected a pause, found {}", node.kind()),
                "such as \"1s\", \"1s..3s\" or \"none\"",
            );
        };
        parse_think_time(&text.text).map_or_else(|message| self.wrong(node, message), Some)
    }

    /// Arrivals a second.
    pub(super) fn rate(&mut self, node: &Node) -> Option<f64> {
        match &node.value {
            Value::Text(text) => {
                let rate = self.unit(node, units::parse_rate(&text.text))?.as_per_second();
                if rate > MAX_RATE {
                    return self.wrong(node, "a rate is at most 100000000/s");
                }
                Some(rate)
            }
            Value::Whole(number) => {
                let help = format!("a rate has a time: \"{number}/s\" or \"{number}/m\"");
                self.wrong_help(node, "expected a rate, found a whole number", help)
            }
            _ => self.wrong_help(
                node,
                format!("expected a rate, found {}", node.kind()),
                "such as \"1000/s\" or \"60/m\"",
            ),
        }
    }

    /// A rate above zero.
    pub(super) fn positive_rate(&mut self, node: &Node) -> Option<f64> {
        let rate = self.rate(node)?;
        if rate <= 0.0 {
            return self.wrong(node, "must be above 0");
        }
        Some(rate)
    }

    /// A share of a whole.
    pub(super) fn share(&mut self, node: &Node) -> Option<f64> {
        match &node.value {
            Value::Text(text) => self.unit(node, units::parse_ratio(&text.text)),
            Value::Float(share) if (0.0..=1.0).contains(share) => Some(*share),
            Value::Whole(share @ 0..=1) => Some(*share as f64),
            _ => {
                let kind = node.kind();
                self.wrong(node, format!("expected a share such as \"80%\", found {kind}"))
            }
        }
    }

    /// A size in bytes.
    pub(super) fn bytes(&mut self, node: &Node) -> Option<u64> {
        match &node.value {
            Value::Text(text) => self.unit(node, units::parse_bytes(&text.text)),
            Value::Whole(_) => self.whole(node, 0, u64::MAX),
            _ => self.wrong_help(
                node,
                format!("expected a size, found {}", node.kind()),
                "such as \"10MB\" or \"64KiB\"",
            ),
        }
    }

    /// One of some words.
    pub(super) fn word<T: Copy>(&mut self, node: &Node, words: &[(&'static str, T)]) -> Option<T> {
        let all = || words.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>();
        let Some(text) = node.as_text() else {
            return self.wrong_help(
                node,
                format!("expected a word, found {}", node.kind()),
                format!("one of {}", all().join(", ")),
            );
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text.text) {
            return Some(*value);
        }
        let help = match nearest(&text.text, words.iter().map(|(word, _)| *word)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("one of {}", all().join(", ")),
        };
        self.wrong_help(node, format!("unknown word `{}`", text.text), help)
    }

    /// The items of a list.
    pub(super) fn list<'t>(&mut self, node: &'t Node, of_what: &str) -> &'t [Node] {
        match &node.value {
            Value::List(items) => items,
            _ => {
                let message = format!("expected a list of {of_what}, found {}", node.kind());
                self.wrong::<()>(node, message);
                &[]
            }
        }
    }

    fn unit<T>(&mut self, node: &Node, read: Result<T, UnitError>) -> Option<T> {
        read.map_or_else(|error| self.wrong(node, error.to_string()), Some)
    }
}

/// More arrivals a second than any machine can start.
const MAX_RATE: f64 = 1e8;

/// Reads `"1s"`, `"1s..3s"`, `"none"`.
pub(in crate::plan) fn parse_think_time(text: &str) -> Result<ThinkTime, String> {
    let text = text.trim();
    if text == "none" {
        return Ok(ThinkTime::None);
    }
    let read = |part: &str| units::parse_duration(part).map_err(|error| error.to_string());
    let (min, max) = match text.split_once("..") {
        Some((min, max)) => (read(min)?, read(max)?),
        None => (read(text)?, read(text)?),
    };
    if min > max {
        return Err(format!("the shorter pause comes first, as in \"1s..3s\", not \"{text}\""));
    }
    Ok(match max {
        Duration::ZERO => ThinkTime::None,
        _ if min == max => ThinkTime::Constant(max),
        _ => ThinkTime::Uniform { min, max },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn think_times_are_one_pause_or_a_range() {
        let ms = Duration::from_millis;
        let check = |text: &str, expect| assert_eq!(parse_think_time(text), Ok(expect), "{text}");
        check("none", ThinkTime::None);
        check("0s", ThinkTime::None);
        check("1.5s", ThinkTime::Constant(ms(1500)));
        check("2s..2s", ThinkTime::Constant(ms(2000)));
        check(" 500ms .. 3s ", ThinkTime::Uniform { min: ms(500), max: ms(3000) });
        check("0s..1s", ThinkTime::Uniform { min: ms(0), max: ms(1000) });
        for wrong in ["", "5", "1..3s", "3s..1s", "1s..", "-1s"] {
            assert!(parse_think_time(wrong).is_err(), "{wrong}");
        }
    }
}
