//! Who touched a file that is known by its number alone, and when each of them did.

use crate::{Attribution, Timestamp, Who};

/// That somebody touched a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Deed {
    /// Who.
    pub by: Attribution,
    /// It happened after this.
    pub after: Timestamp,
    /// When it happened last, as nearly as is known and no sooner.
    pub last: Timestamp,
}

/// The deeds of all who touched a file, one for each of them. The number may have been another file's before, so that
/// each has times of his own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Deeds {
    deeds: Vec<Deed>,
    /// True if there was no room for somebody.
    pub has_more: bool,
}

impl Deeds {
    /// How many are kept: as many as a change can name, and one reason why others are not known.
    pub const MOST: usize = Who::MAX_ACTORS + 1;

    /// Adds a deed. Of whoever is known already, the latest counts; without room, whoever acted last long ago goes.
    pub fn add(&mut self, deed: Deed) {
        match self.deeds.iter().position(|known| known.by == deed.by) {
            Some(at) => {
                let known = &mut self.deeds[at];
                known.after = known.after.max(deed.after);
                known.last = known.last.max(deed.last);
            }
            None => {
                if self.deeds.len() == Self::MOST {
                    let oldest = (0..self.deeds.len()).min_by_key(|at| self.deeds[*at].last);
                    oldest.map(|at| self.deeds.swap_remove(at));
                    self.has_more = true;
                }
                self.deeds.push(deed);
            }
        }
    }

    /// Adds others of the same file.
    pub fn merge(&mut self, others: Self) {
        self.has_more |= others.has_more;
        for deed in others.deeds {
            self.add(deed);
        }
    }

    /// Each of them, in the order in which they acted last.
    pub fn in_order(&self) -> impl Iterator<Item = &Deed> {
        let mut deeds: Vec<&Deed> = self.deeds.iter().collect();
        deeds.sort_by_key(|deed| deed.last);
        deeds.into_iter()
    }
}
