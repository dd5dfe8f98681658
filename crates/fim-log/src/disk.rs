//! What a log asks of a disk, and the disk of this machine.

use std::fs::{self, File, FileType, OpenOptions};
use std::io::{self, BufReader, Read, Seek, Write};
use std::path::Path;

/// The operations of a disk that durable files are built from.
///
/// Nothing is durable by itself: bytes are after [`DiskFile::sync`], and a name (created, renamed or removed) is
/// after [`Disk::sync_dir`] of its directory. Errors are the system's; the caller adds what it was doing.
pub trait Disk: Send + Sync + 'static {
    /// A file open for appending.
    type File: DiskFile;
    /// A file open for reading, from its beginning or elsewhere.
    type Reader: Read + Seek + Send;

    /// Creates the directory, readable by its owner only; fails if the name is taken. See [`create_dir_all`].
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// True if there is a directory of that name.
    fn is_dir(&self, dir: &Path) -> bool;

    /// The names of the files in the directory, in order; names that are not UTF-8 are left out.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// The names of the directories in the directory, in order; names that are not UTF-8 are left out.
    fn list_dirs(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// All of the file's bytes.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Opens the file for reading it piece by piece.
    fn open_read(&self, path: &Path) -> io::Result<Self::Reader>;

    /// Opens the file for appending; creates it, readable by its owner only, if it is missing.
    fn open_append(&self, path: &Path) -> io::Result<Self::File>;

    /// Makes the names in the directory durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Renames a file or a directory; a file of the new name is replaced in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Gives a file a second name; fails if that is taken.
    fn link(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it, name by name.
    fn remove_dir_all(&self, dir: &Path) -> io::Result<()>;

    /// Cuts the file to `len` bytes.
    fn truncate(&self, path: &Path, len: u64) -> io::Result<()>;
}

/// A file open for appending.
pub trait DiskFile: Send {
    /// Writes the bytes at the end. After an error any number of them may have been written.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// The length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// True if the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Makes the bytes and the length durable.
    fn sync(&mut self) -> io::Result<()>;
}

/// The disk of this machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    type File = File;
    type Reader = BufReader<File>;

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        private::create_dir(dir)
    }

    fn is_dir(&self, dir: &Path) -> bool {
        dir.is_dir()
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        names(dir, FileType::is_file)
    }

    fn list_dirs(&self, dir: &Path) -> io::Result<Vec<String>> {
        names(dir, FileType::is_dir)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<BufReader<File>> {
        File::open(path).map(|file| BufReader::with_capacity(64 << 10, file))
    }

    fn open_append(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.create(true).append(true);
        private::only_owner(&mut options);
        options.open(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        private::sync_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::hard_link(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        fs::remove_dir_all(dir)
    }

    fn truncate(&self, path: &Path, len: u64) -> io::Result<()> {
        OpenOptions::new().write(true).open(path)?.set_len(len)
    }
}

impl DiskFile for File {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn len(&self) -> io::Result<u64> {
        self.metadata().map(|metadata| metadata.len())
    }

    // `fdatasync` writes the length too when it grew; only times are left out.
    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Makes the directory, readable by its owner only, and those above it that are missing, each durably.
///
/// A directory that is there already may have been made by a program that was killed before its name was durable, so
/// the name of the lowest one that is there is made durable too.
pub fn create_dir_all<D: Disk>(disk: &D, dir: &Path) -> io::Result<()> {
    let is_missing = |dir: &&Path| !dir.as_os_str().is_empty() && !disk.is_dir(dir);
    let missing: Vec<&Path> = dir.ancestors().take_while(is_missing).collect();
    let lowest = dir.ancestors().nth(missing.len()).unwrap_or(Path::new(""));
    match disk.sync_dir(parent_of(lowest)) {
        // Whoever may not open the directory above has not made this one.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        synced => synced?,
    }
    for dir in missing.into_iter().rev() {
        match disk.create_dir(dir) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && disk.is_dir(dir) => {}
            made => made?,
        }
        disk.sync_dir(parent_of(dir))?;
    }
    Ok(())
}

/// Puts `bytes` in the place of the file in one durable step: after a crash it has the old content or the new one,
/// and after an `Ok` the new one.
///
/// The new content is written beside the file first, under the same name with `.new` after it.
pub fn replace_file<D: Disk>(disk: &D, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = Path::new(&beside);
    match disk.remove(beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = disk.open_append(beside)?;
    file.append(bytes)?;
    file.sync()?;
    drop(file);
    disk.rename(beside, path)?;
    disk.sync_dir(parent_of(path))
}

/// The directory that a name is in; the root is in itself.
fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent.as_os_str().is_empty() => Path::new("."),
        Some(parent) => parent,
        None if path.as_os_str().is_empty() => Path::new("."),
        None => path,
    }
}

/// The names in the directory of what is of the kind.
fn names(dir: &Path, is_kind: fn(&FileType) -> bool) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if is_kind(&entry.file_type()?) {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort_unstable();
    Ok(names)
}

#[cfg(unix)]
mod private {
    //! Rights and directories as Unix has them.

    use std::fs::{DirBuilder, File, OpenOptions};
    use std::io;
    use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
    use std::path::Path;

    pub fn create_dir(dir: &Path) -> io::Result<()> {
        DirBuilder::new().mode(0o700).create(dir)
    }

    pub fn only_owner(options: &mut OpenOptions) {
        options.mode(0o600);
    }

    pub fn sync_dir(dir: &Path) -> io::Result<()> {
        File::open(dir)?.sync_all()
    }
}

#[cfg(windows)]
mod private {
    //! Rights and directories as Windows has them: a file's rights come from the directory above it.

    use std::fs::{self, OpenOptions};
    use std::io;
    use std::os::windows::fs::OpenOptionsExt as _;
    use std::path::Path;

    pub fn create_dir(dir: &Path) -> io::Result<()> {
        fs::create_dir(dir)
    }

    pub fn only_owner(_options: &mut OpenOptions) {}

    /// The names are in the file system's own log, which goes to the disk with any file or directory that is synced.
    pub fn sync_dir(dir: &Path) -> io::Result<()> {
        let opened = OpenOptions::new().write(true).custom_flags(BACKUP_SEMANTICS).open(dir);
        match opened.and_then(|directory| directory.sync_all()) {
            // Whoever may not, and a file system that cannot, leave it to the system, which does it within seconds.
            Err(error) if error.raw_os_error().is_some_and(|code| CANNOT.contains(&code)) => Ok(()),
            synced => synced,
        }
    }

    /// `FILE_FLAG_BACKUP_SEMANTICS`, without which no directory is opened.
    const BACKUP_SEMANTICS: u32 = 0x0200_0000;
    /// `ERROR_INVALID_FUNCTION`, `ERROR_ACCESS_DENIED`, `ERROR_INVALID_HANDLE` and `ERROR_NOT_SUPPORTED`.
    const CANNOT: [i32; 4] = [1, 5, 6, 50];
}
