//! Medians over rounds, and ratios that pair the runs of one round.
//!
//! The ratio against a peer is taken inside each round and the median is taken of the ratios: noise that lasts longer
//! than a round then falls on both sides of the division.

/// The median of a set with its extremes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The middle value, or the mean of the two middle values.
    pub(crate) median: f64,
    /// The smallest value.
    pub(crate) min: f64,
    /// The largest value.
    pub(crate) max: f64,
}

/// The spread of `values`; nothing for an empty set.
pub(crate) fn spread(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
    let mut sorted: Vec<f64> = values.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    let (min, max) = (*sorted.first()?, *sorted.last()?);
    let upper = sorted[sorted.len() / 2];
    let median = if sorted.len() % 2 == 1 {
        upper
    } else {
        f64::midpoint(sorted[sorted.len() / 2 - 1], upper)
    };
    Some(Spread { median, min, max })
}

/// `value / base` for every round that both sides have, given as (round, value).
pub(crate) fn paired_ratios(values: &[(u32, f64)], base: &[(u32, f64)]) -> Vec<f64> {
    values
        .iter()
        .filter_map(|(round, value)| {
            let (_, base) = base.iter().find(|(other, _)| other == round)?;
            (*base > 0.0).then(|| value / base)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spreads() {
        fn check(values: &[f64], expect: Option<(f64, f64, f64)>) {
            let expect = expect.map(|(median, min, max)| Spread { median, min, max });
            assert_eq!(spread(values.iter().copied()), expect, "{values:?}");
        }
        check(&[], None);
        check(&[3.0], Some((3.0, 3.0, 3.0)));
        check(&[9.0, 1.0, 4.0], Some((4.0, 1.0, 9.0)));
        check(&[9.0, 1.0, 4.0, 5.0], Some((4.5, 1.0, 9.0)));
    }

    #[test]
    fn ratios_pair_the_rounds_and_skip_what_has_no_pair() {
        let base = [(0, 2.0), (1, 4.0), (3, 0.0)];
        let values = [(0, 3.0), (1, 6.0), (2, 100.0), (3, 5.0)];
        assert_eq!(paired_ratios(&values, &base), [1.5, 1.5]);
    }
}
