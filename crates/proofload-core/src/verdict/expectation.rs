//! Expectations of a phase: a measure with a target and a limit.

use super::{Bound, ExpressionError, Measure};
use std::fmt;

/// What a phase must hold of one measure.
///
/// Meeting the target is what one wants; breaking the limit is what one cannot accept. A bare
/// expectation is target and limit in one.
#[derive(Clone, Debug, PartialEq)]
pub struct Expectation {
    measure: Measure,
    target: Option<Bound>,
    limit: Option<Bound>,
}

impl Expectation {
    /// A bare expectation: the bound is target and limit in one.
    #[must_use]
    pub fn bare(measure: Measure, bound: Bound) -> Self {
        Self { measure, target: Some(bound), limit: Some(bound) }
    }

    /// An expectation with two levels, of which at least one must be given.
    ///
    /// # Errors
    /// When neither is given, or when the target is looser than the limit (then one of them is
    /// surely a slip).
    pub fn two_level(
        measure: Measure,
        target: Option<Bound>,
        limit: Option<Bound>,
    ) -> Result<Self, ExpressionError> {
        let name = measure.to_string();
        if target.is_none() && limit.is_none() {
            let message = format!("`{name}` has neither a target nor a limit");
            return Err(ExpressionError::new(&name, 0..name.len(), message));
        }
        if let (Some(target), Some(limit)) = (target, limit)
            && !target.is_within(&limit)
        {
            let message =
                format!("the target of `{name}` ({target}) is looser than its limit ({limit})");
            let error = ExpressionError::new(&name, 0..name.len(), message);
            return Err(error.help("a target is what you want, a limit what you cannot accept"));
        }
        Ok(Self { measure, target, limit })
    }

    /// What is measured.
    #[must_use]
    pub fn measure(&self) -> &Measure {
        &self.measure
    }

    /// What one wants, if that was said.
    #[must_use]
    pub fn target(&self) -> Option<&Bound> {
        self.target.as_ref()
    }

    /// What one cannot accept, if that was said.
    #[must_use]
    pub fn limit(&self) -> Option<&Bound> {
        self.limit.as_ref()
    }

    /// Compares with a measured value in the base unit of the measure. A measure without data is
    /// not met: neither its target nor its limit.
    #[must_use]
    pub fn judge(&self, measured: Option<f64>) -> ExpectationOutcome {
        let measured = measured.filter(|value| !value.is_nan());
        let keeps = |bound: Bound| measured.is_some_and(|value| bound.holds(value));
        ExpectationOutcome {
            expectation: self.clone(),
            measured,
            target_met: self.target.map(keeps),
            limit_met: self.limit.map(keeps),
        }
    }
}

/// `p95: target < 500 ms, limit < 2.00 s`
impl fmt::Display for Expectation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.target, &self.limit) {
            (Some(target), Some(limit)) if target == limit => {
                write!(f, "{} {target}", self.measure)
            }
            (target, limit) => {
                write!(f, "{}:", self.measure)?;
                if let Some(target) = target {
                    write!(f, " target {target}")?;
                }
                if target.is_some() && limit.is_some() {
                    f.write_str(",")?;
                }
                if let Some(limit) = limit {
                    write!(f, " limit {limit}")?;
                }
                Ok(())
            }
        }
    }
}

/// How an expectation came out.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpectationOutcome {
    /// What was expected.
    pub expectation: Expectation,
    /// What was measured, in the base unit of the measure; none without data.
    pub measured: Option<f64>,
    /// Whether the target is met; none if there is no target.
    pub target_met: Option<bool>,
    /// Whether the limit is kept; none if there is no limit.
    pub limit_met: Option<bool>,
}

impl ExpectationOutcome {
    /// Whether a limit is broken.
    #[must_use]
    pub fn breaks_limit(&self) -> bool {
        self.limit_met == Some(false)
    }

    /// The measured value for people; "no data" without one.
    #[must_use]
    pub fn measured_text(&self) -> String {
        // A monitor's unit is known from the bound only.
        let bound = self.expectation.target.or(self.expectation.limit);
        let quantity = bound.map_or(self.expectation.measure.quantity(), |bound| bound.quantity);
        self.measured.map_or_else(|| "no data".to_owned(), |value| quantity.human(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(measure: &Measure, text: &str) -> Bound {
        Bound::parse(text, measure).unwrap()
    }

    #[test]
    fn target_and_limit_are_judged_apart() {
        let p95 = Measure::parse("p95").unwrap();
        let expectation = Expectation::two_level(
            p95.clone(),
            Some(bound(&p95, "<500ms")),
            Some(bound(&p95, "<2s")),
        )
        .unwrap();
        let check = |measured: Option<f64>, target: bool, limit: bool, text: &str| {
            let outcome = expectation.judge(measured);
            assert_eq!((outcome.target_met, outcome.limit_met), (Some(target), Some(limit)));
            assert_eq!(outcome.measured_text(), text);
            assert_eq!(outcome.breaks_limit(), !limit);
        };
        check(Some(499e6), true, true, "499 ms");
        check(Some(500e6), false, true, "500 ms");
        check(Some(2e9), false, false, "2.00 s");
        check(None, false, false, "no data");
        check(Some(f64::NAN), false, false, "no data");
        assert_eq!(expectation.to_string(), "p95: target < 500 ms, limit < 2.00 s");
    }

    #[test]
    fn one_level_says_nothing_about_the_other() {
        let rps = Measure::parse("rps").unwrap();
        let limit = Some(bound(&rps, ">50/s"));
        let expectation = Expectation::two_level(rps.clone(), None, limit).unwrap();
        let outcome = expectation.judge(Some(10.0));
        assert_eq!((outcome.target_met, outcome.limit_met), (None, Some(false)));
        let bare = Expectation::bare(rps.clone(), bound(&rps, ">50/s")).judge(Some(60.0));
        assert_eq!((bare.target_met, bare.limit_met), (Some(true), Some(true)));
    }

    #[test]
    fn slips_are_refused() {
        let check = |measure: &str, target: &str, limit: &str, ok: bool| {
            let measure = Measure::parse(measure).unwrap();
            let (target, limit) = (bound(&measure, target), bound(&measure, limit));
            let result = Expectation::two_level(measure, Some(target), Some(limit));
            assert_eq!(result.is_ok(), ok, "{result:?}");
        };
        check("p95", "<500ms", "<2s", true);
        check("p95", "<2s", "<500ms", false);
        check("success_rate", ">99.5%", ">99%", true);
        check("success_rate", ">99%", ">99.5%", false);
        check("p95", "<1s", "<1s", true);
        assert!(Expectation::two_level(Measure::Failed, None, None).is_err());
    }
}
