//! Secrets are taken out of results here, and out of plans, before anything is made of them for the page.

use proofload_core::redact::Redactor;
use proofload_core::result::{CheckRow, DoubtRow, ExpectationRow, RequestRow, RunResult};

use crate::runner::{PastRun, PlanInfo};

/// Takes secrets out of every text of a result.
pub(crate) fn redact(result: &mut RunResult, redactor: &Redactor) {
    let clean = Clean(redactor);
    let run = &mut result.run;
    clean.all([
        &mut result.timestamp,
        &mut run.name,
        &mut run.target,
        &mut run.started,
        &mut run.ended,
        &mut run.tool_version,
    ]);
    clean.all(result.environment.values_mut());
    for row in &mut result.thresholds {
        clean.all([&mut row.metric, &mut row.condition, &mut row.unit, &mut row.measured_text]);
    }
    for mark in &mut result.marks {
        clean.all([&mut mark.kind, &mut mark.level, &mut mark.text]);
    }
    for phase in &mut result.test_results {
        clean.all([&mut phase.scenario].into_iter().chain(&mut phase.ended_early));
        phase.expectations.iter_mut().for_each(|row| clean.expectation(row));
        phase.trust.reasons.iter_mut().for_each(|row| clean.doubt(row));
        phase.requests.iter_mut().for_each(|row| clean.request(row));
        phase.checks.iter_mut().for_each(|row| clean.check(row));
        for error in &mut phase.errors {
            clean.all([&mut error.kind, &mut error.description]);
            for sample in &mut error.samples {
                clean.all([&mut sample.request, &mut sample.message]);
            }
        }
    }
}

struct Clean<'r>(&'r Redactor);

impl Clean<'_> {
    fn all<'t>(&self, texts: impl IntoIterator<Item = &'t mut String>) {
        for text in texts {
            if let std::borrow::Cow::Owned(clean) = self.0.text(text) {
                *text = clean;
            }
        }
    }

    fn expectation(&self, row: &mut ExpectationRow) {
        self.all([&mut row.measure, &mut row.unit, &mut row.measured_text]);
        for bound in [&mut row.target, &mut row.limit].into_iter().flatten() {
            self.all([&mut bound.comparison, &mut bound.text]);
        }
    }

    fn doubt(&self, row: &mut DoubtRow) {
        self.all([&mut row.id, &mut row.text]);
    }

    fn request(&self, row: &mut RequestRow) {
        self.all([
            &mut row.name,
            &mut row.user,
            &mut row.task,
            &mut row.method,
            &mut row.url,
            &mut row.group,
        ]);
        row.checks.iter_mut().for_each(|check| self.check(check));
    }

    fn check(&self, row: &mut CheckRow) {
        self.all([&mut row.name]);
    }
}

impl PlanInfo {
    /// Without secrets.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        let clean = Clean(redactor);
        clean.all([&mut self.name, &mut self.target].into_iter().chain(&mut self.description));
        clean.all(&mut self.thresholds);
        for phase in &mut self.phases {
            clean.all([&mut phase.name, &mut phase.load]);
            clean.all(&mut phase.expectations);
        }
        self
    }
}

impl PastRun {
    /// Without secrets.
    pub(crate) fn redacted(mut self, redactor: &Redactor) -> Self {
        Clean(redactor).all([&mut self.name, &mut self.started]);
        self
    }
}
