//! Many questions at once: p-values corrected so that false findings stay rare.
//!
//! Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995): of the findings
//! made at level α, at most the share α is expected to be false; if nothing changed at all, the
//! chance of any finding is at most α. It holds for independent and for positively dependent
//! p-values (Benjamini and Yekutieli, Annals of Statistics 29, 2001); the measures of a load test
//! rise and fall together.

/// The adjusted p-values, in the order of the given ones: a finding at level α is one whose adjusted
/// value is at most α.
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let count = p_values.len();
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut adjusted = vec![1.0; count];
    let mut least = 1.0_f64;
    for (rank, &at) in order.iter().enumerate().rev() {
        least = least.min(p_values[at] * count as f64 / (rank + 1) as f64);
        // Rounding must not make a p-value smaller than it was.
        adjusted[at] = least.max(p_values[at]);
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_paper() {
        // Section 3.2 of the paper: 15 p-values, at level 0.05 the four smallest are findings.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0000,
        ];
        let adjusted = benjamini_hochberg(&p);
        assert_eq!(adjusted.iter().filter(|&&p| p <= 0.05).count(), 4);
        assert!((adjusted[0] - 0.0015).abs() < 1e-12);
        assert!((adjusted[3] - 0.0095 * 15.0 / 4.0).abs() < 1e-12);
    }

    #[test]
    fn one_question_needs_no_correction() {
        assert_eq!(benjamini_hochberg(&[0.03]), [0.03]);
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(benjamini_hochberg(&[0.04, 0.01, 0.04]), [0.04, 0.03, 0.04]);
    }

    proptest::proptest! {
        #[test]
        fn adjusting_keeps_the_order_and_never_lowers(
            p in proptest::collection::vec(0.0_f64..=1.0, 0..40),
        ) {
            let adjusted = benjamini_hochberg(&p);
            for (a, (&p_a, &adj_a)) in p.iter().zip(&adjusted).enumerate() {
                proptest::prop_assert!(adj_a >= p_a && adj_a <= 1.0);
                for (&p_b, &adj_b) in p.iter().zip(&adjusted).skip(a + 1) {
                    proptest::prop_assert!((p_a < p_b) <= (adj_a <= adj_b));
                }
            }
        }

        #[test]
        fn a_smaller_p_value_never_hurts_another(
            mut p in proptest::collection::vec(0.0_f64..=1.0, 1..20),
            at in 0_usize..20,
            factor in 0.0_f64..=1.0,
        ) {
            let before = benjamini_hochberg(&p);
            let at = at % p.len();
            p[at] *= factor;
            for (before, after) in before.iter().zip(benjamini_hochberg(&p)) {
                proptest::prop_assert!(after <= *before);
            }
        }
    }
}
