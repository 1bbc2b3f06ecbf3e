//! Alerts to a webhook, as JSON that chats show and programs read.

use std::time::Duration;

use proofload_core::event::{Mark, MarkKind, RunEvent};
use proofload_core::redact::Redactor;
use proofload_core::result::RunResult;
use serde::Serialize;

use crate::output::{Interest, Output, OutputError, Trouble};
use crate::shipper::{Parcel, Shipper};

/// What is posted for each alert that begins or ends. Slack and Mattermost show `text`, Discord shows
/// `content`; the rest is for programs.
#[derive(Debug, Serialize)]
struct Post<'a> {
    text: &'a str,
    content: &'a str,
    /// `alert`.
    event: &'static str,
    /// `firing` or `resolved`.
    status: &'static str,
    /// `warning` or `critical`.
    level: &'static str,
    /// What is wrong.
    alert: &'a str,
    /// Name of the plan.
    plan: &'a str,
    /// From the start of the run.
    at_seconds: f64,
    /// From the start of the run; absent while it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    until_seconds: Option<f64>,
}

/// Posts alerts. The URL is a secret: whoever knows it can write there.
#[derive(Debug)]
pub struct Webhook {
    host: String,
    plan: String,
    redactor: Redactor,
    shipper: Shipper,
}

impl Webhook {
    /// To `url`, for a run of the plan of this name.
    #[must_use]
    pub fn new(url: &str, plan: &str, mut redactor: Redactor) -> Self {
        redactor.hide(url);
        let json = ("content-type".to_owned(), "application/json".to_owned());
        Self {
            host: host_of(url).to_owned(),
            plan: redactor.text(plan).into_owned(),
            redactor,
            shipper: Shipper::new(url, vec![json]),
        }
    }

    fn put(&mut self, mark: &Mark) -> Result<(), OutputError> {
        let alert = self.redactor.text(&mark.text);
        let seconds = |time: Duration| time.as_secs_f64();
        let (status, what) = match mark.until {
            None => ("firing", mark.level.id().to_uppercase()),
            Some(until) => {
                let lasted = until.saturating_sub(mark.at).as_secs();
                ("resolved", format!("over after {lasted} s"))
            }
        };
        let text = format!("[{}] {what}: {alert}", self.plan);
        let post = Post {
            text: &text,
            content: &text,
            event: "alert",
            status,
            level: mark.level.id(),
            alert: &alert,
            plan: &self.plan,
            at_seconds: seconds(mark.at),
            until_seconds: mark.until.map(seconds),
        };
        let body = serde_json::to_vec(&post);
        let body = body.map_err(|error| OutputError::new(Trouble::Other, error.to_string()))?;
        self.shipper.put(Parcel { body, samples: 1 });
        Ok(())
    }

    /// An error may repeat the URL.
    fn without_secrets(&self, done: Result<(), OutputError>) -> Result<(), OutputError> {
        done.map_err(|error| OutputError {
            text: self.redactor.text(&error.text).into_owned(),
            ..error
        })
    }
}

/// Scheme, host and port of a URL: nothing of it is secret.
fn host_of(url: &str) -> &str {
    let begin = url.find("://").map_or(0, |at| at + 3);
    let end = url[begin..].find(['/', '?', '#']).map_or(url.len(), |at| begin + at);
    let authority = &url[begin..end];
    authority.rsplit('@').next().unwrap_or(authority)
}

impl Output for Webhook {
    fn name(&self) -> String {
        format!("alert webhook at {}", self.host)
    }

    fn interest(&self) -> Interest {
        Interest::MARKS
    }

    fn hear(&mut self, event: &RunEvent) -> Result<(), OutputError> {
        if let RunEvent::Mark(mark) = event
            && mark.kind == MarkKind::Alert
        {
            self.put(mark)?;
        }
        self.tick()
    }

    fn tick(&mut self) -> Result<(), OutputError> {
        let done = self.shipper.pump();
        self.without_secrets(done)
    }

    fn finish(&mut self, _result: Option<&RunResult>) -> Result<(), OutputError> {
        let done = self.shipper.finish();
        self.without_secrets(done)
    }

    fn lost(&self) -> u64 {
        self.shipper.lost()
    }

    fn lost_what(&self) -> &'static str {
        "alerts"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_host_is_shown() {
        let check = |url: &str, expect: &str| assert_eq!(host_of(url), expect);
        check("https://hooks.slack.com/services/T0/B0/hunter2", "hooks.slack.com");
        check("http://user:hunter2@127.0.0.1:1?x=hunter2", "127.0.0.1:1");
        check("http://host", "host");
    }
}
