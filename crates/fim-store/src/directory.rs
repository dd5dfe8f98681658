//! The store's directory: who holds it, which format it has, and up to where its log is in its tables.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use fim_log::{Disk, RealDisk, create_dir_all, replace_file};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::loss::Loss;
use crate::marks::Marks;
use crate::meter::Meter;

/// A directory of this machine that other processes are kept out of until this is dropped.
#[derive(Debug)]
pub(crate) struct Claim {
    /// Without links and relative parts.
    pub(crate) path: PathBuf,
    /// Holds the system's lock on the file.
    _lock: File,
}

/// An opened directory. Whoever opens it sees to it that nobody else has it open.
#[derive(Debug)]
pub(crate) struct Directory<D> {
    disk: D,
    path: PathBuf,
    /// Names the log to the tables: the application id of their transactions.
    pub(crate) log_id: Uuid,
}

/// Why a directory cannot be the store's.
#[derive(Debug, Error)]
pub enum OpenDirectoryError {
    /// The directory or a file in it cannot be made, read or written.
    #[error("cannot use {} as a data directory; check that it exists, is writable and that the disk has space", path.display())]
    Unusable {
        /// The file or directory.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The path has a character that the table format would misread.
    #[error("the data directory {} has a percent sign or no UTF-8 in its path; choose another one", path.display())]
    Name {
        /// The directory.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("the data directory {} is in use by {holder}; stop that one first, or choose another directory", path.display())]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The process, as "process 4711" or "another process".
        holder: String,
    },
    /// A newer version has made it.
    #[error(
        "the data directory {} has format {found}, made by a newer version; this version knows formats up to {known}: \
         use the newer version, or another directory",
        path.display()
    )]
    Newer {
        /// The directory.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The highest format that this program knows.
        known: u64,
    },
    /// A file that the store needs is missing or cannot be understood.
    #[error("{} is damaged ({reason}); restore it from a backup", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// What is in tables, as it was recorded after the last flush that was finished.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flushed {
    /// Every row of every log record up to this position is in its table.
    pub(crate) position: u64,
    /// What each source had delivered up to that position.
    pub(crate) marks: Marks,
    /// The version of each table, by workspace and name.
    pub(crate) versions: BTreeMap<Uuid, BTreeMap<String, u64>>,
    /// Workspaces that were dropped; rows of theirs that are still in the log are not replayed.
    pub(crate) dropped: BTreeSet<Uuid>,
    /// What was ever stored up to that position.
    #[serde(default)]
    pub(crate) meter: Meter,
    /// Losses that were found and are not told yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) untold: Vec<Loss>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Format {
    format: u64,
    log: Uuid,
}

impl Claim {
    /// Takes the directory for this process; makes it if it is not there.
    pub(crate) fn take(path: &Path) -> Result<Self, OpenDirectoryError> {
        create_dir_all(&RealDisk, path).map_err(unusable(path))?;
        let path = fs::canonicalize(path).map_err(unusable(path))?;
        let lock = take_lock(&path)?;
        Ok(Self { path, _lock: lock })
    }
}

impl<D: Disk> Directory<D> {
    /// Opens the directory on that disk; makes it if it is not there.
    pub(crate) fn open(disk: D, path: &Path) -> Result<Self, OpenDirectoryError> {
        // The tables' library decodes percent signs once too often.
        if path.to_str().is_none_or(|text| text.contains('%')) {
            return Err(OpenDirectoryError::Name { path: path.to_owned() });
        }
        create_dir_all(&disk, path).map_err(unusable(path))?;
        let log_id = read_format(&disk, path)?;
        for sub in [path.join(LOG), path.join(TABLES), path.join(STAGING)] {
            create_dir_all(&disk, &sub).map_err(unusable(&sub))?;
        }
        let directory = Self { disk, path: path.to_owned(), log_id };
        directory.clear_staging().map_err(unusable(&directory.staging()))?;
        directory.begin_record()?;
        Ok(directory)
    }

    /// Where the ingest log's segments are.
    pub(crate) fn log(&self) -> PathBuf {
        self.path.join(LOG)
    }

    /// Where the tables are, each in `workspace/name`.
    pub(crate) fn tables(&self) -> PathBuf {
        self.path.join(TABLES)
    }

    /// Where files are written before they get their name.
    pub(crate) fn staging(&self) -> PathBuf {
        self.path.join(STAGING)
    }

    /// Gives the log another name, so that the tables do not take the positions of a new log for those of the old.
    pub(crate) fn renew_log_id(&mut self) -> Result<(), OpenDirectoryError> {
        self.log_id = Uuid::new_v4();
        write_format(&self.disk, &self.path, self.log_id)
    }

