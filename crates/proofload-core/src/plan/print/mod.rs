//! A resolved plan back as TOML, for `--print-plan` and for reports.
//!
//! What comes out says everything outright: includes are merged, variables of the environment are
//! put in, presets are stages, default headers stand in every request. It parses to the same plan.

mod alerts;
mod phases;
mod requests;
mod toml_text;

use super::model::{DataFeed, FeedMode};
use super::model::{HttpSettings, HttpVersion, Plan, Redirects, RequestUrl, Target, Tls};
use crate::compare::{ComparisonRules, Scope};
use crate::cost::{CostModel, MonthBase};
use crate::units::duration_text;
use crate::verdict::GradingRule;
use toml_text::{InlineTable, Writer, list};

pub(super) use toml_text::quote;

/// A text of which nothing is taken for a template or a variable.
pub(super) fn quote_literal(text: &str) -> String {
    quote(
        &crate::template::Template::literal(text.as_bytes()).to_text(crate::template::Escape::None),
    )
}

/// Whether credentials are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// As they are; the text parses to the same plan.
    Show,
    /// As `***`: fixed values of authorization, cookie and API key headers, signing keys.
    Hide,
}

impl Plan {
    /// The plan as TOML. Files are named by the paths they were read from.
    #[must_use]
    pub fn to_toml(&self, secrets: Secrets) -> String {
        let mut out = Writer::default();
        out.text("name", &self.name);
        if let Some(description) = &self.description {
            out.text("description", description);
        }
        match &self.target {
            Target::Demo => out.text("target", "demo"),
            Target::Url(url) => out.text("target", &url.to_string()),
        }
        if let Some(seed) = self.seed {
            out.raw("seed", &seed.to_string());
        }
        self.print_health(&mut out);
        if let Some(cache) = &self.cache {
            out.raw("cache", &requests::cache_text(cache));
        }
        alerts::print_alerts(&mut out, &self.alerts, secrets);
        let headers = self.health.as_ref().map_or(&self.headers, |health| &health.headers);
        let headers = requests::Printer { plan: self, secrets }.headers(headers);
        print_http(&mut out, &self.http, &headers);
        if self.grading != GradingRule::default() {
            out.section("[grading]");
            out.raw("good", &toml_text::float(self.grading.good_share));
            if let Some(ladder) = &self.grading.ladder {
                out.raw("ladder", &phases::ladder_text(ladder));
            }
        }
        print_comparison(&mut out, &self.comparison);
        if let Some(cost) = &self.cost {
            print_cost(&mut out, cost);
        }
        for feed in &self.feeds {
            print_feed(&mut out, feed);
        }
        for user in &self.users {
            requests::print_user(&mut out, self, user, secrets);
        }
        for phase in &self.phases {
            phases::print_phase(&mut out, self, phase);
        }
        phases::print_thresholds(&mut out, &self.thresholds);
        out.finish()
    }

    /// What the plan puts on its target, as canonical text without secrets: runs whose texts are equal
    /// put the same load on it. Left out is what judges the load or only names it: the target, name and
    /// description, the health check, expectations, thresholds, rules, goals and prices. Rows of data files
    /// stand in it as they were read, whatever the file is called.
    #[must_use]
    pub fn load_text(&self) -> String {
        let mut plan = self.clone();
        plan.name = "".into();
        plan.description = None;
        plan.target = Target::Demo;
        plan.health = None;
        plan.grading = GradingRule::default();
        plan.comparison = ComparisonRules::default();
        plan.cost = None;
        plan.alerts = super::AlertRules::default();
        plan.thresholds.clear();
        plan.phases.iter_mut().for_each(|phase| phase.expect.clear());
        for feed in &mut plan.feeds {
            (feed.file, feed.delimiter) = (None, None);
        }
        plan.to_toml(Secrets::Hide)
    }

    fn print_health(&self, out: &mut Writer) {
        let Some(health) = &self.health else { return };
        let mut table = InlineTable::default();
        table.text("url", &url_text(&health.url));
        if let Some(status) = health.status {
            table.raw("status", &status.to_string());
        }
        table.text("timeout", &duration_text(health.timeout));
        table.text("wait", &duration_text(health.wait));
        out.raw("health", &table.finish());
    }
}

/// The text of a request's URL.
fn url_text(url: &RequestUrl) -> String {
    match url {
        RequestUrl::Path { origin, path } => {
            let origin = origin.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("{origin}{}", requests::path_text(path, false))
        }
        RequestUrl::Whole(url) => requests::path_text(url, true),
    }
}

