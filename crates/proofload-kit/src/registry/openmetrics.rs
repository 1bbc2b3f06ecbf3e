//! The registry as a collector of `prometheus-client`: inside the registry a service has already, or on
//! its own as OpenMetrics text.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;

use super::Registry;
use super::families::{Family, Sample, Value};

/// To add the metrics of the kit to those a service keeps with `prometheus-client`.
///
/// ```
/// # #[cfg(feature = "prometheus")] {
/// let kit = proofload_kit::Registry::new();
/// let mut service = prometheus_client::registry::Registry::with_prefix("shop");
/// service.register_collector(Box::new(kit.clone()));
/// # }
/// ```
impl Collector for Registry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        self.families()
            .iter()
            .try_for_each(|(name, family)| encode_family(&mut encoder, name, family))
    }
}

impl Registry {
    /// All metrics as OpenMetrics text, version 1.0.0.
    #[must_use]
    pub fn openmetrics_text(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        registry.register_collector(Box::new(self.clone()));
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut text, &registry);
        text
    }
}

fn encode_family(
    encoder: &mut DescriptorEncoder<'_>,
    name: &str,
    family: &Family,
) -> Result<(), fmt::Error> {
    let Some(first) = family.samples.first() else { return Ok(()) };
    let kind = match first.value {
        Value::Counter(_) => MetricType::Counter,
        Value::Gauge(_) => MetricType::Gauge,
        Value::Histogram { .. } => MetricType::Histogram,
    };
    // The encoder writes help as it is, and the text format ends a line with it.
    let help = family.help.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
    let mut metric = encoder.encode_descriptor(name, &help, None, kind)?;
    for sample in &family.samples {
        if sample.labels.is_empty() {
            encode_sample(&mut metric, sample)?;
        } else {
            let labels = sample.labels.as_slice();
            encode_sample(&mut metric.encode_family(&labels)?, sample)?;
        }
    }
    Ok(())
}

fn encode_sample(metric: &mut MetricEncoder<'_>, sample: &Sample) -> Result<(), fmt::Error> {
    match &sample.value {
        Value::Counter(value) => metric.encode_counter::<NoLabelSet, _, f64>(value, None),
        Value::Gauge(value) => metric.encode_gauge(value),
        Value::Histogram { buckets, sum } => {
            let count = buckets.iter().map(|(_, count)| count).sum();
            metric.encode_histogram::<NoLabelSet>(*sum, count, buckets, None)
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry as Theirs;

    use crate::Registry;

    #[test]
    fn all_kinds_in_a_registry_with_prefix_and_labels() {
        let registry = Registry::new();
        registry.counter("a", "A \"quoted\"").unwrap().add(7);
        registry.gauges("b", "B", ["x"]).unwrap().with(["\"1\"\\\n"]).set(0.5);
        registry.histogram("c_seconds", "C", &[1.0]).unwrap().observe(2.0);
        let mut theirs = Theirs::with_labels([("zone".into(), "north".into())].into_iter());
        theirs.register_collector(Box::new(registry.clone()));
        let mut text = String::new();
        encode(&mut text, &theirs).unwrap();
        let expected = r##"# HELP a A \"quoted\"
# TYPE a counter
a_total{zone="north"} 7.0
# HELP b B
# TYPE b gauge
b{zone="north",x="\"1\"\\\n"} 0.5
# HELP c_seconds C
# TYPE c_seconds histogram
c_seconds_sum{zone="north"} 2.0
c_seconds_count{zone="north"} 1
c_seconds_bucket{zone="north",le="1.0"} 0
c_seconds_bucket{zone="north",le="+Inf"} 1
# EOF
"##;
        assert_eq!(text, expected);
        assert!(registry.openmetrics_text().starts_with("# HELP a A "));
        assert_eq!(Registry::new().openmetrics_text(), "# EOF\n");
    }
}
