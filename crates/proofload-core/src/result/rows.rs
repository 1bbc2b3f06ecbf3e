//! From statistics to rows of a result.

use super::model::DoubtRow;
use super::model::{
    BoundRow, CheckRow, Distribution, ErrorRow, ErrorSampleRow, ExpectationRow, MarkRow,
    PercentileRow, RequestRow, ThresholdRow, TimelineRow, TrustResult,
};
use crate::event::Mark;
use crate::metrics::{CheckCount, ErrorKind, Histogram, PhaseTotals, RequestStats, SeriesMeta};
use crate::record::TimelinePoint;
use crate::stats::{LEVEL, QuantileIntervals};
use crate::verdict::measured::{per_second, share};
use crate::verdict::{
    Bound, ExpectationOutcome, Grade, Ladder, LadderOutcome, Percentile, Quantity,
    ThresholdOutcome, Trust,
};
use std::collections::BTreeMap;
use std::time::Duration;

/// The percentiles that a result has.
const PERCENTILES: [f64; 8] = [25.0, 50.0, 75.0, 90.0, 95.0, 99.0, 99.9, 99.99];

/// Milliseconds with the precision of a nanosecond.
pub(super) fn ms(ns: f64) -> f64 {
    ns.round() / 1e6
}

fn ms_of(ns: Option<u64>) -> Option<f64> {
    ns.map(|ns| ms(ns as f64))
}

/// A distribution of which the times of the samples are not known.
pub(super) fn distribution(histogram: &Histogram) -> Distribution {
    distribution_with(histogram, &QuantileIntervals::without_blocks(histogram))
}

pub(super) fn distribution_with(
    histogram: &Histogram,
    intervals: &QuantileIntervals<'_>,
) -> Distribution {
    let percentile = |percent: f64| {
        let percentile = Percentile::from_percent(percent)?;
        let q = percentile.quantile();
        let (value, interval) = (histogram.value_at_quantile(q)?, intervals.at(q)?);
        let row = PercentileRow {
            value_ms: ms(value as f64),
            low_ms: ms_of(interval.low_ns),
            high_ms: ms_of(interval.high_ns),
            level: LEVEL,
            method: interval.method.id().to_owned(),
        };
        Some((percentile.to_string(), row))
    };
    Distribution {
        count: histogram.count(),
        avg_ms: histogram.mean().map(ms),
        min_ms: ms_of(histogram.min()),
        max_ms: ms_of(histogram.max()),
        stdev_ms: histogram.stdev().map(ms),
        percentiles: PERCENTILES.into_iter().filter_map(percentile).collect(),
    }
}

pub(super) fn check_row(name: &str, count: CheckCount) -> CheckRow {
    CheckRow { name: name.to_owned(), passes: count.passes, fails: count.fails, rate: count.rate() }
}

pub(super) fn request_row(meta: &SeriesMeta, stats: &RequestStats, seconds: f64) -> RequestRow {
    let response = stats.response();
    let checks = stats.checks.iter().enumerate().map(|(index, count)| {
        check_row(meta.checks.get(index).map_or(SeriesMeta::OTHER, String::as_str), *count)
    });
    RequestRow {
        name: meta.name.clone(),
        user: meta.user.clone(),
        task: meta.task.clone(),
        method: meta.method.clone(),
        url: meta.url.clone(),
        group: meta.group.clone(),
        total_requests: stats.requests(),
        failed: stats.failed(),
        success_rate: share(stats.successful(), stats.requests()),
        requests_per_second: per_second(stats.requests(), seconds),
        cache_hit_rate: share(stats.cache_hits, stats.cache_known),
        response_time: distribution(&response),
        service_time: distribution(&stats.service_or_response()),
        errors: stats.errors.iter().map(|(kind, count)| (kind.id().to_owned(), count)).collect(),
        status_codes: stats.statuses.iter().collect(),
        bytes_sent: stats.bytes_sent,
        bytes_received: stats.bytes_received,
        checks: checks.filter(|check| check.rate.is_some()).collect(),
        response_histogram: response,
    }
}

/// Most frequent first.
pub(super) fn error_rows(totals: &PhaseTotals, requests: &RequestStats) -> Vec<ErrorRow> {
    let mut rows: Vec<ErrorRow> = requests
        .errors
        .iter()
        .map(|(kind, count)| ErrorRow {
            kind: kind.id().to_owned(),
            description: kind.words().to_owned(),
            count,
            samples: error_samples(totals, kind),
        })
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    rows
}

