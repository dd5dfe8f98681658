//! Views of the file systems: what a path names for one process, it may not name for another (`mount_namespaces(7)`).
//!
//! Every user can make a view of his own and mount a tool of his there over the name of any program.

use fim_bpf::ProgramFile;
use fim_core::EntityPath;
use rustix::fs::{AtFlags, CWD, Mode, OFlags, ResolveFlags, Statx, StatxFlags};

/// The number of the view that this process has; 0 where the system does not tell.
pub(super) fn own() -> u32 {
    of("self").unwrap_or(0)
}

/// True if the process of that number has another view than `own`, in which the path of its program names another file
/// than here, or may.
pub(super) fn is_own_of(pid: i32, program: Option<&EntityPath>, own: u32) -> bool {
    let (Some(program), Some(view)) = (program, of(&pid.to_string())) else { return false };
    if view == own {
        return false;
    }
    let Ok(stat) =
        rustix::fs::statx(CWD, format!("/proc/{pid}/exe"), AtFlags::STATX_DONT_SYNC, StatxFlags::INO)
    else {
        return true;
    };
    !names(program, device(&stat), stat.stx_ino)
}

/// True if the program was executed in another view than `own`, in which its path names another file than here, or may.
pub(super) fn is_another(file: ProgramFile, program: &EntityPath, own: u32) -> bool {
    file.view != own && !names(program, file.device, file.inode)
}

/// True if the path names that very file here. What is not in memory, as the file of a process that runs is, is not
/// waited for: the path is of somebody's choosing, and may lead to where nobody answers.
fn names(path: &EntityPath, file_device: (u32, u32), inode: u64) -> bool {
    let resolve = ResolveFlags::CACHED | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let Ok(found) = rustix::fs::openat2(CWD, path.as_bytes(), flags, Mode::empty(), resolve) else {
        return false;
    };
    let flags = AtFlags::EMPTY_PATH | AtFlags::STATX_DONT_SYNC;
    rustix::fs::statx(found, c"", flags, StatxFlags::INO)
        .is_ok_and(|stat| device(&stat) == file_device && stat.stx_ino == inode)
}

fn device(stat: &Statx) -> (u32, u32) {
    (stat.stx_dev_major, stat.stx_dev_minor)
}

/// The number of the view of a process, by its entry in `/proc`.
fn of(process: &str) -> Option<u32> {
    let told = rustix::fs::readlink(format!("/proc/{process}/ns/mnt"), Vec::new()).ok()?;
    number_of(told.as_bytes())
}

/// The number in `mnt:[4026531841]`.
fn number_of(told: &[u8]) -> Option<u32> {
    let digits = told.strip_prefix(b"mnt:[")?.strip_suffix(b"]")?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_program_is_itself_in_every_view_that_shows_it() {
        let program =
            EntityPath::unix(std::fs::canonicalize("/bin/sh").unwrap().into_os_string().into_encoded_bytes());
        let stat = rustix::fs::statx(CWD, program.as_bytes(), AtFlags::empty(), StatxFlags::INO).unwrap();
        let file = ProgramFile { view: 1, device: device(&stat), inode: stat.stx_ino };
        assert!(!is_another(file, &program, 2));
        assert!(is_another(ProgramFile { inode: file.inode + 1, ..file }, &program, 2));
        assert!(is_another(file, &EntityPath::unix("/bin/no such program"), 2));
        assert!(!is_another(ProgramFile { inode: file.inode + 1, ..file }, &program, 1));
    }

    #[test]
    fn this_process_has_a_view() {
        assert_ne!(own(), 0);
    }

    proptest! {
        #[test]
        fn no_bytes_do_harm(told in prop::collection::vec(any::<u8>(), 0..40)) {
            number_of(&told);
            let mut link = b"mnt:[".to_vec();
            link.extend(told);
            number_of(&link);
        }
    }
}
