//! Sends bodies to an HTTP endpoint: bounded queue, retries with growing pauses, never for long.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use ureq::Agent;

use crate::output::{OutputError, Trouble};

/// How long one attempt may take. Shorter than what the hub's queue holds: whoever waits for an answer
/// that never comes misses nothing of the run.
const TIMEOUT: Duration = Duration::from_secs(4);
/// Pause after the first failure; it doubles with each further one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Bodies that may wait.
const MAX_WAITING: usize = 100;
/// Bytes that may wait.
const MAX_WAITING_BYTES: usize = 8 << 20;
/// So much of an answer is repeated in an error.
const MAX_ANSWER_BYTES: u64 = 200;

/// A body and how many things are lost with it.
#[derive(Debug)]
pub(crate) struct Parcel {
    pub(crate) body: Vec<u8>,
    pub(crate) samples: u64,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Shipper {
    agent: Agent,
    url: String,
    headers: Vec<(String, String)>,
    waiting: VecDeque<Parcel>,
    waiting_bytes: usize,
    lost: u64,
    failures: u32,
    /// Nothing is tried before.
    not_before: Option<Instant>,
    /// What keeps it from sending.
    trouble: Option<OutputError>,
}

/// What came of an attempt.
enum Sent {
    /// It is there.
    Taken,
    /// It will never be taken: the same again makes no sense.
    Refused(OutputError),
    /// Later perhaps.
    Failed(OutputError),
}

impl Shipper {
    /// To an endpoint, with these headers for each body.
    pub(crate) fn new(url: &str, headers: Vec<(String, String)>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!("proofload/", env!("CARGO_PKG_VERSION")))
            .build();
        Self {
            agent: config.into(),
            url: url.to_owned(),
            headers,
            waiting: VecDeque::new(),
            waiting_bytes: 0,
            lost: 0,
            failures: 0,
            not_before: None,
            trouble: None,
        }
    }

    /// Things that were not delivered and never will be.
    pub(crate) fn lost(&self) -> u64 {
        self.lost
    }

    /// Puts a body behind those that wait. The oldest make way where there is no room.
    pub(crate) fn put(&mut self, parcel: Parcel) {
        self.waiting_bytes += parcel.body.len();
        self.waiting.push_back(parcel);
        while self.waiting.len() > MAX_WAITING || self.waiting_bytes > MAX_WAITING_BYTES {
            let Some(oldest) = self.take() else { break };
            self.lost += oldest.samples;
        }
    }

    fn take(&mut self) -> Option<Parcel> {
        let parcel = self.waiting.pop_front()?;
        self.waiting_bytes -= parcel.body.len();
        Some(parcel)
    }

    /// Sends what waits, unless it is too early after a failure.
    ///
    /// # Errors
    /// What keeps it from sending, until something has been sent again.
    pub(crate) fn pump(&mut self) -> Result<(), OutputError> {
        if self.not_before.is_none_or(|at| Instant::now() >= at) {
            self.send_all();
        }
        self.trouble.clone().map_or(Ok(()), Err)
    }

    /// Sends what waits now, one attempt each; what is not taken is lost.
    ///
    /// # Errors
    /// What kept it from sending.
    pub(crate) fn finish(&mut self) -> Result<(), OutputError> {
        self.send_all();
        while let Some(parcel) = self.take() {
            self.lost += parcel.samples;
        }
        self.trouble.clone().map_or(Ok(()), Err)
    }

    fn send_all(&mut self) {
        while let Some(parcel) = self.take() {
            match self.send(&parcel.body) {
                Sent::Taken => (self.failures, self.not_before, self.trouble) = (0, None, None),
                Sent::Refused(error) => {
                    self.lost += parcel.samples;
                    self.trouble = Some(error);
                }
                Sent::Failed(error) => {
                    self.waiting_bytes += parcel.body.len();
                    self.waiting.push_front(parcel);
                    let pause = FIRST_PAUSE.saturating_mul(1 << self.failures.min(10));
                    self.failures += 1;
                    self.not_before = Some(Instant::now() + pause.min(LONGEST_PAUSE));
                    self.trouble = Some(error);
                    return;
                }
            }
        }
    }

    fn send(&self, body: &[u8]) -> Sent {
        let mut request = self.agent.post(&self.url);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let mut answer = match request.send(body) {
            Ok(answer) => answer,
            Err(error) => return Sent::Failed(error_of(&error)),
        };
        let status = answer.status().as_u16();
        if (200..300).contains(&status) {
            return Sent::Taken;
        }
        let text = answer.body_mut().with_config().limit(MAX_ANSWER_BYTES).read_to_string();
        let text = text.unwrap_or_default();
        let said = text.lines().next().filter(|line| !line.is_empty());
        let said = said.map_or_else(String::new, |line| format!(": {}", line.trim()));
        let error =
            OutputError::new(Trouble::Status(status), format!("it answered {status}{said}"));
        // As remote write and OTLP want it: only these may be tried again.
        if status == 429 || status >= 500 { Sent::Failed(error) } else { Sent::Refused(error) }
    }
}

fn error_of(error: &ureq::Error) -> OutputError {
    match error {
        ureq::Error::Timeout(_) => {
            let text = format!("no answer within {} s", TIMEOUT.as_secs());
            OutputError::new(Trouble::Timeout, text)
        }
        ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            OutputError::new(Trouble::Connect, "connection refused")
        }
        ureq::Error::Io(error) => OutputError::new(Trouble::Connect, error.to_string()),
        error => OutputError::new(Trouble::Connect, error.to_string()),
    }
}
