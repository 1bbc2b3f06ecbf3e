//! What `#[cache_invalidate]` makes of a function: what is to go is written down before the body takes the
//! arguments, and goes when the body is done, as far as it succeeded.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{
    Error, Expr, ExprLit, ExprPath, Lit, LitStr, Path, Result, ReturnType, Type, parse_quote,
};

use crate::cached::typed_future;
use crate::key;
use crate::options::literal;
use crate::signature::{Borrows, Function, is_future};
use crate::template::Template;
use crate::words::{Errors, Given, Vocabulary, Word, Words, at};

/// Refuses functions that are done before their work is.
fn checked(function: Function) -> Result<Function> {
    match &function.item.sig.output {
        ReturnType::Type(_, ty) if !function.is_async() && is_future(ty) => {
            let message = "what is cached would go before the work is done, which is when this future is awaited: \
                           write `async fn`; where `async_trait` makes this of one, put the attribute on an `async fn` \
                           outside of the trait, and call that one from here";
            Err(Error::new(ty.span(), message))
        }
        _ => Ok(function),
    }
}

/// What `#[cache_invalidate(…)]` says.
struct Options {
    kit: Path,
    targets: Vec<Target>,
    scope: Scope,
    before: bool,
}

/// One group of entries.
struct Target {
    kind: Kind,
    text: Template,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Key,
    Prefix,
    Pattern,
    Tag,
}

/// Which caches are meant.
enum Scope {
    Global,
    Registry(Expr),
    Cache(Expr),
}

const VOCABULARY: Vocabulary = Vocabulary {
    names: &["key", "prefix", "pattern", "tag", "cache", "registry", "before", "crate"],
    elsewhere: &[
        ("key_prefix", "write the text alone: `#[cache_invalidate(\"user_profile:\")]`"),
        ("glob", "the option is called `pattern`"),
        ("tags", "write one `tag = \"…\"` for each"),
        ("keys", "write one `key = \"…\"` for each"),
        ("after", "that is what happens without an option"),
        ("all", "write `pattern = \"*\"`"),
    ],
};

/// Expands the attribute.
pub(crate) fn expand(words: Words, attribute: Span, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let function = errors.take(Function::read("cache_invalidate", item).and_then(checked));
    let options = errors.take(Options::read(words, attribute));
    errors.finish()?;
    let (Some(function), Some(options)) = (function, options) else {
        return Err(Error::new(attribute, "the attribute cannot be read"));
    };
    tokens(&options, &function)
}

impl Options {
    fn read(words: Words, attribute: Span) -> Result<Self> {
        let mut errors = Errors::default();
        let mut options = Self {
            kit: parse_quote!(::proofload_kit),
            targets: Vec::new(),
            scope: Scope::Global,
            before: false,
        };
        for word in words.0 {
            errors.take(options.add(word));
        }
        errors.finish()?;
        if options.targets.is_empty() {
            let message = "what is to be invalidated? write a prefix (`\"user_profile:\"`), a key \
                           (`\"user_profile:{user_id}\"`), a pattern (`\"user:*:profile\"`) or `tag = \"…\"`";
            return Err(Error::new(attribute, message));
        }
        Ok(options)
    }

    fn add(&mut self, word: Word) -> Result<()> {
        let (name, given) = match word {
            Word::Text(text) => {
                self.targets.push(Target::guess(&text)?);
                return Ok(());
            }
            Word::Named(name, given) => (name, given),
        };
        match (name.to_string().as_str(), given) {
            ("key", Given::Value(value)) => self.target(Kind::Key, &name, &value)?,
            ("prefix", Given::Value(value)) => self.target(Kind::Prefix, &name, &value)?,
            ("pattern", Given::Value(value)) => self.target(Kind::Pattern, &name, &value)?,
            ("tag", Given::Value(value)) => self.target(Kind::Tag, &name, &value)?,
            ("cache", Given::Value(value)) => self.scope(&name, Scope::Cache(*value))?,
            ("registry", Given::Value(value)) => self.scope(&name, Scope::Registry(*value))?,
            ("before", Given::Nothing) => self.before = true,
            ("before", Given::Value(value)) => match &*value {
                Expr::Lit(ExprLit { lit: Lit::Bool(before), .. }) => self.before = before.value,
                other => return Err(Error::new(other.span(), "`before` is `true` or `false`")),
            },
            ("crate", Given::Value(value)) => match *value {
                Expr::Path(ExprPath { path, .. }) => self.kit = path,
                other => {
                    return Err(Error::new(
                        other.span(),
                        "`crate` takes the path of the kit: `crate = my_app::kit`",
                    ));
                }
            },
            (known, _) if VOCABULARY.names.contains(&known) => {
                return Err(Error::new(name.span(), format!("write `{known} = …`")));
            }
            _ => return Err(VOCABULARY.unknown(&name)),
        }
        Ok(())
    }

    fn target(&mut self, kind: Kind, name: &Ident, value: &Expr) -> Result<()> {
        let text = Template::read(&literal(name, value)?)?;
        if text.plain().is_some_and(str::is_empty) {
            return Err(Error::new(value.span(), format!("the `{name}` is empty")));
        }
        self.targets.push(Target { kind, text });
        Ok(())
    }

