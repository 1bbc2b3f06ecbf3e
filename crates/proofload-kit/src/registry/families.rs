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
    ///
    /// Where two parts were given the same name, they are shown as one, by their sum: the formats do not
    /// allow the same series twice.
    pub(crate) fn add(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: Value,
    ) {
        let same = |sample: &&mut Sample| {
            sample
                .labels
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .eq(labels.iter().copied())
        };
        if let Some(there) = self.family(name, help).samples.iter_mut().find(same) {
            there.value.merge(value);
        } else {
            self.add_new(name, help, labels, value);
        }
    }

    /// Adds a sample whose labels are known to be new under this name.
    pub(crate) fn add_new(
        &mut self,
        name: &'static str,
        help: &'static str,
        labels: Labels<'_>,
        value: Value,
    ) {
        let labels = labels.iter().map(|&(name, value)| (name, value.to_owned())).collect();
        self.family(name, help).samples.push(Sample { labels, value });
    }

    fn family(&mut self, name: &'static str, help: &'static str) -> &mut Family {
        self.families.entry(name).or_insert_with(|| Family { help, samples: Vec::new() })
    }

    /// All families, by name.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, &Family)> {
        self.families.iter().map(|(&name, family)| (name, family))
    }
}

impl Value {
    /// Adds what another part of the same name counted. Histograms of other bounds are left out: there is no
    /// sum of them.
    fn merge(&mut self, other: Self) {
        match (self, other) {
            (Self::Counter(a), Self::Counter(b)) | (Self::Gauge(a), Self::Gauge(b)) => *a += b,
            (Self::Histogram { buckets: a, sum }, Self::Histogram { buckets: b, sum: more })
                if a.iter().map(|(bound, _)| bound).eq(b.iter().map(|(bound, _)| bound)) =>
            {
                a.iter_mut().zip(b).for_each(|((_, count), (_, more))| *count += more);
                *sum += more;
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_one_name_are_shown_as_their_sum() {
        let mut families = Families::default();
        let labels = [("pool", "orders")];
        let histogram =
            |bound| Value::Histogram { buckets: vec![(bound, 2), (f64::INFINITY, 1)], sum: 1.5 };
        for bound in [1.0, 1.0, 9.0] {
            families.counter("a", "A", &labels, 2);
            families.gauge("b", "B", &labels, 0.5);
            families.add("c", "C", &labels, histogram(bound));
        }
        families.counter("a", "A", &[("pool", "other")], 1);
        let shown: Vec<String> = families
            .iter()
            .flat_map(|(name, family)| {
                family.samples.iter().map(move |s| format!("{name} {:?}", s.value))
            })
            .collect();
        let expected = [
            "a Counter(6.0)",
            "a Counter(1.0)",
            "b Gauge(1.5)",
            "c Histogram { buckets: [(1.0, 4), (inf, 2)], sum: 3.0 }",
        ];
        assert_eq!(shown, expected);
    }
}
