//! Loading many keys before anybody asks for them.

use std::future::Future;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::core::Wants;
use super::handle::Cache;
use super::loaded::IntoLoaded;
use super::policy::Judgement;

/// How many of the keys that failed are named in a report.
const NAMED_FAILURES: usize = 100;

/// How far a warming has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmProgress {
    /// Keys that are done with, whatever came of it.
    pub done: u64,
    /// Those of them whose load failed.
    pub failed: u64,
    /// How many there will be in all, as far as the iterator of keys says.
    pub total: Option<u64>,
}

/// What came of a warming.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WarmReport {
    /// Keys that were loaded, or found in the shared layer.
    pub loaded: u64,
    /// Keys that were fresh in memory already.
    pub fresh: u64,
    /// Keys whose load failed.
    pub failed: u64,
    /// The first hundred keys whose load failed.
    pub failed_keys: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

impl<V: Clone + Send + Sync + 'static> Cache<V> {
    /// Loads the keys that are not fresh in memory, `concurrency` at a time (at least 1), and
    /// calls `progress` after each. Goes on after failures. Cancelled, it starts no more loads.
    ///
    /// ```
    /// use std::convert::Infallible;
    /// use proofload_kit::{Cache, Ttl};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), proofload_kit::BuildError> {
    /// let cache = Cache::<usize>::builder("lengths", Ttl::DATA).build()?;
    /// let keys = (0..100).map(|id| format!("user:{id}"));
    /// let load = |key: String| async move { Ok::<_, Infallible>(key.len()) };
    /// let report = cache.warm(keys, 8, load, |_| ()).await;
    /// assert_eq!((report.loaded, report.failed), (100, 0));
    /// assert_eq!(cache.get("user:42"), Some(7));
    /// # Ok(())
    /// # }
    /// ```
    pub async fn warm<K, T, E, F, Fut>(
        &self,
        keys: impl IntoIterator<Item = K>,
        concurrency: usize,
        load: F,
        mut progress: impl FnMut(WarmProgress),
    ) -> WarmReport
    where
        K: Into<String>,
        T: IntoLoaded<V> + 'static,
        E: Send + Sync + 'static,
        F: Fn(String) -> Fut,
        Fut: Future<Output = Result<T, E>> + Send + 'static,
    {
        let began = Instant::now();
        let mut keys = keys.into_iter();
        let total = keys.size_hint().1.and_then(|total| u64::try_from(total).ok());
        let (mut report, mut running) = (WarmReport::default(), JoinSet::new());
        let mut done = 0;
        loop {
            let next = if running.len() < concurrency.max(1) { keys.next() } else { None };
            if let Some(key) = next {
                let key = key.into();
                if self.is_fresh(&key) {
                    report.fresh += 1;
                } else {
                    let (cache, load) = (self.clone(), load(key.clone()));
                    running.spawn(async move {
                        let loaded = cache.get_or_load(&key, || load).await;
                        loaded.is_err().then_some(key)
                    });
                    continue;
                }
            } else {
                match running.join_next().await {
                    None => break,
                    Some(Ok(None)) => report.loaded += 1,
                    Some(outcome) => {
                        report.failed += 1;
                        let named = outcome.ok().flatten();
                        report
                            .failed_keys
                            .extend(named.filter(|_| report.failed_keys.len() < NAMED_FAILURES));
                    }
                }
            }
            done += 1;
            progress(WarmProgress { done, failed: report.failed, total });
        }
        report.took = began.elapsed();
        report
    }

    fn is_fresh(&self, key: &str) -> bool {
        let found = self.core.look(key, Wants::Value, self.core.clock.now());
        found.is_some_and(|(_, judgement)| judgement == Judgement::Fresh)
    }
}
