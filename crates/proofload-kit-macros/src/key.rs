//! The code that writes keys and tags from arguments.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Error, Expr, Path, Result};

use crate::options::{Cache, CachedOptions, Key};
use crate::signature::Function;
use crate::template::{Piece, Template};
use crate::words::{at, kit_at};

/// Statements that write the key of a call into `writer`.
pub(crate) fn statements(
    options: &CachedOptions,
    function: &Function,
    writer: &Ident,
    path: &TokenStream,
) -> Result<TokenStream> {
    let kit = &options.kit;
    let body = match &options.key {
        Key::Template(template) => text(template, kit, function, writer)?,
        Key::List(list) => segments(list, kit, function, writer)?,
        Key::Without(skipped) => segments(&all_but(skipped, function)?, kit, function, writer)?,
    };
    let own = matches!(options.cache, Cache::Own(_));
    let prefix = match &options.key_prefix {
        Some(prefix) => quote!(#writer.text(#prefix);),
        None if own => quote!(#writer.text(#path);),
        None if body.is_empty() => {
            let span = function.item.sig.ident.span();
            let why = "without arguments every call has the same key: say which by `key_prefix` or `key = \"…\"`";
            return Err(Error::new(span, why));
        }
        None => return Ok(body),
    };
    // The separator stands even without arguments: `prefix:` invalidates the function's entries in every case.
    Ok(quote!(#prefix #writer.text(":"); #body))
}

/// The arguments that are in the key when nothing else is said.
fn all_but(skipped: &[Ident], function: &Function) -> Result<Vec<Expr>> {
    for name in skipped {
        if name == "self" {
            function
                .receiver()
                .ok_or_else(|| Error::new(name.span(), "the function has no `self`"))?;
        } else {
            function.argument(name)?;
        }
    }
    if let Some(receiver) = function.receiver()
        && !skipped.iter().any(|name| name == "self")
    {
        let message = "is the answer the same for every `self`? then write `skip(self)`; \
                       otherwise name what tells them apart: `key(self.tenant, id)`";
        return Err(Error::new(receiver.self_token.span, message));
    }
    let mut kept = Vec::new();
    for argument in &function.arguments {
        match &argument.name {
            Some(name) if skipped.contains(name) => {}
            Some(name) => kept.push(syn::parse_quote!(#name)),
            None => {
                let message =
                    "what of this pattern is in the key? write `key(…)` with the names that matter";
                return Err(Error::new(argument.span, message));
            }
        }
    }
    Ok(kept)
}

/// Values with separators between them.
fn segments(
    values: &[Expr],
    kit: &Path,
    function: &Function,
    writer: &Ident,
) -> Result<TokenStream> {
    let mut written = TokenStream::new();
    for (at, expr) in values.iter().enumerate() {
        if at > 0 {
            written.extend(quote!(#writer.text(":");));
        }
        written.extend(value(expr, kit, function, writer)?);
    }
    Ok(written)
}

/// A template.
pub(crate) fn text(
    template: &Template,
    kit: &Path,
    function: &Function,
    writer: &Ident,
) -> Result<TokenStream> {
    let mut written = TokenStream::new();
    for piece in &template.pieces {
        written.extend(match piece {
            Piece::Text(text) => quote!(#writer.text(#text);),
            Piece::Value(expr) => value(expr, kit, function, writer)?,
        });
    }
    Ok(written)
}

/// One value: by its `KeyPart`, by its `Display` otherwise, and an error that says so when it has neither.
fn value(expr: &Expr, kit: &Path, function: &Function, writer: &Ident) -> Result<TokenStream> {
    function.check_value(expr)?;
    let span = at(expr.span());
    let kit_there = kit_at(kit, span);
    let write = quote_spanned!(span=> (&&&#kit_there::__private::Part(&#expr)).write_to(#writer););
    Ok(quote! {
        {
            use #kit::__private::{AsDisplay as _, AsKeyPart as _, AsNothing as _};
            #write
        }
    })
}
