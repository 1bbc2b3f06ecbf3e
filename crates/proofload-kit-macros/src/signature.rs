//! What an attribute must know of the function it stands on: its arguments, what they borrow, what it returns.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens as _, quote};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{
    Error, Expr, ExprPath, FnArg, GenericArgument, GenericParam, ItemFn, Lifetime, Pat, PatIdent,
    Receiver, Result, ReturnType, Safety, Token, TraitItemFn, Type,
};

use crate::words::nearest;

/// A function under an attribute.
pub(crate) struct Function {
    pub(crate) item: ItemFn,
    pub(crate) arguments: Vec<Argument>,
}

/// An argument other than `self`.
pub(crate) struct Argument {
    /// Its name; `None` when it is taken apart by a pattern.
    pub(crate) name: Option<Ident>,
    pub(crate) mutability: Option<Token![mut]>,
    pub(crate) ty: Type,
    pub(crate) span: Span,
}

impl Function {
    /// The function below the attribute called `attribute`.
    pub(crate) fn read(attribute: &str, tokens: TokenStream) -> Result<Self> {
        let item = match syn::parse2::<ItemFn>(tokens.clone()) {
            Ok(item) => item,
            Err(error) => return Err(no_function(attribute, tokens, error)),
        };
        let sig = &item.sig;
        if let Some(token) = &sig.constness {
            return Err(Error::new(
                token.span,
                format!("`#[{attribute}]` needs a clock and memory: a `const fn` has neither"),
            ));
        }
        if let Safety::Unsafe(token) = &sig.safety {
            let why = "what the caller must promise cannot be kept by an answer given later";
            return Err(Error::new(
                token.span,
                format!("`#[{attribute}]` does not go on an `unsafe fn`: {why}"),
            ));
        }
        if let Some(abi) = &sig.abi {
            return Err(Error::new(
                abi.span(),
                format!("`#[{attribute}]` goes on Rust functions only"),
            ));
        }
        let arguments = sig.inputs.iter().filter_map(argument).collect();
        Ok(Self { item, arguments })
    }

    /// `self`, in whatever form.
    pub(crate) fn receiver(&self) -> Option<&Receiver> {
        self.item.sig.receiver()
    }

    pub(crate) fn is_async(&self) -> bool {
        self.item.sig.asyncness.is_some()
    }

    /// The type that is returned, `()` written out.
    pub(crate) fn returns(&self) -> TokenStream {
        match &self.item.sig.output {
            ReturnType::Default => quote!(()),
            ReturnType::Type(_, ty) => ty.to_token_stream(),
        }
    }

    /// Whether the compiler makes one function for each type it is called with, as far as its own line says.
    pub(crate) fn has_type_parameters(&self) -> bool {
        let named = self
            .item
            .sig
            .generics
            .params
            .iter()
            .any(|param| matches!(param, GenericParam::Type(_)));
        named
            || self.arguments.iter().any(|argument| Borrows::of(&argument.ty).impl_trait.is_some())
    }

    /// The argument of this name, or an error that suggests one.
    pub(crate) fn argument(&self, name: &Ident) -> Result<&Argument> {
        let found = self.arguments.iter().find(|argument| argument.name.as_ref() == Some(name));
        found.ok_or_else(|| self.no_argument(name))
    }

    fn no_argument(&self, name: &Ident) -> Error {
        let given = name.to_string();
        let names: Vec<String> = self
            .arguments
            .iter()
            .filter_map(|argument| Some(argument.name.as_ref()?.to_string()))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match nearest(&given, &names) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        Error::new(name.span(), format!("the function has no argument `{given}`{hint}"))
    }

    /// Refuses an expression that is a single word and neither an argument nor a constant; anything longer is left
    /// to the compiler.
    pub(crate) fn check_value(&self, expr: &Expr) -> Result<()> {
        let Expr::Path(ExprPath { qself: None, path, .. }) = root(expr) else { return Ok(()) };
        let Some(name) = path.get_ident() else { return Ok(()) };
        if name == "self" {
            let missing = || Error::new(name.span(), "the function has no `self`");
            return self.receiver().map(drop).ok_or_else(missing);
        }
        let constant = name.to_string().starts_with(|c: char| c.is_ascii_uppercase());
        let in_pattern = self.item.sig.inputs.iter().any(|input| binds(input, name));
        if constant || in_pattern { Ok(()) } else { Err(self.no_argument(name)) }
    }

