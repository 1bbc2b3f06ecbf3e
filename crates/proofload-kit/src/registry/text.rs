//! Prometheus' own text format, version 0.0.4: what every scraper, `promtool` and people with `curl` read.

use std::fmt::{self, Write as _};

use super::Registry;
use super::families::{Family, Sample, Value};

impl Registry {
    /// All metrics in Prometheus' text format, version 0.0.4.
    ///
    /// ```
    /// # fn main() -> Result<(), proofload_kit::BuildError> {
    /// let registry = proofload_kit::Registry::new();
    /// registry.counter("orders", "Orders placed")?.add(3);
    /// assert_eq!(
    ///     registry.prometheus_text(),
    ///     "# HELP orders_total Orders placed\n# TYPE orders_total counter\norders_total 3\n"
    /// );
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn prometheus_text(&self) -> String {
        let mut text = String::new();
        for (name, family) in self.families().iter() {
            // Writing to a string cannot fail.
            let _ = write_family(&mut text, name, family);
        }
        text
    }
}

fn write_family(text: &mut String, name: &str, family: &Family) -> fmt::Result {
    let Some(first) = family.samples.first() else { return Ok(()) };
    let (suffix, kind) = match first.value {
        Value::Counter(_) => ("_total", "counter"),
        Value::Gauge(_) => ("", "gauge"),
        Value::Histogram { .. } => ("", "histogram"),
    };
    let help = Escaped { text: family.help, quotes: false };
    writeln!(text, "# HELP {name}{suffix} {help}\n# TYPE {name}{suffix} {kind}")?;
    for sample in &family.samples {
        match &sample.value {
            Value::Counter(value) => line(text, name, "_total", sample, None, value)?,
            Value::Gauge(value) => line(text, name, "", sample, None, &Number(*value))?,
            Value::Histogram { buckets, sum } => {
                let mut below = 0;
                for &(bound, count) in buckets {
                    below += count;
                    line(text, name, "_bucket", sample, Some(bound), &below)?;
                }
                line(text, name, "_sum", sample, None, &Number(*sum))?;
                line(text, name, "_count", sample, None, &below)?;
            }
        }
    }
    Ok(())
}

fn line(
    text: &mut String,
    name: &str,
    suffix: &str,
    sample: &Sample,
    bound: Option<f64>,
    value: &dyn fmt::Display,
) -> fmt::Result {
    write!(text, "{name}{suffix}")?;
    let mut before = '{';
    for (label, value) in &sample.labels {
        write!(text, "{before}{label}=\"{}\"", Escaped { text: value, quotes: true })?;
        before = ',';
    }
    if let Some(bound) = bound {
        write!(text, "{before}le=\"{}\"", Number(bound))?;
        before = ',';
    }
    let close = if before == ',' { "}" } else { "" };
    writeln!(text, "{close} {value}")
}

/// A number as the format wants it: infinity is `+Inf`.
struct Number(f64);

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            f64::INFINITY => f.write_str("+Inf"),
            f64::NEG_INFINITY => f.write_str("-Inf"),
            value => write!(f, "{value}"),
        }
    }
}

/// Backslashes and line ends are escaped everywhere, quotes in label values only.
struct Escaped<'a> {
    text: &'a str,
    quotes: bool,
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.text.chars() {
            match character {
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                '"' if self.quotes => f.write_str("\\\"")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::Registry;

    #[test]
    fn all_kinds_with_and_without_labels() {
        let registry = Registry::new();
        registry.counter("a", "A\nwith \\ and \"").unwrap().add(7);
        registry.counters("b", "B", ["x", "y"]).unwrap().with(["1\"", "\\\n"]).increment();
        registry.gauge("c", "C").unwrap().set(-0.5);
        registry.gauges("d", "D", ["x"]).unwrap().with(["ü"]).set(f64::INFINITY);
        let times = registry.histograms("e_seconds", "E", ["x"], &[0.1, 2.0]).unwrap();
        for value in [0.1, 0.2, 0.25, 3.0] {
            times.with(["1"]).observe(value);
        }
        let plain = registry.histogram("f_seconds", "F", &[1.0]).unwrap();
        plain.observe(2.0);
        // Nothing was counted with these labels yet.
        registry.counters("g", "G", ["x"]).unwrap();
        let expected = r##"# HELP a_total A\nwith \\ and "
# TYPE a_total counter
a_total 7
# HELP b_total B
# TYPE b_total counter
b_total{x="1\"",y="\\\n"} 1
# HELP c C
# TYPE c gauge
c -0.5
# HELP d D
# TYPE d gauge
d{x="ü"} +Inf
# HELP e_seconds E
# TYPE e_seconds histogram
e_seconds_bucket{x="1",le="0.1"} 1
e_seconds_bucket{x="1",le="2"} 3
e_seconds_bucket{x="1",le="+Inf"} 4
e_seconds_sum{x="1"} 3.55
e_seconds_count{x="1"} 4
# HELP f_seconds F
# TYPE f_seconds histogram
f_seconds_bucket{le="1"} 0
f_seconds_bucket{le="+Inf"} 1
f_seconds_sum 2
f_seconds_count 1
"##;
        assert_eq!(registry.prometheus_text(), expected);
        assert_eq!(Registry::new().prometheus_text(), "");
    }
}
