//! Digests of numbers, from which percentiles are estimated: the merging t-digest of Dunning and Ertl; pure.
//!
//! A digest is a `dynamic`: `{"whole":true,"centroids":[[mean,weight],…]}`. Up to [`EXACT`] different numbers are kept as
//! they are; beyond that neighbours are merged, closer at the ends than in the middle.

use serde_json::{Value as Json, json};

/// How many centroids are kept without merging.
const EXACT: usize = 2_048;
/// How fine a digest is: about so many centroids are left when neighbours were merged, and the heaviest, in the middle,
/// has π/2 of the weight by this.
const FINENESS: f64 = 1_000.0;

/// Numbers with weights, ordered by number when it was last merged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Digest {
    /// Whether all numbers were whole, so that percentiles are whole as well.
    pub is_whole: bool,
    centroids: Vec<(f64, f64)>,
    /// How many are in order from the start.
    merged: usize,
}

impl Digest {
    /// Adds a number, or a centroid of several.
    pub fn add(&mut self, number: f64, weight: f64) {
        if number.is_nan() || !(weight > 0.0 && weight.is_finite()) {
            return;
        }
        self.centroids.push((number, weight));
        if self.centroids.len() >= 2 * EXACT {
            self.merge();
        }
    }

    /// Adds all of another digest.
    pub fn add_all(&mut self, other: &Digest) {
        if other.centroids.is_empty() {
            return;
        }
        self.is_whole =
            if self.centroids.is_empty() { other.is_whole } else { self.is_whole && other.is_whole };
        other.centroids.iter().for_each(|(number, weight)| self.add(*number, *weight));
    }

    /// The least number that so many percent of the weight do not exceed; none of none.
    pub fn percentile(&mut self, percentage: f64) -> Option<f64> {
        self.merge();
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        // A product such as 99.9 % of 1000 must not be lifted to the next rank by its last digit.
        let rank = (percentage.clamp(0.0, 100.0) * total / 100.0 - 1e-9).ceil().max(1.0);
        let mut below = 0.0;
        let found = self.centroids.iter().find(|(_, weight)| {
            below += weight;
            below >= rank
        });
        found.or(self.centroids.last()).map(|(number, _)| *number)
    }

    /// How much of the weight does not exceed a number.
    pub fn rank(&mut self, number: f64) -> f64 {
        self.merge();
        self.centroids.iter().take_while(|(own, _)| *own <= number).map(|(_, weight)| weight).sum()
    }

    /// The memory that it takes, in bytes.
    pub fn size(&self) -> usize {
        self.centroids.capacity() * size_of::<(f64, f64)>()
    }

    pub fn json(&mut self) -> String {
        self.merge();
        json!({ "whole": self.is_whole, "centroids": self.centroids }).to_string()
    }

    /// The digest that a dynamic value is; none if it is none.
    pub fn from_json(text: &str) -> Option<Self> {
        let value: Json = serde_json::from_str(text).ok()?;
        let mut digest = Self { is_whole: value.get("whole")?.as_bool()?, ..Self::default() };
        for centroid in value.get("centroids")?.as_array()? {
            digest.add(centroid.get(0)?.as_f64()?, centroid.get(1)?.as_f64()?);
        }
        Some(digest)
    }

    /// Orders the numbers, and merges neighbours if there are many.
    fn merge(&mut self) {
        if self.merged == self.centroids.len() {
            return;
        }
        self.centroids.sort_by(|left, right| left.0.total_cmp(&right.0));
        self.centroids.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                kept.1 += next.1;
            }
            is_same
        });
        if self.centroids.len() > EXACT {
            self.merge_neighbours();
        }
        self.merged = self.centroids.len();
    }

    fn merge_neighbours(&mut self) {
        let total: f64 = self.centroids.iter().map(|(_, weight)| weight).sum();
        let mut merged: Vec<(f64, f64)> = Vec::with_capacity(EXACT);
        let mut before = 0.0;
        for (number, weight) in self.centroids.drain(..) {
            if let Some((mean, kept)) = merged.last_mut() {
                let quantile = (before + (*kept + weight) / 2.0) / total;
                let most = std::f64::consts::PI * total * (quantile * (1.0 - quantile)).sqrt() / FINENESS;
                if *kept + weight <= most {
                    *kept += weight;
                    *mean += (number - *mean) * weight / *kept;
                    continue;
                }
                before += *kept;
            }
            merged.push((number, weight));
        }
        self.centroids = merged;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn percentiles_of_many_numbers_are_near() {
        let mut digest = Digest::default();
        for number in 0..100_000_u32 {
            // All numbers once, in an order that jumps about.
            digest.add(f64::from(number * 7_919 % 100_000), 1.0);
        }
        digest.merge();
        assert!(digest.centroids.len() <= EXACT, "{}", digest.centroids.len());
        for percentage in [0.1, 1.0, 25.0, 50.0, 75.0, 99.0, 99.9] {
            let found = digest.percentile(percentage).unwrap();
            assert!((found - percentage * 1_000.0).abs() < 250.0, "{percentage}: {found}");
        }
    }

    proptest! {
        #[test]
        fn few_numbers_are_exact_and_survive_their_text(numbers in proptest::collection::vec(-1000..1000_i32, 1..200), percentage in 0..=100_u32) {
            let mut digest = Digest::default();
            numbers.iter().for_each(|number| digest.add(f64::from(*number), 1.0));
            let mut ordered = numbers.clone();
            ordered.sort_unstable();
            let rank = (percentage as usize * ordered.len()).div_ceil(100).max(1);
            let mut read = Digest::from_json(&digest.json()).unwrap();
            prop_assert_eq!(read.percentile(f64::from(percentage)), Some(f64::from(ordered[rank - 1])));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = Digest::from_json(&text);
        }
    }
}
