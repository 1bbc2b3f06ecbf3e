//! How certain a share of independent trials is.

use super::student::two_sided_quantile;

/// Wilson's score interval of a share of `hits` among `trials`, at `level` (0…1); all of it without trials.
/// (E. B. Wilson, Journal of the American Statistical Association 22, 1927.)
#[must_use]
pub fn wilson(hits: u64, trials: u64, level: f64) -> (f64, f64) {
    if trials == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (trials as f64, hits.min(trials) as f64 / trials as f64);
    let z = two_sided_quantile(1.0 - level, f64::INFINITY);
    let (middle, scale) = (share + z * z / (2.0 * n), 1.0 + z * z / n);
    let reach = z * (share * (1.0 - share) / n + z * z / (4.0 * n * n)).sqrt();
    (((middle - reach) / scale).max(0.0), ((middle + reach) / scale).min(1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_tables() {
        let check = |hits: u64, trials: u64, level: f64, low: f64, high: f64| {
            let (a, b) = wilson(hits, trials, level);
            assert!((a - low).abs() < 1e-4 && (b - high).abs() < 1e-4, "{a} {b}");
        };
        // Brown, Cai and DasGupta, Statistical Science 16, 2001: 0 and 10 of 20 at 95 %.
        check(10, 20, 0.95, 0.2993, 0.7007);
        check(0, 20, 0.95, 0.0, 0.1611);
        check(20, 20, 0.95, 0.8389, 1.0);
        check(0, 0, 0.95, 0.0, 1.0);
    }
}
