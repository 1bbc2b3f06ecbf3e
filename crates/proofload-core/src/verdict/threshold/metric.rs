//! The metrics that thresholds can be about, and the figures they have.

use crate::verdict::{Percentile, Quantity};
use std::fmt;

/// What sort of metric: decides which figures there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A distribution: `avg`, `min`, `max`, `med`, `p(N)`; also `count`.
    Trend,
    /// A share: `rate`.
    Rate,
    /// A sum: `count`, and `rate` a second.
    Counter,
    /// A last value: `value`.
    Gauge,
}

/// A figure of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// `avg`
    Average,
    /// `min`
    Min,
    /// `max`
    Max,
    /// `med`
    Median,
    /// `p(N)`
    Percentile(Percentile),
    /// `count`
    Count,
    /// `rate`
    Rate,
    /// `value`
    Value,
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Average => f.write_str("avg"),
            Self::Min => f.write_str("min"),
            Self::Max => f.write_str("max"),
            Self::Median => f.write_str("med"),
            Self::Percentile(percentile) => write!(f, "p({})", percentile.percent()),
            Self::Count => f.write_str("count"),
            Self::Rate => f.write_str("rate"),
            Self::Value => f.write_str("value"),
        }
    }
}

impl MetricKind {
    /// Whether metrics of this kind have the figure.
    #[must_use]
    pub const fn has(self, aggregation: Aggregation) -> bool {
        use Aggregation::{Average, Count, Max, Median, Min, Percentile, Rate, Value};
        match self {
            Self::Trend => {
                matches!(aggregation, Average | Min | Max | Median | Percentile(_) | Count)
            }
            Self::Rate => matches!(aggregation, Rate),
            Self::Counter => matches!(aggregation, Count | Rate),
            Self::Gauge => matches!(aggregation, Value),
        }
    }

    /// The figures, as they are written.
    #[must_use]
    pub const fn aggregations(self) -> &'static str {
        match self {
            Self::Trend => "avg, min, max, med, p(N), count",
            Self::Rate => "rate",
            Self::Counter => "count, rate",
            Self::Gauge => "value",
        }
    }
}

macro_rules! metrics {
    ($($(#[$doc:meta])* $variant:ident => ($name:literal, $kind:ident),)*) => {
        /// A metric of k6, or one of ours beside them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Metric {
            $($(#[$doc])* $variant,)*
        }

        impl Metric {
            /// Every metric.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As it is written.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What sort of metric it is.
            #[must_use]
            pub const fn kind(self) -> MetricKind {
                match self { $(Self::$variant => MetricKind::$kind,)* }
            }
        }
    };
}

metrics! {
    /// Response time. Equals `response_time`: in open load it runs from the intended start, where
    /// k6 would hide the time a request waited to be sent.
    HttpReqDuration => ("http_req_duration", Trend),
    /// Name resolution; 0 for requests without one, as in k6.
    HttpReqBlocked => ("http_req_blocked", Trend),
    /// TCP connect; 0 for requests over an open connection, as in k6.
    HttpReqConnecting => ("http_req_connecting", Trend),
    /// TLS handshake; 0 for requests over an open connection, as in k6.
    HttpReqTlsHandshaking => ("http_req_tls_handshaking", Trend),
    /// Writing the request.
    HttpReqSending => ("http_req_sending", Trend),
    /// Waiting for the first byte.
    HttpReqWaiting => ("http_req_waiting", Trend),
    /// Reading the answer.
    HttpReqReceiving => ("http_req_receiving", Trend),
    /// Finished requests.
    HttpReqs => ("http_reqs", Counter),
    /// Failed requests divided by all requests.
    HttpReqFailed => ("http_req_failed", Rate),
    /// Passed checks divided by all evaluations.
    Checks => ("checks", Rate),
    /// Completed iterations.
    Iterations => ("iterations", Counter),
    /// Duration of completed iterations.
    IterationDuration => ("iteration_duration", Trend),
    /// Iterations that were not started because all users were busy.
    DroppedIterations => ("dropped_iterations", Counter),
    /// Bytes sent.
    DataSent => ("data_sent", Counter),
    /// Bytes received.
    DataReceived => ("data_received", Counter),
    /// Virtual users active now.
    Vus => ("vus", Gauge),
    /// Most virtual users active so far.
    VusMax => ("vus_max", Gauge),
    /// From the intended start to the end of the answer.
    ResponseTime => ("response_time", Trend),
    /// From the actual start to the end of the answer.
    ServiceTime => ("service_time", Trend),
    /// How late iterations of open load started.
    StartLag => ("start_lag", Trend),
    /// Cached answers divided by the answers that say whether they are.
    CacheHitRate => ("cache_hit_rate", Rate),
}

impl Metric {
    /// The metric with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|metric| metric.name() == name)
    }

    /// Quantity of a figure of this metric.
    #[must_use]
    pub const fn quantity(self, aggregation: Aggregation) -> Quantity {
        let is_bytes = matches!(self, Self::DataSent | Self::DataReceived);
        match (self.kind(), aggregation) {
            (MetricKind::Trend, Aggregation::Count) | (MetricKind::Gauge, _) => Quantity::Count,
            (MetricKind::Trend, _) => Quantity::Duration,
            (MetricKind::Rate, _) => Quantity::Ratio,
            (MetricKind::Counter, Aggregation::Rate) if is_bytes => Quantity::BytesRate,
            (MetricKind::Counter, Aggregation::Rate) => Quantity::Rate,
            (MetricKind::Counter, _) if is_bytes => Quantity::Bytes,
            (MetricKind::Counter, _) => Quantity::Count,
        }
    }

    /// Whether the metric is kept by series, so that selectors other than `phase` can apply.
    #[must_use]
    pub const fn is_of_requests(self) -> bool {
        !matches!(
            self,
            Self::Iterations
                | Self::IterationDuration
                | Self::DroppedIterations
                | Self::Vus
                | Self::VusMax
                | Self::StartLag
        )
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
