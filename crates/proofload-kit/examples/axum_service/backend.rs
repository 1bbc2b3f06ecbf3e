//! What stands in for a database: slow, counted, and able to fail.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Products that exist: 1 to this number.
const PRODUCTS: u64 = 100_000;

/// What a query takes.
const QUERY: Duration = Duration::from_millis(20);

#[derive(Debug, Clone)]
pub(crate) struct Product {
    pub(crate) id: u64,
    pub(crate) name: Arc<str>,
}

#[derive(Debug, thiserror::Error)]
#[error("the database does not answer")]
pub(crate) struct Unavailable;

#[derive(Debug, Default)]
pub(crate) struct Backend {
    renamed: Mutex<Option<Product>>,
    down: AtomicBool,
    queries: AtomicU64,
}

impl Backend {
    pub(crate) async fn find(&self, id: u64) -> Result<Option<Product>, Unavailable> {
        self.query().await?;
        let renamed = self.renamed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(product) = renamed.as_ref().filter(|product| product.id == id) {
            return Ok(Some(product.clone()));
        }
        Ok((1..=PRODUCTS)
            .contains(&id)
            .then(|| Product { id, name: format!("Product {id}").into() }))
    }

    /// Remembers the last new name only; enough for an example.
    pub(crate) async fn rename(&self, id: u64, name: &str) -> Result<(), Unavailable> {
        self.query().await?;
        let product = Product { id, name: name.into() };
        *self.renamed.lock().unwrap_or_else(PoisonError::into_inner) = Some(product);
        Ok(())
    }

    pub(crate) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::Relaxed);
    }

    /// Queries that were made so far, whatever came of them.
    pub(crate) fn queries(&self) -> u64 {
        self.queries.load(Ordering::Relaxed)
    }

    async fn query(&self) -> Result<(), Unavailable> {
        self.queries.fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(QUERY).await;
        if self.down.load(Ordering::Relaxed) { Err(Unavailable) } else { Ok(()) }
    }
}
