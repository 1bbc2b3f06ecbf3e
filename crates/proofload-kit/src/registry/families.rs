//! Samples on their way to an exposition format, in groups of one name as all formats ask for.

use std::collections::BTreeMap;

/// Label names and values of a sample.
pub(crate) type Labels<'a> = &'a [(&'static str, &'a str)];

/// Samples by the name of their metric.
#[derive(Debug, Default)]
pub(crate) struct Families {
    families: BTreeMap<&'static str, Family>,
}

/// All samples of one metric.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) help: &'static str,
    pub(crate) samples: Vec<Sample>,
}

/// One value, or one histogram, with its labels.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) labels: Vec<(&'static str, String)>,
    pub(crate) value: Value,
}

/// The three kinds there are.
#[derive(Debug)]
pub(crate) enum Value {
    /// Only grows. The exposition adds `_total` to the name.
    Counter(f64),
    /// Goes up and down.
    Gauge(f64),
    /// Upper bounds in ascending order with their own counts (not cumulative), the last bound infinite, and the sum.
    Histogram { buckets: Vec<(f64, u64)>, sum: f64 },
}

impl Families {
    /// Adds a sample of a counter; `name` without `_total`.
    pub(crate) fn counter(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: u64,
    ) {
        self.add(name, help, labels, Value::Counter(value as f64));
    }

    /// Adds a sample of a gauge.
    pub(crate) fn gauge(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: f64,
    ) {
        self.add(name, help, labels, Value::Gauge(value));
    }

    /// Adds any sample. A name has one kind and one help text in the whole crate.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: Value,
    ) {
        let labels = labels.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        let family =
            self.families.entry(name).or_insert_with(|| Family { help, samples: Vec::new() });
        family.samples.push(Sample { labels, value });
    }

    /// All families, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Family)> {
        self.families.iter().map(|(&name, family)| (name, family))
    }
}
