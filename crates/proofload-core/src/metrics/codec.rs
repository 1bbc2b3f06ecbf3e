//! The compact binary form of a histogram, for the wire, the journal and the result file.
//!
//! One version byte, then LEB128 variable-length integers: minimum, maximum, sum, clamped, number
//! of buckets, and for each bucket with samples the distance from the one before and its count.
//! The form is canonical: equal histograms have equal bytes. Decoding treats its input as foreign:
//! it allocates no more than the buckets present ask for, and rejects what recording could not
//! have produced.

use super::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const VERSION: u8 = 1;
/// Larger totals are nonsense (2^56 samples take 2,000 years at a million a second) and would make
/// sums overflow when such histograms are merged.
const MAX_COUNT: u64 = 1 << 56;

/// Why bytes are not an encoded histogram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The input ends in the middle.
    #[error("the histogram is cut off")]
    Truncated,
    /// The first byte is a version this build does not know.
    #[error("histogram version {0} is not known, this build reads version {VERSION}")]
    UnknownVersion(u8),
    /// A number is longer than its type.
    #[error("a number in the histogram is too large")]
    Overflow,
    /// The parts contradict each other.
    #[error("the histogram contradicts itself: {0}")]
    Inconsistent(&'static str),
    /// Bytes follow after the end.
    #[error("{0} bytes follow after the histogram")]
    TrailingBytes(usize),
}

fn put_varint(out: &mut Vec<u8>, mut value: u128) {
    while value >= 0x80 {
        out.push((value as u8) | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn take_varint(input: &mut &[u8]) -> Result<u128, DecodeError> {
    let mut value = 0_u128;
    for shift in (0..u128::BITS).step_by(7) {
        let (&byte, rest) = input.split_first().ok_or(DecodeError::Truncated)?;
        *input = rest;
        let bits = u128::from(byte & 0x7f);
        if (bits << shift) >> shift != bits {
            return Err(DecodeError::Overflow);
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            // A padded zero would give two encodings of the same number.
            return if byte == 0 && shift > 0 { Err(DecodeError::Overflow) } else { Ok(value) };
        }
    }
    Err(DecodeError::Overflow)
}

fn take_u64(input: &mut &[u8]) -> Result<u64, DecodeError> {
    u64::try_from(take_varint(input)?).map_err(|_| DecodeError::Overflow)
}

impl Histogram {
    /// Appends the compact binary form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(VERSION);
        put_varint(out, self.used_buckets().count() as u128);
        if self.is_empty() {
            return;
        }
        put_varint(out, u128::from(self.min().unwrap_or_default()));
        put_varint(out, u128::from(self.max().unwrap_or_default()));
        put_varint(out, self.sum());
        put_varint(out, u128::from(self.clamped()));
        let mut next = 0;
        for (bucket, count) in self.used_buckets() {
            put_varint(out, (bucket - next) as u128);
            put_varint(out, u128::from(count));
            next = bucket + 1;
        }
    }

    /// Reads what [`Histogram::encode`] wrote; nothing may follow.
    ///
    /// # Errors
    /// When the bytes are not a histogram of a known version. Never panics, and allocates at most
    /// the pages of a full histogram (about 300 KiB).
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let histogram = Self::decode_from(&mut bytes)?;
        if bytes.is_empty() { Ok(histogram) } else { Err(DecodeError::TrailingBytes(bytes.len())) }
    }

    /// Reads a histogram from the front of `input` and moves it past.
    ///
    /// # Errors
    /// Like [`Histogram::decode`].
    pub fn decode_from(input: &mut &[u8]) -> Result<Self, DecodeError> {
        let (&version, rest) = input.split_first().ok_or(DecodeError::Truncated)?;
        if version != VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        *input = rest;
        let mut histogram = Self::new();
        let buckets = take_varint(input)?;
        if buckets == 0 {
            return Ok(histogram);
        }
        if buckets > Self::BUCKETS as u128 {
            return Err(DecodeError::Inconsistent("more buckets than exist"));
        }
        let (min, max) = (take_u64(input)?, take_u64(input)?);
        let (sum, clamped) = (take_varint(input)?, take_u64(input)?);
        let (mut next, mut total) = (0_u64, 0_u64);
        for _ in 0..buckets {
            let bucket = next.checked_add(take_u64(input)?).ok_or(DecodeError::Overflow)?;
            if bucket >= Self::BUCKETS as u64 {
                return Err(DecodeError::Inconsistent("a bucket beyond the range"));
            }
            let count = take_u64(input)?;
            total = total.checked_add(count).ok_or(DecodeError::Overflow)?;
            if count == 0 || total > MAX_COUNT {
                return Err(DecodeError::Inconsistent("an impossible number of samples"));
            }
            histogram.add_to_bucket(bucket as usize, count);
            next = bucket + 1;
        }
        histogram.set_exact(total, min, max, sum, clamped);
        histogram.check_exact().map_err(DecodeError::Inconsistent)?;
        Ok(histogram)
    }

    /// Whether the exact figures can belong to the buckets. Not empty.
    fn check_exact(&self) -> Result<(), &'static str> {
        let (Some(min), Some(max)) = (self.min(), self.max()) else { return Err("no samples") };
        let (Some(first), Some(last)) = (self.buckets().next(), self.buckets().last()) else {
            return Err("no buckets");
        };
        let holds = |low: u64, high: u64, value: u64| {
            let tracked = value.min(Self::MAX_TRACKABLE_NS);
            (low..=high).contains(&tracked)
        };
        if min > max || !holds(first.low_ns, first.high_ns, min) {
            return Err("the minimum is not in the first bucket");
        }
        if !holds(last.low_ns, last.high_ns, max) {
            return Err("the maximum is not in the last bucket");
        }
        let count = u128::from(self.count());
        if self.sum() < count * u128::from(min) || self.sum() > count * u128::from(max) {
            return Err("the sum does not fit the samples");
        }
        if self.clamped() > last.count || (self.clamped() > 0) != (max > Self::MAX_TRACKABLE_NS) {
            return Err("the clamped samples are not in the last bucket");
        }
        Ok(())
    }

    /// The binary form as base64 text, for JSON.
    #[must_use]
    pub fn to_base64(&self) -> String {
        use base64::Engine as _;
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        base64::engine::general_purpose::STANDARD_NO_PAD.encode(bytes)
    }

    /// Reads what [`Histogram::to_base64`] wrote.
    ///
    /// # Errors
    /// In words: not base64, or not a histogram.
    pub fn from_base64(text: &str) -> Result<Self, String> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::STANDARD_NO_PAD
            .decode(text)
            .map_err(|error| format!("the histogram is not base64: {error}"))?;
        Self::decode(&bytes).map_err(|error| error.to_string())
    }
}

