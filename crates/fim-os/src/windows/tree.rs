//! The live machine's files, and the keys and values of its registry.

use std::fs::File;
use std::io;
use std::os::windows::fs::FileExt as _;
use std::os::windows::io::{AsHandle as _, OwnedHandle};

use fim_core::windows::{Hive, from_wide, leads_elsewhere, native_path, to_wide, without_prefix};
use fim_core::{EntityKind, EntityPath, PathStyle};
use fim_scan::{FileTree, KeepOut, Listing, Look, Resolved, ServiceStatus, Stamp, TreeError};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_CANT_RESOLVE_FILENAME, ERROR_DIRECTORY, ERROR_FILE_NOT_FOUND,
    ERROR_INVALID_NAME, ERROR_KEY_DELETED, ERROR_LOCK_VIOLATION, ERROR_PATH_NOT_FOUND,
    ERROR_SHARING_VIOLATION, STATUS_DELETE_PENDING, STATUS_FILE_IS_A_DIRECTORY, STATUS_NOT_A_DIRECTORY,
    WIN32_ERROR,
};

use super::keys::{self, Value};
use super::nt::{self, Links, ListBuffer, Status, Wanted};
use super::{attributes, listing, services};

/// The files of the machine that this runs on, and its registry, whose hives are further roots.
///
/// Everything is opened relative to its directory and described through the handle, so that what is described is what
/// is read, and so that names that usual programs cannot spell are seen. Opening never waits, and brings nothing back
/// from where it was moved to.
#[derive(Debug)]
pub struct LiveTree(());

impl LiveTree {
    /// The tree. From here on this process reads with the rights of a program that makes backups, if it has them.
    pub fn new() -> Self {
        nt::enable_backup_privilege();
        Self(())
    }
}

impl Default for LiveTree {
    fn default() -> Self {
        Self::new()
    }
}

/// An open directory, or an open key of the registry.
#[derive(Debug)]
pub enum Directory {
    /// One of a file system.
    Files(OwnedHandle),
    /// A key.
    Key(OwnedHandle),
}

/// What is open for reading.
#[derive(Debug)]
pub enum OpenFile {
    /// A file.
    File(File),
    /// An alternate data stream.
    Stream(File),
    /// A value of the registry, which was read at once.
    Value(Value),
}

impl FileTree for LiveTree {
    type Directory = Directory;
    type File = OpenFile;
    type Reached = OwnedHandle;

    fn open_root(&self, path: &EntityPath) -> Result<Directory, TreeError> {
        if let Some(hive) = Hive::of(path) {
            return keys::open_root(hive, path).map(Directory::Key);
        }
        let native = native_path(path).ok_or(TreeError::NotFound)?;
        let native = wide(&native)?;
        let opened = match nt::open(None, &native, Wanted::Listing, Links::Followed).map_err(refused) {
            // A directory that may only be passed through still leads to the name that is wanted in it.
            Err(TreeError::PermissionDenied) => {
                nt::open(None, &native, Wanted::BareDescription, Links::Followed).map_err(refused)
            }
            opened => opened,
        };
        opened.map(Directory::Files)
    }

    fn list(&self, directory: &Directory) -> Result<Listing, TreeError> {
        let directory = match directory {
            Directory::Files(directory) => directory,
            Directory::Key(key) => return keys::list(key),
        };
        let mut buffer = ListBuffer::new();
        let mut names = Listing::default();
        let mut is_first = true;
        while let Some(bytes) = nt::list(directory, is_first, &mut buffer).map_err(failed)? {
            for entry in listing::entries(bytes) {
                // No name has a colon, which is where a stream's begins.
                if entry.name != b"." && entry.name != b".." && !is_stream(&entry.name) {
                    names.push(&entry.name, entry.kind);
                }
            }
            is_first = false;
        }
        names.sort();
        names.shrink();
        Ok(names)
    }

