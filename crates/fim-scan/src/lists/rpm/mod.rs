//! The packages of rpm, from the database that it keeps them in.

mod header;
mod pages;
mod sqlite;

use std::collections::BTreeSet;

use fim_core::Software;

use super::CollectError;
use super::files::{Files, OpenFile};
use super::side_by_side::SideBySide;
use crate::tree::{FileTree, TreeError};
use pages::Pages;

/// The packages that are installed.
pub(super) fn read<T: FileTree>(files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
    let mut found = SideBySide::default();
    let mut is_there = false;
    // One directory may be a link to the other.
    let mut seen = BTreeSet::new();
    for directory in DIRECTORIES {
        let Some(database) = Database::find(files, directory)? else { continue };
        if database.number.is_none_or(|number| seen.insert(number)) {
            database.packages(files)?.into_iter().for_each(|package| found.add(package));
        }
        is_there = true;
    }
    for directory in DIRECTORIES {
        if !is_there && files.exists(directory)? {
            return Err(CollectError::missing(&format!("{directory}/{}", Format::FILES[0].0)));
        }
    }
    Ok(found.software())
}

/// A database in a directory.
struct Database {
    path: String,
    format: Format,
    /// The numbers of the file and of its file system.
    number: Option<(u64, Option<u64>)>,
}

/// How a version of rpm stores its packages.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Format {
    Sqlite,
    Ndb,
    BerkeleyDb,
}

impl Format {
    /// The name of the file, by which rpm too knows the format; the newest that is there is the one that counts.
    const FILES: [(&str, Self); 3] =
        [("rpmdb.sqlite", Self::Sqlite), ("Packages.db", Self::Ndb), ("Packages", Self::BerkeleyDb)];
}

impl Database {
    /// The database in a directory; nothing if there is none.
    fn find<T: FileTree>(files: &Files<'_, T>, directory: &str) -> Result<Option<Self>, CollectError> {
        if let Some(database) = Self::look(files, directory)? {
            return Ok(Some(database));
        }
        // While rpm puts a new database into the place of the old one there is none for a moment.
        let (parent, name) = directory.rsplit_once('/').unwrap_or(("", directory));
        let is_left = |other: &str| {
            other.strip_prefix(name).is_some_and(|rest| EXCHANGED.iter().any(|mark| rest.starts_with(mark)))
        };
        let left = files.names(parent)?.into_iter().find(|other| is_left(&other.name));
        match (left, Self::look(files, directory)?) {
            (Some(left), None) => {
                let why = format!(
                    "rpm is making it anew, or was kept from ending that: see {parent}/{}",
                    left.name
                );
                Err(CollectError { path: directory.to_owned(), source: TreeError::Failed(why) })
            }
            (_, database) => Ok(database),
        }
    }

    fn look<T: FileTree>(files: &Files<'_, T>, directory: &str) -> Result<Option<Self>, CollectError> {
        for (name, format) in Format::FILES {
            let path = format!("{directory}/{name}");
            let Some(file) = files.open(&path)? else { continue };
            let look = file.look().map_err(|source| CollectError { path: path.clone(), source })?;
            let number = look.attributes.inode.map(|inode| (inode, look.attributes.device));
            return Ok(Some(Self { path, format, number }));
        }
        Ok(None)
    }

    fn packages<T: FileTree>(&self, files: &Files<'_, T>) -> Result<Vec<Software>, CollectError> {
        match self.format {
            Format::Sqlite => self.packages_once_unchanged(files),
            Format::Ndb => Err(self.failed("databases of the format ndb are not read")),
            Format::BerkeleyDb => Err(self.failed("databases of the format of Berkeley DB are not read")),
        }
    }

    /// Reads until nobody wrote meanwhile: a mixture of before and after could lack packages.
    fn packages_once_unchanged<T: FileTree>(
        &self,
        files: &Files<'_, T>,
    ) -> Result<Vec<Software>, CollectError> {
        let failed = |source| CollectError { path: self.path.clone(), source };
        for _ in 0..ATTEMPTS {
            let Some(database) = files.open(&self.path)? else { continue };
            let stamp = database.stamp().map_err(failed)?;
            let beside = |suffix: &str| files.open(&format!("{}{suffix}", self.path));
            let packages = packages_of_sqlite(&database, beside("-wal")?, beside("-journal")?);
            // Opened again, so that a file that was put in its place is noticed too.
            let now = files.open(&self.path)?.map(|database| database.stamp()).transpose().map_err(failed)?;
            if now == Some(stamp)
                && let Some(packages) = packages.map_err(failed)?
            {
                return Ok(packages);
            }
        }
        Err(self.failed("it is being written the whole time, or a write to it was never finished"))
    }

    fn failed(&self, why: &str) -> CollectError {
        CollectError { path: self.path.clone(), source: TreeError::Failed(why.to_owned()) }
    }
}

/// The packages; nothing if a write is not finished, or the log was begun anew meanwhile.
fn packages_of_sqlite<T: FileTree>(
    database: &OpenFile<'_, T>,
    log: Option<OpenFile<'_, T>>,
    journal: Option<OpenFile<'_, T>>,
) -> Result<Option<Vec<Software>>, TreeError> {
    let Some(pages) = Pages::open(database, log, journal)? else { return Ok(None) };
    let mut packages = Vec::new();
    sqlite::second_column(&pages, "Packages", |mut blob| {
        packages.extend(header::package(&mut blob)?);
        Ok(())
    })?;
    Ok(pages.has_same_log()?.then_some(packages))
}

/// A number as both rpm and SQLite write it; nothing if the bytes end before.
fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes))
}

/// Where databases are: of distributions of today, of those whose system is an image, and of all others.
const DIRECTORIES: [&str; 3] = ["/usr/lib/sysimage/rpm", "/usr/share/rpm", "/var/lib/rpm"];

/// What follows the name of a directory in those of the new database and of the old one while they are exchanged.
const EXCHANGED: [&str; 2] = ["rebuilddb.", "old."];

/// How often a database is read at once anew because it was written meanwhile. What takes longer than that is waited for
/// by whoever collects.
const ATTEMPTS: usize = 10;
