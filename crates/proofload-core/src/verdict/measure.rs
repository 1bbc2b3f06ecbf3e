//! The measures that an expectation can be about: names, units, and which direction is better.

use super::ExpressionError;
use crate::plan::nearest;
use crate::units;
use std::fmt;
use std::str::FromStr;

/// A quantile, as a percentage with up to four decimals (`p99.99`), exact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Percentile(u32);

impl Percentile {
    /// The median.
    pub const P50: Self = Self(500_000);
    /// 90 %.
    pub const P90: Self = Self(900_000);
    /// 95 %.
    pub const P95: Self = Self(950_000);
    /// 99 %.
    pub const P99: Self = Self(990_000);
    /// 99.9 %.
    pub const P99_9: Self = Self(999_000);
    /// 99.99 %.
    pub const P99_99: Self = Self(999_900);

    /// From a percentage between 0 and 100, rounded to four decimals.
    #[must_use]
    pub fn from_percent(percent: f64) -> Option<Self> {
        (0.0..=100.0).contains(&percent).then(|| Self((percent * 1e4).round() as u32))
    }

    /// As a percentage.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 1e4
    }

    /// As a quantile between 0 and 1.
    #[must_use]
    pub fn quantile(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// `p99.9`
impl fmt::Display for Percentile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p{}", self.percent())
    }
}

/// A time that is measured of every request or iteration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timing {
    /// From the intended start to the end of the answer; of successes and failures together.
    Response,
    /// From the actual start to the end of the answer.
    Service,
    /// Name resolutions made.
    Dns,
    /// TCP connects made.
    Connect,
    /// TLS handshakes made.
    Tls,
    /// Writing the request.
    Send,
    /// Waiting for the first byte of the answer.
    Wait,
    /// Reading the answer.
    Receive,
    /// Iterations of virtual users, think time included.
    Iteration,
    /// How late iterations of open load started.
    StartLag,
}

impl Timing {
    const ALL: [Self; 10] = [
        Self::Response,
        Self::Service,
        Self::Dns,
        Self::Connect,
        Self::Tls,
        Self::Send,
        Self::Wait,
        Self::Receive,
        Self::Iteration,
        Self::StartLag,
    ];

    /// What stands before the statistic in a measure's name; nothing for response times.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Response => "",
            Self::Service => "service_",
            Self::Dns => "dns_",
            Self::Connect => "connect_",
            Self::Tls => "tls_",
            Self::Send => "send_",
            Self::Wait => "wait_",
            Self::Receive => "receive_",
            Self::Iteration => "iteration_",
            Self::StartLag => "start_lag_",
        }
    }
}

/// A figure of a distribution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Statistic {
    /// Arithmetic mean.
    Average,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Standard deviation.
    Stdev,
    /// Nearest-rank percentile; `med` is p50.
    Percentile(Percentile),
}

impl FromStr for Statistic {
    type Err = ();

    /// `avg`, `min`, `max`, `med`, `stdev`, `p95`, `p99.9`, `p99_9`, `p(99.9)`, `p999` (99.9).
    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "avg" | "mean" | "average" => return Ok(Self::Average),
            "min" => return Ok(Self::Min),
            "max" => return Ok(Self::Max),
            "med" | "median" => return Ok(Self::Percentile(Percentile::P50)),
            "stdev" | "stddev" => return Ok(Self::Stdev),
            _ => {}
        }
        let digits = text.strip_prefix('p').ok_or(())?;
        let digits = digits.strip_prefix('(').and_then(|d| d.strip_suffix(')')).unwrap_or(digits);
        let is_number = digits.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b'_');
        if !is_number || !digits.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(());
        }
        let mut digits = digits.replacen('_', ".", 1);
        // "p999" is how people write 99.9 where a point is awkward.
        if !digits.contains('.') && digits.len() > 2 && digits.starts_with('9') {
            digits.insert(2, '.');
        }
        let percent = digits.parse().map_err(|_| ())?;
        Percentile::from_percent(percent).map(Self::Percentile).ok_or(())
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.write_str("avg"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Stdev => f.write_str("stdev"),
            Self::Percentile(percentile) => percentile.fmt(f),
        }
    }
}

/// What kind of quantity a measure is. Values are held in the base unit given here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Nanoseconds.
    Duration,
    /// A share of a whole, 0…1.
    Ratio,
    /// A number a second.
    Rate,
    /// A number.
    Count,
    /// Bytes.
    Bytes,
    /// Bytes a second.
    BytesRate,
    /// A number of which only the one who measures knows the unit (monitors).
    Any,
}