    fn describe_directory(&self, directory: &Directory) -> Result<Look, TreeError> {
        match directory {
            Directory::Files(directory) => attributes::describe(directory),
            Directory::Key(key) => keys::describe(key),
        }
    }

    fn enter(&self, directory: &Directory, name: &[u8]) -> Result<Directory, TreeError> {
        let directory = match directory {
            Directory::Files(directory) => directory,
            Directory::Key(key) => return keys::enter(key, name).map(Directory::Key),
        };
        let entered = open(directory, name, Wanted::Listing, Links::Opened)?;
        if attributes::kind(&entered)? == EntityKind::Directory {
            Ok(Directory::Files(entered))
        } else {
            Err(TreeError::NotThat)
        }
    }

    fn streams(&self, directory: &Directory, name: &[u8]) -> Result<Vec<Vec<u8>>, TreeError> {
        let directory = match directory {
            Directory::Files(directory) => directory,
            Directory::Key(key) => return keys::values(key, name),
        };
        let found = open_to_describe(directory, name, Links::Opened)?;
        Ok(listing::streams(&nt::streams(found).map_err(failed)?).collect())
    }

    fn look(&self, directory: &Directory, name: &[u8]) -> Result<Look, TreeError> {
        let directory = match directory {
            Directory::Files(directory) => directory,
            Directory::Key(key) => return keys::look(key, name),
        };
        let found = open_to_describe(directory, name, Links::Opened)?;
        if is_stream(name) { attributes::describe_stream(found) } else { attributes::describe(found) }
    }

    fn resolve(&self, directory: &Directory, name: &[u8]) -> Result<Resolved<OwnedHandle>, TreeError> {
        let link = self.look(directory, name)?;
        let directory = match directory {
            Directory::Files(directory) => directory,
            // What a link of the registry leads to is monitored where it is, and the link for itself.
            Directory::Key(_) => return Err(TreeError::NotFound),
        };
        if link.attributes.target.as_deref().is_some_and(leads_elsewhere) {
            // It may not answer, and it would be told who this machine is.
            return Err(TreeError::Failed("it leads to another machine, where nothing is read".to_owned()));
        }
        let reached = open_to_describe(directory, name, Links::Followed)?;
        let look = attributes::describe(&reached)?;
        let path = nt::final_path(&reached)
            .map_err(|error| TreeError::Failed(format!("cannot tell where a link leads: {error}")))?;
        let path = EntityPath::windows(without_prefix(&from_wide(path)));
        Ok(Resolved { look, path, reached })
    }

    fn enter_reached(&self, reached: &OwnedHandle) -> Result<Directory, TreeError> {
        let entered = nt::open(Some(reached.as_handle()), &[], Wanted::Listing, Links::Followed);
        entered.map(Directory::Files).map_err(refused)
    }

    fn open_file(&self, directory: &Directory, name: &[u8]) -> Result<OpenFile, TreeError> {
        let directory = match directory {
            Directory::Files(directory) => directory,
            Directory::Key(key) => return keys::read(key, name).map(OpenFile::Value),
        };
        let file = open(directory, name, Wanted::Content, Links::Opened)?;
        // What a stream belongs to has been looked at, and may as well be a directory.
        if is_stream(name) {
            return Ok(OpenFile::Stream(file.into()));
        }
        if attributes::kind(&file)? != EntityKind::File {
            return Err(TreeError::NotThat);
        }
        if !attributes::is_stored_otherwise(&file)? {
            return Ok(OpenFile::File(file.into()));
        }
        // Its content is reached by its name alone. If the name has become a link, what that leads to is another file.
        let content = open(directory, name, Wanted::Content, Links::Followed)?;
        let is_same =
            attributes::identity(&file).is_some_and(|id| attributes::identity(&content) == Some(id));
        if is_same { Ok(OpenFile::File(content.into())) } else { Err(TreeError::NotThat) }
    }

    fn open_reached(&self, reached: &OwnedHandle) -> Result<OpenFile, TreeError> {
        let file =
            nt::open(Some(reached.as_handle()), &[], Wanted::Content, Links::Followed).map_err(refused)?;
        Ok(OpenFile::File(file.into()))
    }

