//! The proof that the kernel tells of changes without a notice: from time to time this process makes such changes to files
//! that nobody else has, and each has to be told.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};

use fim_core::FileId;
use rustix::fs::MemfdFlags;
use rustix::io::Errno;

/// The files of the proof, and when it was given last.
#[derive(Debug)]
pub(super) struct Proof {
    /// One that is stored to, and one whose marks are set.
    stored: Probe,
    marked: Probe,
    /// When it was proven last, in nanoseconds after the machine began.
    proven_nanos: Option<u64>,
}

/// That the kernel does not tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the kernel runs the programs, and did not tell that {untold}")]
pub(super) struct Unproven {
    untold: &'static str,
    /// Since when it may not have told, in nanoseconds after the machine began.
    pub since_nanos: u64,
}

/// A file in memory.
#[derive(Debug)]
struct Probe {
    file: File,
    id: FileId,
    is_awaited: bool,
}

impl Proof {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self { stored: Probe::new()?, marked: Probe::new()?, proven_nanos: None })
    }

    /// Gives the proof if it is time to, and else only has everything taken in. `take_in` hands each file that
    /// was told of to [`Self::hear`], and gives true if something is missing.
    pub(super) fn attempt(
        &mut self,
        now_nanos: u64,
        mut take_in: impl FnMut(&mut Self) -> bool,
    ) -> Result<(), Unproven> {
        if self.proven_nanos.is_some_and(|proven| now_nanos < proven.saturating_add(EVERY_NANOS)) {
            take_in(self);
            return Ok(());
        }
        for _ in 0..ATTEMPTS {
            self.change();
            // The programs run before the calls return, so that what they tell is there.
            let is_more = take_in(self);
            if self.untold().is_none() {
                self.proven_nanos = Some(now_nanos);
                return Ok(());
            }
            // What was lost may be that: it is a gap, and the next time says more.
            if is_more {
                return Ok(());
            }
        }
        let since_nanos = self.proven_nanos.unwrap_or(now_nanos);
        self.untold().map_or(Ok(()), |untold| Err(Unproven { untold, since_nanos }))
    }

    /// Notes that the kernel told of the file.
    pub(super) fn hear(&mut self, file: FileId) {
        for probe in [&mut self.stored, &mut self.marked] {
            probe.is_awaited &= probe.id != file;
        }
    }

    /// One of which the kernel cannot tell.
    #[cfg(test)]
    pub(super) fn of_nothing() -> Self {
        let mut proof = Self::new().unwrap();
        proof.stored.id.inode = 0;
        Self { proven_nanos: Some(0), ..proof }
    }

    fn change(&mut self) {
        // Nothing can be told of what fails.
        self.stored.is_awaited = self.stored.file.write_all_at(b"told?", 0).is_ok();
        self.marked.is_awaited = set_marks(&self.marked.file).is_ok();
    }

    fn untold(&self) -> Option<&'static str> {
        let stored = self.stored.is_awaited.then_some("a file was stored to");
        stored.or_else(|| self.marked.is_awaited.then_some("the marks of a file were set"))
    }
}

impl Probe {
    fn new() -> io::Result<Self> {
        let file = File::from(rustix::fs::memfd_create("steadfast-proof", MemfdFlags::CLOEXEC)?);
        let found = file.metadata()?;
        Ok(Self { file, id: FileId { device: found.dev(), inode: found.ino() }, is_awaited: false })
    }
}

/// Sets the marks that the file has. Files in memory have none before Linux 6.1.
fn set_marks(file: &File) -> Result<(), Errno> {
    let marks = rustix::fs::ioctl_getflags(file)?;
    rustix::fs::ioctl_setflags(file, marks)
}

/// How long after one proof the next is given.
const EVERY_NANOS: u64 = 5_000_000_000;

/// The kernel may leave a program out if it is under way on the same processor.
const ATTEMPTS: u32 = 3;

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a proof at that moment, of which the kernel tells what `told` lets through.
    fn attempt(
        proof: &mut Proof,
        now_nanos: u64,
        told: impl Fn(&Proof) -> Vec<FileId>,
    ) -> Result<(), Unproven> {
        proof.attempt(now_nanos, |proof| {
            for file in told(proof) {
                proof.hear(file);
            }
            false
        })
    }

    fn both(proof: &Proof) -> Vec<FileId> {
        vec![proof.stored.id, proof.marked.id]
    }

    #[test]
    fn what_tells_of_both_files_is_proven() {
        let mut proof = Proof::new().unwrap();
        assert_eq!(attempt(&mut proof, 7, both), Ok(()));
        assert_eq!(proof.proven_nanos, Some(7));
    }

    #[test]
    fn what_falls_silent_is_found_out_with_since_when() {
        let mut proof = Proof::new().unwrap();
        assert_eq!(attempt(&mut proof, 7, both), Ok(()));
        assert_eq!(attempt(&mut proof, 8, |_| Vec::new()), Ok(()), "it is not asked yet");
        let later = 7 + EVERY_NANOS;
        let silent = attempt(&mut proof, later, |proof| vec![proof.marked.id]).unwrap_err();
        assert_eq!(silent, Unproven { untold: "a file was stored to", since_nanos: 7 });
    }

    #[test]
    fn marks_that_are_set_have_to_be_told_where_files_in_memory_have_marks() {
        let mut proof = Proof::new().unwrap();
        if set_marks(&proof.marked.file).is_err() {
            return fim_testkit::skip("files in memory have no marks here");
        }
        assert!(attempt(&mut proof, 7, |proof| vec![proof.stored.id]).is_err());
    }

    #[test]
    fn what_was_lost_may_be_what_was_to_be_told() {
        let mut proof = Proof::new().unwrap();
        assert_eq!(proof.attempt(7, |_| true), Ok(()));
        assert_eq!(proof.proven_nanos, None, "it is asked again");
    }

    #[test]
    fn a_program_that_was_left_out_once_is_asked_again() {
        let mut proof = Proof::new().unwrap();
        let mut asked = 0;
        let tried = proof.attempt(7, |proof| {
            asked += 1;
            if asked == 2 {
                both(proof).into_iter().for_each(|file| proof.hear(file));
            }
            false
        });
        assert_eq!((tried, asked), (Ok(()), 2));
    }
}
