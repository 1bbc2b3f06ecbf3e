//! Arguments as parts of keys.
//!
//! The macro writes `(&&&Part(&argument)).write_to(writer)`: method resolution tries the receiver with the most
//! references first, so an argument's own `KeyPart` is used before its `Display`, and what has neither gets an error
//! about `KeyPart`.

use std::fmt::Display;

use super::Writer;

/// What can be a part of a key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be part of a key",
    label = "has neither `Display` nor `KeyPart`",
    note = "leave the argument out by `skip(…)`, or name what matters of it: `key(filter.name, page)`"
)]
pub trait KeyPart {
    /// Writes it.
    fn write_part(&self, writer: &mut Writer);
}

/// An argument, to be written.
pub struct Part<'a, T: ?Sized>(pub &'a T);

/// By its own idea of keys: asked first.
pub trait AsKeyPart {
    /// Writes it.
    fn write_to(&self, writer: &mut Writer);
}

impl<T: KeyPart + ?Sized> AsKeyPart for &&Part<'_, T> {
    #[inline]
    fn write_to(&self, writer: &mut Writer) {
        self.0.write_part(writer);
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
        writer.display(self.0);
    }
}

/// Not at all: asked last, to have it said what is missing.
pub trait AsNothing<T: ?Sized> {
    /// Does not compile.
    fn write_to(&self, writer: &mut Writer)
    where
        T: KeyPart;
}

impl<T: ?Sized> AsNothing<T> for Part<'_, T> {
    fn write_to(&self, writer: &mut Writer)
    where
        T: KeyPart,
    {
        self.0.write_part(writer);
    }
}
