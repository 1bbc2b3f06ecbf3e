//! What the users of one worker share, and the part of a user that does not depend on its state.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::Write;
use std::rc::Rc;
use std::sync::Arc;

use proofload_core::inspect::Inspector;
use proofload_core::metrics::{MAX_SERIES, SeriesId, SeriesMeta};
use tokio::sync::Mutex;

use super::random::Random;
use crate::http::{Client, Origin, Shared};
use crate::worker::Recorder;
use crate::workload::Seat;

/// Rows of users in code come behind those of the plan's users in a report.
const FIRST_POSITION: u32 = 1 << 24;
/// Positions of one kind: more tasks than anybody writes.
const POSITIONS_OF_A_KIND: u32 = 1 << 10;

/// A header that every request has unless it has one of that name itself.
#[derive(Clone, Debug)]
pub(super) struct DefaultHeader {
    pub(super) name: String,
    pub(super) value: Vec<u8>,
    /// A secret of the target, which no other origin gets to see.
    pub(super) target_only: bool,
}

/// What the users of one worker share.
#[derive(Debug)]
pub(super) struct WorkerScope {
    pub(super) shared: Rc<Shared>,
    /// Where relative URLs lead, and what goes before their path.
    pub(super) origin: Origin,
    pub(super) prefix: String,
    pub(super) redirects: u16,
    /// Headers of every request that does not bring its own.
    pub(super) headers: Vec<DefaultHeader>,
    /// A rule on cache hits, if there is one; it takes any status.
    pub(super) inspector: Inspector,
    pub(super) series: SeriesCache,
    pub(super) open_connections: Cell<u32>,
}

/// A kind of user as far as recording is concerned.
#[derive(Debug)]
pub(super) struct KindFacts {
    /// Place among the kinds of the run.
    pub(super) index: usize,
    pub(super) name: Arc<str>,
    /// `on_start`, the tasks, `on_stop`.
    pub(super) parts: Vec<Arc<str>>,
}

/// The series of a worker's requests, found without putting their tags together each time.
#[derive(Debug, Default)]
pub(super) struct SeriesCache {
    known: RefCell<HashMap<Box<str>, SeriesId>>,
    key: RefCell<String>,
}

/// What a series is told apart by, within a part of a kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tags<'a> {
    pub(super) name: &'a str,
    pub(super) method: &'a str,
    pub(super) url: &'a str,
}

impl SeriesCache {
    fn find<'c>(
        &self,
        recorder: &Recorder,
        kind: &KindFacts,
        part: usize,
        tags: Tags<'_>,
        checks: impl Iterator<Item = &'c str> + Clone,
    ) -> SeriesId {
        let mut key = self.key.borrow_mut();
        key.clear();
        // Writing to a string cannot fail. Line breaks cannot stand in a method or URL; in a name
        // they would only let two odd names share a series.
        let _ = write!(key, "{} {part} {}\n{}\n{}", kind.index, tags.method, tags.url, tags.name);
        for check in checks.clone() {
            key.push('\n');
            key.push_str(check);
        }
        if let Some(&id) = self.known.borrow().get(key.as_str()) {
            return id;
        }
        let place = u32::try_from(part).unwrap_or(u32::MAX).min(POSITIONS_OF_A_KIND - 1);
        let kind_index = u32::try_from(kind.index).unwrap_or(u32::MAX);
        let id = recorder.series(&SeriesMeta {
            position: FIRST_POSITION
                .saturating_add(kind_index.saturating_mul(POSITIONS_OF_A_KIND))
                .saturating_add(place)
                .min(u32::MAX - 1),
            user: kind.name.to_string(),
            task: kind.parts[part].to_string(),
            name: tags.name.to_owned(),
            method: tags.method.to_owned(),
            url: tags.url.to_owned(),
            group: String::new(),
            checks: checks.map(str::to_owned).collect(),
        });
        let mut known = self.known.borrow_mut();
        // As many as the registry tells apart; what is beyond shares one series anyway.
        if known.len() < MAX_SERIES {
            known.insert(key.as_str().into(), id);
        }
        id
    }
}

/// A user without its state.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) seat: Rc<Seat>,
    pub(super) scope: Rc<WorkerScope>,
    pub(super) kind: Rc<KindFacts>,
    /// Requests of one user go one after the other; those that are sent at the same time wait here.
    pub(super) client: Mutex<Client>,
    pub(super) random: Random,
    /// What the user is doing: an index into [`KindFacts::parts`].
    pub(super) part: Cell<usize>,
    pub(super) iteration: Cell<u64>,
    /// Since the iteration began, handled by the code or not.
    pub(super) something_failed: Cell<bool>,
    connections: Cell<u32>,
}

impl Core {
    pub(super) fn new(seat: Rc<Seat>, kind: Rc<KindFacts>, scope: Rc<WorkerScope>) -> Self {
        let seed = seat.phase.seed
            ^ seat.user_id.wrapping_mul(0x9E37_79B9_7F4A_7C15)
            ^ (seat.phase.index as u64).wrapping_mul(0xD1B5_4A32_D192_ED03);
        Self {
            client: Mutex::new(Client::new(Rc::clone(&scope.shared))),
            random: Random::with_seed(seed),
            part: Cell::new(0),
            iteration: Cell::new(0),
            something_failed: Cell::new(false),
            connections: Cell::new(0),
            seat,
            scope,
            kind,
        }
    }

    pub(super) fn recorder(&self) -> &Rc<Recorder> {
        &self.seat.phase.recorder
    }

    /// What the user is doing, by name.
    pub(super) fn part_name(&self) -> &str {
        &self.kind.parts[self.part.get()]
    }

    /// Kind and task, for error samples that belong to no request.
    pub(super) fn whereabouts(&self) -> String {
        format!("{}: {}", self.kind.name, self.part_name())
    }

    pub(super) fn series<'c>(
        &self,
        tags: Tags<'_>,
        checks: impl Iterator<Item = &'c str> + Clone,
    ) -> SeriesId {
        self.scope.series.find(self.recorder(), &self.kind, self.part.get(), tags, checks)
    }

    /// Keeps the worker's count of open connections.
    pub(super) fn count_connections(&self, now: usize) {
        let (now, before) = (now as u32, self.connections.get());
        let all = &self.scope.open_connections;
        all.set(all.get() - before + now);
        self.connections.set(now);
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        self.count_connections(0);
    }
}
