//! The metrics of a run, sent somewhere every few seconds. What they look like on the way is the business of a
//! [`Format`]; how often, what waits, is tried again and is lost is the same for all.

use std::fmt;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use proofload_core::event::RunEvent;
use proofload_core::result::RunResult;

use crate::metrics::{Collector, Metric};
use crate::output::{Interest, Output, OutputError, url_for_people};
use crate::shipper::{Parcel, Shipper};

/// How often the metrics are sent, as k6 does.
const EVERY: Duration = Duration::from_secs(5);

/// How metrics are written for an endpoint.
pub(crate) trait Format: fmt::Debug + Send {
    /// What is sent, for people: `OTLP metrics`.
    const WHAT: &'static str;
    /// Headers that say what a body is.
    const HEADERS: &'static [(&'static str, &'static str)];

    /// Bodies with all metrics, which count from the start of the run. `labels` say which run it is.
    ///
    /// # Errors
    /// When they cannot be written.
    fn bodies(
        metrics: &[Metric],
        labels: &[(&'static str, String)],
        span: Span,
    ) -> Result<Vec<Parcel>, OutputError>;
}

/// The time that metrics are about, each end since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    /// The start of the run.
    pub(super) from: Duration,
    /// Now.
    pub(super) to: Duration,
}

fn now() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Sends the metrics of a run every few seconds.
#[derive(Debug)]
pub(crate) struct Push<F> {
    url: String,
    /// Which run it is.
    labels: Vec<(&'static str, String)>,
    collector: Collector,
    shipper: Shipper,
    began: Duration,
    sent: Instant,
    format: std::marker::PhantomData<F>,
}

impl<F: Format> Push<F> {
    /// To the endpoint at `url`, with `labels` for the run.
    #[must_use]
    pub(crate) fn new(
        url: &str,
        mut headers: Vec<(String, String)>,
        labels: Vec<(&'static str, String)>,
        collector: Collector,
    ) -> Self {
        let own = F::HEADERS.iter();
        headers.extend(own.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self {
            url: url_for_people(url),
            labels,
            collector,
            shipper: Shipper::new(url, headers),
            began: now(),
            sent: Instant::now(),
            format: std::marker::PhantomData,
        }
    }

    fn put(&mut self) -> Result<(), OutputError> {
        self.sent = Instant::now();
        let span = Span { from: self.began, to: now() };
        let bodies = F::bodies(&self.collector.metrics(), &self.labels, span)?;
        bodies.into_iter().for_each(|parcel| self.shipper.put(parcel));
        Ok(())
    }
}

impl<F: Format> Output for Push<F> {
    fn name(&self) -> String {
        format!("{} to {}", F::WHAT, self.url)
    }

    fn interest(&self) -> Interest {
        Interest::ALL
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        self.collector.hear(event);
        self.tick()
    }

    fn tick(&mut self) -> Result<(), OutputError> {
        if self.sent.elapsed() >= EVERY {
            self.put()?;
        }
        self.shipper.pump()
    }

    fn finish(&mut self, _result: Option<&RunResult>) -> Result<(), OutputError> {
        self.put()?;
        self.shipper.finish()
    }

    fn lost(&self) -> u64 {
        self.shipper.lost()
    }

    fn lost_what(&self) -> &'static str {
        "samples"
    }
}