    /// Writes the first record of what is in tables, before there is any: once there are tables, a record that is missing
    /// was taken away.
    fn begin_record(&self) -> Result<(), OpenDirectoryError> {
        let path = self.path.join(FLUSHED);
        match self.disk.read(&path) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(source) => return Err(OpenDirectoryError::Unusable { path, source }),
        }
        if !self.list_tables().map_err(unusable(&self.tables()))?.is_empty() {
            let reason = "it is missing, and there are tables".to_owned();
            return Err(OpenDirectoryError::Damaged { path, reason });
        }
        self.write_flushed(&Flushed::default()).map_err(unusable(&path))
    }

    /// What the last finished flush recorded.
    pub(crate) fn read_flushed(&self) -> Result<Flushed, OpenDirectoryError> {
        let path = self.path.join(FLUSHED);
        let bytes = self.disk.read(&path).map_err(unusable(&path))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| OpenDirectoryError::Damaged { path, reason: error.to_string() })
    }

    /// Records, durably, what is in tables.
    pub(crate) fn write_flushed(&self, flushed: &Flushed) -> io::Result<()> {
        let bytes = serde_json::to_vec(flushed).map_err(io::Error::other)?;
        replace_file(&self.disk, &self.path.join(FLUSHED), &bytes)
    }

    /// The workspaces and tables that have a directory.
    pub(crate) fn list_tables(&self) -> io::Result<Vec<(Uuid, String)>> {
        let mut found = Vec::new();
        for workspace in self.disk.list_dirs(&self.tables())? {
            let Ok(id) = Uuid::parse_str(&workspace) else { continue };
            let names = self.disk.list_dirs(&self.tables().join(&workspace))?;
            found.extend(names.into_iter().map(|name| (id, name)));
        }
        Ok(found)
    }

    /// Removes all files of a workspace. Its name vanishes in one step.
    pub(crate) fn remove_workspace(&self, workspace: Uuid) -> io::Result<()> {
        let from = self.tables().join(workspace.to_string());
        if !self.disk.is_dir(&from) {
            return Ok(());
        }
        let to = self.staging().join(format!("dropped-{}", Uuid::new_v4()));
        self.disk.rename(&from, &to)?;
        // Both ends of the move, before any file goes: or the table could be back with some of its files.
        self.disk.sync_dir(&self.staging())?;
        self.disk.sync_dir(&self.tables())?;
        self.disk.remove_dir_all(&to)
    }

    /// Removes what a crash has left half written.
    fn clear_staging(&self) -> io::Result<()> {
        let staging = self.staging();
        for name in self.disk.list_dirs(&staging)? {
            self.disk.remove_dir_all(&staging.join(name))?;
        }
        for name in self.disk.list(&staging)? {
            self.disk.remove(&staging.join(name))?;
        }
        Ok(())
    }
}

fn take_lock(directory: &Path) -> Result<File, OpenDirectoryError> {
    let path = directory.join(LOCK);
    // Made so that only its owner can read it; who holds it is written from the start.
    drop(RealDisk.open_append(&path).map_err(unusable(&path))?);
    let mut options = OpenOptions::new();
    let mut file = options.read(true).write(true).open(&path).map_err(unusable(&path))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let read = file.read_to_string(&mut text);
            let is_pid = read.is_ok() && text.trim().parse::<u32>().is_ok();
            let holder =
                if is_pid { format!("process {}", text.trim()) } else { "another process".to_owned() };
            return Err(OpenDirectoryError::InUse { path: directory.to_owned(), holder });
        }
        Err(TryLockError::Error(source)) => return Err(OpenDirectoryError::Unusable { path, source }),
    }
    let write_pid = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write_pid(&mut file).map_err(unusable(&path))?;
    Ok(file)
}

fn read_format<D: Disk>(disk: &D, directory: &Path) -> Result<Uuid, OpenDirectoryError> {
    let path = directory.join(FORMAT);
    let damaged = |reason: String| OpenDirectoryError::Damaged { path: path.clone(), reason };
    let bytes = match disk.read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // The format is the first thing written, so without it there is nothing of ours.
            if disk.is_dir(&directory.join(TABLES)) || disk.is_dir(&directory.join(LOG)) {
                return Err(damaged("it is missing, and there are tables".to_owned()));
            }
            let log = Uuid::new_v4();
            return write_format(disk, directory, log).map(|()| log);
        }
        Err(source) => return Err(OpenDirectoryError::Unusable { path, source }),
    };
    // Only the number is read first: what else a newer format says is not ours to understand.
    #[derive(Deserialize)]
    struct Number {
        format: u64,
    }
    let number: Number = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if number.format > KNOWN_FORMAT {
        return Err(OpenDirectoryError::Newer {
            path: directory.to_owned(),
            found: number.format,
            known: KNOWN_FORMAT,
        });
    }
    let format: Format = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if format.format < KNOWN_FORMAT {
        // What older formats have is read as it is; from now on only this version's programs may write here.
        write_format(disk, directory, format.log)?;
    }
    Ok(format.log)
}

fn write_format<D: Disk>(disk: &D, directory: &Path, log: Uuid) -> Result<(), OpenDirectoryError> {
    let path = directory.join(FORMAT);
    let format = Format { format: KNOWN_FORMAT, log };
    let bytes = serde_json::to_vec(&format).map_err(io::Error::other).map_err(unusable(&path))?;
    replace_file(disk, &path, &bytes).map_err(unusable(&path))
}

fn unusable(path: &Path) -> impl FnOnce(io::Error) -> OpenDirectoryError + use<> {
    let path = path.to_owned();
    |source| OpenDirectoryError::Unusable { path, source }
}

/// The format that this program writes, and the newest that it reads.
const KNOWN_FORMAT: u64 = 2;
const FORMAT: &str = "format.json";
const FLUSHED: &str = "flushed.json";
const LOCK: &str = "lock";
const LOG: &str = "log";
const TABLES: &str = "tables";
const STAGING: &str = "staging";
