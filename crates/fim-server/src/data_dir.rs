//! The data directory: whose it is, what version made it, and what in it is secret.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::Mode;

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenDataDirError {
    /// It cannot be made.
    #[error(
        "cannot create the data directory {path}; choose another with {option}, or let this user write there"
    )]
    Create {
        /// The directory.
        path: PathBuf,
        /// What chooses the directory.
        option: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It is something else.
    #[error("the data directory {path} is a file; choose a directory with {option}")]
    NotADirectory {
        /// The file.
        path: PathBuf,
        /// What chooses the directory.
        option: &'static str,
    },
    /// It cannot be written.
    #[error(
        "cannot write to the data directory {path}; choose another with {option}, or let this user write there"
    )]
    NotWritable {
        /// The directory.
        path: PathBuf,
        /// What chooses the directory.
        option: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// It is another user's, who could change what is in it.
    #[error(
        "the data directory {path} belongs to the user {owner}, and this server runs as the user {ours}; start it as that \
         user, give the directory away with `chown -R {ours} {path}`, or choose another with {option}"
    )]
    OtherOwner {
        /// The directory.
        path: PathBuf,
        /// Whose it is, by number.
        owner: u32,
        /// Who this server is, by number.
        ours: u32,
        /// What chooses the directory.
        option: &'static str,
    },
    /// Others may change what is in it.
    #[error(
        "other users may write to the data directory {path} (mode {mode:04o}); make sure that nobody has, then \
         `chmod go-w {path}`"
    )]
    WritableByOthers {
        /// The directory.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Others may put another directory in its place.
    #[error(
        "other users may write to {above} (mode {mode:04o}) and put another directory in the place of the data directory \
         {path}; `chmod go-w {above}`, or choose another directory with {option}"
    )]
    AboveWritableByOthers {
        /// The directory.
        path: PathBuf,
        /// The directory above it that others may write to.
        above: PathBuf,
        /// The mode of that one.
        mode: u32,
        /// What chooses the directory.
        option: &'static str,
    },
    /// Another user may put another directory in its place.
    #[error(
        "{above} belongs to the user {owner}, who can put another directory in the place of the data directory {path}, and \
         this server runs as the user {ours}; start it as that user, or choose another directory with {option}"
    )]
    AboveOfOther {
        /// The directory.
        path: PathBuf,
        /// The directory above it.
        above: PathBuf,
        /// Whose that one is, by number.
        owner: u32,
        /// Who this server is, by number.
        ours: u32,
        /// What chooses the directory.
        option: &'static str,
    },
    /// Something in it cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another server has it.
    #[error("another server uses the data directory {path}; stop it first, or choose another with {option}")]
    InUse {
        /// The directory.
        path: PathBuf,
        /// What chooses the directory.
        option: &'static str,
    },
    /// A newer version made it.
    #[error(
        "the data directory {path} has format {found}, and this version knows formats up to {known}; \
         start the version that made it, or a newer one"
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format this version knows.
        known: u32,
    },
    /// It is not ours.
    #[error("{path} is not empty and holds no data of this server; choose an empty directory with {option}")]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// What chooses the directory.
        option: &'static str,
    },
    /// The format file does not hold a number.
    #[error(
        "{path} does not say which format the data directory has: it holds \"{found}\"; put the file back from a backup \
         (this version writes {known}), or choose another directory with {option}"
    )]
    BadFormat {
        /// The file.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// The format that this version writes.
        known: u32,
        /// What chooses the directory.
        option: &'static str,
    },
}

