//! What `#[cached]` makes of a function.
//!
//! The function keeps its name, its line and its attributes; its body becomes:
//!
//! 1. the cache: a slot of the function's own, or the expression of `cache = …`;
//! 2. a look into its memory, with the key in a reused buffer: what is there is returned;
//! 3. the load: the old body in an `async move` block, or in a closure.
//!
//! Whether a function returns a `Result`, an `Option` or both is found out by the compiler from the type itself
//! (`__private::Returns`), so that aliases such as `io::Result<T>` are seen through.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Path, ReceiverKind, Result, ReturnType, Type};

use crate::key;
use crate::length::Length;
use crate::options::{Cache, CachedOptions, OwnCache};
use crate::signature::{Argument, Borrows, Function, is_future};
use crate::words::{Errors, Words, at, kit_at};

/// Expands the attribute.
pub(crate) fn expand(words: Words, attribute: Span, item: TokenStream) -> Result<TokenStream> {
    let mut errors = Errors::default();
    let function = errors.take(Function::read("cached", item).and_then(checked));
    let options = errors.take(CachedOptions::read(words, attribute));
    errors.finish()?;
    let (Some(function), Some(options)) = (function, options) else {
        return Err(Error::new(attribute, "the attribute cannot be read"));
    };
    let load = Load::of(&options, &function)?;
    Expansion { kit: &options.kit, options: &options, function: &function, load }.tokens()
}

/// Refuses functions whose answers nobody could keep.
fn checked(function: Function) -> Result<Function> {
    let nothing =
        |span| Err(Error::new(span, "the function returns nothing: there is nothing to keep"));
    let ReturnType::Type(_, ty) = &function.item.sig.output else {
        return nothing(function.item.sig.ident.span());
    };
    if matches!(&**ty, Type::Never(_))
        || matches!(&**ty, Type::Tuple(tuple) if tuple.elems.is_empty())
    {
        return nothing(ty.span());
    }
    if !function.is_async() && is_future(ty) && Borrows::of(ty).impl_trait.is_none() {
        let message = "a future cannot be kept, only what comes of it: where `async_trait` makes this of an `async fn`, \
                       put the attribute on an `async fn` outside of the trait, and call that one from here";
        return Err(Error::new(ty.span(), message));
    }
    let borrows = Borrows::of(ty);
    if let Some(span) = borrows.impl_trait {
        let message = "an `impl Trait` cannot be kept: name the type, or return an `Arc<dyn Trait + Send + Sync>`";
        return Err(Error::new(span, message));
    }
    if let Some(span) = borrows.borrowed {
        let message =
            "a borrowed answer cannot be kept: return an owned value, such as `String` or `Arc<T>`";
        return Err(Error::new(span, message));
    }
    Ok(function)
}

/// Where the value is made on a miss.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    /// In the calling thread.
    Sync,
    /// In the calling task: the function may borrow.
    Scoped,
    /// In a task of its own, which goes on when its caller is gone.
    Detached,
}

impl Load {
    fn of(options: &CachedOptions, function: &Function) -> Result<Self> {
        let background = background(options);
        if !function.is_async() {
            let no_task = "has no task to wait in: make it `async`, or drop this";
            let refused = background
                .or_else(|| hard_timeout(options))
                .map(|name| (name.span(), name.to_string()));
            let switch = [(options.scoped, "scoped"), (options.detached, "detached")];
            let switch = switch.into_iter().find_map(|(span, name)| Some((span?, name.to_owned())));
            return match refused.or(switch) {
                Some((span, name)) => {
                    Err(Error::new(span, format!("`{name}` on a function that {no_task}")))
                }
                None => Ok(Self::Sync),
            };
        }
        if let (Some(name), None) = (hard_timeout(options), &options.timeout_error) {
            let message = "what does the function return when the time is over? write `timeout_error = MyError::Slow`";
            return Err(Error::new(name.span(), message));
        }
        if options.detached.is_some() || background.is_some() {
            return Ok(Self::Detached);
        }
        let by_pointer = function
            .receiver()
            .is_none_or(|receiver| matches!(receiver.kind, ReceiverKind::Typed(..)));
        let owned = by_pointer && !borrows(function) && !function.has_type_parameters();
        Ok(if owned && options.scoped.is_none() { Self::Detached } else { Self::Scoped })
    }
}

fn borrows(function: &Function) -> bool {
    let receiver = match function.receiver().map(|receiver| &receiver.kind) {
        Some(ReceiverKind::Reference(..)) => return true,
        Some(ReceiverKind::Typed(_, ty)) => Some(&**ty),
        _ => None,
    };
    let types = function.arguments.iter().map(|argument| &argument.ty).chain(receiver);
    types.map(Borrows::of).any(|found| found.borrowed.is_some())
}

