//! The options of `#[cached]`: read from their words, and held against each other.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, ExprLit, ExprPath, Lit, LitStr, Path, Result, parse_quote};

use crate::length::Length;
use crate::template::Template;
use crate::words::{Errors, Given, Vocabulary, Word, Words};

/// What `#[cached(…)]` says.
pub(crate) struct CachedOptions {
    /// Where the kit is: `::proofload_kit` unless `crate = …`.
    pub(crate) kit: Path,
    pub(crate) key: Key,
    pub(crate) key_prefix: Option<LitStr>,
    pub(crate) tags: Vec<Template>,
    pub(crate) cache: Cache,
    /// `map_error = path`: makes an error out of a shared one.
    pub(crate) map_error: Option<Expr>,
    /// `timeout_error = expression`: the error after the hard timeout.
    pub(crate) timeout_error: Option<Expr>,
    /// `scoped`: the load ends with its caller.
    pub(crate) scoped: Option<Span>,
    /// `detached`: the load is a task of its own, though the function borrows.
    pub(crate) detached: Option<Span>,
}

/// Which arguments are in the key.
pub(crate) enum Key {
    /// All but some.
    Without(Vec<Ident>),
    /// `key(id, lang)`.
    List(Vec<Expr>),
    /// `key = "{id}:{lang}"`.
    Template(Template),
}

/// Where answers are kept.
pub(crate) enum Cache {
    /// `cache = USERS`.
    Given(Box<Expr>),
    /// A static of the function's own.
    Own(Box<OwnCache>),
}

/// The settings of a function's own cache.
pub(crate) struct OwnCache {
    pub(crate) ttl: Length,
    pub(crate) name: Option<LitStr>,
    pub(crate) jitter: Option<Expr>,
    pub(crate) max_entries: Option<Expr>,
    pub(crate) negative_ttl: Option<Length>,
    pub(crate) fail_safe: Option<Length>,
    /// Options that need a load in the background or a clock beside it, with the place of their name.
    pub(crate) stale_while_revalidate: Option<(Ident, Length)>,
    pub(crate) soft_timeout: Option<(Ident, Length)>,
    pub(crate) hard_timeout: Option<(Ident, Length)>,
}

const VOCABULARY: Vocabulary = Vocabulary {
    names: &[
        "ttl",
        "key_prefix",
        "key",
        "skip",
        "tags",
        "cache",
        "name",
        "jitter",
        "max_entries",
        "negative_ttl",
        "stale_while_revalidate",
        "fail_safe",
        "soft_timeout",
        "hard_timeout",
        "timeout_error",
        "map_error",
        "scoped",
        "detached",
        "crate",
    ],
    elsewhere: &[
        ("time", "the option is called `ttl`"),
        ("ttl_secs", "`ttl` is in seconds"),
        ("ttl_millis", "write `ttl = \"500ms\"`"),
        ("size", "the option is called `max_entries`"),
        ("max_size", "the option is called `max_entries`"),
        ("capacity", "the option is called `max_entries`"),
        ("prefix", "the option is called `key_prefix`"),
        ("convert", "write `key = \"{id}:{lang}\"` or `key(id, lang)`"),
        ("result", "what the function returns is seen from its type; `Err` is never kept"),
        (
            "option",
            "what the function returns is seen from its type; `None` is kept for `negative_ttl`",
        ),
        ("cache_none", "write `negative_ttl = \"30s\"`"),
        ("cache_err", "`Err` is never kept"),
        ("sync_writes", "a value is always loaded by one caller at a time"),
        ("early", "write `stale_while_revalidate = \"1m\"`"),
        ("swr", "write `stale_while_revalidate = \"1m\"`"),
        ("timeout", "there are `soft_timeout` (answer from stale) and `hard_timeout` (give up)"),
    ],
};

/// The words as they came, before what they mean together is known.
#[derive(Default)]
struct Raw {
    seen: Vec<Ident>,
    lengths: Vec<(Ident, Length)>,
    texts: Vec<(Ident, LitStr)>,
    exprs: Vec<(Ident, Expr)>,
    switches: Vec<Ident>,
    key: Option<Key>,
    skip: Vec<Ident>,
    tags: Vec<Template>,
}

impl CachedOptions {
    /// Reads what stands between the parentheses. `attribute` is the place of `#[cached]` itself.
    pub(crate) fn read(words: Words, attribute: Span) -> Result<Self> {
        let mut errors = Errors::default();
        let mut raw = Raw::default();
        for word in words.0 {
            errors.take(raw.add(word));
        }
        errors.finish()?;
        raw.resolve(attribute)
    }
}