    /// The function's line without `mut` before its arguments, which the body gets back by [`Function::rebound`].
    pub(crate) fn line(&self) -> syn::Signature {
        let mut line = self.item.sig.clone();
        for input in &mut line.inputs {
            match input {
                FnArg::Typed(typed) => {
                    if let Pat::Ident(PatIdent { mutability, by_ref: None, .. }) = &mut *typed.pat {
                        *mutability = None;
                    }
                }
                // `mut self`: the body moves it on its own.
                FnArg::Receiver(_) => {}
            }
        }
        line
    }

    /// `let mut x = x;` for each argument that was `mut`.
    pub(crate) fn rebound(&self) -> TokenStream {
        let mutable = self.arguments.iter().filter(|argument| argument.mutability.is_some());
        let names = mutable.filter_map(|argument| argument.name.as_ref());
        quote!(#(let mut #names = #names;)*)
    }
}

/// The name that `a.b.c()` begins with.
fn root(expr: &Expr) -> &Expr {
    match expr {
        Expr::Field(field) => root(&field.base),
        Expr::MethodCall(call) => root(&call.receiver),
        Expr::Reference(reference) => root(&reference.expr),
        Expr::Paren(paren) => root(&paren.expr),
        Expr::Index(index) => root(&index.expr),
        Expr::Unary(unary) => root(&unary.expr),
        other => other,
    }
}

fn argument(input: &FnArg) -> Option<Argument> {
    let FnArg::Typed(typed) = input else { return None };
    let (name, mutability) = match &*typed.pat {
        Pat::Ident(PatIdent { ident, mutability, by_ref: None, subpat: None, .. }) => {
            (Some(ident.clone()), *mutability)
        }
        _ => (None, None),
    };
    Some(Argument { name, mutability, ty: (*typed.ty).clone(), span: typed.pat.span() })
}

/// Whether an argument's pattern binds this name.
fn binds(input: &FnArg, name: &Ident) -> bool {
    struct Search<'a>(&'a Ident, bool);
    impl<'ast> Visit<'ast> for Search<'_> {
        fn visit_pat_ident(&mut self, pat: &'ast PatIdent) {
            self.1 |= pat.ident == *self.0;
            visit::visit_pat_ident(self, pat);
        }
    }
    let FnArg::Typed(typed) = input else { return false };
    let mut search = Search(name, false);
    search.visit_pat(&typed.pat);
    search.1
}

/// Why this is no function with a body.
fn no_function(attribute: &str, tokens: TokenStream, error: Error) -> Error {
    if let Ok(declared) = syn::parse2::<TraitItemFn>(tokens.clone()) {
        let message = format!(
            "`#[{attribute}]` needs a body: put it on the method where the trait is implemented"
        );
        return Error::new(declared.sig.ident.span(), message);
    }
    let Ok(item) = syn::parse2::<syn::Item>(tokens) else { return error };
    let (span, what) = match &item {
        syn::Item::Impl(item) => (item.impl_token.span, "its methods, not on the `impl` block"),
        syn::Item::Struct(item) => (item.struct_token.span, "functions, not on types"),
        syn::Item::Enum(item) => (item.enum_token.span, "functions, not on types"),
        syn::Item::Mod(item) => (item.mod_token.span, "functions, not on modules"),
        syn::Item::Trait(item) => (item.trait_token.span, "methods where the trait is implemented"),
        other => (other.span(), "functions"),
    };
    Error::new(span, format!("`#[{attribute}]` goes on {what}"))
}

/// `Pin<Box<dyn Future<…>>>`, `BoxFuture<…>` or `impl Future<…>`: what is returned has not been done yet.
pub(crate) fn is_future(ty: &Type) -> bool {
    // As text: traits are written with and without their path.
    let names_future = |tokens: TokenStream| tokens.to_string().contains("Future");
    match ty {
        Type::ImplTrait(opaque) => names_future(opaque.to_token_stream()),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.ident == "BoxFuture"
                || (last.ident == "Pin" && names_future(last.arguments.to_token_stream()))
        }),
        _ => false,
    }
}

/// What in a type keeps a value of it from living on its own.
#[derive(Default)]
pub(crate) struct Borrows {
    /// The first `&` or lifetime that is not `'static`.
    pub(crate) borrowed: Option<Span>,
    /// The first `impl Trait`.
    pub(crate) impl_trait: Option<Span>,
}

