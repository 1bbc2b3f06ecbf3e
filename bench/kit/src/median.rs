//! Rounds of several contenders, and medians of them.

/// What each contender needed in each round, in nanoseconds a call.
#[derive(Debug)]
pub(crate) struct Rounds {
    samples: Vec<Vec<f64>>,
}

impl Rounds {
    /// Lets every contender take its turn in every round, in rotating order; the first round is thrown away.
    pub(crate) fn run(rounds: u32, contenders: usize, mut turn: impl FnMut(usize) -> f64) -> Self {
        let mut samples = vec![Vec::new(); contenders];
        for round in 0..=rounds as usize {
            for place in 0..contenders {
                let contender = (round + place) % contenders;
                let sample = turn(contender);
                if round > 0 {
                    samples[contender].push(sample);
                }
            }
        }
        Self { samples }
    }

    /// The median of a contender.
    pub(crate) fn median(&self, contender: usize) -> f64 {
        median(self.samples[contender].clone())
    }

    /// The median of the ratios of two contenders, round by round.
    pub(crate) fn ratio(&self, of: usize, to: usize) -> f64 {
        median(self.samples[of].iter().zip(&self.samples[to]).map(|(a, b)| a / b).collect())
    }

    /// The median of the differences of two contenders, round by round.
    pub(crate) fn difference(&self, of: usize, minus: usize) -> f64 {
        median(self.samples[of].iter().zip(&self.samples[minus]).map(|(a, b)| a - b).collect())
    }
}

/// NaN of nothing.
pub(crate) fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    let middle = samples.len() / 2;
    match samples.len() {
        0 => f64::NAN,
        even if even % 2 == 0 => f64::midpoint(samples[middle - 1], samples[middle]),
        _ => samples[middle],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_are_of_the_same_round() {
        // The machine slows down; the second contender always needs twice as much.
        let mut now = 0.0;
        let rounds = Rounds::run(5, 2, |contender| {
            now += 1.0;
            (now / 2.0_f64).ceil() * if contender == 1 { 2.0 } else { 1.0 }
        });
        assert_eq!(rounds.ratio(1, 0), 2.0);
        assert_eq!(rounds.median(0), 4.0);
        assert_eq!(rounds.difference(1, 0), 4.0);
    }
}
