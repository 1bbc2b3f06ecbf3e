//! What loaders give back: a value, or a value with tags and a time to live of its own.

use std::sync::Arc;

use super::Ttl;

/// A value with what the cache should know about it.
///
/// ```
/// use std::convert::Infallible;
/// use proofload_kit::{Cache, Loaded, Ttl};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let cache = Cache::<String>::builder("pages", Ttl::DATA).build()?;
/// let page = cache
///     .get_or_load("page:1", || async {
///         let page = Loaded::new("<p>by 7</p>".to_owned()).tags(["author:7"]).ttl(Ttl::hours(1));
///         Ok::<_, Infallible>(page)
///     })
///     .await?;
/// assert_eq!(page, "<p>by 7</p>");
/// assert_eq!(cache.invalidate_tag("author:7").await, 1);
/// assert_eq!(cache.get("page:1"), None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded<V> {
    pub(super) value: V,
    pub(super) options: PutOptions,
}

impl<V> Loaded<V> {
    /// The value, without tags, with the time to live of the cache.
    pub fn new(value: V) -> Self {
        Self { value, options: PutOptions::new() }
    }

    /// Adds tags: [`Cache::invalidate_tag`](crate::Cache::invalidate_tag) on any of them removes the value.
    #[must_use]
    pub fn tags<T: Into<Arc<str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.options = self.options.tags(tags);
        self
    }

    /// How long this value is fresh, in all layers. A computed 0 is as [`do_not_keep`](Self::do_not_keep).
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.options = self.options.ttl(ttl);
        self
    }

    /// Gives the value to those who wait for it, and keeps it in no layer. What stood under its key is gone.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use proofload_kit::{Cache, Loaded, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let orders = Cache::<String>::builder("orders", Ttl::DATA).build()?;
    /// let load = || async {
    ///     let status = "pending".to_owned();
    ///     let is_final = status != "pending";
    ///     let loaded = Loaded::new(status);
    ///     Ok::<_, Infallible>(if is_final { loaded } else { loaded.do_not_keep() })
    /// };
    /// assert_eq!(orders.get_or_load("order:1", load).await?, "pending");
    /// assert_eq!(orders.get("order:1"), None);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn do_not_keep(mut self) -> Self {
        self.options = self.options.do_not_keep();
        self
    }
}

/// What a loader may give back for a value of type `V`: the value, or [`Loaded`].
pub trait IntoLoaded<V> {
    /// The value with what is known about it.
    fn into_loaded(self) -> Loaded<V>;
}

impl<V> IntoLoaded<V> for V {
    fn into_loaded(self) -> Loaded<V> {
        Loaded::new(self)
    }
}

impl<V> IntoLoaded<V> for Loaded<V> {
    fn into_loaded(self) -> Self {
        self
    }
}

/// What the cache should know about a value that is put into it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PutOptions {
    pub(super) ttl: Option<Ttl>,
    pub(super) tags: Vec<Arc<str>>,
}

impl PutOptions {
    /// No tags, the time to live of the cache.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds tags.
    #[must_use]
    pub fn tags<T: Into<Arc<str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self.tags.sort_unstable();
        self.tags.dedup();
        self
    }

    /// How long the value is fresh, in all layers. A computed 0 is as [`do_not_keep`](Self::do_not_keep).
    #[must_use]
    pub fn ttl(mut self, ttl: impl Into<Ttl>) -> Self {
        self.ttl = Some(ttl.into());
        self
    }

    /// Keeps the value in no layer. What stood under its key is gone.
    #[must_use]
    pub fn do_not_keep(self) -> Self {
        self.ttl(Ttl::seconds(0))
    }
}
