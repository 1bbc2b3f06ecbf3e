//! How values are written as parts of keys.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::num::{
    NonZeroI32, NonZeroI64, NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroU128,
    NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::Key;

/// What can be a part of a key: different values are written as different texts, whatever stands
/// before and after them.
///
/// ```
/// use proofload_kit::{Key, KeyPart};
///
/// struct Page {
///     of: String,
///     number: u32,
/// }
///
/// impl KeyPart for Page {
///     fn write_key(&self, key: &mut String) {
///         (&self.of, self.number).write_key(key);
///     }
/// }
///
/// enum Order { Newest, Oldest }
///
/// impl KeyPart for Order {
///     fn write_key(&self, key: &mut String) {
///         Key::escape(key, match self {
///             Order::Newest => "newest",
///             Order::Oldest => "oldest",
///         });
///     }
/// }
///
/// let page = Page { of: "books".to_owned(), number: 3 };
/// let key = Key::of("list").with(page).with(Order::Newest).into_string();
/// assert_eq!(key, "list:%(books%,3%):newest");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a part of a cache key",
    note = "implement `KeyPart` for it, or make the key of one of its fields"
)]
pub trait KeyPart {
    /// Appends the value to the key.
    fn write_key(&self, key: &mut String);
}

macro_rules! displayed {
    ($($type:ty),* $(,)?) => {$(
        impl KeyPart for $type {
            #[inline]
            fn write_key(&self, key: &mut String) {
                Key::escape(key, self);
            }
        }
    )*};
}

displayed!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    f32,
    f64,
    bool,
    char,
    str,
    String,
    NonZeroU8,
    NonZeroU16,
    NonZeroU32,
    NonZeroU64,
    NonZeroU128,
    NonZeroUsize,
    NonZeroI32,
    NonZeroI64,
    std::net::IpAddr,
    std::net::Ipv4Addr,
    std::net::Ipv6Addr,
    std::net::SocketAddr,
);

impl KeyPart for () {
    fn write_key(&self, _: &mut String) {}
}

/// Nanoseconds.
impl KeyPart for Duration {
    fn write_key(&self, key: &mut String) {
        self.as_nanos().write_key(key);
    }
}

macro_rules! pointing {
    ($($type:ty),* $(,)?) => {$(
        impl<T: KeyPart + ?Sized> KeyPart for $type {
            #[inline]
            fn write_key(&self, key: &mut String) {
                (**self).write_key(key);
            }
        }
    )*};
}

pointing!(&T, &mut T, Box<T>, Rc<T>, Arc<T>);

impl<T: KeyPart + ToOwned + ?Sized> KeyPart for Cow<'_, T> {
    fn write_key(&self, key: &mut String) {
        (**self).write_key(key);
    }
}

/// An absent value is not written as any present one is.
impl<T: KeyPart> KeyPart for Option<T> {
    fn write_key(&self, key: &mut String) {
        match self {
            None => key.push_str("%N"),
            // A present absence is not the absence.
            Some(value) => {
                let before = key.len();
                value.write_key(key);
                if key[before..].starts_with("%N") {
                    key.insert_str(before, "%N");
                }
            }
        }
    }
}

fn enclosed<T: KeyPart>(key: &mut String, parts: impl IntoIterator<Item = T>) {
    key.push_str("%(");
    for part in parts {
        part.write_key(key);
        key.push_str("%,");
    }
    key.push_str("%)");
}

impl<T: KeyPart> KeyPart for [T] {
    fn write_key(&self, key: &mut String) {
        enclosed(key, self);
    }
}

impl<T: KeyPart, const N: usize> KeyPart for [T; N] {
    fn write_key(&self, key: &mut String) {
        enclosed(key, self);
    }
}

impl<T: KeyPart> KeyPart for Vec<T> {
    fn write_key(&self, key: &mut String) {
        enclosed(key, self);
    }
}

impl<T: KeyPart> KeyPart for BTreeSet<T> {
    fn write_key(&self, key: &mut String) {
        enclosed(key, self);
    }
}

impl<K: KeyPart, T: KeyPart> KeyPart for BTreeMap<K, T> {
    fn write_key(&self, key: &mut String) {
        enclosed(key, self);
    }
}

macro_rules! tuples {
    ($(($first:ident $(, $other:ident)*))*) => {$(
        impl<$first: KeyPart, $($other: KeyPart),*> KeyPart for ($first, $($other,)*) {
            #[expect(non_snake_case, reason = "the names of the types serve for their values")]
            fn write_key(&self, key: &mut String) {
                let ($first, $($other,)*) = self;
                key.push_str("%(");
                $first.write_key(key);
                $(
                    key.push_str("%,");
                    $other.write_key(key);
                )*
                key.push_str("%)");
            }
        }
    )*};
}

tuples! {
    (A)
    (A, B)
    (A, B, C)
    (A, B, C, D)
    (A, B, C, D, E)
    (A, B, C, D, E, F)
    (A, B, C, D, E, F, G)
    (A, B, C, D, E, F, G, H)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(part: impl KeyPart) -> String {
        let mut key = String::new();
        part.write_key(&mut key);
        key
    }

    #[test]
    fn values_as_parts() {
        let check = |part: &dyn KeyPart, expect: &str| assert_eq!(text(part), expect);
        check(&7_u8, "7");
        check(&-7_i64, "-7");
        check(&1.5_f64, "1.5");
        check(&true, "true");
        check(&':', "%3A");
        check(&"a:b%", "a%3Ab%25");
        check(&Arc::<str>::from("x"), "x");
        check(&Cow::Borrowed("x"), "x");
        check(&(), "");
        check(&None::<u8>, "%N");
        check(&Some(1_u8), "1");
        check(&Some("N"), "N");
        check(&Some("%N"), "%25N");
        check(&Some(None::<u8>), "%N%N");
        check(&Some(Some(1_u8)), "1");
        check(&(1_u8, "a"), "%(1%,a%)");
        check(&vec!["a", "b"], "%(a%,b%,%)");
        check(&Vec::<u8>::new(), "%(%)");
        check(&[[1_u8]], "%(%(1%,%)%,%)");
        check(&BTreeMap::from([(1_u8, "a")]), "%(%(1%,a%)%,%)");
        check(&std::net::IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1]), "%3A%3A1");
        check(&Duration::from_millis(1), "1000000");
    }

    #[test]
    fn lists_of_nothing_differ_by_length() {
        assert_ne!(text(vec![""]), text(Vec::<&str>::new()));
        assert_ne!(text(vec!["", ""]), text(vec![""]));
        assert_ne!(text(vec![None::<u8>]), text(vec![Some("")].as_slice()));
    }
}
