//! Remembers the `tracing` events of a thread.
//!
//! One subscriber for the process, before any event can be: `tracing` decides once for each place in the source whether
//! anybody listens, and a subscriber that comes while another thread reaches such a place can be missed for ever.

use std::cell::RefCell;
use std::fmt::{Debug, Write as _};
use std::marker::PhantomData;
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

thread_local! {
    static REMEMBERED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Listens. Whoever makes what may speak calls this first.
pub(crate) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Listener).expect("the first"));
}

/// The events of this thread from its making until it is dropped.
pub(crate) struct Events(PhantomData<*const ()>);

impl Events {
    pub(crate) fn remember() -> Self {
        listen();
        REMEMBERED.set(Some(Vec::new()));
        Self(PhantomData)
    }

    /// Those of the kit that have this in their text: `LEVEL field=value …`.
    pub(crate) fn with(&self, text: &str) -> Vec<String> {
        REMEMBERED.with_borrow(|events| {
            let events = events.as_deref().unwrap_or_default();
            events.iter().filter(|event| event.contains(text)).cloned().collect()
        })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        REMEMBERED.set(None);
    }
}

struct Listener;

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("proofload_kit")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        REMEMBERED.with_borrow_mut(|events| {
            let Some(events) = events else { return };
            let mut text = Text(event.metadata().level().to_string());
            event.record(&mut text);
            events.push(text.0);
        });
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}
