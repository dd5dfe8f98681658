//! How many different values were seen: exactly while they are few, then by HyperLogLog; pure.
//!
//! The estimator is that of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017),
//! section 2: it needs no tables of corrections and is unbiased over the whole range.

use std::collections::HashSet;

/// The different values that were seen, by their hashes of 64 well-mixed bits.
#[derive(Clone, Debug)]
pub(crate) enum Sketch {
    /// All hashes: a count of values up to the chance that two of so few share 64 bits.
    Exact(HashSet<u64>),
    /// For each prefix of hashes, the longest run of zeros that followed it, plus one.
    Registers(Vec<u8>),
}

impl Default for Sketch {
    fn default() -> Self {
        Self::Exact(HashSet::new())
    }
}

impl Sketch {
    /// Notes a value. `precision` is the number of prefix bits, the same for every call.
    pub fn insert(&mut self, hash: u64, precision: u8) {
        match self {
            Self::Exact(hashes) => {
                hashes.insert(hash);
                if hashes.len() > MAX_EXACT {
                    self.approximate(precision);
                }
            }
            Self::Registers(registers) => note(registers, hash, precision),
        }
    }

    /// Notes all values of another sketch of the same precision.
    pub fn merge(&mut self, other: Sketch, precision: u8) {
        match other {
            Self::Exact(hashes) => hashes.into_iter().for_each(|hash| self.insert(hash, precision)),
            Self::Registers(theirs) => {
                self.approximate(precision);
                if let Self::Registers(ours) = self {
                    ours.iter_mut().zip(theirs).for_each(|(ours, theirs)| *ours = (*ours).max(theirs));
                }
            }
        }
    }

    /// How many different values there were.
    pub fn count(&self, precision: u8) -> u64 {
        match self {
            Self::Exact(hashes) => hashes.len() as u64,
            Self::Registers(registers) => estimate(registers, precision),
        }
    }

    /// The sketch as bytes, for another process.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::Exact(hashes) => {
                let mut bytes = vec![EXACT];
                hashes.iter().for_each(|hash| bytes.extend_from_slice(&hash.to_le_bytes()));
                bytes
            }
            Self::Registers(registers) => [&[REGISTERS], registers.as_slice()].concat(),
        }
    }

    /// The sketch that these bytes are; `None` if they are none of this precision.
    pub fn from_bytes(bytes: &[u8], precision: u8) -> Option<Self> {
        match bytes.split_first()? {
            (&EXACT, rest) if rest.len() % 8 == 0 => {
                let hashes =
                    rest.chunks_exact(8).filter_map(|chunk| chunk.try_into().ok().map(u64::from_le_bytes));
                Some(Self::Exact(hashes.collect()))
            }
            (&REGISTERS, rest) if rest.len() == 1 << precision => Some(Self::Registers(rest.to_vec())),
            _ => None,
        }
    }

    /// The memory it takes, in bytes.
    pub fn size(&self) -> usize {
        match self {
            // A hash set holds up to a seventh more places than values, each with a byte of its own.
            Self::Exact(hashes) => hashes.capacity() * 9 * 8 / 7,
            Self::Registers(registers) => registers.capacity(),
        }
    }

    fn approximate(&mut self, precision: u8) {
        if let Self::Exact(hashes) = self {
            let mut registers = vec![0; 1 << precision];
            hashes.iter().for_each(|&hash| note(&mut registers, hash, precision));
            *self = Self::Registers(registers);
        }
    }
}

fn note(registers: &mut [u8], hash: u64, precision: u8) {
    let prefix = (hash >> (64 - precision)) as usize;
    // The bit behind the last one bounds the run of zeros.
    let rest = (hash << precision) | (1 << (precision - 1));
    let rank = rest.leading_zeros() as u8 + 1;
    registers[prefix] = registers[prefix].max(rank);
}

fn estimate(registers: &[u8], precision: u8) -> u64 {
    let longest = usize::from(64 - precision);
    let mut histogram = vec![0_f64; longest + 2];
    registers.iter().for_each(|&rank| histogram[usize::from(rank).min(longest + 1)] += 1.0);
    let count = registers.len() as f64;
    let mut sum = count * tau(1.0 - histogram[longest + 1] / count);
    for rank in (1..=longest).rev() {
        sum = 0.5 * (sum + histogram[rank]);
    }
    sum += count * sigma(histogram[0] / count);
    (count * count / (2.0 * std::f64::consts::LN_2 * sum)).round() as u64
}

fn sigma(share: f64) -> f64 {
    if share == 1.0 {
        return f64::INFINITY;
    }
    let (mut power, mut factor, mut sum) = (share, 1.0, share);
    loop {
        power *= power;
        let before = sum;
        sum += power * factor;
        factor += factor;
        if sum == before {
            return sum;
        }
    }
}

fn tau(share: f64) -> f64 {
    if share == 0.0 || share == 1.0 {
        return 0.0;
    }
    let (mut root, mut factor, mut sum) = (share, 1.0, 1.0 - share);
    loop {
        root = root.sqrt();
        let before = sum;
        factor *= 0.5;
        sum -= (1.0 - root).powi(2) * factor;
        if sum == before {
            return sum / 3.0;
        }
    }
}

/// Above this number of values the count is an estimate.
const MAX_EXACT: usize = 4096;

const EXACT: u8 = 0;
const REGISTERS: u8 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// Mixes a number to 64 well-mixed bits (SplitMix64).
    fn mixed(number: u64) -> u64 {
        let mut z = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    #[test]
    fn few_values_are_counted_exactly_and_many_within_two_percent() {
        for wanted in [0, 1, 999, 4096, 5_000, 50_000, 1_000_000_u64] {
            let mut sketch = Sketch::default();
            (0..wanted).chain(0..wanted / 2).for_each(|number| sketch.insert(mixed(number), 14));
            let found = sketch.count(14);
            let allowed = if wanted <= 4096 { 0 } else { wanted / 50 };
            assert!(found.abs_diff(wanted) <= allowed, "{found} of {wanted}");
        }
    }

    #[test]
    fn a_merge_counts_what_both_have_seen_once() {
        for size in [100, 3_000, 20_000_u64] {
            let sketch = |from: u64| {
                let mut sketch = Sketch::default();
                (from..from + size).for_each(|number| sketch.insert(mixed(number), 14));
                sketch
            };
            let mut merged = sketch(0);
            let sent = Sketch::from_bytes(&sketch(size / 2).to_bytes(), 14).unwrap();
            merged.merge(sent, 14);
            let wanted = size + size / 2;
            assert!(merged.count(14).abs_diff(wanted) <= wanted / 50);
        }
    }

    #[test]
    fn bytes_of_another_precision_are_no_sketch() {
        assert!(Sketch::from_bytes(&[REGISTERS, 0, 0], 14).is_none());
        assert!(Sketch::from_bytes(&[EXACT, 0], 14).is_none());
        assert!(Sketch::from_bytes(&[], 14).is_none());
    }
}