impl Raw {
    fn add(&mut self, word: Word) -> Result<()> {
        let (name, given) = match word {
            Word::Named(name, given) => (name, given),
            Word::Text(text) => {
                let message =
                    format!("write `key_prefix = \"{}\"`", text.value().trim_end_matches(':'));
                return Err(Error::new(text.span(), message));
            }
        };
        if self.seen.contains(&name) {
            return Err(Error::new(name.span(), format!("`{name}` is given twice")));
        }
        self.seen.push(name.clone());
        match (name.to_string().as_str(), given) {
            (
                "ttl"
                | "negative_ttl"
                | "stale_while_revalidate"
                | "fail_safe"
                | "soft_timeout"
                | "hard_timeout",
                Given::Value(value),
            ) => {
                let length = Length::read(&name.to_string(), *value)?;
                self.lengths.push((name, length));
            }
            ("key_prefix" | "name", Given::Value(value)) => {
                let text = literal(&name, &value)?;
                check_name(&name, &text)?;
                self.texts.push((name, text));
            }
            ("key", Given::Value(value)) => {
                self.key = Some(Key::Template(Template::read(&literal(&name, &value)?)?));
            }
            ("key", Given::List(list)) if !list.is_empty() => self.key = Some(Key::List(list)),
            ("skip", Given::List(list)) => {
                self.skip = list.iter().map(ident).collect::<Result<_>>()?;
            }
            ("tags", Given::List(list)) => {
                let read = |tag: &Expr| Template::read(&literal(&name, tag)?);
                self.tags = list.iter().map(read).collect::<Result<_>>()?;
            }
            ("jitter", Given::Value(value)) => {
                check_jitter(&value)?;
                self.exprs.push((name, *value));
            }
            ("max_entries", Given::Value(value)) => {
                check_entries(&value)?;
                self.exprs.push((name, *value));
            }
            ("cache" | "map_error" | "timeout_error" | "crate", Given::Value(value)) => {
                self.exprs.push((name, *value));
            }
            ("scoped" | "detached", Given::Nothing) => self.switches.push(name),
            (known, _) if VOCABULARY.names.contains(&known) => {
                return Err(Error::new(name.span(), format!("write {}", form(known))));
            }
            _ => return Err(VOCABULARY.unknown(&name)),
        }
        Ok(())
    }

    fn resolve(mut self, attribute: Span) -> Result<CachedOptions> {
        self.check_pairs()?;
        let kit = match self.expr("crate") {
            None => parse_quote!(::proofload_kit),
            Some(Expr::Path(ExprPath { path, .. })) => path,
            Some(other) => {
                return Err(Error::new(
                    other.span(),
                    "`crate` takes the path of the kit: `crate = my_app::kit`",
                ));
            }
        };
        let cache = match self.expr("cache") {
            Some(expr) => Cache::Given(Box::new(self.no_settings(expr)?)),
            None => Cache::Own(Box::new(self.own_cache(attribute)?)),
        };
        let key = self.key.take().unwrap_or_else(|| Key::Without(std::mem::take(&mut self.skip)));
        Ok(CachedOptions {
            kit,
            key,
            key_prefix: self.text("key_prefix"),
            tags: std::mem::take(&mut self.tags),
            cache,
            map_error: self.expr("map_error"),
            timeout_error: self.expr("timeout_error"),
            scoped: self.switch("scoped"),
            detached: self.switch("detached"),
        })
    }

    /// Options that exclude each other.
    fn check_pairs(&self) -> Result<()> {
        let pairs = [
            ("key", "skip", "`key` names what is in the key: there is nothing to skip"),
            ("scoped", "detached", "a load is either `scoped` or `detached`"),
            (
                "scoped",
                "stale_while_revalidate",
                "a `scoped` load cannot go on behind a stale answer",
            ),
            ("scoped", "soft_timeout", "a `scoped` load cannot go on behind a stale answer"),
        ];
        for (one, other, why) in pairs {
            let find = |name: &str| self.seen.iter().find(|seen| *seen == name);
            if let (Some(_), Some(second)) = (find(one), find(other)) {
                return Err(Error::new(second.span(), why));
            }
        }
        Ok(())
    }

    /// A cache that is given has its settings already.
    fn no_settings(&self, cache: Expr) -> Result<Expr> {
        let own = |name: &&Ident| {
            let length = self.lengths.iter().any(|(other, _)| other == *name);
            length || *name == "name" || *name == "jitter" || *name == "max_entries"
        };
        match self.seen.iter().find(own) {
            Some(name) => {
                let message =
                    format!("`{name}` belongs to the builder of the cache that `cache` names");
                Err(Error::new(name.span(), message))
            }
            None => Ok(cache),
        }
    }

