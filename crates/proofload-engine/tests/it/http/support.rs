//! One user on one worker, from a test's point of view.

use std::rc::Rc;
use std::time::Duration;

use proofload_core::metrics::ErrorKind;
use proofload_engine::http::{
    BodyUse, Client, ClientSettings, Exchange, Headers, Origin, Prepared, Request, Response, Shared,
};

/// Far longer than anything here takes: a test that runs into it fails for that.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// What a test wants to know of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) body_bytes: u64,
    pub(crate) headers: Vec<(String, String)>,
}

impl Seen {
    fn of(response: &Response<'_>) -> Self {
        Self {
            status: response.status(),
            body: response.body().to_vec(),
            body_bytes: response.body_bytes(),
            headers: response
                .headers()
                .map(|(name, value)| (name.to_owned(), String::from_utf8_lossy(value).into_owned()))
                .collect(),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

/// A request with everything a test may vary.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: Vec<u8>,
    pub(crate) body_use: BodyUse,
    pub(crate) timeout: Option<Duration>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            method: "GET",
            headers: Vec::new(),
            body: Vec::new(),
            body_use: BodyUse::Keep,
            timeout: None,
        }
    }
}

/// A virtual user.
pub(crate) struct User {
    pub(crate) client: Client,
}

impl User {
    pub(crate) fn new(settings: ClientSettings) -> Self {
        let shared = Shared::new(Prepared::new(settings).unwrap());
        Self { client: Client::new(Rc::clone(&shared)) }
    }

    pub(crate) async fn get(&mut self, url: &str) -> Exchange<Seen> {
        self.ask(url, &Ask::default()).await
    }

    pub(crate) async fn ask(&mut self, url: &str, ask: &Ask) -> Exchange<Seen> {
        let (origin, target) = Origin::parse(url).unwrap();
        let mut headers = Headers::new();
        for (name, value) in &ask.headers {
            headers.push(name, value).unwrap();
        }
        let request = Request {
            method: ask.method,
            origin: &origin,
            target: target.as_bytes(),
            headers: &headers,
            body: &ask.body,
            timeout: ask.timeout,
        };
        self.client.exchange(&request, ask.body_use, Seen::of).await
    }
}

/// Settings in which nothing times out by accident.
pub(crate) fn settings() -> ClientSettings {
    ClientSettings { timeout: PATIENCE, connect_timeout: PATIENCE, ..ClientSettings::default() }
}

/// Runs a user's story on a worker's runtime.
pub(crate) fn run<T>(story: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .unwrap()
        .block_on(story)
}

/// The answer of an exchange that must have one.
pub(crate) fn seen(exchange: Exchange<Seen>) -> Seen {
    match exchange.outcome {
        Ok((status, seen)) => {
            assert_eq!(status, seen.status);
            seen
        }
        Err(failure) => panic!("{failure}"),
    }
}

/// The kind of failure of an exchange that must fail.
pub(crate) fn kind(exchange: &Exchange<Seen>) -> ErrorKind {
    match &exchange.outcome {
        Ok((_, seen)) => panic!("answered {seen:?}"),
        Err(failure) => {
            assert!(!failure.detail.is_empty());
            failure.kind
        }
    }
}