/// A data directory that this process has to itself until it is dropped.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Opens the directory, making it if it is not there. `option` is what chooses it, for messages. From then on, what this
    /// process makes anywhere can be read by its user only.
    pub fn open(path: &Path, option: &'static str) -> Result<Self, OpenDataDirError> {
        if fs::metadata(path).is_ok_and(|found| !found.is_dir()) {
            return Err(OpenDataDirError::NotADirectory { path: path.to_owned(), option });
        }
        check_above(path, option)?;
        // Of what is made from here on, also by libraries, nothing is for others.
        rustix::process::umask(Mode::from_raw_mode(0o077));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|source| OpenDataDirError::Create { path: path.to_owned(), option, source })?;
        let mode = check_owner(path, option)?;
        let format = read_format(path, option)?;
        // A new one gets its mode below; in one that is in use, others may have changed something already.
        if format.is_some() && mode & WRITABLE_BY_OTHERS != 0 {
            return Err(OpenDataDirError::WritableByOthers { path: path.to_owned(), mode });
        }
        if let Some(found) = format
            && found > FORMAT
        {
            return Err(OpenDataDirError::Newer { path: path.to_owned(), found, known: FORMAT });
        }
        if format.is_none() && !is_empty(path)? {
            return Err(OpenDataDirError::Foreign { path: path.to_owned(), option });
        }
        let not_writable = |source| OpenDataDirError::NotWritable { path: path.to_owned(), option, source };
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path.join("lock"))
            .map_err(not_writable)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenDataDirError::InUse { path: path.to_owned(), option });
            }
            Err(TryLockError::Error(source)) => return Err(not_writable(source)),
        }
        if format.is_none() {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).map_err(not_writable)?;
            write_secret(&path.join("format"), format!("{FORMAT}\n").as_bytes()).map_err(not_writable)?;
        }
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The directory.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_secret(path: &Path, content: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = folder.join(name);
    let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

/// Refuses a directory of another user; the mode of ours.
fn check_owner(path: &Path, option: &'static str) -> Result<u32, OpenDataDirError> {
    let metadata = fs::metadata(path);
    let metadata = metadata.map_err(|source| OpenDataDirError::Read { path: path.to_owned(), source })?;
    let (owner, ours) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != ours {
        return Err(OpenDataDirError::OtherOwner { path: path.to_owned(), owner, ours, option });
    }
    Ok(metadata.mode() & 0o7777)
}

/// Refuses a directory whose name could be given to another directory: each directory on the way to it, also where links
/// lead, and each of those links has to be root's or ours, and others may write to those directories only if they may not
/// move what is not theirs. What is not there yet is made by us; what cannot be passed is told when that fails.
fn check_above(path: &Path, option: &'static str) -> Result<(), OpenDataDirError> {
    let read = |at: &Path, source| OpenDataDirError::Read { path: at.to_owned(), source };
    let named = std::path::absolute(path).map_err(|source| read(path, source))?;
    let mut at = PathBuf::from("/");
    let mut left = steps(&named);
    let mut links = 0;
    while let Some(step) = left.pop() {
        let Ok(found) = fs::metadata(&at) else { return Ok(()) };
        check_on_the_way(path, &at, &found, option)?;
        if step == ".." {
            at.pop();
            continue;
        }
        let next = at.join(step);
        let Ok(found) = fs::symlink_metadata(&next) else { return Ok(()) };
        if !found.is_symlink() {
            at = next;
            continue;
        }
        check_on_the_way(path, &next, &found, option)?;
        links += 1;
        if links > MOST_LINKS {
            return Ok(());
        }
        let target = fs::read_link(&next).map_err(|source| read(&next, source))?;
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        left.append(&mut steps(&target));
    }
    Ok(())
}

/// The names in a path, the last first.
fn steps(path: &Path) -> Vec<OsString> {
    let names = path.components().rev();
    names
        .filter(|step| matches!(step, Component::Normal(_) | Component::ParentDir))
        .map(|step| step.as_os_str().to_owned())
        .collect()
}

/// Refuses a directory or a link on the way to `path` by which somebody else could lead to another place.
fn check_on_the_way(
    path: &Path,
    above: &Path,
    found: &Metadata,
    option: &'static str,
) -> Result<(), OpenDataDirError> {
    let ours = rustix::process::geteuid().as_raw();
    let (owner, mode) = (found.uid(), found.mode() & 0o7777);
    let (path, above) = (path.to_owned(), above.to_owned());
    if owner != ours && owner != ROOT {
        return Err(OpenDataDirError::AboveOfOther { path, above, owner, ours, option });
    }
    // A link's mode says nothing.
    if !found.is_symlink() && mode & WRITABLE_BY_OTHERS != 0 && mode & STICKY == 0 {
        return Err(OpenDataDirError::AboveWritableByOthers { path, above, mode, option });
    }
    Ok(())
}

fn read_format(path: &Path, option: &'static str) -> Result<Option<u32>, OpenDataDirError> {
    let file = path.join("format");
    match fs::read_to_string(&file) {
        Ok(text) => match text.trim().parse() {
            Ok(format) => Ok(Some(format)),
            Err(_) => {
                let found = text.trim().to_owned();
                Err(OpenDataDirError::BadFormat { path: file, found, known: FORMAT, option })
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(OpenDataDirError::Read { path: file, source }),
    }
}

/// True if nothing is in the directory but what an earlier, interrupted first start may have left.
fn is_empty(path: &Path) -> Result<bool, OpenDataDirError> {
    let read = |source| OpenDataDirError::Read { path: path.to_owned(), source };
    for entry in fs::read_dir(path).map_err(read)? {
        let name = entry.map_err(read)?.file_name();
        if name != "lock" && name != "format.new" && name != "agent" {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The format of the directory's layout that this version writes.
const FORMAT: u32 = 1;
/// The bits of a mode that let others write.
const WRITABLE_BY_OTHERS: u32 = 0o022;
/// The bit of a directory's mode by which nobody but its owner moves what is another's.
const STICKY: u32 = 0o1000;
const ROOT: u32 = 0;
/// As many links as Linux follows on one way (path_resolution(7)).
const MOST_LINKS: u32 = 40;

/// Makes a folder inside of the data directory, readable by its owner only, also if it was there before and others
/// might read it.
pub fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_belongs_to_its_owner_alone() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("data");
        let _dir = open(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(path.join("format")).unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_second_server_is_told_that_the_directory_is_in_use() {
        let outer = tempfile::tempdir().unwrap();
        let first = open(outer.path()).unwrap();
        assert!(matches!(open(outer.path()), Err(OpenDataDirError::InUse { .. })));
        drop(first);
        open(outer.path()).unwrap();
    }

    #[test]
    fn a_directory_of_a_newer_version_is_left_alone() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("format"), "99\n").unwrap();
        let error = open(outer.path()).unwrap_err();
        assert!(matches!(error, OpenDataDirError::Newer { found: 99, .. }), "{error}");
        assert!(!outer.path().join("lock").exists());
    }

    #[test]
    fn a_directory_whose_format_cannot_be_read_is_refused_with_what_to_do() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("format"), "foo\n").unwrap();
        let told = open(outer.path()).unwrap_err().to_string();
        assert!(told.contains("it holds \"foo\"; put the file back from a backup"), "{told}");
        assert!(
            told.ends_with("(this version writes 1), or choose another directory with --data-dir"),
            "{told}"
        );
    }

    #[test]
    fn a_directory_with_someone_elses_files_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        fs::write(outer.path().join("thesis.txt"), "precious").unwrap();
        assert!(matches!(open(outer.path()), Err(OpenDataDirError::Foreign { .. })));
    }

    #[test]
    fn a_directory_of_another_user_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("data");
        drop(open(&path).unwrap());
        if let Err(error) = std::os::unix::fs::chown(&path, Some(12345), None) {
            fim_testkit::skip(&format!("only root can give a directory away ({error})"));
            return;
        }
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenDataDirError::OtherOwner { owner: 12345, .. }), "{error}");
    }

    #[test]
    fn a_directory_that_others_may_write_to_is_refused_once_it_is_in_use() {
        let outer = tempfile::tempdir().unwrap();
        let path = outer.path().join("data");
        fs::create_dir(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
        drop(open(&path).unwrap());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o770)).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenDataDirError::WritableByOthers { mode: 0o770, .. }), "{error}");
    }

    #[test]
    fn a_directory_that_others_could_put_another_in_the_place_of_is_refused_before_it_is_made() {
        let outer = tempfile::tempdir().unwrap();
        let above = outer.path().join("above");
        let data = above.join("deeper").join("data");
        fs::create_dir_all(&above).unwrap();
        let link = outer.path().join("link");
        std::os::unix::fs::symlink(&above, &link).unwrap();
        for mode in [0o777, 0o775, 0o757] {
            fs::set_permissions(&above, fs::Permissions::from_mode(mode)).unwrap();
            for path in [data.clone(), link.join("deeper").join("data"), above.join("data")] {
                let error = open(&path).unwrap_err();
                let OpenDataDirError::AboveWritableByOthers { above: named, .. } = &error else {
                    panic!("{error}")
                };
                let what_to_do =
                    format!("`chmod go-w {}`, or choose another directory with --data-dir", named.display());
                assert!(error.to_string().ends_with(&what_to_do), "{error}");
                assert!(!path.exists(), "{}", path.display());
            }
        }
        // As `/tmp` is: others may make what they like there, and not move what is ours.
        fs::set_permissions(&above, fs::Permissions::from_mode(0o1777)).unwrap();
        drop(open(&data).unwrap());
        fs::set_permissions(&above, fs::Permissions::from_mode(0o777)).unwrap();
        let by_link = outer.path().join("by-link");
        std::os::unix::fs::symlink(&data, &by_link).unwrap();
        for path in [&data, &by_link] {
            let error = open(path).unwrap_err();
            assert!(matches!(error, OpenDataDirError::AboveWritableByOthers { mode: 0o777, .. }), "{error}");
        }
    }

    #[test]
    fn a_directory_below_another_user_s_is_refused() {
        let outer = tempfile::tempdir().unwrap();
        let above = outer.path().join("above");
        drop(open(&above.join("data")).unwrap());
        if let Err(error) = std::os::unix::fs::chown(&above, Some(12345), None) {
            fim_testkit::skip(&format!("only root can give a directory away ({error})"));
            return;
        }
        let error = open(&above.join("data")).unwrap_err();
        assert!(matches!(error, OpenDataDirError::AboveOfOther { owner: 12345, .. }), "{error}");
    }

    #[test]
    fn a_directory_behind_another_user_s_link_is_refused_wherever_that_is_on_the_way() {
        let outer = tempfile::tempdir().unwrap();
        let (data, link) = (outer.path().join("data"), outer.path().join("link"));
        drop(open(&data).unwrap());
        std::os::unix::fs::symlink(outer.path(), &link).unwrap();
        if let Err(error) = std::os::unix::fs::lchown(&link, Some(12345), None) {
            fim_testkit::skip(&format!("only root can give a link away ({error})"));
            return;
        }
        // The folder of the link is left behind by the next one, and the link decides where that leads all the same.
        let by_way = outer.path().join("by-way");
        std::os::unix::fs::symlink("link/data", &by_way).unwrap();
        for path in [link.join("data"), by_way, outer.path().join("link/../link/data")] {
            let error = open(&path).unwrap_err();
            let OpenDataDirError::AboveOfOther { above, owner: 12345, .. } = &error else {
                panic!("{error}")
            };
            assert_eq!(above, &link);
        }
    }

    #[test]
    fn links_that_lead_in_a_circle_are_told_and_not_followed_without_end() {
        let outer = tempfile::tempdir().unwrap();
        let (one, other) = (outer.path().join("one"), outer.path().join("other"));
        std::os::unix::fs::symlink(&other, &one).unwrap();
        std::os::unix::fs::symlink(&one, &other).unwrap();
        let error = open(&one.join("data")).unwrap_err();
        assert!(matches!(error, OpenDataDirError::Create { .. }), "{error}");
    }

    #[test]
    fn a_directory_that_the_server_may_not_write_to_is_refused_with_what_to_do() {
        let outer = tempfile::tempdir().unwrap();
        fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o500)).unwrap();
        let path = outer.path().to_owned();
        // What root may do beyond a file's mode is laid down by a thread that ends with that.
        let refused = std::thread::spawn(move || {
            use rustix::thread::{CapabilitySet, capabilities, set_capabilities};
            let mut sets = capabilities(None).unwrap();
            sets.effective -= CapabilitySet::DAC_OVERRIDE | CapabilitySet::DAC_READ_SEARCH;
            set_capabilities(None, sets).unwrap();
            open(&path).unwrap_err()
        });
        let error = refused.join().unwrap();
        assert!(matches!(error, OpenDataDirError::NotWritable { .. }), "{error}");
        assert!(error.to_string().ends_with("choose another with --data-dir, or let this user write there"));
    }

    fn open(path: &Path) -> Result<DataDir, OpenDataDirError> {
        DataDir::open(path, "--data-dir")
    }
}
