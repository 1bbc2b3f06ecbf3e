//! What a function returns, taken apart into the value that is kept and the error that is not.
//!
//! The macro writes `(&&&Returns::<T>::new()).shape()`: method resolution tries the receiver with the most
//! references first, so the most special of the four traits below that fits `T` answers. That way aliases of
//! `Result` are seen through, which an attribute that reads names could not do.

use std::marker::PhantomData;

/// The type that a function returns, to be asked for its shape.
#[derive(Debug)]
pub struct Returns<T>(PhantomData<fn() -> T>);

impl<T> Returns<T> {
    /// Of the type that is named.
    #[expect(clippy::new_without_default, reason = "written by the macro only")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// How an answer is taken apart and put together again.
pub trait Shape: Copy + Send {
    /// What the function returns.
    type Answer;
    /// What is kept.
    type Value: Keepable;
    /// What is not.
    type Error;
    /// Whether there may be no value.
    const OPTIONAL: bool;

    /// Takes an answer apart.
    fn split(answer: Self::Answer) -> Result<Option<Self::Value>, Self::Error>;
    /// Makes an answer.
    fn join(result: Result<Option<Self::Value>, Self::Error>) -> Self::Answer;
}

/// What a cache can keep.
#[diagnostic::on_unimplemented(
    message = "answers of the type `{Self}` cannot be kept",
    label = "one answer is given to callers in many threads: it must be `Clone + Send + Sync + 'static`",
    note = "derive `Clone` for it, or return an `Arc` of it"
)]
pub trait Keepable: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> Keepable for T {}

/// The error of functions that return no `Result`: there is none. `timeout_error` and `map_error` have nothing to
/// make for such functions.
#[derive(Debug, Clone, Copy)]
pub enum FunctionReturnsNoResult {}

macro_rules! shape {
    ($(#[$doc:meta])* $name:ident<$($param:ident),+>) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<$($param),+>(PhantomData<fn() -> ($($param,)+)>);

        impl<$($param),+> Clone for $name<$($param),+> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<$($param),+> Copy for $name<$($param),+> {}
    };
}

shape! {
    /// `T`
    OfValue<T>
}
shape! {
    /// `Option<T>`
    OfOption<T>
}
shape! {
    /// `Result<T, E>`
    OfResult<T, E>
}
shape! {
    /// `Result<Option<T>, E>`
    OfBoth<T, E>
}

impl<T: Keepable> Shape for OfValue<T> {
    type Answer = T;
    type Value = T;
    type Error = FunctionReturnsNoResult;
    const OPTIONAL: bool = false;

    fn split(answer: T) -> Result<Option<T>, FunctionReturnsNoResult> {
        Ok(Some(answer))
    }

    fn join(result: Result<Option<T>, FunctionReturnsNoResult>) -> T {
        match result {
            Ok(value) => present(value),
            Err(never) => match never {},
        }
    }
}

impl<T: Keepable> Shape for OfOption<T> {
    type Answer = Option<T>;
    type Value = T;
    type Error = FunctionReturnsNoResult;
    const OPTIONAL: bool = true;

    fn split(answer: Option<T>) -> Result<Option<T>, FunctionReturnsNoResult> {
        Ok(answer)
    }

    fn join(result: Result<Option<T>, FunctionReturnsNoResult>) -> Option<T> {
        match result {
            Ok(value) => value,
            Err(never) => match never {},
        }
    }
}

impl<T: Keepable, E> Shape for OfResult<T, E> {
    type Answer = Result<T, E>;
    type Value = T;
    type Error = E;
    const OPTIONAL: bool = false;

    fn split(answer: Result<T, E>) -> Result<Option<T>, E> {
        answer.map(Some)
    }

    fn join(result: Result<Option<T>, E>) -> Result<T, E> {
        result.map(present)
    }
}

impl<T: Keepable, E> Shape for OfBoth<T, E> {
    type Answer = Result<Option<T>, E>;
    type Value = T;
    type Error = E;
    const OPTIONAL: bool = true;

    fn split(answer: Result<Option<T>, E>) -> Result<Option<T>, E> {
        answer
    }

    fn join(result: Result<Option<T>, E>) -> Result<Option<T>, E> {
        result
    }
}

/// Functions whose shape is not optional are never answered from the knowledge that there is no value.
fn present<T>(value: Option<T>) -> T {
    value.unwrap_or_else(|| unreachable!("a function that always returns a value has one"))
}

/// `Result<Option<T>, E>`: asked first.
pub trait ReturnsBoth {
    /// The shape.
    type Shape;
    /// The shape.
    fn shape(&self) -> Self::Shape;
}

impl<T, E> ReturnsBoth for &&Returns<Result<Option<T>, E>> {
    type Shape = OfBoth<T, E>;
    fn shape(&self) -> OfBoth<T, E> {
        OfBoth(PhantomData)
    }
}

/// `Result<T, E>`: asked second.
pub trait ReturnsResult {
    /// The shape.
    type Shape;
    /// The shape.
    fn shape(&self) -> Self::Shape;
}

impl<T, E> ReturnsResult for &Returns<Result<T, E>> {
    type Shape = OfResult<T, E>;
    fn shape(&self) -> OfResult<T, E> {
        OfResult(PhantomData)
    }
}

/// `Option<T>`: asked second, too.
pub trait ReturnsOption {
    /// The shape.
    type Shape;
    /// The shape.
    fn shape(&self) -> Self::Shape;
}

impl<T> ReturnsOption for &Returns<Option<T>> {
    type Shape = OfOption<T>;
    fn shape(&self) -> OfOption<T> {
        OfOption(PhantomData)
    }
}

/// Anything else: asked last.
pub trait ReturnsValue {
    /// The shape.
    type Shape;
    /// The shape.
    fn shape(&self) -> Self::Shape;
}

impl<T> ReturnsValue for Returns<T> {
    type Shape = OfValue<T>;
    fn shape(&self) -> OfValue<T> {
        OfValue(PhantomData)
    }
}

/// An answer that was given, to be asked whether it is an error.
#[derive(Debug)]
pub struct Answered<'a, T>(pub &'a T);

