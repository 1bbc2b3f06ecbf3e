//! A shared layer in this process, with faults on demand.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use crate::cache::clock::wall_ms;
use crate::cache::glob::Glob;
use crate::cache::remote::{
    BoxFuture, Claim, Heard, Lease, Remote, RemoteError, Shared, Stored, Target, Wants,
};
use crate::{Cache, Ttl, cache::CacheBuilder};

/// For ever.
const FAR: Duration = Duration::from_hours(1_000_000);

#[derive(Default)]
struct State {
    values: HashMap<String, Stored>,
    leases: HashMap<String, (Lease, Instant)>,
    tags: HashMap<String, u64>,
    epoch: u64,
    fence: u64,
}

type Listener = Box<dyn Fn(Heard) + Send + Sync>;

/// What several caches, standing for several processes, share.
#[derive(Default)]
pub(super) struct Layer {
    state: Mutex<State>,
    listeners: Mutex<Vec<(usize, Listener)>>,
    processes: AtomicUsize,
    /// Every call fails.
    pub(super) down: AtomicBool,
    /// How long every call takes until it is carried out, milliseconds.
    pub(super) delay_ms: AtomicU64,
    /// The same for invalidations, in addition.
    pub(super) invalidation_delay_ms: AtomicU64,
    /// How long answers take after the call was carried out, milliseconds.
    pub(super) answer_delay_ms: AtomicU64,
    pub(super) renewals: AtomicU64,
    pub(super) stores_refused: AtomicU64,
    pub(super) releases: AtomicU64,
    pub(super) calls: AtomicU64,
}

impl Layer {
    /// The layer as another process sees it.
    pub(super) fn remote(self: &Arc<Self>) -> Arc<dyn Remote> {
        let own = self.processes.fetch_add(1, Ordering::SeqCst);
        Arc::new(Process { layer: Arc::clone(self), own })
    }

    /// A cache of another process.
    pub(super) fn process(
        self: &Arc<Self>,
        set: impl FnOnce(CacheBuilder<u64>) -> CacheBuilder<u64>,
    ) -> Cache<u64> {
        let shared = Shared {
            remote: self.remote(),
            ttl: Ttl::hours(1),
            lease: Duration::from_secs(3),
            encode: Box::new(|value: &u64| Ok(Bytes::from(value.to_string()))),
            decode: Box::new(|bytes| {
                let text = std::str::from_utf8(bytes).map_err(|e| foreign(&e))?;
                text.parse().map_err(|e| foreign(&e))
            }),
        };
        let builder = Cache::builder("shared", Ttl::minutes(1)).shared(shared);
        set(builder).build().unwrap()
    }

    pub(super) fn stored(&self, key: &str) -> Option<Stored> {
        self.state.lock().unwrap().values.get(key).cloned()
    }

    pub(super) fn corrupt(&self, key: &str) {
        let mut state = self.state.lock().unwrap();
        state.values.get_mut(key).unwrap().value = Some(Bytes::from_static(b"not a number"));
    }

    /// As if the holders of all leases had been killed: nobody renews or releases them.
    pub(super) fn orphan(&self, key: &str) {
        let mut state = self.state.lock().unwrap();
        state.fence += 1;
        let token = state.fence;
        let until = Instant::now() + Duration::from_secs(3);
        state.leases.insert(key.to_owned(), (Lease { token, epoch: 0 }, until));
    }

    pub(super) fn leases(&self) -> usize {
        let now = Instant::now();
        self.state.lock().unwrap().leases.values().filter(|(_, until)| *until > now).count()
    }

    pub(super) fn gap(&self) {
        self.listeners.lock().unwrap().iter().for_each(|(_, listener)| listener(Heard::Gap));
    }

    fn tell(&self, own: usize, target: &Target) {
        for (process, listener) in self.listeners.lock().unwrap().iter() {
            if *process != own {
                listener(Heard::Invalidated(target.clone()));
            }
        }
    }
}

async fn pause(millis: &AtomicU64) {
    let millis = millis.load(Ordering::SeqCst);
    if millis > 0 {
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }
}

fn foreign(error: &dyn fmt::Display) -> RemoteError {
    RemoteError::Foreign(error.to_string())
}

impl State {
    fn alive(&self, key: &str) -> Option<&Stored> {
        let stored = self.values.get(key)?;
        let tagged = |tag: &Arc<str>| self.tags.get(&**tag).copied().unwrap_or(0);
        let outdated = stored.tags.iter().any(|tag| tagged(tag) > stored.epoch);
        (!outdated && stored.keep_until_ms > wall_ms()).then_some(stored)
    }