    fn own_cache(&mut self, attribute: Span) -> Result<OwnCache> {
        let Some((_, ttl)) = self.length("ttl") else {
            let message = "how long do answers stay true? write `ttl = 300` (seconds), `ttl = \"5m\"` or `cache = …`";
            return Err(Error::new(attribute, message));
        };
        Ok(OwnCache {
            ttl,
            name: self.text("name"),
            jitter: self.expr("jitter"),
            max_entries: self.expr("max_entries"),
            negative_ttl: self.length("negative_ttl").map(|(_, length)| length),
            fail_safe: self.length("fail_safe").map(|(_, length)| length),
            stale_while_revalidate: self.length("stale_while_revalidate"),
            soft_timeout: self.length("soft_timeout"),
            hard_timeout: self.length("hard_timeout"),
        })
    }

    fn length(&mut self, name: &str) -> Option<(Ident, Length)> {
        let at = self.lengths.iter().position(|(other, _)| other == name)?;
        Some(self.lengths.swap_remove(at))
    }

    fn text(&mut self, name: &str) -> Option<LitStr> {
        let at = self.texts.iter().position(|(other, _)| other == name)?;
        Some(self.texts.swap_remove(at).1)
    }

    fn expr(&mut self, name: &str) -> Option<Expr> {
        let at = self.exprs.iter().position(|(other, _)| other == name)?;
        Some(self.exprs.swap_remove(at).1)
    }

    fn switch(&self, name: &str) -> Option<Span> {
        self.switches.iter().find(|other| *other == name).map(Ident::span)
    }
}

/// How an option is written, for those who wrote it otherwise.
fn form(name: &str) -> &'static str {
    match name {
        "ttl" => "`ttl = 300` (seconds), `ttl = \"5m\"` or `ttl = Ttl::SESSION`",
        "key_prefix" => "`key_prefix = \"user_profile\"`",
        "name" => "`name = \"profiles\"`",
        "key" => "`key(id, lang)` or `key = \"{id}:{lang}\"`",
        "skip" => "`skip(db)`",
        "tags" => "`tags(\"users\", \"user:{id}\")`",
        "cache" => "`cache = USERS`",
        "jitter" => "`jitter = 0.1`",
        "max_entries" => "`max_entries = 10_000`",
        "map_error" => "`map_error = function`, which makes an error of an `Arc` of one",
        "timeout_error" => "`timeout_error = expression`",
        "scoped" => "`scoped` without a value",
        "detached" => "`detached` without a value",
        "crate" => "`crate = my_app::kit`",
        _ => "a length of time: `30` (seconds), `\"500ms\"`, `\"5m\"`",
    }
}

/// The text that must stand behind `name`.
pub(crate) fn literal(name: &Ident, value: &Expr) -> Result<LitStr> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => Ok(text.clone()),
        other => Err(Error::new(other.span(), format!("`{name}` takes a text in quotes"))),
    }
}

fn ident(expr: &Expr) -> Result<Ident> {
    let name = match expr {
        Expr::Path(ExprPath { qself: None, path, .. }) => path.get_ident().cloned(),
        _ => None,
    };
    name.ok_or_else(|| Error::new(expr.span(), "`skip` takes names of arguments"))
}

/// Names and prefixes begin keys: nothing in them may act as a separator or a wildcard.
fn check_name(name: &Ident, text: &LitStr) -> Result<()> {
    let value = text.value();
    let wrong = if value.is_empty() {
        "is empty"
    } else if value.ends_with(':') {
        "needs no `:` at its end: it is added"
    } else if value.contains(['*', '?', '[', ']', '\\', '{', '}']) {
        "is a plain text: values come from `key`, wildcards are for invalidation"
    } else if value.contains(char::is_whitespace) {
        "has a space in it"
    } else {
        return Ok(());
    };
    Err(Error::new(text.span(), format!("the `{name}` {wrong}")))
}

fn check_jitter(value: &Expr) -> Result<()> {
    let number = match value {
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse::<f64>().ok(),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse::<f64>().ok(),
        Expr::Lit(_) | Expr::Unary(_) => Some(f64::NAN),
        _ => return Ok(()),
    };
    match number {
        Some(share) if (0.0..1.0).contains(&share) => Ok(()),
        _ => Err(Error::new(
            value.span(),
            "`jitter` is a share of the ttl, from 0.0 up to but not including 1.0",
        )),
    }
}

fn check_entries(value: &Expr) -> Result<()> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. })
            if number.base10_parse::<usize>().is_ok_and(|n| n > 0) =>
        {
            Ok(())
        }
        Expr::Lit(_) | Expr::Unary(_) => {
            Err(Error::new(value.span(), "`max_entries` is a whole number above 0"))
        }
        _ => Ok(()),
    }
}
