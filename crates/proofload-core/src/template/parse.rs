//! From a template's text to its compiled form.

use std::ops::Range;
use std::sync::Arc;

use super::ir::{Escape, Expr, Filter, Segment, Source, Template};
use super::lex::{self, Piece, Token};
use super::{RenderError, base64};
use crate::plan::{CounterSlot, DataCell, VarSlot, nearest};

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TemplateError {
    /// Byte range in the template's text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl TemplateError {
    pub(super) fn new(range: Range<usize>, message: impl Into<String>) -> Self {
        Self { range, message: message.into(), help: None }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Why a name means nothing here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// What the names in a template mean where it stands.
pub trait Scope {
    /// The slot of a variable.
    ///
    /// # Errors
    /// There is no such variable here.
    fn variable(&mut self, name: &str) -> Result<VarSlot, Unknown>;

    /// The slot of a counter; counters come into being when they are named.
    ///
    /// # Errors
    /// There are no counters here.
    fn counter(&mut self, name: &str) -> Result<CounterSlot, Unknown>;

    /// A column of a feed.
    ///
    /// # Errors
    /// There is no such feed or column.
    fn cell(&mut self, feed: &str, column: &str) -> Result<DataCell, Unknown>;

    /// A variable of the environment or of `-e`.
    ///
    /// # Errors
    /// It is not set.
    fn env(&mut self, name: &str) -> Result<String, Unknown>;

    /// Name of the kind of user.
    ///
    /// # Errors
    /// There is no user here.
    fn user_kind(&mut self) -> Result<Arc<str>, Unknown>;
}

/// A scope without variables, feeds and environment.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyScope;

impl Scope for EmptyScope {
    fn variable(&mut self, name: &str) -> Result<VarSlot, Unknown> {
        Err(Unknown { message: format!("unknown variable `{name}`"), help: None })
    }

    fn counter(&mut self, _name: &str) -> Result<CounterSlot, Unknown> {
        Err(Unknown { message: "no counters here".to_owned(), help: None })
    }

    fn cell(&mut self, feed: &str, _column: &str) -> Result<DataCell, Unknown> {
        Err(Unknown { message: format!("unknown data feed `{feed}`"), help: None })
    }

    fn env(&mut self, name: &str) -> Result<String, Unknown> {
        Err(Unknown { message: format!("environment variable `{name}` is not set"), help: None })
    }

    fn user_kind(&mut self) -> Result<Arc<str>, Unknown> {
        Err(Unknown { message: "no user here".to_owned(), help: None })
    }
}

/// Words that begin expressions, and so cannot name variables.
pub const RESERVED: &[&str] =
    &["random", "counter", "user", "iteration", "now", "data", "env", "base64", "template"];

/// Most characters that one `random.hex` or `random.alnum` gives.
const MAX_RANDOM_CHARS: u16 = 10_000;

impl Template {
    /// Compiles a text.
    ///
    /// `escape` is how values are written where the template stands, unless an expression says
    /// otherwise.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        text: &str,
        escape: Escape,
        scope: &mut dyn Scope,
    ) -> Result<Self, Vec<TemplateError>> {
        let pieces = lex::split(text).map_err(|error| vec![error])?;
        let (mut segments, mut errors) = (Vec::new(), Vec::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => segments.push(Segment::Literal(text.as_bytes().into())),
                Piece::Expr { inner, at } => {
                    match (ExprParser { scope: &mut *scope, inner, at }).parse(escape) {
                        Ok(parsed) => segments.push(Template::folded(parsed.expr)),
                        Err(error) => errors.push(error),
                    }
                }
            }
        }
        if errors.is_empty() { Ok(Self::from_segments(segments)) } else { Err(errors) }
    }

    /// Compiles the text of a JSON string: gives the JSON of it, with quotes unless the text is
    /// exactly one expression that ends in `| number` or `| raw`.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse_json_string(
        text: &str,
        scope: &mut dyn Scope,
    ) -> Result<Vec<Segment>, Vec<TemplateError>> {
        let pieces = lex::split(text).map_err(|error| vec![error])?;
        if let [Piece::Expr { inner, at }] = &*pieces {
            let parsed = ExprParser { scope: &mut *scope, inner, at: *at }
                .parse(Escape::Json)
                .map_err(|error| vec![error])?;
            if parsed.unquoted {
                return Ok(vec![Template::folded(parsed.expr)]);
            }
        }
        let quote = || Segment::Literal(b"\"".as_slice().into());
        let (mut segments, mut errors) = (vec![quote()], Vec::new());
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    let mut bytes = text.as_bytes().to_vec();
                    super::escape::json(&mut bytes, 0);
                    segments.push(Segment::Literal(bytes.into()));
                }
                Piece::Expr { inner, at } => {
                    match (ExprParser { scope: &mut *scope, inner, at }).parse(Escape::Json) {
                        Ok(parsed) => segments.push(Template::folded(parsed.expr)),
                        Err(error) => errors.push(error),
                    }
                }
            }
        }
        segments.push(quote());
        if errors.is_empty() { Ok(segments) } else { Err(errors) }
    }
}