/// Base64 text of the binary form.
impl Serialize for Histogram {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_base64())
    }
}

impl<'de> Deserialize<'de> for Histogram {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::from_base64(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn encoded(histogram: &Histogram) -> Vec<u8> {
        let mut bytes = Vec::new();
        histogram.encode(&mut bytes);
        bytes
    }

    #[test]
    fn the_form_is_small() {
        assert_eq!(encoded(&Histogram::new()), [VERSION, 0]);
        let one: Histogram = std::iter::repeat_n(1_000_000, 1000).collect();
        assert!(encoded(&one).len() <= 20, "{}", encoded(&one).len());
    }

    #[test]
    fn what_cannot_be_is_rejected() {
        let good = encoded(&[5, 7, 7].into_iter().collect());
        // version, buckets, min, max, sum, clamped, (5, 1), (1, 2)
        assert_eq!(good, [1, 2, 5, 7, 19, 0, 5, 1, 1, 2]);
        let check = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            assert!(Histogram::decode(&bytes).is_err(), "byte {at} = {byte}");
        };
        check(0, 2);
        check(1, 1);
        check(1, 3);
        check(2, 6);
        check(3, 8);
        check(4, 200);
        check(4, 1);
        check(5, 1);
        check(6, 4);
        check(7, 0);
        assert_eq!(Histogram::decode(&[]), Err(DecodeError::Truncated));
        assert_eq!(Histogram::decode(&[9]), Err(DecodeError::UnknownVersion(9)));
        assert_eq!(
            Histogram::decode(&[good.as_slice(), &[0]].concat()),
            Err(DecodeError::TrailingBytes(1))
        );
    }

    proptest! {
        #[test]
        fn round_trip(values in prop::collection::vec(0_u64..u64::MAX, 0..200), scale in 0_u32..60) {
            let histogram: Histogram = values.into_iter().map(|value| value >> scale).collect();
            let bytes = encoded(&histogram);
            let decoded = Histogram::decode(&bytes).unwrap();
            prop_assert_eq!(&decoded, &histogram);
            prop_assert_eq!(encoded(&decoded), bytes);
            let text = serde_json::to_string(&histogram).unwrap();
            prop_assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
        }

        #[test]
        fn foreign_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            let mut bytes = bytes;
            let _ = Histogram::decode(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = VERSION;
            }
            if let Ok(histogram) = Histogram::decode(&bytes) {
                prop_assert_eq!(encoded(&histogram), bytes);
                prop_assert!(histogram.value_at_quantile(0.5).is_some() || histogram.is_empty());
            }
        }

        #[test]
        fn a_flipped_byte_is_refused_or_still_canonical(
            values in prop::collection::vec(0_u64..10_000_000_000, 1..50),
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = encoded(&values.into_iter().collect());
            let at = at.index(bytes.len());
            bytes[at] = byte;
            if let Ok(histogram) = Histogram::decode(&bytes) {
                prop_assert_eq!(encoded(&histogram), bytes);
            }
        }
    }
}