fn error_samples(totals: &PhaseTotals, kind: ErrorKind) -> Vec<ErrorSampleRow> {
    let of_kind = totals.errors.samples().iter().filter(|sample| sample.kind == kind);
    of_kind
        .map(|sample| ErrorSampleRow {
            at_seconds: sample.at_ns as f64 / 1e9,
            request: sample.request.clone(),
            message: sample.message.clone(),
            status: (sample.status != 0).then_some(sample.status),
            elapsed_ms: ms(sample.elapsed_ns as f64),
        })
        .collect()
}

impl From<&Bound> for BoundRow {
    fn from(bound: &Bound) -> Self {
        Self {
            comparison: bound.comparison.symbol().to_owned(),
            value: bound.quantity.in_unit(bound.value),
            text: bound.to_string(),
        }
    }
}

pub(super) fn expectation_row(outcome: &ExpectationOutcome) -> ExpectationRow {
    let expectation = &outcome.expectation;
    let bound = expectation.target().or(expectation.limit());
    let quantity = bound.map_or(Quantity::Any, |bound| bound.quantity);
    ExpectationRow {
        measure: expectation.measure().to_string(),
        unit: quantity.unit().to_owned(),
        measured: outcome.measured.map(|value| quantity.in_unit(value)),
        measured_text: outcome.measured_text(),
        target: expectation.target().map(BoundRow::from),
        limit: expectation.limit().map(BoundRow::from),
        target_met: outcome.target_met,
        limit_met: outcome.limit_met,
    }
}

/// What a ladder says, as an expectation: its best rung is what one wants, its last what one can accept. It
/// counts among neither targets nor limits, for it makes a grade of its own.
pub(super) fn ladder_row(ladder: &Ladder, outcome: LadderOutcome) -> ExpectationRow {
    let [excellent, _, fair] = ladder.rungs();
    let quantity = excellent.quantity;
    let human = |value: f64| quantity.human(value);
    ExpectationRow {
        measure: ladder.measure().to_string(),
        unit: quantity.unit().to_owned(),
        measured: outcome.measured.map(|value| quantity.in_unit(value)),
        measured_text: outcome.measured.map_or_else(|| "no data".to_owned(), human),
        target: Some(BoundRow::from(excellent)),
        limit: Some(BoundRow::from(fair)),
        target_met: Some(outcome.grade == Grade::Excellent),
        limit_met: Some(outcome.grade != Grade::Poor),
    }
}

pub(super) fn threshold_row(outcome: &ThresholdOutcome) -> ThresholdRow {
    let quantity = outcome.threshold.quantity();
    ThresholdRow {
        metric: outcome.threshold.metric_text.clone(),
        condition: outcome.threshold.condition_text.clone(),
        unit: quantity.unit().to_owned(),
        measured: outcome.measured.map(|value| quantity.in_unit(value)),
        measured_text: outcome.measured_text(),
        met: outcome.is_met,
    }
}

pub(super) fn trust_result(trust: &Trust) -> TrustResult {
    let row = |doubt: &crate::verdict::Doubt| DoubtRow {
        id: doubt.id().to_owned(),
        text: doubt.to_string(),
    };
    TrustResult {
        trustworthy: trust.is_trustworthy(),
        reasons: trust.doubts.iter().map(row).collect(),
    }
}

/// Seconds with the precision of a millisecond: nobody reads more off a time axis.
fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e3).round() / 1e3
}

/// To six digits after the point.
fn rounded(share: f64) -> f64 {
    (share * 1e6).round() / 1e6
}

pub(super) fn timeline_row(point: &TimelinePoint) -> TimelineRow {
    let response = &point.response;
    let quantile = |q: f64| ms_of(response.value_at_quantile(q));
    TimelineRow {
        phase: point.phase,
        start_seconds: seconds(point.start),
        length_seconds: seconds(point.length),
        users: point.users,
        requests: point.requests,
        failed: point.failed,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        p99_ms: quantile(0.99),
        avg_ms: response.mean().map(ms),
        max_ms: ms_of(response.max()),
        bytes_sent: point.bytes_sent,
        bytes_received: point.bytes_received,
        iterations: point.iterations,
        iterations_dropped: point.iterations_dropped,
        iterations_queued: point.iterations_queued,
        start_lag_p99_ms: ms_of(point.start_lag.value_at_quantile(0.99)),
        generator_cpu_share: point.generator_cpu_share().map(rounded),
        monitors: BTreeMap::new(),
    }
}

pub(super) fn mark_row(mark: &Mark) -> MarkRow {
    MarkRow {
        at_seconds: seconds(mark.at),
        until_seconds: mark.until.map(seconds),
        kind: mark.kind.id().to_owned(),
        level: mark.level.id().to_owned(),
        text: mark.text.clone(),
    }
}