impl Template {
    /// A value that is always the same becomes literal text.
    pub(crate) fn folded(expr: Expr) -> Segment {
        if let Source::Group(inner) = &expr.source
            && inner.as_literal().is_some()
        {
            let mut out = Vec::new();
            let template = Self { segments: [Segment::Expr(expr.clone())].into() };
            if template.render(&mut super::NoContext, &mut out).is_ok() {
                return Segment::Literal(out.into());
            }
        }
        Segment::Expr(expr)
    }
}

/// A parsed expression.
struct Parsed {
    expr: Expr,
    /// As a whole JSON string it stands without quotes.
    unquoted: bool,
}

struct ExprParser<'p> {
    scope: &'p mut dyn Scope,
    inner: &'p str,
    at: usize,
}

/// Words joined by dots, what follows, and where the words are.
type Path<'t> = (Vec<String>, &'t [(Token, Range<usize>)], Range<usize>);

type Tokens = Vec<(Token, Range<usize>)>;

/// An argument of a function.
#[derive(Debug)]
enum Argument {
    Text(String),
    Number(String),
}

impl ExprParser<'_> {
    fn whole(&self) -> Range<usize> {
        self.at..self.at + self.inner.len()
    }

    fn parse(&mut self, escape: Escape) -> Result<Parsed, TemplateError> {
        let tokens = lex::tokens(self.inner, self.at)?;
        let mut parts = tokens.split(|(token, _)| *token == Token::Pipe);
        let source = self.source(&parts.next().unwrap_or_default().to_vec())?;
        let mut parsed =
            Parsed { expr: Expr { source, filters: Box::default(), escape }, unquoted: false };
        let mut filters = Vec::new();
        let mut placed: Option<&str> = None;
        for part in parts {
            let [(Token::Word(word), range)] = part else {
                let range = part.first().map_or(self.whole(), |(_, range)| range.clone());
                return Err(TemplateError::new(range, "a filter is one word after `|`")
                    .help(format!("filters are {}", filter_words())));
            };
            if let Some(before) = placed {
                return Err(TemplateError::new(range.clone(), format!("`{before}` comes last")));
            }
            if let Some((_, filter)) = Filter::WORDS.iter().find(|(w, _)| w == word) {
                parsed.unquoted |= *filter == Filter::Number;
                filters.push(*filter);
            } else if let Some((word, escape)) = Escape::WORDS.iter().find(|(w, _)| w == word) {
                parsed.expr.escape = *escape;
                parsed.unquoted |= *escape == Escape::None;
                placed = Some(word);
            } else {
                return Err(unknown_filter(word, range.clone()));
            }
        }
        parsed.expr.filters = filters.into();
        check_constant(&parsed.expr)
            .map_err(|error| TemplateError::new(self.whole(), error.to_string()))?;
        Ok(parsed)
    }

    fn source(&mut self, tokens: &Tokens) -> Result<Source, TemplateError> {
        if tokens.is_empty() {
            return Err(TemplateError::new(self.whole(), "empty expression")
                .help("write a variable, such as `{{ token }}`, or `{{ random.uuid }}`"));
        }
        if let [(Token::Text(text), _)] = &**tokens {
            return Ok(Source::Group(Template::literal(text.as_bytes())));
        }
        let (path, rest, range) = self.path(tokens)?;
        let arguments = self.arguments(rest)?;
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let call = Call { words: &words, arguments: arguments.as_deref(), range };
        self.resolve(&call)
    }

    /// Words joined by dots, what follows, and where the words are.
    fn path<'t>(&self, tokens: &'t Tokens) -> Result<Path<'t>, TemplateError> {
        let mut path = Vec::new();
        let mut at = 0;
        loop {
            match tokens.get(at) {
                Some((Token::Word(word), _)) => path.push(word.clone()),
                Some((Token::Text(text), _)) if at > 0 => path.push(text.clone()),
                Some((Token::Number(text), _)) if at > 0 => path.push(text.clone()),
                Some((_, range)) => {
                    return Err(TemplateError::new(range.clone(), "expected a name")
                        .help("an expression begins with a variable or a function"));
                }
                None => return Err(TemplateError::new(self.whole(), "expected a name after `.`")),
            }
            if !matches!(tokens.get(at + 1), Some((Token::Dot, _))) {
                let range = tokens[0].1.start..tokens[at].1.end;
                return Ok((path, &tokens[at + 1..], range));
            }
            at += 2;
        }
    }

    /// What stands in brackets after a name; `None` without brackets.
    fn arguments(
        &self,
        tokens: &[(Token, Range<usize>)],
    ) -> Result<Option<Vec<Argument>>, TemplateError> {
        let Some(((first, first_range), rest)) = tokens.split_first() else { return Ok(None) };
        if *first != Token::Open {
            return Err(TemplateError::new(first_range.clone(), "unexpected text after the name")
                .help("filters follow after `|`, arguments in `( )`"));
        }
        let Some(((Token::Close, _), list)) = rest.split_last() else {
            return Err(TemplateError::new(first_range.clone(), "`(` without `)`"));
        };
        if list.is_empty() {
            return Ok(Some(Vec::new()));
        }
        let mut arguments = Vec::new();
        for part in list.split(|(token, _)| *token == Token::Comma) {
            match part {
                [(Token::Text(text), _)] => arguments.push(Argument::Text(text.clone())),
                [(Token::Number(number), _)] => arguments.push(Argument::Number(number.clone())),
                _ => {
                    let range = part.first().map_or(first_range.clone(), |(_, r)| r.clone());
                    return Err(TemplateError::new(range, "an argument is a number or a text")
                        .help("put texts in quotes"));
                }
            }
        }
        Ok(Some(arguments))
    }

    fn resolve(&mut self, call: &Call<'_>) -> Result<Source, TemplateError> {
        match call.words {
            ["random", what] => call.random(what),
            ["counter"] => {
                let name = call.optional_text()?.unwrap_or("counter").to_owned();
                let slot = self.scope.counter(&name).map_err(|u| call.unknown(u))?;
                Ok(Source::Counter { slot, name: name.into() })
            }
            ["user", "id"] => call.plain(Source::UserId),
            ["user", "kind"] => {
                let kind = self.scope.user_kind().map_err(|u| call.unknown(u))?;
                call.plain(Source::Group(Template::literal(kind.as_bytes())))
            }
            ["iteration"] => call.plain(Source::Iteration),
            ["now"] => call.plain(Source::NowSeconds),
            ["now", "ms"] => call.plain(Source::NowMillis),
            ["now", "iso"] => call.plain(Source::NowIso),
            ["data", feed, column] => {
                let cell = self.scope.cell(feed, column).map_err(|u| call.unknown(u))?;
                call.plain(Source::Data { cell, name: format!("{feed}.{column}").into() })
            }
            ["env", name] => {
                let value = self.scope.env(name).map_err(|u| call.unknown(u))?;
                call.plain(Source::Group(Template::literal(value.into_bytes())))
            }
            ["base64"] => {
                let bytes = base64::decode(call.text()?)
                    .ok_or_else(|| call.error("this is not Base64 (with padding)"))?;
                Ok(Source::Group(Template::literal(bytes)))
            }
            ["template"] => {
                let inner = Template::parse(call.text()?, Escape::None, self.scope)
                    .map_err(|errors| call.error(&errors[0].message))?;
                Ok(Source::Group(inner))
            }
            [name] if RESERVED.contains(name) => Err(call.incomplete(name)),
            [name] => {
                let slot = self.scope.variable(name).map_err(|u| call.unknown(u))?;
                call.plain(Source::Variable { slot, name: (*name).into() })
            }
            [first, ..] => Err(call.incomplete(first)),
            [] => Err(call.error("empty expression")),
        }
    }
}