/// Settings. `headers` are those that the health check sends: every request has them by now.
fn print_http(out: &mut Writer, http: &HttpSettings, headers: &str) {
    let default = HttpSettings::default();
    let has_headers = headers != "{}";
    if *http == default && !has_headers {
        return;
    }
    out.section("[http]");
    if has_headers {
        out.raw("headers", headers);
    }
    if http.timeout != default.timeout {
        out.text("timeout", &duration_text(http.timeout));
    }
    if http.connect_timeout != default.connect_timeout {
        out.text("connect_timeout", &duration_text(http.connect_timeout));
    }
    if http.redirects != default.redirects {
        let Redirects(count) = http.redirects;
        out.raw("follow_redirects", &count.to_string());
    }
    if http.version != default.version {
        out.text("version", toml_text::word(HttpVersion::WORDS, http.version));
    }
    if http.cookies != default.cookies {
        out.raw("cookies", &http.cookies.to_string());
    }
    if http.keep_alive != default.keep_alive {
        out.raw("keep_alive", &http.keep_alive.to_string());
    }
    if !http.compression.is_empty() {
        out.raw("compression", &list(http.compression.iter().map(|e| quote(e.token()))));
    }
    if http.max_body_bytes != default.max_body_bytes {
        out.raw("max_body", &http.max_body_bytes.to_string());
    }
    match &http.user_agent {
        None => out.raw("user_agent", "false"),
        Some(agent) if http.user_agent != default.user_agent => out.text("user_agent", agent),
        Some(_) => {}
    }
    if !http.hosts.is_empty() {
        let mut table = InlineTable::default();
        for host in &http.hosts {
            let key = match host.port {
                Some(port) => format!("{}:{port}", host.host),
                None => host.host.to_string(),
            };
            table.raw(&key, &list(host.addresses.iter().map(|a| quote(&a.to_string()))));
        }
        out.raw("resolve", &table.finish());
    }
    if http.tls != Tls::default() {
        print_tls(out, &http.tls);
    }
}

fn print_tls(out: &mut Writer, tls: &Tls) {
    out.section("[http.tls]");
    let files =
        [("ca", &tls.ca), ("client_cert", &tls.client_cert), ("client_key", &tls.client_key)];
    for (key, file) in files {
        if let Some(file) = file {
            out.text(key, &file.path);
        }
    }
    if tls.insecure {
        out.raw("insecure", "true");
    }
    if let Some(name) = &tls.server_name {
        out.text("server_name", name);
    }
}

/// Rules as they are written; none where they are the usual ones.
fn print_comparison(out: &mut Writer, comparison: &ComparisonRules) {
    let of = |scope: Scope| comparison.rules.iter().filter(move |rule| rule.scope == scope);
    if comparison.rules != ComparisonRules::default().rules {
        out.section("[regression]");
        for rule in of(Scope::Phase) {
            out.text(&rule.measure.to_string(), &rule.limit.to_string());
        }
        if of(Scope::Request).next().is_some() {
            let mut table = InlineTable::default();
            for rule in of(Scope::Request) {
                table.text(&rule.measure.to_string(), &rule.limit.to_string());
            }
            out.raw("request", &table.finish());
        }
    }
    if !comparison.goals.is_empty() {
        out.section("[goals]");
        for goal in &comparison.goals {
            out.text(&goal.measure.to_string(), &goal.size.to_string());
        }
    }
}

fn print_cost(out: &mut Writer, cost: &CostModel) {
    out.section("[cost]");
    out.raw("per_miss", &cost.per_miss.to_string());
    if *cost.currency != *CostModel::DEFAULT_CURRENCY {
        out.text("currency", &cost.currency);
    }
    match cost.month {
        None => {}
        Some(MonthBase::RequestsPerDay(count)) => out.raw("requests_per_day", &count.to_string()),
        Some(MonthBase::Bill(bill)) => out.raw("monthly_bill", &bill.to_string()),
    }
    if cost.days != CostModel::DEFAULT_DAYS {
        out.raw("days", &cost.days.to_string());
    }
    if let Some(share) = cost.assumed_hit_rate {
        out.raw("hit_rate", &toml_text::float(share));
    }
}

fn print_feed(out: &mut Writer, feed: &DataFeed) {
    out.section(&format!("[data.{}]", toml_text::key(&feed.name)));
    out.text("mode", toml_text::word(FeedMode::WORDS, feed.mode));
    if let Some(file) = &feed.file {
        out.text("file", file);
        if let Some(delimiter) = feed.delimiter {
            out.text("delimiter", &char::from(delimiter).to_string());
        }
        return;
    }
    let rows = feed.rows.iter().map(|row| {
        let mut table = InlineTable::default();
        for (column, cell) in feed.columns.iter().zip(row.iter()) {
            table.text(column, &String::from_utf8_lossy(cell));
        }
        table.finish()
    });
    out.raw("rows", &list(rows));
}
