//! Patterns of keys, with the meaning they have in Redis: `*` any run of bytes, `?` one byte, `[abc]`,
//! `[a-z]` and `[^a]` one byte of a set, `\` takes the next byte literally. So the layers of a cache
//! agree about what a pattern covers.
//!
//! Matching goes back to the last `*` only: at worst the product of both lengths, never exponential.

/// A pattern, read once to be matched often.
#[derive(Debug, Clone)]
pub(crate) struct Glob {
    tokens: Vec<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// Any run of bytes, also none.
    Star,
    Any,
    Byte(u8),
    Class {
        negated: bool,
        /// Both ends included.
        ranges: Vec<(u8, u8)>,
    },
}

impl Token {
    fn covers(&self, byte: u8) -> bool {
        match self {
            Self::Star => false,
            Self::Any => true,
            Self::Byte(own) => *own == byte,
            Self::Class { negated, ranges } => {
                ranges.iter().any(|&(from, to)| (from..=to).contains(&byte)) != *negated
            }
        }
    }
}

impl Glob {
    /// Every text is a pattern; a set without `]` ends with the pattern, as in Redis.
    pub(crate) fn new(pattern: &str) -> Self {
        let mut rest = pattern.as_bytes();
        let mut tokens = Vec::new();
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            tokens.push(match byte {
                b'*' if tokens.last() == Some(&Token::Star) => continue,
                b'*' => Token::Star,
                b'?' => Token::Any,
                b'[' => class(&mut rest),
                b'\\' => match rest.split_first() {
                    Some((&literal, tail)) => {
                        rest = tail;
                        Token::Byte(literal)
                    }
                    None => Token::Byte(b'\\'),
                },
                literal => Token::Byte(literal),
            });
        }
        Self { tokens }
    }

    /// Whether the whole text is covered.
    pub(crate) fn covers(&self, text: &str) -> bool {
        let (tokens, text) = (&self.tokens, text.as_bytes());
        let (mut token, mut at) = (0, 0);
        // Where to go on when the run of the last star has to be one byte longer.
        let mut retry: Option<(usize, usize)> = None;
        while at < text.len() {
            if tokens.get(token) == Some(&Token::Star) {
                retry = Some((token + 1, at));
                token += 1;
            } else if tokens.get(token).is_some_and(|token| token.covers(text[at])) {
                token += 1;
                at += 1;
            } else if let Some((after_star, run_end)) = retry {
                retry = Some((after_star, run_end + 1));
                (token, at) = (after_star, run_end + 1);
            } else {
                return false;
            }
        }
        tokens[token..].iter().all(|token| *token == Token::Star)
    }
}

/// The set after a `[`, in the reading of Redis: a range takes any byte as its end, also `]`.
fn class(rest: &mut &[u8]) -> Token {
    let negated = rest.first() == Some(&b'^');
    if negated {
        *rest = &rest[1..];
    }
    let mut ranges = Vec::new();
    loop {
        match **rest {
            [b'\\', literal, ..] => {
                ranges.push((literal, literal));
                *rest = &rest[2..];
            }
            [b']', ..] => {
                *rest = &rest[1..];
                break;
            }
            [] => break,
            [from, b'-', to, ..] => {
                ranges.push((from.min(to), from.max(to)));
                *rest = &rest[3..];
            }
            [literal, ..] => {
                ranges.push((literal, literal));
                *rest = &rest[1..];
            }
        }
    }
    Token::Class { negated, ranges }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expect: bool| {
            assert_eq!(Glob::new(pattern).covers(text), expect, "{pattern:?} on {text:?}");
        };
        check("", "", true);
        check("", "a", false);
        check("*", "", true);
        check("*", "user:1", true);
        check("user:*", "user:1", true);
        check("user:*", "users:1", false);
        check("*:1", "user:1", true);
        check("u*r:*:z", "user:1:2:z", true);
        check("u*r:*:z", "user:1:2:y", false);
        check("a*ab", "aaab", true);
        check("h?llo", "hello", true);
        check("h?llo", "hllo", false);
        check("h[ae]llo", "hallo", true);
        check("h[ae]llo", "hillo", false);
        check("h[^e]llo", "hallo", true);
        check("h[^e]llo", "hello", false);
        check("h[a-c]llo", "hbllo", true);
        check("h[c-a]llo", "hbllo", true);
        check("h[a-c]llo", "hdllo", false);
        check("h\\*llo", "h*llo", true);
        check("h\\*llo", "hello", false);
        check("[\\]]", "]", true);
        check("[]", "a", false);
        check("[^]", "a", true);
        check("[ab", "b", true);
        check("a\\", "a\\", true);
        // A range takes `]` as its end, and the set then ends with the pattern.
        check("[a-]", "^", true);
        check("[a-]", "b", false);
    }

    /// The definition, by recursion.
    fn slow(tokens: &[Token], text: &[u8]) -> bool {
        match tokens.split_first() {
            None => text.is_empty(),
            Some((Token::Star, rest)) => (0..=text.len()).any(|run| slow(rest, &text[run..])),
            Some((token, rest)) => {
                text.split_first().is_some_and(|(&b, tail)| token.covers(b) && slow(rest, tail))
            }
        }
    }

    proptest! {
        #[test]
        fn as_by_definition(pattern in r"[ab*?\[\]^\\-]{0,8}", text in "[ab]{0,8}") {
            let glob = Glob::new(&pattern);
            prop_assert_eq!(glob.covers(&text), slow(&glob.tokens, text.as_bytes()));
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let glob = Glob::new(&"a*".repeat(50));
        assert!(!glob.covers(&format!("{}b", "b".repeat(10_000))));
        assert!(!Glob::new(&format!("{}b", "*a".repeat(50))).covers(&"a".repeat(5_000)));
    }
}