/// A name with its arguments.
struct Call<'c> {
    words: &'c [&'c str],
    arguments: Option<&'c [Argument]>,
    range: Range<usize>,
}

impl Call<'_> {
    fn error(&self, message: &str) -> TemplateError {
        TemplateError::new(self.range.clone(), message)
    }

    fn unknown(&self, unknown: Unknown) -> TemplateError {
        let error = TemplateError::new(self.range.clone(), unknown.message);
        if let Some(help) = unknown.help { error.help(help) } else { error }
    }

    /// A word that begins something known, but goes on in an unknown way.
    fn incomplete(&self, first: &str) -> TemplateError {
        let path = self.words.join(".");
        let forms: &[&str] = match first {
            "random" => RANDOM_FORMS,
            "user" => &["user.id", "user.kind"],
            "now" => &["now", "now.ms", "now.iso"],
            "data" => &["data.FEED.COLUMN"],
            "env" => &["env.NAME"],
            _ => &[],
        };
        let error = TemplateError::new(self.range.clone(), format!("unknown expression `{path}`"));
        let name_of = |form: &'static str| form.split('(').next().unwrap_or(form);
        let near = nearest(&path, forms.iter().copied().map(name_of))
            .and_then(|near| forms.iter().find(|form| name_of(form) == near));
        match (near, forms) {
            (_, []) => error.help(format!(
                "a variable has no parts; `{first}` is none of {}",
                RESERVED.join(", ")
            )),
            (Some(near), _) if *near != path => error.help(format!("did you mean `{near}`?")),
            _ => error.help(format!("known are {}", forms.join(", "))),
        }
    }

    /// A source that takes no arguments.
    fn plain(&self, source: Source) -> Result<Source, TemplateError> {
        if self.arguments.is_some() {
            return Err(self.error(&format!("`{}` takes no arguments", self.words.join("."))));
        }
        Ok(source)
    }

    fn text(&self) -> Result<&str, TemplateError> {
        self.optional_text()?.ok_or_else(|| {
            self.error(&format!("`{0}` takes one text: `{0}(\"…\")`", self.words.join(".")))
        })
    }

    fn optional_text(&self) -> Result<Option<&str>, TemplateError> {
        match self.arguments {
            None | Some([]) => Ok(None),
            Some([Argument::Text(text)]) => Ok(Some(text)),
            Some(_) => {
                Err(self.error(&format!("`{}` takes one text in quotes", self.words.join("."))))
            }
        }
    }

    fn numbers<T: std::str::FromStr>(&self, form: &str) -> Result<Vec<T>, TemplateError> {
        let wrong = || self.error(&format!("expected `{form}`"));
        self.arguments
            .unwrap_or_default()
            .iter()
            .map(|argument| match argument {
                Argument::Number(text) => text.trim_start_matches('+').parse().map_err(|_| wrong()),
                Argument::Text(_) => Err(wrong()),
            })
            .collect()
    }

    fn random(&self, what: &str) -> Result<Source, TemplateError> {
        match what {
            "uuid" => self.plain(Source::RandomUuid),
            "int" => {
                let (min, max) = self.range_of::<i64>("random.int(1, 100)")?;
                Ok(Source::RandomInt { min, max })
            }
            "float" => {
                let (min, max) = self.range_of::<f64>("random.float(0.5, 2.0)")?;
                Ok(Source::RandomFloat { min, max })
            }
            "hex" => self.length("random.hex(40)").map(Source::RandomHex),
            "alnum" => self.length("random.alnum(12)").map(Source::RandomAlnum),
            "choice" => {
                let choices: Vec<Arc<[u8]>> = self
                    .arguments
                    .unwrap_or_default()
                    .iter()
                    .map(|argument| match argument {
                        Argument::Text(text) | Argument::Number(text) => text.as_bytes().into(),
                    })
                    .collect();
                if choices.is_empty() {
                    return Err(self.error("expected `random.choice(\"a\", \"b\")`"));
                }
                Ok(Source::RandomChoice(choices.into()))
            }
            _ => Err(self.incomplete("random")),
        }
    }

    fn range_of<T: std::str::FromStr + PartialOrd + Copy>(
        &self,
        form: &str,
    ) -> Result<(T, T), TemplateError> {
        match *self.numbers::<T>(form)? {
            [min, max] if min <= max => Ok((min, max)),
            [_, _] => Err(self.error(&format!("the smaller number comes first, as in `{form}`"))),
            _ => Err(self.error(&format!("expected two numbers, as in `{form}`"))),
        }
    }

    fn length(&self, form: &str) -> Result<u16, TemplateError> {
        match *self.numbers::<u16>(form)? {
            [n @ 1..=MAX_RANDOM_CHARS] => Ok(n),
            _ => Err(self
                .error(&format!("expected a number from 1 to {MAX_RANDOM_CHARS}, as in `{form}`"))),
        }
    }
}

const RANDOM_FORMS: &[&str] = &[
    "random.int(a, b)",
    "random.float(a, b)",
    "random.hex(n)",
    "random.alnum(n)",
    "random.uuid",
    "random.choice(\"a\", \"b\")",
];

fn filter_words() -> String {
    let words = Filter::WORDS.iter().map(|(w, _)| *w).chain(Escape::WORDS.iter().map(|(w, _)| *w));
    words.collect::<Vec<_>>().join(", ")
}

fn unknown_filter(word: &str, range: Range<usize>) -> TemplateError {
    let words = Filter::WORDS.iter().map(|(w, _)| *w).chain(Escape::WORDS.iter().map(|(w, _)| *w));
    let help = match nearest(word, words) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("filters are {}", filter_words()),
    };
    TemplateError::new(range, format!("unknown filter `{word}`")).help(help)
}

/// A constant is rendered now, so that a wrong one is an error of the plan.
fn check_constant(expr: &Expr) -> Result<(), RenderError> {
    if let Source::Group(inner) = &expr.source
        && inner.as_literal().is_some()
    {
        let template = Template { segments: [Segment::Expr(expr.clone())].into() };
        template.render(&mut super::NoContext, &mut Vec::new())?;
    }
    Ok(())
}