impl Quantity {
    /// A value in the base unit, for people.
    #[must_use]
    pub fn human(self, value: f64) -> String {
        match self {
            Self::Duration => units::human_ns(value),
            Self::Ratio => units::human_ratio(value),
            Self::Rate => units::human_rate(value),
            Self::Count if value >= 0.0 && value.fract() == 0.0 => units::human_count(value as u64),
            Self::Bytes => units::human_bytes(value),
            Self::BytesRate => format!("{}/s", units::human_bytes(value)),
            Self::Count | Self::Any => format!("{}", (value * 1e3).round() / 1e3),
        }
    }

    /// Name of the unit in which results and machines read values: `ms`, `ratio`, `1/s`, `count`,
    /// `bytes`, `bytes/s` or nothing.
    #[must_use]
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Duration => "ms",
            Self::Ratio => "ratio",
            Self::Rate => "1/s",
            Self::Count => "count",
            Self::Bytes => "bytes",
            Self::BytesRate => "bytes/s",
            Self::Any => "",
        }
    }

    /// A value in the base unit, in the unit of [`Quantity::unit`] (durations: milliseconds).
    #[must_use]
    pub fn in_unit(self, value: f64) -> f64 {
        if self == Self::Duration { value / 1e6 } else { value }
    }
}

/// Which way a measure is better, and hence what a bound without an operator means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Smaller is better; a bare bound is "at most".
    LowerIsBetter,
    /// Larger is better; a bare bound is "at least".
    HigherIsBetter,
}

/// A measure of a phase that an expectation is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Successful requests divided by all requests.
    SuccessRate,
    /// Failed requests divided by all requests.
    ErrorRate,
    /// Cached answers divided by the answers that say whether they are.
    CacheHitRate,
    /// Passed checks divided by all evaluations of checks.
    Checks,
    /// A figure of a distribution of times: `p95`, `service_p99`, `wait_avg`.
    Time(Timing, Statistic),
    /// Finished requests a second.
    RequestsPerSecond,
    /// Finished requests.
    Requests,
    /// Failed requests.
    Failed,
    /// Completed iterations.
    Iterations,
    /// Completed iterations a second.
    IterationsPerSecond,
    /// Iterations of open load that were not started because all users were busy.
    DroppedIterations,
    /// Bytes sent.
    BytesSent,
    /// Bytes received.
    BytesReceived,
    /// Bytes sent a second.
    BytesSentPerSecond,
    /// Bytes received a second.
    BytesReceivedPerSecond,
    /// A measure of the system under test, by name; its value comes from a monitor.
    Monitor(String),
}

/// Names of the measures that are not times.
const NAMED: [(&str, Measure); 21] = [
    ("success_rate", Measure::SuccessRate),
    ("error_rate", Measure::ErrorRate),
    ("cache_hit_rate", Measure::CacheHitRate),
    ("checks", Measure::Checks),
    ("rps", Measure::RequestsPerSecond),
    ("requests_per_second", Measure::RequestsPerSecond),
    ("throughput", Measure::RequestsPerSecond),
    ("requests", Measure::Requests),
    ("total_requests", Measure::Requests),
    ("failed", Measure::Failed),
    ("iterations", Measure::Iterations),
    ("iterations_per_second", Measure::IterationsPerSecond),
    ("dropped_iterations", Measure::DroppedIterations),
    ("bytes_sent", Measure::BytesSent),
    ("bytes_received", Measure::BytesReceived),
    ("data_sent", Measure::BytesSent),
    ("data_received", Measure::BytesReceived),
    ("bytes_sent_rate", Measure::BytesSentPerSecond),
    ("bytes_received_rate", Measure::BytesReceivedPerSecond),
    ("data_sent_rate", Measure::BytesSentPerSecond),
    ("data_received_rate", Measure::BytesReceivedPerSecond),
];

/// Measures of the monitors that come with the tool.
pub const MONITORS: [&str; 16] = [
    "cpu",
    "memory",
    "disk_read",
    "disk_write",
    "disk_io",
    "network_in",
    "network_out",
    "network_io",
    "open_files",
    "threads",
    "redis_memory",
    "redis_clients",
    "db_connections",
    "db_connections_idle",
    "db_connection_wait",
    "queue_depth",
];