/// A `Result`: asked first.
pub trait ResultAnswer {
    /// Whether the function did what it should.
    fn succeeded(&self) -> bool;
}

impl<T, E> ResultAnswer for &Answered<'_, Result<T, E>> {
    fn succeeded(&self) -> bool {
        self.0.is_ok()
    }
}

/// Anything else.
pub trait AnyAnswer {
    /// Whether the function did what it should: it says nothing else.
    fn succeeded(&self) -> bool;
}

impl<T> AnyAnswer for Answered<'_, T> {
    fn succeeded(&self) -> bool {
        true
    }
}

/// A value that is never made: it gives a block its type.
pub fn never<T>() -> T {
    unreachable!("stands behind `if false`")
}

#[cfg(test)]
#[expect(clippy::needless_borrow, reason = "as the macro writes it")]
mod tests {
    use super::*;

    type Alias<T> = Result<T, String>;

    #[test]
    fn the_most_special_shape_answers() {
        fn optional<S: Shape<Value = u8, Error = E>, E>(_: S) -> bool {
            S::OPTIONAL
        }
        assert!(!optional::<OfValue<u8>, FunctionReturnsNoResult>(
            (&&&Returns::<u8>::new()).shape()
        ));
        assert!(optional::<_, FunctionReturnsNoResult>((&&&Returns::<Option<u8>>::new()).shape()));
        assert!(!optional::<_, String>((&&&Returns::<Alias<u8>>::new()).shape()));
        assert!(optional::<_, String>((&&&Returns::<Alias<Option<u8>>>::new()).shape()));
        assert!(optional::<_, std::fmt::Error>(
            (&&&Returns::<Result<Option<u8>, std::fmt::Error>>::new()).shape()
        ));
    }

    #[test]
    fn only_errors_are_no_success() {
        assert!((&&Answered(&5)).succeeded());
        assert!((&&Answered(&None::<u8>)).succeeded());
        assert!((&&Answered(&Alias::Ok(5))).succeeded());
        assert!(!(&&Answered(&Alias::<u8>::Err(String::new()))).succeeded());
    }
}
