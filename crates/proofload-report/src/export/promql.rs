//! Measures of a load test in PromQL.

use proofload_core::units::duration_text;
use proofload_core::verdict::{Bound, Comparison, Measure, Quantity, Statistic, Timing};

use super::Settings;
use super::names::is_metric;

/// What a dashboard and a message show a value in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Seconds,
    Share,
    PerSecond,
    Bytes,
    BytesPerSecond,
    Number,
}

impl Unit {
    /// Grafana's identifier.
    pub(super) const fn grafana(self) -> &'static str {
        match self {
            Self::Seconds => "s",
            Self::Share => "percentunit",
            Self::PerSecond => "reqps",
            Self::Bytes => "decbytes",
            Self::BytesPerSecond => "Bps",
            Self::Number => "short",
        }
    }

    /// The alert's value in a template of Prometheus.
    pub(super) const fn template(self) -> &'static str {
        match self {
            Self::Seconds => "{{ $value | humanizeDuration }}",
            Self::Share => "{{ $value | humanizePercentage }}",
            Self::PerSecond => "{{ $value | humanize }}/s",
            Self::Bytes => "{{ $value | humanize }}B",
            Self::BytesPerSecond => "{{ $value | humanize }}B/s",
            Self::Number => "{{ $value | humanize }}",
        }
    }

    fn of(quantity: Quantity) -> Self {
        match quantity {
            Quantity::Duration => Self::Seconds,
            Quantity::Ratio => Self::Share,
            Quantity::Rate => Self::PerSecond,
            Quantity::Bytes => Self::Bytes,
            Quantity::BytesRate => Self::BytesPerSecond,
            Quantity::Count | Quantity::Any => Self::Number,
        }
    }
}

/// A measure as Prometheus computes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Query {
    pub(super) expr: String,
    pub(super) unit: Unit,
}

/// A bound's value in the base units of Prometheus, seconds and bytes.
pub(super) fn value(bound: &Bound) -> String {
    let value = if bound.quantity == Quantity::Duration { bound.value / 1e9 } else { bound.value };
    value.to_string()
}

/// What says that a bound is broken.
pub(super) const fn broken(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => ">=",
        Comparison::LessOrEqual => ">",
        Comparison::Greater => "<=",
        Comparison::GreaterOrEqual => "<",
        Comparison::Equal => "!=",
        Comparison::NotEqual => "==",
    }
}

/// Builds expressions for one service.
#[derive(Clone, Copy, Debug)]
pub(super) struct PromQl<'a> {
    settings: &'a Settings,
    /// Within brackets: `5m`, or a variable of Grafana.
    window: &'a str,
}

impl<'a> PromQl<'a> {
    pub(super) fn new(settings: &'a Settings, window: &'a str) -> Self {
        Self { settings, window }
    }

    fn series(&self, metric: &str, more: &str) -> String {
        self.settings.selector.series(metric, more)
    }

    /// `sum(rate(metric{…}[5m]))`
    fn rate(&self, metric: &str, more: &str) -> String {
        format!("sum(rate({}[{}]))", self.series(metric, more), self.window)
    }

    fn requests(&self) -> String {
        let names = &self.settings.names;
        names.requests.clone().unwrap_or_else(|| format!("{}_count", names.latency))
    }

    pub(super) fn throughput(&self) -> String {
        self.rate(&self.requests(), "")
    }

    /// The throughput of an hour ago.
    fn throughput_before(&self) -> String {
        let series = self.series(&self.requests(), "");
        format!("sum(rate({series}[{}] offset 1h))", self.window)
    }

    pub(super) fn error_rate(&self) -> String {
        let names = &self.settings.names;
        let escaped = names.error_status.replace('\\', "\\\\").replace('"', "\\\"");
        let of_errors = format!("{}=~\"{escaped}\"", names.status_label);
        // A status that never occurred has no series: that is no failure, not no data.
        let errors = self.rate(&self.requests(), &of_errors);
        format!("({errors} or vector(0)) / {}", self.throughput())
    }

    fn cache_hit_rate(&self) -> String {
        let names = &self.settings.names;
        let (hits, misses) = (self.rate(&names.cache_hits, ""), self.rate(&names.cache_misses, ""));
        format!("{hits} / ({hits} + {misses})")
    }

    pub(super) fn quantile(&self, q: f64) -> String {
        let series = self.series(&format!("{}_bucket", self.settings.names.latency), "");
        format!("histogram_quantile({q}, sum by (le) (rate({series}[{}])))", self.window)
    }

    fn average(&self) -> String {
        let latency = &self.settings.names.latency;
        let of = |end: &str| self.rate(&format!("{latency}_{end}"), "");
        format!("{} / {}", of("sum"), of("count"))
    }

    pub(super) fn queue_depth(&self) -> String {
        format!("max({})", self.series(&self.settings.names.queue_depth, ""))
    }

    /// The service says nothing: no alert could ever fire.
    pub(super) fn missing(&self) -> String {
        format!("absent({})", self.series(&self.requests(), ""))
    }