impl Measure {
    /// Reads the name of a measure; `-` and `_` are the same.
    ///
    /// # Errors
    /// When there is no such measure; suggests the nearest one.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        Self::parse_with(text, &[])
    }

    /// Like [`Measure::parse`], with further names of monitors that a plan defines.
    ///
    /// # Errors
    /// When there is no such measure; suggests the nearest one.
    pub fn parse_with(text: &str, monitors: &[&str]) -> Result<Self, ExpressionError> {
        let name = text.trim().to_lowercase().replace('-', "_");
        if let Some((_, measure)) = NAMED.iter().find(|(known, _)| *known == name) {
            return Ok(measure.clone());
        }
        if let Some(measure) = Self::parse_time(&name) {
            return Ok(measure);
        }
        if MONITORS.contains(&name.as_str()) || monitors.contains(&text.trim()) {
            return Ok(Self::Monitor(if monitors.contains(&text.trim()) {
                text.trim().to_owned()
            } else {
                name
            }));
        }
        let error = ExpressionError::new(text, 0..text.len(), format!("unknown measure `{text}`"));
        let times = ["avg", "min", "max", "med", "stdev", "p50", "p90", "p95", "p99", "p99.9"];
        let candidates = NAMED.iter().map(|(name, _)| *name).chain(times);
        Err(match nearest(&name, candidates.chain(MONITORS).chain(monitors.iter().copied())) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(
                "known are success_rate, error_rate, avg, min, max, med, p95 (or any other \
                 percentile), rps, requests, failed, cache_hit_rate, checks, iterations, cpu, \
                 memory, db_connections; `service_`, `wait_`, `connect_` before a time",
            ),
        })
    }

    fn parse_time(name: &str) -> Option<Self> {
        // Response times have no prefix, so they are tried last.
        Timing::ALL.into_iter().rev().find_map(|timing| {
            let statistic = name.strip_prefix(timing.prefix())?.parse().ok()?;
            Some(Self::Time(timing, statistic))
        })
    }

    /// What kind of quantity it is.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        match self {
            Self::SuccessRate | Self::ErrorRate | Self::CacheHitRate | Self::Checks => {
                Quantity::Ratio
            }
            Self::Time(..) => Quantity::Duration,
            Self::RequestsPerSecond | Self::IterationsPerSecond => Quantity::Rate,
            Self::Requests | Self::Failed | Self::Iterations | Self::DroppedIterations => {
                Quantity::Count
            }
            Self::BytesSent | Self::BytesReceived => Quantity::Bytes,
            Self::BytesSentPerSecond | Self::BytesReceivedPerSecond => Quantity::BytesRate,
            Self::Monitor(_) => Quantity::Any,
        }
    }

    /// Which way is better.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        match self {
            Self::ErrorRate
            | Self::Time(..)
            | Self::Failed
            | Self::DroppedIterations
            | Self::Monitor(_) => Direction::LowerIsBetter,
            Self::SuccessRate
            | Self::CacheHitRate
            | Self::Checks
            | Self::RequestsPerSecond
            | Self::Requests
            | Self::Iterations
            | Self::IterationsPerSecond
            | Self::BytesSent
            | Self::BytesReceived
            | Self::BytesSentPerSecond
            | Self::BytesReceivedPerSecond => Direction::HigherIsBetter,
        }
    }
}

/// The canonical name, which [`Measure::parse`] reads back.
impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(timing, statistic) => write!(f, "{}{statistic}", timing.prefix()),
            Self::Monitor(name) => f.write_str(name),
            named => {
                let known = NAMED.iter().find(|(_, measure)| measure == named);
                f.write_str(known.map_or("", |(name, _)| name))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written() {
        let check = |text: &str, canonical: &str| {
            let measure = Measure::parse(text).unwrap();
            assert_eq!(measure.to_string(), canonical, "{text}");
            assert_eq!(Measure::parse(canonical).as_ref(), Ok(&measure));
        };
        check("success_rate", "success_rate");
        check("Error-Rate", "error_rate");
        check("throughput", "rps");
        check("avg", "avg");
        check("med", "p50");
        check("median", "p50");
        check("p95", "p95");
        check("p99.9", "p99.9");
        check("p99_9", "p99.9");
        check("p999", "p99.9");
        check("p9999", "p99.99");
        check("p(99.99)", "p99.99");
        check("p5", "p5");
        check("p100", "p100");
        check("service_p95", "service_p95");
        check("wait_avg", "wait_avg");
        check("start_lag_p99", "start_lag_p99");
        check("cpu", "cpu");
        check("db-connections", "db_connections");
        for (name, _) in NAMED {
            assert!(Measure::parse(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn an_unknown_measure_suggests_the_nearest() {
        let check = |text: &str, help: &str| {
            let error = Measure::parse(text).unwrap_err();
            assert!(error.help.as_deref().is_some_and(|h| h.contains(help)), "{error}");
        };
        check("sucess_rate", "did you mean `success_rate`?");
        check("eror_rate", "did you mean `error_rate`?");
        check("memroy", "did you mean `memory`?");
        check("happiness", "known are success_rate");
        check("p101.5", "");
        check("p101", "");
        check("p", "");
        check("px", "");
    }

    #[test]
    fn a_plan_can_name_monitors_of_its_own() {
        assert!(Measure::parse("jvm_heap").is_err());
        let measure = Measure::parse_with("jvm_heap", &["jvm_heap"]).unwrap();
        assert_eq!(measure, Measure::Monitor("jvm_heap".to_owned()));
    }
}
