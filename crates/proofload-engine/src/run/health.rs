//! Asking the target whether it is there, before any load is put on.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proofload_core::plan::{HealthCheck, Plan, RequestUrl, Target};
use proofload_core::template::Template;

use crate::http::{BodyUse, Client, Headers, Origin, Prepared, Request, Shared};
use crate::workload::client_settings;

/// Time between two attempts while the target is waited for.
const ATTEMPT_EVERY: Duration = Duration::from_secs(1);
/// Time between two questions whether to go on.
const LOOK_UP_EVERY: Duration = Duration::from_millis(50);

/// Why no load was put on.
#[derive(Debug, thiserror::Error)]
pub enum HealthError {
    /// The target did not answer as it should.
    #[error("{url} is not ready: {reason}")]
    NotReady {
        /// What was asked.
        url: String,
        /// What came of it.
        reason: String,
    },
    /// The question could not be asked.
    #[error("the health check cannot be made: {0}")]
    Setup(String),
    /// It was not waited for any longer.
    #[error("interrupted while {url} was asked whether it is ready")]
    Interrupted {
        /// What was asked.
        url: String,
    },
}

/// Asks `plan`'s target whether it is there: its health check if it has one, otherwise whether
/// anything accepts connections and speaks HTTP. `is_interrupted` is asked some times a second whether to
/// go on waiting.
///
/// # Errors
/// When the target is not there, does not answer in time, or answers with another status than asked
/// for; when the wait was interrupted.
pub fn check_health(plan: &Plan, is_interrupted: &dyn Fn() -> bool) -> Result<(), HealthError> {
    let Target::Url(base) = &plan.target else {
        return Err(HealthError::Setup("the target has not been started".to_owned()));
    };
    let fallback = HealthCheck {
        url: RequestUrl::Path { origin: None, path: Template::literal(*b"/") },
        headers: Vec::new(),
        status: None,
        timeout: Duration::from_secs(10).min(plan.http.timeout),
        wait: Duration::ZERO,
    };
    let check = plan.health.as_ref().unwrap_or(&fallback);
    let url = match &check.url {
        RequestUrl::Path { origin, path } => {
            let base = origin.as_ref().unwrap_or(base);
            let path = path.as_literal().unwrap_or(b"/");
            format!("{base}{}", String::from_utf8_lossy(path))
        }
        RequestUrl::Whole(url) => {
            String::from_utf8_lossy(url.as_literal().unwrap_or_default()).into_owned()
        }
    };
    let setup = |error: &dyn std::fmt::Display| HealthError::Setup(error.to_string());
    let (origin, target) = Origin::parse(&url).map_err(|error| setup(&error))?;
    let prepared = Prepared::new(client_settings(&plan.http)).map_err(|error| setup(&error))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())
        .map_err(|error| setup(&error))?;
    let mut headers = Headers::new();
    for header in &check.headers {
        // A value that changes with every request has no meaning here.
        if let Some(value) = header.value.as_literal() {
            headers.push(&header.name, value).map_err(|error| setup(&error))?;
        }
    }
    // Without a health check of the plan's own any answer will do: it proves that a server is there.
    let any_answer = plan.health.is_none();
    let ready = async {
        let give_up = Instant::now() + check.wait;
        loop {
            let answer = ask(&prepared, &origin, &target, &headers, check.timeout).await;
            let reason = match (answer, check.status) {
                (Ok(_), None) if any_answer => return Ok(()),
                (Ok(status), Some(wanted)) if status == wanted => return Ok(()),
                (Ok(200..=399), None) => return Ok(()),
                (Ok(status), Some(wanted)) => format!("it answered {status} instead of {wanted}"),
                (Ok(status), None) => format!("it answered {status}"),
                (Err(reason), _) => reason,
            };
            if Instant::now() + ATTEMPT_EVERY > give_up {
                return Err(HealthError::NotReady { url: url.clone(), reason });
            }
            tokio::time::sleep(ATTEMPT_EVERY).await;
        }
    };
    let interrupted = async {
        while !is_interrupted() {
            tokio::time::sleep(LOOK_UP_EVERY).await;
        }
        Err(HealthError::Interrupted { url: url.clone() })
    };
    runtime.block_on(async {
        tokio::select! {
            outcome = ready => outcome,
            outcome = interrupted => outcome,
        }
    })
}

async fn ask(
    prepared: &Arc<Prepared>,
    origin: &Origin,
    target: &str,
    headers: &Headers,
    timeout: Duration,
) -> Result<u16, String> {
    let mut client = Client::new(Shared::new(Arc::clone(prepared)));
    let request = Request {
        method: "GET",
        origin,
        target: target.as_bytes(),
        headers,
        body: b"",
        timeout: Some(timeout),
    };
    let exchange = client.exchange(&request, BodyUse::Discard, |_| ()).await;
    exchange.outcome.map(|(status, ())| status).map_err(|failure| failure.to_string())
}