    /// Less than a share of what it was an hour ago, where there was anything to speak of.
    pub(super) fn dropped(&self) -> String {
        let (now, before) = (self.throughput(), self.throughput_before());
        format!("{now} < {} * {before} and {before} > 1", self.settings.drop_share)
    }

    /// There was something in the queue all the time, and it became more.
    pub(super) fn queue_growing(&self) -> String {
        let depth = self.queue_depth();
        format!("min_over_time({depth}[10m:1m]) > 0 and deriv({depth}[10m:1m]) > 0")
    }

    /// The measure, or why production does not have it. The unit of a monitor is that of its bound.
    pub(super) fn measure(
        &self,
        measure: &Measure,
        quantity: Quantity,
    ) -> Result<Query, &'static str> {
        let expr = match measure {
            Measure::ErrorRate => self.error_rate(),
            Measure::SuccessRate => format!("1 - {}", self.error_rate()),
            Measure::CacheHitRate => self.cache_hit_rate(),
            Measure::RequestsPerSecond => self.throughput(),
            Measure::Time(Timing::Response | Timing::Service | Timing::Wait, statistic) => {
                match statistic {
                    Statistic::Percentile(percentile) => self.quantile(percentile.quantile()),
                    Statistic::Average => self.average(),
                    Statistic::Min | Statistic::Max | Statistic::Stdev => {
                        return Err("a histogram of Prometheus does not know it");
                    }
                }
            }
            Measure::Time(..) => return Err("only the load generator can measure it"),
            Measure::Checks | Measure::IterationsPerSecond => {
                return Err("only the load generator knows it");
            }
            Measure::Requests
            | Measure::Failed
            | Measure::Iterations
            | Measure::DroppedIterations
            | Measure::BytesSent
            | Measure::BytesReceived => return Err("production has no beginning and no end"),
            Measure::BytesSentPerSecond | Measure::BytesReceivedPerSecond => {
                return Err("no metric of the service has it by convention");
            }
            Measure::Monitor(name) => self.monitor(name, quantity)?,
        };
        Ok(Query { expr, unit: Unit::of(quantity) })
    }

    fn monitor(&self, name: &str, quantity: Quantity) -> Result<String, &'static str> {
        if let Some(given) = self.settings.names.monitors.get(name) {
            let is_name = is_metric(given);
            return Ok(if is_name {
                format!("max({})", self.series(given, ""))
            } else {
                given.clone()
            });
        }
        let gauge = |metric: &str| format!("max({})", self.series(metric, ""));
        // Of the machine and of other services: the selector of the service is not theirs.
        let rate = |metric: &str| format!("sum(rate({metric}[{}]))", self.window);
        let is_share = quantity == Quantity::Ratio;
        let expr = match name {
            "cpu" if is_share => {
                format!("1 - avg(rate(node_cpu_seconds_total{{mode=\"idle\"}}[{}]))", self.window)
            }
            "memory" if is_share => {
                "1 - sum(node_memory_MemAvailable_bytes) / sum(node_memory_MemTotal_bytes)"
                    .to_owned()
            }
            "memory" => gauge("process_resident_memory_bytes"),
            "disk_read" => rate("node_disk_read_bytes_total"),
            "disk_write" => rate("node_disk_written_bytes_total"),
            "disk_io" => format!(
                "{} + {}",
                rate("node_disk_read_bytes_total"),
                rate("node_disk_written_bytes_total")
            ),
            "network_in" => rate("node_network_receive_bytes_total{device!=\"lo\"}"),
            "network_out" => rate("node_network_transmit_bytes_total{device!=\"lo\"}"),
            "network_io" => format!(
                "{} + {}",
                rate("node_network_receive_bytes_total{device!=\"lo\"}"),
                rate("node_network_transmit_bytes_total{device!=\"lo\"}")
            ),
            "open_files" if is_share => format!(
                "max({} / {})",
                self.series("process_open_fds", ""),
                self.series("process_max_fds", "")
            ),
            "open_files" => gauge("process_open_fds"),
            "threads" => gauge("process_threads"),
            "redis_memory" if is_share => {
                "max(redis_memory_used_bytes / redis_memory_max_bytes)".to_owned()
            }
            "redis_memory" => "max(redis_memory_used_bytes)".to_owned(),
            "redis_clients" => "max(redis_connected_clients)".to_owned(),
            "db_connections" if is_share => {
                "sum(pg_stat_activity_count) / max(pg_settings_max_connections)".to_owned()
            }
            "db_connections" => "sum(pg_stat_activity_count)".to_owned(),
            "db_connections_idle" => "sum(pg_stat_activity_count{state=\"idle\"})".to_owned(),
            "db_connection_wait" => {
                let series = self.series("db_client_connection_wait_time_seconds_bucket", "");
                format!("histogram_quantile(0.95, sum by (le) (rate({series}[{}])))", self.window)
            }
            "queue_depth" => self.queue_depth(),
            _ => return Err("no metric is known for it: name one with --metric"),
        };
        Ok(expr)
    }
}

/// `5m`
pub(super) fn window(settings: &Settings) -> String {
    duration_text(settings.window)
}
