//! Metrics of the service itself, made in one line and shown beside those of the kit.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::Registry;
use super::catalogue;
use super::families::Families;
use super::instrument::{Counter, Gauge, Histogram, Instrument};
use super::label_sets::LabelSets;
use crate::BuildError;

/// What the service made, by name. Owned by the registry: a counter that nobody holds keeps its count.
#[derive(Debug, Default)]
pub(crate) struct OwnMetrics(Mutex<BTreeMap<&'static str, Own>>);

#[derive(Clone, Debug)]
enum Own {
    Counter(Arc<LabelSets<Counter>>),
    Gauge(Arc<LabelSets<Gauge>>),
    Histogram(Arc<LabelSets<Histogram>>),
}

impl OwnMetrics {
    pub(crate) fn collect(&self, families: &mut Families) {
        let all: Vec<Own> =
            self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        for own in all {
            match own {
                Own::Counter(sets) => sets.collect(families),
                Own::Gauge(sets) => sets.collect(families),
                Own::Histogram(sets) => sets.collect(families),
            }
        }
    }

    /// The metric of this name; made if there is none.
    fn find_or_make<T: Instrument>(
        &self,
        described: Described<'_, T>,
        wrap: fn(Arc<LabelSets<T>>) -> Own,
        unwrap: fn(&Own) -> Option<&Arc<LabelSets<T>>>,
    ) -> Result<Arc<LabelSets<T>>, BuildError> {
        let Described { name, help, labels, pattern } = described;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = all.get(name) {
            let same = unwrap(there).filter(|sets| sets.same_make(labels, &pattern));
            let allowed = "another name, or the kind, labels and bounds of the metric that has it";
            return same.cloned().ok_or_else(|| BuildError::new("name", name, allowed));
        }
        let made = Arc::new(LabelSets::new(name, help, labels, pattern));
        all.insert(name, wrap(Arc::clone(&made)));
        Ok(made)
    }
}

struct Described<'a, T> {
    name: &'static str,
    help: &'static str,
    labels: &'a [&'static str],
    pattern: T,
}

/// Counters of one name, told apart by `N` labels. Made by [`Registry::counters`].
#[derive(Clone, Debug)]
pub struct Counters<const N: usize>(Arc<LabelSets<Counter>>);

/// Gauges of one name, told apart by `N` labels. Made by [`Registry::gauges`].
#[derive(Clone, Debug)]
pub struct Gauges<const N: usize>(Arc<LabelSets<Gauge>>);

/// Histograms of one name, told apart by `N` labels. Made by [`Registry::histograms`].
#[derive(Clone, Debug)]
pub struct Histograms<const N: usize>(Arc<LabelSets<Histogram>>);

impl<const N: usize> Counters<N> {
    /// The counter of these label values, in the order of the labels. Keep it where one set is counted often.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> Counter {
        self.0.get(&values)
    }
}

impl<const N: usize> Gauges<N> {
    /// The gauge of these label values, in the order of the labels.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> Gauge {
        self.0.get(&values)
    }
}

impl<const N: usize> Histograms<N> {
    /// The histogram of these label values, in the order of the labels.
    #[must_use]
    pub fn with(&self, values: [&str; N]) -> Histogram {
        self.0.get(&values)
    }
}

/// # Metrics of the service itself
///
/// A name that is asked for again gives the same metric again, so they can be made where they are used.
/// Labels are bounded: beyond 1,000 sets of values of a name, all others are counted as `other`.
///
/// # Errors
///
/// All of these fail when the name or a label is not one for Prometheus, is one of the kit's own or is taken by a
/// metric of another kind.
impl Registry {
    /// A counter. `name` is without `_total`, which is added where it is shown.
    ///
    /// ```
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let registry = proofload_kit::Registry::new();
    /// registry.counter("orders", "Orders placed")?.increment();
    /// assert_eq!(registry.counter("orders", "Orders placed")?.value(), 1);
    /// # Ok(()) }
    /// ```
    pub fn counter(&self, name: &'static str, help: &'static str) -> Result<Counter, BuildError> {
        Ok(self.counters(name, help, [])?.with([]))
    }

    /// Counters told apart by labels.
    ///
    /// ```
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let registry = proofload_kit::Registry::new();
    /// let orders = registry.counters("orders", "Orders placed", ["payment"])?;
    /// orders.with(["card"]).increment();
    /// # Ok(()) }
    /// ```
    pub fn counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Result<Counters<N>, BuildError> {
        check(name, &labels)?;
        self.make_counters(name, help, labels)
    }

    /// A gauge.
    pub fn gauge(&self, name: &'static str, help: &'static str) -> Result<Gauge, BuildError> {
        Ok(self.gauges(name, help, [])?.with([]))
    }

    /// Gauges told apart by labels.
    pub fn gauges<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Result<Gauges<N>, BuildError> {
        check(name, &labels)?;
        self.make_gauges(name, help, labels)
    }