impl Borrows {
    pub(crate) fn of(ty: &Type) -> Self {
        let mut found = Self::default();
        found.visit_type(ty);
        found
    }

    fn lifetime(&mut self, lifetime: Option<&Lifetime>, span: Span) {
        let lasts = lifetime.is_some_and(|lifetime| lifetime.ident == "static");
        if !lasts && self.borrowed.is_none() {
            self.borrowed = Some(span);
        }
    }
}

impl<'ast> Visit<'ast> for Borrows {
    fn visit_type_reference(&mut self, reference: &'ast syn::TypeReference) {
        self.lifetime(reference.lifetime.as_ref(), reference.span());
        self.visit_type(&reference.elem);
    }

    fn visit_generic_argument(&mut self, argument: &'ast GenericArgument) {
        if let GenericArgument::Lifetime(lifetime) = argument {
            self.lifetime(Some(lifetime), lifetime.span());
        }
        visit::visit_generic_argument(self, argument);
    }

    fn visit_type_param_bound(&mut self, bound: &'ast syn::TypeParamBound) {
        if let syn::TypeParamBound::Lifetime(lifetime) = bound {
            self.lifetime(Some(lifetime), lifetime.span());
        }
        visit::visit_type_param_bound(self, bound);
    }

    fn visit_type_impl_trait(&mut self, found: &'ast syn::TypeImplTrait) {
        self.impl_trait.get_or_insert(found.impl_token.span);
        visit::visit_type_impl_trait(self, found);
    }

    // The arguments of functions have lifetimes of their own.
    fn visit_type_fn_ptr(&mut self, _: &'ast syn::TypeFnPtr) {}
    fn visit_parenthesized_generic_arguments(
        &mut self,
        _: &'ast syn::ParenthesizedGenericArguments,
    ) {
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_type_borrows_is_seen() {
        let check = |ty: &str, borrowed: bool, impl_trait: bool| {
            let found = Borrows::of(&syn::parse_str(ty).unwrap());
            assert_eq!(
                (found.borrowed.is_some(), found.impl_trait.is_some()),
                (borrowed, impl_trait),
                "{ty}"
            );
        };
        check("u64", false, false);
        check("&str", true, false);
        check("&'static str", false, false);
        check("&'static [&str]", true, false);
        check("Vec<&'a str>", true, false);
        check("Cow<'_, str>", true, false);
        check("Cow<'static, str>", false, false);
        check("Box<dyn Source + '_>", true, false);
        check("Box<dyn Fn(&str) -> u64>", false, false);
        check("fn(&str) -> u64", false, false);
        check("impl AsRef<str>", false, true);
        check("Option<impl Iterator<Item = &'a u8>>", true, true);
    }

    #[test]
    fn futures_are_seen() {
        let check = |ty: &str, expect: bool| {
            assert_eq!(is_future(&syn::parse_str(ty).unwrap()), expect, "{ty}");
        };
        check("Pin<Box<dyn Future<Output = u8> + Send + 'async_trait>>", true);
        check("::core::pin::Pin<Box<dyn ::core::future::Future<Output = u8>>>", true);
        check("BoxFuture<'static, u8>", true);
        check("impl Future<Output = u8> + Send", true);
        check("impl Iterator<Item = u8>", false);
        check("Pin<Box<u8>>", false);
        check("Result<u8, Error>", false);
    }

    #[test]
    fn arguments_are_found_or_suggested() {
        let tokens = quote! {
            async fn find(&self, mut user_id: u64, (a, b): (u8, u8), db: &Pool) -> Option<User> { None }
        };
        let function = Function::read("cached", tokens).unwrap_or_else(|error| panic!("{error}"));
        let check = |expr: &str, expect: Option<&str>| {
            let found = function.check_value(&syn::parse_str(expr).unwrap());
            assert_eq!(found.err().map(|error| error.to_string()).as_deref(), expect, "{expr}");
        };
        check("user_id", None);
        check("self.tenant", None);
        check("b", None);
        check("MAX", None);
        check("crate::tenant()", None);
        check("db.name()", None);
        check("userid", Some("the function has no argument `userid`; did you mean `user_id`?"));
        check("colour.red", Some("the function has no argument `colour`"));
        let names: Vec<_> =
            function.arguments.iter().map(|a| a.name.as_ref().map(ToString::to_string)).collect();
        assert_eq!(names, [Some("user_id".to_owned()), None, Some("db".to_owned())]);
    }
}
