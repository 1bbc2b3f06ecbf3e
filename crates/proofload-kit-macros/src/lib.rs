//! The attributes of `proofload-kit`; use them through that crate, which documents them.
//!
//! - `words`: the grammar that options have in common, and suggestions for unknown ones;
//! - `length`, `template`: lengths of time and texts with values in them;
//! - `options`: what `#[cached]` can be told;
//! - `signature`: what the function says of itself;
//! - `key`: the code that writes keys;
//! - `cached`, `invalidate`: the two expansions.
//!
//! The code they make calls `proofload_kit::__private`, where everything lives that need not be made anew for
//! each function.

mod cached;
mod invalidate;
mod key;
mod length;
mod options;
mod signature;
mod template;
mod words;

use proc_macro::TokenStream;
use proc_macro2::Span;

use words::Words;

/// Keeps the answers of a function. Documented in `proofload_kit`.
#[proc_macro_attribute]
pub fn cached(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, cached::expand)
}

/// Forgets answers when a function has changed what they were made of. Documented in `proofload_kit`.
#[proc_macro_attribute]
pub fn cache_invalidate(options: TokenStream, item: TokenStream) -> TokenStream {
    expanded(options, item, invalidate::expand)
}

type Expand = fn(Words, Span, proc_macro2::TokenStream) -> syn::Result<proc_macro2::TokenStream>;

/// Where the attribute cannot be expanded, the function stays as it is beside the error: whoever calls it should not
/// be told that it does not exist.
fn expanded(options: TokenStream, item: TokenStream, expand: Expand) -> TokenStream {
    let item = proc_macro2::TokenStream::from(item);
    let expansion = syn::parse::<Words>(options)
        .and_then(|words| expand(words, Span::call_site(), item.clone()));
    let tokens = expansion.unwrap_or_else(|error| {
        let error = error.into_compile_error();
        quote::quote!(#error #item)
    });
    tokens.into()
}
