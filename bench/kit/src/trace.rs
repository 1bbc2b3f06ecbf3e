//! Streams of keys.

use fastrand::Rng;

/// What asks for keys.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trace {
    /// Some keys are asked for much more often than others: the n-th with a share of `1 / n^skew`.
    Zipf {
        /// How many keys there are.
        keys: u32,
        /// 0 is uniform; web traffic has 0.6 to 1.1.
        skew: f64,
    },
    /// What replacement policies that adapt were made for: Zipf traffic, then a scan of keys that never come again, then a
    /// loop over somewhat more keys than fit, and from the start, with other keys.
    Mixed {
        /// How many keys the Zipf part has, and how long a loop is.
        keys: u32,
    },
}

impl Trace {
    /// Its name in the table.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Zipf { keys, skew } => format!("Zipf {skew}, {keys} keys"),
            Self::Mixed { keys } => format!("Zipf 0.9, scans and loops, {keys} keys"),
        }
    }

    /// The keys, one after the other.
    pub(crate) fn keys(self, length: u32, seed: u64) -> Vec<u32> {
        let mut random = Rng::with_seed(seed);
        match self {
            Self::Zipf { keys, skew } => {
                let zipf = Zipf::new(keys, skew);
                (0..length).map(|_| zipf.draw(&mut random)).collect()
            }
            Self::Mixed { keys } => mixed(keys, length, &mut random),
        }
    }
}

fn mixed(keys: u32, length: u32, random: &mut Rng) -> Vec<u32> {
    let zipf = Zipf::new(keys, 0.9);
    let length = length as usize;
    let part = (length / 20).max(1);
    let mut trace = Vec::with_capacity(length);
    // Keys of scans are their own and never come again.
    let mut fresh = 1_000_000_000;
    let mut epoch = 0;
    while trace.len() < length {
        let popular = epoch * keys;
        trace.extend((0..3 * part).map(|_| popular + zipf.draw(random)));
        trace.extend((0..part).map(|step| fresh + step as u32));
        fresh += part as u32;
        let looped = keys / 8;
        trace.extend((0..part).map(|step| popular + step as u32 % looped.max(1)));
        epoch += 1;
    }
    trace.truncate(length);
    trace
}

/// Draws ranks by their cumulated shares.
struct Zipf {
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(keys: u32, skew: f64) -> Self {
        let mut sum = 0.0;
        let cumulated = (1..=keys)
            .map(|rank| {
                sum += f64::from(rank).powf(-skew);
                sum
            })
            .collect();
        Self { cumulated }
    }

    fn draw(&self, random: &mut Rng) -> u32 {
        let all = self.cumulated.last().copied().unwrap_or(1.0);
        let at = random.f64() * all;
        self.cumulated.partition_point(|&sum| sum < at) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn the_first_key_of_zipf_1_has_its_share() {
        let trace = Trace::Zipf { keys: 1000, skew: 1.0 }.keys(100_000, 1);
        let mut counts: HashMap<u32, u32> = HashMap::new();
        for key in trace {
            *counts.entry(key).or_default() += 1;
        }
        let most = f64::from(*counts.values().max().unwrap()) / 100_000.0;
        // The harmonic number of 1000 is 7.485.
        assert!((most - 1.0 / 7.485).abs() < 0.01, "{most}");
        assert!(counts.len() > 950, "{} of 1000 keys", counts.len());
    }

    #[test]
    fn the_same_seed_is_the_same_trace() {
        let trace = Trace::Mixed { keys: 1000 };
        assert_eq!(trace.keys(5000, 3), trace.keys(5000, 3));
        assert_ne!(trace.keys(5000, 3), trace.keys(5000, 4));
        assert_eq!(trace.keys(5000, 3).len(), 5000);
    }
}
