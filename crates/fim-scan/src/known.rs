//! Which files are monitored, by number and in little room: whether a name that no rule names may be another name of one
//! of them has to be said of each change on a machine, without looking anything up.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use fim_core::FileId;

/// A set of files that may say of some that they are in it though they are not, and never the other way round. One thread
/// adds while another asks.
///
/// What has gone is let go of with the next scan: those that it sees make a new set.
#[derive(Debug, Default)]
pub struct KnownFiles {
    current: RwLock<Filter>,
    /// What the scan under way has seen.
    next: Mutex<Option<Filter>>,
}

/// A filter as Bloom described it: each file is some bits of many. It takes no room until the first is added.
#[derive(Debug, Default)]
struct Filter {
    words: Vec<u64>,
}

impl KnownFiles {
    /// Adds a file.
    pub fn add(&self, file: FileId) {
        if let Some(next) = self.next().as_mut() {
            next.add(file);
        }
        if !self.may_have(file) {
            self.current.write().unwrap_or_else(PoisonError::into_inner).add(file);
        }
    }

    /// False if the file is not among those that were added.
    pub fn may_have(&self, file: FileId) -> bool {
        self.current.read().unwrap_or_else(PoisonError::into_inner).may_have(file)
    }

    /// Begins a new set, which takes the place of this one at [`Self::end`]. Until then what is added is in both.
    pub fn begin(&self) {
        *self.next() = Some(Filter::default());
    }

    /// Puts the new set in force if it is whole; else the one in force stays.
    pub fn end(&self, is_whole: bool) {
        let next = self.next().take().filter(|_| is_whole);
        if let Some(next) = next {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        }
    }

    fn next(&self) -> MutexGuard<'_, Option<Filter>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Filter {
    fn add(&mut self, file: FileId) {
        if self.words.is_empty() {
            self.words = vec![0; WORDS];
        }
        for (word, bit) in places(file) {
            self.words[word] |= bit;
        }
    }

    fn may_have(&self, file: FileId) -> bool {
        !self.words.is_empty() && places(file).iter().all(|&(word, bit)| self.words[word] & bit != 0)
    }
}

/// The words that a file has a bit in, with the bit.
fn places(file: FileId) -> [(usize, u64); 4] {
    let first = scatter(file.inode ^ scatter(file.device));
    let second = scatter(first);
    [first, first >> 32, second, second >> 32].map(|number| {
        let bit = number as usize % (64 * WORDS);
        (bit / 64, 1 << (bit % 64))
    })
}

/// Makes a number of which each bit depends on all bits of the one that is given (the last step of `SplitMix64`).
fn scatter(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Half a megabyte. Of 200,000 files in it, one in a thousand others looks like one of them.
const WORDS: usize = 1 << 16;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(device: u64, inode: u64) -> FileId {
        FileId { device, inode }
    }

    #[test]
    fn among_many_files_hardly_another_one_seems_known() {
        let known = KnownFiles::default();
        assert!(!known.may_have(file(1, 1)));
        (0..200_000).for_each(|inode| known.add(file(1, inode)));
        let mistaken = (0..200_000).filter(|&inode| known.may_have(file(2, inode))).count();
        assert!(mistaken < 400, "{mistaken}");
    }

    #[test]
    fn what_a_whole_scan_did_not_see_is_let_go_of_and_what_came_meanwhile_is_not() {
        let known = KnownFiles::default();
        known.add(file(1, 1));
        known.begin();
        known.add(file(1, 2));
        assert!(known.may_have(file(1, 1)) && known.may_have(file(1, 2)));
        known.end(false);
        assert!(known.may_have(file(1, 1)) && known.may_have(file(1, 2)));
        known.begin();
        known.add(file(1, 3));
        known.end(true);
        assert!(!known.may_have(file(1, 1)) && known.may_have(file(1, 3)));
    }

    proptest! {
        #[test]
        fn what_was_added_is_known(files in prop::collection::vec((any::<u64>(), any::<u64>()), 0..50)) {
            let known = KnownFiles::default();
            files.iter().for_each(|&(device, inode)| known.add(file(device, inode)));
            for (device, inode) in files {
                prop_assert!(known.may_have(file(device, inode)));
            }
        }
    }
}