/// The option that asks for loads in the background.
fn background(options: &CachedOptions) -> Option<&Ident> {
    let Cache::Own(own) = &options.cache else { return None };
    let option = own.stale_while_revalidate.as_ref().or(own.soft_timeout.as_ref());
    option.map(|(name, _)| name)
}

fn hard_timeout(options: &CachedOptions) -> Option<&Ident> {
    let Cache::Own(own) = &options.cache else { return None };
    own.hard_timeout.as_ref().map(|(name, _)| name)
}

struct Expansion<'a> {
    kit: &'a Path,
    options: &'a CachedOptions,
    function: &'a Function,
    load: Load,
}

/// A name in the expansion: it belongs to the macro, so that no name of the function's can meet it.
fn private(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

impl Expansion<'_> {
    fn tokens(&self) -> Result<TokenStream> {
        let attributes = &self.function.item.attrs;
        let visibility = &self.function.item.vis;
        let line = self.function.line();
        let cache = self.cache();
        let find = self.find()?;
        let (load, helper) = self.load()?;
        Ok(quote! {
            #helper
            #(#attributes)*
            #visibility #line {
                #cache
                #find
                #load
            }
        })
    }

    /// `let cache: &Cache<_> = …;`
    fn cache(&self) -> TokenStream {
        let kit = self.kit;
        let (shape, cache, own) = (private("shape"), private("cache"), private("own"));
        let returns = self.function.returns();
        let span = at(self.returns_span());
        let kit_there = kit_at(kit, span);
        let ask =
            quote_spanned!(span=> (&&&#kit_there::__private::Returns::<#returns>::new()).shape());
        let shape_line = quote! {
            let #shape = {
                use #kit::__private::{ReturnsBoth as _, ReturnsOption as _, ReturnsResult as _, ReturnsValue as _};
                #ask
            };
        };
        let cache_lines = match &self.options.cache {
            Cache::Given(expr) => {
                let span = at(expr.span());
                let kit = kit_at(kit, span);
                quote_spanned!(span=> let #cache: &#kit::Cache<_> = &#expr;)
            }
            Cache::Own(settings) => {
                let name = settings.name.as_ref().or(self.options.key_prefix.as_ref());
                let name = match name {
                    Some(name) => quote!(::core::option::Option::Some(#name)),
                    None => quote!(::core::option::Option::None),
                };
                let settings = self.settings(settings);
                // The closure's type carries the path and the type parameters of where it stands in its name.
                let place = quote!(#kit::__private::place_of(&|| {}));
                let slot =
                    quote_spanned!(span=> __PROOFLOAD_SLOT.own(#place, #name, #shape, #settings));
                quote! {
                    static __PROOFLOAD_SLOT: #kit::__private::Slot = #kit::__private::Slot::new();
                    let #own = #slot;
                    let #cache = #own.cache();
                }
            }
        };
        quote!(#shape_line #cache_lines)
    }

    /// A closure with the settings of the function's own cache.
    fn settings(&self, settings: &OwnCache) -> TokenStream {
        let kit = self.kit;
        let some = |name: &str, value: TokenStream| {
            let name = format_ident!("{name}");
            quote!(#name: ::core::option::Option::Some(#value),)
        };
        let background = |option: &Option<(Ident, Length)>| {
            option.as_ref().map(|(_, length)| length.duration(kit))
        };
        let given = [
            ("jitter", settings.jitter.as_ref().map(ToTokens::to_token_stream)),
            ("max_entries", settings.max_entries.as_ref().map(ToTokens::to_token_stream)),
            ("negative_ttl", settings.negative_ttl.as_ref().map(|length| length.ttl(kit))),
            ("fail_safe", settings.fail_safe.as_ref().map(|length| length.duration(kit))),
            ("stale_while_revalidate", background(&settings.stale_while_revalidate)),
            ("soft_timeout", background(&settings.soft_timeout)),
            ("hard_timeout", background(&settings.hard_timeout)),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some(some(name, value?)));
        let ttl = settings.ttl.ttl(kit);
        quote!(|| #kit::__private::Settings { #(#given)* ..#kit::__private::Settings::new(#ttl) })
    }

    /// Looks into memory; afterwards `missing` is the key.
    fn find(&self) -> Result<TokenStream> {
        let kit = self.kit;
        let (shape, cache, writer, missing) =
            (private("shape"), private("cache"), private("writer"), private("missing"));
        let own = private("own");
        let key = key::statements(self.options, self.function, &writer, &quote!(#own.place()))?;
        let tags = self.tags(&writer)?;
        let span = at(self.returns_span());
        let kit_there = kit_at(kit, span);
        let write = quote!(|#writer: &mut #kit::__private::Writer| { #key });
        let find = quote_spanned!(span=> #kit_there::__private::find(#cache, #shape, #write));
        Ok(quote! {
            let #missing = match #find {
                ::core::result::Result::Ok(answer) => return answer,
                ::core::result::Result::Err(missing) => missing,
            };
            #tags
            let #cache = ::core::clone::Clone::clone(#cache);
        })
    }

    /// `missing` with its tags, which are written before the arguments are given to the load.
    fn tags(&self, writer: &Ident) -> Result<TokenStream> {
        let (kit, missing) = (self.kit, private("missing"));
        let mut lines = TokenStream::new();
        for tag in &self.options.tags {
            let text = key::text(tag, kit, self.function, writer)?;
            lines.extend(quote! {
                let #missing = #missing.tag(|#writer: &mut #kit::__private::Writer| { #text });
            });
        }
        Ok(lines)
    }

    /// The load, and the function beside this one that it may need.
    fn load(&self) -> Result<(TokenStream, Option<TokenStream>)> {
        let kit = self.kit;
        let (shape, cache, missing) = (private("shape"), private("cache"), private("missing"));
        let errors = self.errors();
        let returns = self.function.returns();
        let (body, helper) = match self.load {
            Load::Sync => {
                let body = self.body();
                (quote!(move || -> #returns { #body }), None)
            }
            Load::Scoped => (self.future(&self.body()), None),
            Load::Detached => self.detached_body()?,
        };
        let run = match self.load {
            Load::Sync => format_ident!("compute"),
            Load::Scoped => format_ident!("load_scoped"),
            Load::Detached => format_ident!("load_detached"),
        };
        // One place for everything about the answer: the compiler reports the same error once in each place.
        let span = at(self.returns_span());
        let kit = kit_at(kit, span);
        let call =
            quote_spanned!(span=> #kit::__private::#run(#cache, #shape, #missing, #errors, #body));
        let wait = self.function.is_async().then(|| quote!(.await));
        Ok((quote!(#call #wait), helper))
    }

    /// What turns the failures of the cache into the function's own.
    fn errors(&self) -> TokenStream {
        let kit = self.kit;
        let span = at(self.returns_span());
        let there = kit_at(kit, span);
        let map = match &self.options.map_error {
            Some(path) => quote_spanned!(span=> #there::__private::MapError(#path)),
            None => quote_spanned!(span=> #there::__private::CloneError),
        };
        let timeout = match &self.options.timeout_error {
            Some(expr) => {
                let span = at(expr.span());
                let kit = kit_at(kit, span);
                quote_spanned!(span=> #kit::__private::TimeoutError(|| #expr))
            }
            None => quote!(#kit::__private::NoTimeoutError),
        };
        quote_spanned!(span=> #there::__private::Failures { map: #map, timeout: #timeout })
    }

    /// The function's body with its arguments as it declared them.
    fn body(&self) -> TokenStream {
        let rebound = self.function.rebound();
        // Without the braces: a block around one expression is told to be superfluous.
        let statements = &self.function.item.block.stmts;
        quote!(#rebound #(#statements)*)
    }

    /// The body as a future. The first line is never reached: it tells the compiler the type of the block, which an
    /// `async` block cannot say, so that `?` and coercions work as they did in the function.
    fn future(&self, body: &TokenStream) -> TokenStream {
        typed_future(self.kit, &self.function.returns(), body)
    }

    /// A load that owns what it uses: borrowed arguments are cloned.
    fn detached_body(&self) -> Result<(TokenStream, Option<TokenStream>)> {
        let kit = self.kit;
        let mut owned = TokenStream::new();
        let mut borrowed_again = TokenStream::new();
        for argument in &self.function.arguments {
            if Borrows::of(&argument.ty).borrowed.is_some() {
                let (name, elem) = lendable(argument)?;
                let span = at(argument.ty.span());
                let kit = kit_at(kit, span);
                owned.extend(quote_spanned!(span=> let #name = #kit::__private::own(#name);));
                borrowed_again.extend(quote_spanned!(span=> let #name: &#elem = &#name;));
            }
        }
        let by_reference = self.function.receiver().and_then(|receiver| match &receiver.kind {
            ReceiverKind::Reference(_, _, mutability) => Some((receiver, mutability)),
            _ => None,
        });
        let Some((receiver, mutability)) = by_reference else {
            let body = self.body();
            let future = self.future(&quote!(#borrowed_again #body));
            return Ok((quote!({ #owned #future }), None));
        };
        if let Some(mutable) = mutability {
            let message =
                "a load in the background cannot have `&mut self`: take `&self`, or write `scoped`";
            return Err(Error::new(mutable.span, message));
        }
        let (this, helper_name) =
            (private("this"), format_ident!("__{}_load", self.function.item.sig.ident.unraw()));
        let names = self.named_arguments()?;
        let returns = self.function.returns();
        let call = quote!({ let answer: #returns = Self::#helper_name(&#this, #(#names),*).await; answer });
        let future = self.future(&quote!(#borrowed_again #call));
        let span = at(receiver.span());
        let (kit, self_token) = (kit_at(kit, span), &receiver.self_token);
        let own_self =
            quote_spanned!(span=> let #this = #kit::__private::own_receiver(#self_token););
        Ok((quote!({ #own_self #owned #future }), Some(self.helper(&helper_name))))
    }

    /// The arguments' names, to hand them on.
    fn named_arguments(&self) -> Result<Vec<&Ident>> {
        let names = self.function.arguments.iter().map(|argument| {
            let message = "give this argument a name and take it apart in the body: the load is a function of its own";
            argument.name.as_ref().ok_or_else(|| Error::new(argument.span, message))
        });
        names.collect()
    }

    /// The function's body under another name: inside a task of its own, `self` can only be an argument.
    fn helper(&self, name: &Ident) -> TokenStream {
        let kept = |attribute: &&Attribute| {
            ["cfg", "allow"].iter().any(|known| attribute.path().is_ident(known))
        };
        let attributes = self.function.item.attrs.iter().filter(kept);
        let mut line = self.function.item.sig.clone();
        line.ident = name.clone();
        let block = &self.function.item.block;
        quote!(#(#attributes)* #[doc(hidden)] #line #block)
    }

    fn returns_span(&self) -> Span {
        match &self.function.item.sig.output {
            ReturnType::Default => self.function.item.sig.ident.span(),
            ReturnType::Type(_, ty) => ty.span(),
        }
    }
}

/// The name and the type behind the `&` of an argument that a load of its own can clone.
fn lendable(argument: &Argument) -> Result<(&Ident, &Type)> {
    let message = "a load in the background cannot borrow this: take an owned value or an `Arc`, or write `scoped`";
    let refuse = || Error::new(argument.ty.span(), message);
    match (&argument.name, &argument.ty) {
        (Some(name), Type::Reference(reference)) if reference.mutability.is_none() => {
            let inner = Borrows::of(&reference.elem);
            if inner.borrowed.is_some() { Err(refuse()) } else { Ok((name, &reference.elem)) }
        }
        _ => Err(refuse()),
    }
}

/// A body as a future of a known type.
pub(crate) fn typed_future(kit: &Path, returns: &TokenStream, body: &TokenStream) -> TokenStream {
    quote! {
        async move {
            if false {
                let never: #returns = #kit::__private::never();
                return never;
            }
            #body
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(attribute: &str, item: &str) -> std::result::Result<Load, String> {
        let words = syn::parse_str(attribute).unwrap();
        let options =
            CachedOptions::read(words, Span::call_site()).map_err(|error| error.to_string())?;
        let function =
            Function::read("cached", item.parse().unwrap()).map_err(|error| error.to_string())?;
        Load::of(&options, &function).map_err(|error| error.to_string())
    }

    impl std::fmt::Debug for Load {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(match self {
                Self::Sync => "sync",
                Self::Scoped => "scoped",
                Self::Detached => "detached",
            })
        }
    }

    #[test]
    fn what_is_borrowed_decides_where_a_value_is_made() {
        let check = |attribute, item, expect| {
            assert_eq!(load(attribute, item), Ok(expect), "{attribute} {item}");
        };
        check("ttl = 5", "fn f(id: u64) -> u64 { id }", Load::Sync);
        check("ttl = 5", "async fn f(id: u64) -> u64 { id }", Load::Detached);
        check("ttl = 5, scoped", "async fn f(id: u64) -> u64 { id }", Load::Scoped);
        check("ttl = 5", "async fn f(id: &str) -> u64 { 5 }", Load::Scoped);
        check("ttl = 5", "async fn f(id: &'static str) -> u64 { 5 }", Load::Detached);
        check("ttl = 5", "async fn f(&self, id: u64) -> u64 { 5 }", Load::Scoped);
        check("ttl = 5", "async fn f(self: Arc<Self>, id: u64) -> u64 { 5 }", Load::Detached);
        check("ttl = 5", "async fn f<T>(id: T) -> u64 { 5 }", Load::Scoped);
        check("ttl = 5", "async fn f(id: impl AsRef<str>) -> u64 { 5 }", Load::Scoped);
        check("ttl = 5, detached", "async fn f(id: &str) -> u64 { 5 }", Load::Detached);
        check(
            "ttl = 5, stale_while_revalidate = 1",
            "async fn f(&self) -> u64 { 5 }",
            Load::Detached,
        );
        check("cache = USERS", "async fn f(db: &Pool) -> u64 { 5 }", Load::Scoped);
    }
}