    fn describe_file(&self, open: &OpenFile) -> Result<Look, TreeError> {
        match open {
            OpenFile::File(file) => attributes::describe(file),
            OpenFile::Stream(stream) => attributes::describe_stream(stream),
            OpenFile::Value(value) => Ok(value.look()),
        }
    }

    fn stamp(&self, open: &OpenFile) -> Result<Stamp, TreeError> {
        match open {
            OpenFile::File(file) => attributes::stamp(file),
            OpenFile::Stream(stream) => attributes::describe_stream(stream).map(|look| look.stamp()),
            OpenFile::Value(value) => Ok(value.look().stamp()),
        }
    }

    fn read_at(&self, open: &OpenFile, offset: u64, buffer: &mut [u8]) -> Result<usize, TreeError> {
        match open {
            OpenFile::File(file) | OpenFile::Stream(file) => file.seek_read(buffer, offset).map_err(failed),
            OpenFile::Value(value) => Ok(value.read_at(offset, buffer)),
        }
    }

    fn style(&self) -> PathStyle {
        PathStyle::Windows
    }

    fn services(&self) -> Result<Option<Vec<ServiceStatus>>, TreeError> {
        services::all().map(Some).map_err(failed)
    }

    fn keep_out(&self, directory: &Directory) -> Option<KeepOut> {
        match directory {
            Directory::Files(directory) => nt::is_remote(directory).then_some(KeepOut::MayHang("network")),
            Directory::Key(_) => None,
        }
    }
}

fn open(
    directory: &OwnedHandle,
    name: &[u8],
    wanted: Wanted,
    links: Links,
) -> Result<OwnedHandle, TreeError> {
    nt::open(Some(directory.as_handle()), &wide(name)?, wanted, links).map_err(refused)
}

fn open_to_describe(directory: &OwnedHandle, name: &[u8], links: Links) -> Result<OwnedHandle, TreeError> {
    match open(directory, name, Wanted::Description, links) {
        Err(TreeError::PermissionDenied) => open(directory, name, Wanted::BareDescription, links),
        opened => opened,
    }
}

fn is_stream(name: &[u8]) -> bool {
    name.contains(&b':')
}

fn wide(name: &[u8]) -> Result<Vec<u16>, TreeError> {
    // A name that the system cannot have is one of nothing.
    to_wide(name).ok_or(TreeError::NotFound)
}

/// What a status of the system means for whoever walks the tree.
pub(super) fn refused(status: Status) -> TreeError {
    match status.0 {
        // The usual calls tell these as if something were not permitted.
        STATUS_DELETE_PENDING => TreeError::NotFound,
        STATUS_FILE_IS_A_DIRECTORY | STATUS_NOT_A_DIRECTORY => TreeError::NotThat,
        _ => failed(status.error()),
    }
}

/// What an error of the system means for whoever walks the tree.
pub(super) fn failed(error: io::Error) -> TreeError {
    let code = error.raw_os_error().map(i32::cast_unsigned);
    match code {
        Some(code) if NOT_FOUND.contains(&code) => TreeError::NotFound,
        Some(ERROR_DIRECTORY) => TreeError::NotThat,
        Some(ERROR_ACCESS_DENIED) => TreeError::PermissionDenied,
        Some(ERROR_SHARING_VIOLATION | ERROR_LOCK_VIOLATION) => TreeError::Locked,
        Some(_) | None => TreeError::Failed(error.to_string()),
    }
}

/// No such name, a name that nothing can have, a link that leads round and round, and a key that was removed meanwhile.
const NOT_FOUND: [WIN32_ERROR; 5] = [
    ERROR_FILE_NOT_FOUND,
    ERROR_PATH_NOT_FOUND,
    ERROR_INVALID_NAME,
    ERROR_CANT_RESOLVE_FILENAME,
    ERROR_KEY_DELETED,
];