    /// A histogram with these upper bounds; end its name with the unit.
    ///
    /// ```
    /// use proofload_kit::registry::Histogram;
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let registry = proofload_kit::Registry::new();
    /// let render = registry.histogram("render_seconds", "Time to render a page", Histogram::SECONDS)?;
    /// render.observe_duration(std::time::Duration::from_millis(12));
    /// # Ok(()) }
    /// ```
    ///
    /// Fails as well when bounds are missing, infinite or do not ascend.
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        bounds: &[f64],
    ) -> Result<Histogram, BuildError> {
        Ok(self.histograms(name, help, [], bounds)?.with([]))
    }

    /// Histograms told apart by labels, all with these upper bounds.
    pub fn histograms<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        bounds: &[f64],
    ) -> Result<Histograms<N>, BuildError> {
        check(name, &labels)?;
        self.make_histograms(name, help, labels, bounds)
    }

    // The rest does not check names: they are the kit's own.

    pub(crate) fn make_counters<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Result<Counters<N>, BuildError> {
        let described = Described { name, help, labels: &labels, pattern: Counter::default() };
        self.own().find_or_make(described, Own::Counter, Own::counter).map(Counters)
    }

    pub(crate) fn make_gauges<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
    ) -> Result<Gauges<N>, BuildError> {
        let described = Described { name, help, labels: &labels, pattern: Gauge::default() };
        self.own().find_or_make(described, Own::Gauge, Own::gauge).map(Gauges)
    }

    pub(crate) fn make_histograms<const N: usize>(
        &self,
        name: &'static str,
        help: &'static str,
        labels: [&'static str; N],
        bounds: &[f64],
    ) -> Result<Histograms<N>, BuildError> {
        let ascend = bounds.is_sorted_by(|a, b| a < b) && bounds.iter().all(|b| b.is_finite());
        if bounds.is_empty() || !ascend {
            let allowed = "finite numbers that ascend, one at least";
            return Err(BuildError::new("bounds", format!("{bounds:?}"), allowed));
        }
        let described = Described { name, help, labels: &labels, pattern: Histogram::new(bounds) };
        self.own().find_or_make(described, Own::Histogram, Own::histogram).map(Histograms)
    }
}

impl Own {
    fn counter(&self) -> Option<&Arc<LabelSets<Counter>>> {
        if let Self::Counter(sets) = self { Some(sets) } else { None }
    }

    fn gauge(&self) -> Option<&Arc<LabelSets<Gauge>>> {
        if let Self::Gauge(sets) = self { Some(sets) } else { None }
    }

    fn histogram(&self) -> Option<&Arc<LabelSets<Histogram>>> {
        if let Self::Histogram(sets) = self { Some(sets) } else { None }
    }
}

/// The rules of the exposition format, and no name twice.
fn check(name: &'static str, labels: &[&'static str]) -> Result<(), BuildError> {
    let refused = |setting, value, allowed| Err(BuildError::new(setting, value, allowed));
    if !is_word(name, true) {
        return refused(
            "name",
            name,
            "a word of letters, digits, `_` and `:` that does not begin with a digit",
        );
    }
    let suffixes = ["_total", "_bucket", "_sum", "_count", "_created", "_info"];
    if suffixes.iter().any(|suffix| name.ends_with(suffix)) {
        return refused(
            "name",
            name,
            "a name without suffix: it is added where the metric is shown",
        );
    }
    if catalogue::is_known(name) {
        return refused("name", name, "a name that the kit does not use itself");
    }
    for (at, label) in labels.iter().enumerate() {
        if !is_word(label, false) || label.starts_with("__") || *label == "le" {
            let allowed = "a word of letters, digits and `_` that does not begin with a digit or `__`, but not `le`";
            return refused("labels", label, allowed);
        }
        if labels[..at].contains(label) {
            return refused("labels", label, "a label that is not there yet");
        }
    }
    Ok(())
}

/// Whether it can name a label; with colons, a metric.
pub(super) fn is_word(word: &str, colons: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colons && c == ':');
    !word.is_empty() && word.chars().all(fits) && !word.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_labels_are_checked() {
        let registry = Registry::new();
        let check = |name, label, expect: &str| {
            let said = registry
                .counters(name, "Help", [label])
                .map_or_else(|e| e.to_string(), |_| String::new());
            assert!(
                said.contains(expect) && said.is_empty() == expect.is_empty(),
                "{name}: {said}"
            );
        };
        check("orders", "kind", "");
        check("orders", "kind", "");
        check("orders", "other", "the kind, labels and bounds of the metric");
        check("2orders", "kind", "begin with a digit");
        check("", "kind", "letters");
        check("orders placed", "kind", "letters");
        check("orders_total", "kind", "without suffix");
        check("pool_waiting", "kind", "does not use itself");
        check("shop:orders", "le", "not `le`");
        check("shop:orders", "__kind", "`__`");
        check("shop:orders", "kind:a", "letters");
        let twice = registry.counters("twice", "Help", ["a", "a"]).unwrap_err();
        assert_eq!(
            (twice.setting(), twice.value(), twice.allowed()),
            ("labels", "a", "a label that is not there yet")
        );
        assert!(registry.gauge("orders", "Help").is_err());
        assert!(registry.histograms("orders", "Help", ["kind"], &[1.0]).is_err());
    }

    #[test]
    fn bounds_are_checked() {
        let registry = Registry::new();
        for bounds in [&[][..], &[1.0, 1.0], &[2.0, 1.0], &[1.0, f64::INFINITY], &[f64::NAN]] {
            assert!(registry.histogram("a_seconds", "Help", bounds).is_err(), "{bounds:?}");
        }
        registry.histogram("a_seconds", "Help", &[1.0]).unwrap().observe(0.5);
        assert_eq!(registry.histogram("a_seconds", "Help", &[1.0]).unwrap().count(), 1);
        assert!(registry.histogram("a_seconds", "Help", &[1.0, 2.0]).is_err());
    }
}
