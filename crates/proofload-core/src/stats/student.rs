//! Student's t distribution: tail probabilities and quantiles.
//!
//! Both come from the regularised incomplete beta function, which is computed by its continued
//! fraction (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.8 and 26.7.1) with
//! Lentz's method (Applied Optics 15, 1976). Degrees of freedom need not be whole: those of Welch
//! and Satterthwaite are not.

/// Above this many degrees of freedom the distribution is the normal one to ten digits or more of
/// what is asked here.
const NORMAL_DF: f64 = 1e7;

/// P(|T| ≥ |t|) with `df` degrees of freedom, which may be infinite. 1 if `t` is no number.
#[must_use]
pub fn two_sided_p(t: f64, df: f64) -> f64 {
    if t.is_nan() || df.is_nan() || df <= 0.0 {
        return 1.0;
    }
    if t.is_infinite() {
        return 0.0;
    }
    let df = df.min(NORMAL_DF);
    incomplete_beta(df / 2.0, 0.5, df / (df + t * t)).clamp(0.0, 1.0)
}

/// The t beyond which, on both sides together, the probability `p` (0…1) lies.
#[must_use]
pub fn two_sided_quantile(p: f64, df: f64) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    // With one degree of freedom and p = 1e-12 it is about 6e11: this ends.
    while two_sided_p(high, df) > p && high < 1e15 {
        high *= 2.0;
    }
    for _ in 0..200 {
        let middle = f64::midpoint(low, high);
        if two_sided_p(middle, df) > p {
            low = middle;
        } else {
            high = middle;
        }
    }
    f64::midpoint(low, high)
}

/// I_x(a, b) for positive `a` and `b`.
fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 || x >= 1.0 {
        return x.clamp(0.0, 1.0);
    }
    let log_front = ln_gamma(a + b) - ln_gamma(a) - ln_gamma(b) + a * x.ln() + b * (-x).ln_1p();
    // The fraction converges quickly below the mean only; the other side is the mirror image.
    if x < (a + 1.0) / (a + b + 2.0) {
        log_front.exp() * continued_fraction(a, b, x) / a
    } else {
        1.0 - log_front.exp() * continued_fraction(b, a, 1.0 - x) / b
    }
}

/// The continued fraction of the incomplete beta function by Lentz's method.
fn continued_fraction(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    const STEPS: u32 = 10_000;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..=STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let factor = d * c;
        fraction *= factor;
        if (factor - 1.0).abs() < 1e-15 {
            break;
        }
    }
    fraction
}

/// ln Γ(x) for x > 0: Stirling's series (Abramowitz and Stegun 6.1.41) after the recurrence has
/// carried the argument to where the series is exact to double precision.
fn ln_gamma(x: f64) -> f64 {
    let (mut x, mut shift) = (x, 0.0);
    while x < 12.0 {
        shift -= x.ln();
        x += 1.0;
    }
    let inverse = 1.0 / x;
    let square = inverse * inverse;
    let series = inverse
        * (1.0 / 12.0
            - square
                * (1.0 / 360.0
                    - square * (1.0 / 1260.0 - square * (1.0 / 1680.0 - square / 1188.0))));
    let half_ln_two_pi = 0.918_938_533_204_672_8;
    (x - 0.5) * x.ln() - x + half_ln_two_pi + series + shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_printed_tables() {
        let check = |p: f64, df: f64, t: f64| {
            let found = two_sided_quantile(p, df);
            assert!((found - t).abs() < 6e-4 * t, "p = {p}, df = {df}: {found}, not {t}");
            assert!((two_sided_p(found, df) / p - 1.0).abs() < 1e-6);
        };
        check(0.05, 1.0, 12.706);
        check(0.05, 2.0, 4.303);
        check(0.05, 10.0, 2.228);
        check(0.01, 4.0, 4.604);
        check(0.01, 18.0, 2.878);
        check(0.001, 8.0, 5.041);
        check(0.002, 30.0, 3.385);
        check(0.05, 120.0, 1.980);
        check(0.01, f64::INFINITY, 2.576);
        check(0.05, f64::INFINITY, 1.960);
    }

    #[test]
    fn closed_forms() {
        // One degree of freedom is Cauchy's distribution, two have an algebraic one.
        for t in [0.1_f64, 1.0, 3.0, 40.0] {
            let cauchy = 1.0 - 2.0 / std::f64::consts::PI * t.atan();
            assert!((two_sided_p(t, 1.0) - cauchy).abs() < 1e-12, "{t}");
            let two = 1.0 - t / (2.0 + t * t).sqrt();
            assert!((two_sided_p(t, 2.0) - two).abs() < 1e-12, "{t}");
        }
    }

    #[test]
    fn nonsense_is_never_significant() {
        assert_eq!(two_sided_p(f64::NAN, 5.0), 1.0);
        assert_eq!(two_sided_p(3.0, 0.0), 1.0);
        assert_eq!(two_sided_p(0.0, 5.0), 1.0);
        assert_eq!(two_sided_p(f64::INFINITY, 5.0), 0.0);
    }

    proptest::proptest! {
        #[test]
        fn larger_is_rarer(t in 0.0_f64..50.0, more in 0.001_f64..10.0, df in 1.0_f64..500.0) {
            let (near, far) = (two_sided_p(t, df), two_sided_p(t + more, df));
            proptest::prop_assert!(far <= near, "{near} {far}");
            proptest::prop_assert!((0.0..=1.0).contains(&far));
            proptest::prop_assert_eq!(two_sided_p(-t, df), near);
        }
    }
}
