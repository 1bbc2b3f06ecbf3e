//! What all clones of a response cache have in common.

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;

use super::answer::CachedResponse;
use super::builder::Settings;
use super::key;
use super::rules::{MOST_VARY, Rules};
use super::vary::Vary;
use crate::{BuildError, Cache, Loaded, Ttl};

/// How long a question whose answer is for one client only goes to the service without asking the cache.
const PRIVATE_FOR: Ttl = Ttl::seconds(10);
/// How long it is remembered which headers the answers to a question vary with.
const VARY_FOR: Ttl = Ttl::hours(24);
/// How many notes there are at most.
const NOTES: usize = 10_000;

/// What was learned from earlier answers. It is nobody's value, so it has a cache of its own that nobody is shown.
#[derive(Debug, Clone)]
enum Note {
    /// Under the question without its headers: what answers vary with.
    Varies(Arc<Vary>),
    /// Under the whole key: not for sharing.
    Private,
}

/// Why a load brought nothing.
#[derive(Debug)]
pub(super) struct Failed {
    /// The answer that says so, where others may be given it.
    pub(super) answer: Option<CachedResponse>,
}

pub(super) struct Shared {
    pub(super) cache: Cache<CachedResponse>,
    notes: Cache<Note>,
    pub(super) rules: Rules,
    pub(super) settings: Settings,
    ttl: Ttl,
}

impl Shared {
    pub(super) fn new(
        name: &str,
        ttl: Ttl,
        cache: Cache<CachedResponse>,
        rules: Rules,
        settings: Settings,
    ) -> Result<Self, BuildError> {
        let notes = Cache::builder(name, PRIVATE_FOR).max_entries(NOTES).build()?;
        Ok(Self { cache, notes, rules, settings, ttl })
    }

    /// The name of the field that is marked.
    pub(super) fn field(&self) -> Option<&str> {
        self.settings.field.as_deref()
    }

    /// How long an answer is fresh that does not say so itself.
    pub(super) fn fresh_for(&self) -> Duration {
        self.ttl.draw(fastrand::f64())
    }

    /// The question without its headers. None: the user's own key says that the cache is not to be asked.
    pub(super) fn base(&self, parts: &Parts) -> Option<String> {
        match &self.settings.key {
            Some(key) => key(parts).map(|key| format!("{} {key}", parts.method)),
            None => Some(key::base(parts)),
        }
    }

    /// The headers that answers to a question vary with.
    pub(super) fn vary(&self, base: &str) -> Vary {
        match self.notes.answer(base, false) {
            Some(Some(Note::Varies(learned))) => self.rules.vary.and(&learned),
            _ => self.rules.vary.clone(),
        }
    }

    /// Notes that answers vary with more. What was known stays, as another answer may be the one that said it;
    /// services that name ever more headers begin anew.
    pub(super) async fn learn(&self, base: &str, known: &Vary, more: &Vary) {
        let both = known.and(more);
        let vary = if both.names().len() > 2 * MOST_VARY { more.clone() } else { both };
        let note = Note::Varies(Arc::new(vary));
        self.notes.put_with(base, note, crate::PutOptions::new().ttl(VARY_FOR)).await;
    }

    pub(super) fn is_private(&self, key: &str) -> bool {
        matches!(self.notes.answer(key, false), Some(Some(Note::Private)))
    }

    pub(super) async fn note_private(&self, key: &str) {
        self.notes.put(key, Note::Private).await;
    }

    /// Forgets what a key had: the service has said something else.
    pub(super) async fn forget(&self, key: &str) {
        // Other layers are told only where there was something, so that answers that are never kept cost them nothing.
        if self.cache.remove_local(key) {
            self.cache.invalidate(key).await;
        }
    }

    /// An answer with its time, and the tag by which writes to its path take it away.
    pub(super) fn keep(&self, answer: CachedResponse, path: &str) -> Loaded<CachedResponse> {
        let fresh_for = Duration::from_millis(answer.0.fresh_ms);
        Loaded::new(answer).ttl(fresh_for).tags([tag(path)])
    }

    /// Takes away what is kept for a path.
    pub(super) async fn written(&self, path: &str) {
        self.cache.invalidate_tag(&tag(path)).await;
    }
}

/// The tag of all answers for a path.
pub(super) fn tag(path: &str) -> String {
    format!("path:{path}")
}