    fn scope(&mut self, name: &Ident, scope: Scope) -> Result<()> {
        if !matches!(self.scope, Scope::Global) {
            let message = "one `cache` or one `registry`: write the attribute once for each";
            return Err(Error::new(name.span(), message));
        }
        self.scope = scope;
        Ok(())
    }
}

impl Target {
    /// The kind that a text by itself shows.
    fn guess(literal: &LitStr) -> Result<Self> {
        let text = Template::read(literal)?;
        let wild = text.any_text(|piece| piece.contains(['*', '?', '[']));
        let refuse = |message: String| Err(Error::new(literal.span(), message));
        let kind = match text.plain() {
            Some("") => {
                return refuse("the text is empty: `\"user_profile:\"` is a prefix".to_owned());
            }
            _ if wild && text.ends_with(':') => {
                return refuse(format!(
                    "no key ends in `:`; write `\"{}*\"` for all below",
                    literal.value()
                ));
            }
            _ if wild => Kind::Pattern,
            _ if text.ends_with(':') => Kind::Prefix,
            Some(word) if !word.contains(':') => {
                let message = format!(
                    "write `\"{word}:\"` for everything that begins so, or `key = \"{word}\"` for the key of that name"
                );
                return refuse(message);
            }
            _ => Kind::Key,
        };
        Ok(Self { kind, text })
    }
}

fn tokens(options: &Options, function: &Function) -> Result<TokenStream> {
    let kit = &options.kit;
    let pending = Ident::new("pending", Span::mixed_site());
    let answer = Ident::new("answer", Span::mixed_site());
    let prepare = prepare(options, function, &pending)?;
    let attributes = &function.item.attrs;
    let visibility = &function.item.vis;
    let line = if options.before { function.item.sig.clone() } else { function.line() };
    let statements = &function.item.block.stmts;
    let wait = function.is_async().then(|| quote!(.await));
    let finish =
        Ident::new(if function.is_async() { "finish" } else { "finish_now" }, Span::mixed_site());
    if options.before {
        return Ok(quote! {
            #(#attributes)*
            #visibility #line {
                #prepare
                #pending.#finish(true)#wait;
                #(#statements)*
            }
        });
    }
    let rebound = function.rebound();
    let body = body(kit, function, &quote!(#rebound #(#statements)*));
    Ok(quote! {
        #(#attributes)*
        #visibility #line {
            #prepare
            let #answer = #body;
            let succeeded = {
                use #kit::__private::{AnyAnswer as _, ResultAnswer as _};
                (&&#kit::__private::Answered(&#answer)).succeeded()
            };
            #pending.#finish(succeeded)#wait;
            #answer
        }
    })
}

/// The body, run to its end whatever way it ends.
fn body(kit: &Path, function: &Function, body: &TokenStream) -> TokenStream {
    let returns = function.returns();
    let opaque = match &function.item.sig.output {
        ReturnType::Default => false,
        ReturnType::Type(_, ty) => {
            matches!(&**ty, Type::Never(_)) || Borrows::of(ty).impl_trait.is_some()
        }
    };
    match (function.is_async(), opaque) {
        (true, false) => {
            let future = typed_future(kit, &returns, body);
            quote!(#future.await)
        }
        (true, true) => quote!(async move { #body }.await),
        (false, false) => quote!((move || -> #returns { #body })()),
        (false, true) => quote!((move || { #body })()),
    }
}

/// `let pending = …;`: what is to go, written before the arguments are gone.
fn prepare(options: &Options, function: &Function, pending: &Ident) -> Result<TokenStream> {
    let kit = &options.kit;
    let writer = Ident::new("writer", Span::mixed_site());
    let start = match &options.scope {
        Scope::Global => quote!(#kit::__private::Pending::in_registry(#kit::Registry::global())),
        Scope::Registry(expr) => {
            quote_spanned!(at(expr.span())=> #kit::__private::Pending::in_registry(&#expr))
        }
        Scope::Cache(expr) => quote_spanned! {at(expr.span())=>
            #kit::__private::Pending::in_cache({ let cache: &#kit::Cache<_> = &#expr; cache })
        },
    };
    let mut adds = TokenStream::new();
    for Target { kind, text } in &options.targets {
        let add = Ident::new(
            match kind {
                Kind::Key => "key",
                Kind::Prefix => "prefix",
                Kind::Pattern => "pattern",
                Kind::Tag => "tag",
            },
            text.span,
        );
        let statements = key::text(text, kit, function, &writer)?;
        adds.extend(quote!(.#add(|#writer: &mut #kit::__private::Writer| { #statements })));
    }
    Ok(quote!(let #pending = #start #adds;))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_shows_what_it_is() {
        let check = |text: &str, expect: Option<Kind>| {
            let found = Target::guess(&LitStr::new(text, Span::call_site()));
            assert_eq!(found.ok().map(|target| target.kind), expect, "{text:?}");
        };
        check("user_profile:", Some(Kind::Prefix));
        check("user_profile:{user_id}:", Some(Kind::Prefix));
        check("user_profile:{user_id}", Some(Kind::Key));
        check("{user_id}", Some(Kind::Key));
        check("settings:main", Some(Kind::Key));
        check("user:*:profile", Some(Kind::Pattern));
        check("user:{id}:*", Some(Kind::Pattern));
        check("user:[ab]:x", Some(Kind::Pattern));
        check("user:*:", None);
        check("user_profile", None);
        check("", None);
    }
}
