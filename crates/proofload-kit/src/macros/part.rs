//! Arguments as parts of keys.
//!
//! The macro writes `(&&&Part(&argument)).write_to(writer)`: method resolution tries the receiver with the most
//! references first, so an argument's own `KeyPart` is used before its `Display`, and what has neither gets an error
//! about `KeyPart`.

use std::fmt::Display;

use super::Writer;
use crate::{Key, KeyPart};

/// What can be a part of a key, for the sake of what is said when it cannot.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "implements neither `Display` nor `KeyPart`",
    note = "leave the argument out by `skip(…)`, or name what matters of it: `key(filter.name, page)`"
)]
pub trait KeyArgument {}

#[diagnostic::do_not_recommend]
impl<T: KeyPart + ?Sized> KeyArgument for T {}

/// An argument, to be written.
#[derive(Debug)]
pub struct Part<'a, T: ?Sized>(pub &'a T);

/// By its own idea of keys: asked first.
pub trait AsKeyPart {
    /// Writes it.
    fn write_to(&self, writer: &mut Writer);
}

impl<T: KeyPart + ?Sized> AsKeyPart for &&Part<'_, T> {
    #[inline]
    fn write_to(&self, writer: &mut Writer) {
        writer.value(|key| self.0.write_key(key));
    }
}

/// As people read it: asked second.
pub trait AsDisplay {
    /// Writes it.
    fn write_to(&self, writer: &mut Writer);
}

impl<T: Display + ?Sized> AsDisplay for &Part<'_, T> {
    #[inline]
    fn write_to(&self, writer: &mut Writer) {
        writer.value(|key| Key::escape(key, self.0));
    }
}

/// Not at all: asked last, to have it said what is missing.
pub trait AsNothing<T: ?Sized> {
    /// Does not compile.
    fn write_to(&self, writer: &mut Writer)
    where
        T: KeyArgument;
}

impl<T: ?Sized> AsNothing<T> for Part<'_, T> {
    fn write_to(&self, writer: &mut Writer)
    where
        T: KeyArgument,
    {
        // Whoever can be asked this was asked for its `KeyPart` before.
        let _ = writer;
    }
}