    fn holds(&self, key: &str, lease: &Lease) -> bool {
        self.leases.get(key).is_some_and(|(held, until)| held == lease && *until > Instant::now())
    }

    fn remove(&mut self, covers: impl Fn(&str) -> bool) -> u64 {
        self.leases.retain(|key, _| !covers(key));
        let before = self.values.len();
        self.values.retain(|key, _| !covers(key));
        (before - self.values.len()) as u64
    }
}

/// The layer as one process sees it.
struct Process {
    layer: Arc<Layer>,
    own: usize,
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.own)
    }
}

impl Process {
    fn call<'a, T: Send>(
        &'a self,
        step: impl FnOnce(&mut State) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, RemoteError>> {
        Box::pin(async move {
            self.layer.calls.fetch_add(1, Ordering::SeqCst);
            pause(&self.layer.delay_ms).await;
            tokio::task::yield_now().await;
            if self.layer.down.load(Ordering::SeqCst) {
                return Err(RemoteError::Unavailable("down".to_owned()));
            }
            let answer = step(&mut self.layer.state.lock().unwrap());
            pause(&self.layer.answer_delay_ms).await;
            Ok(answer)
        })
    }
}

impl Remote for Process {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Stored>, RemoteError>> {
        self.call(move |state| state.alive(key).cloned())
    }

    fn claim<'a>(
        &'a self,
        key: &'a str,
        lease: Duration,
        wants: Wants,
    ) -> BoxFuture<'a, Result<Claim, RemoteError>> {
        self.call(move |state| {
            let fresh = state.alive(key).filter(|stored| stored.fresh_until_ms > wall_ms());
            let fresh = fresh.filter(|stored| stored.value.is_some() || wants == Wants::Option);
            if let Some(stored) = fresh {
                return Claim::Found(stored.clone());
            }
            let now = Instant::now();
            match state.leases.get(key) {
                Some((_, until)) if *until > now => Claim::Busy { remaining: *until - now },
                _ => {
                    state.fence += 1;
                    let won = Lease { token: state.fence, epoch: state.epoch };
                    let until = now.checked_add(lease).unwrap_or(now + FAR);
                    state.leases.insert(key.to_owned(), (won, until));
                    Claim::Won(won)
                }
            }
        })
    }

    fn renew<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<bool, RemoteError>> {
        self.layer.renewals.fetch_add(1, Ordering::SeqCst);
        self.call(move |state| {
            let ours = state.holds(key, lease);
            if ours {
                state.leases.insert(key.to_owned(), (*lease, Instant::now() + lasts));
            }
            ours
        })
    }

    fn store<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
        stored: Stored,
    ) -> BoxFuture<'a, Result<bool, RemoteError>> {
        self.call(move |state| {
            let ours = state.holds(key, lease);
            if ours {
                state.values.insert(key.to_owned(), stored);
                state.leases.remove(key);
            } else {
                self.layer.stores_refused.fetch_add(1, Ordering::SeqCst);
            }
            ours
        })
    }

    fn release<'a>(
        &'a self,
        key: &'a str,
        lease: &'a Lease,
    ) -> BoxFuture<'a, Result<(), RemoteError>> {
        self.layer.releases.fetch_add(1, Ordering::SeqCst);
        self.call(move |state| {
            if state.holds(key, lease) {
                state.leases.remove(key);
            }
        })
    }

    fn put<'a>(&'a self, key: &'a str, stored: Stored) -> BoxFuture<'a, Result<(), RemoteError>> {
        Box::pin(async move {
            self.call(move |state| {
                state.leases.remove(key);
                let stored = Stored { epoch: state.epoch, ..stored };
                state.values.insert(key.to_owned(), stored);
            })
            .await?;
            self.layer.tell(self.own, &Target::Key(key.to_owned()));
            Ok(())
        })
    }

    fn invalidate<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<u64, RemoteError>> {
        Box::pin(async move {
            pause(&self.layer.invalidation_delay_ms).await;
            let removed = self
                .call(move |state| match target {
                    Target::Key(own) => state.remove(|key| key == own),
                    Target::Prefix(prefix) => state.remove(|key| key.starts_with(&**prefix)),
                    Target::Glob(pattern) => {
                        let glob = Glob::new(pattern);
                        state.remove(|key| glob.covers(key))
                    }
                    Target::Tag(tag) => {
                        state.epoch += 1;
                        state.tags.insert(tag.clone(), state.epoch);
                        0
                    }
                    Target::All => state.remove(|_| true),
                })
                .await?;
            self.layer.tell(self.own, target);
            Ok(removed)
        })
    }

    fn listen(&self, on: Box<dyn Fn(Heard) + Send + Sync>) {
        self.layer.listeners.lock().unwrap().push((self.own, on));
    }
}
