//! A local object store whose answers are durable.
//!
//! `object_store`'s own never syncs: after a power loss a file that it reported as written can be empty, and a Delta
//! table with an empty last commit does not open. Here a file is written under another name, synced, then given its
//! name, and the directories are synced; so a name is there with all its bytes or not at all, and `Ok` is a promise.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use fim_log::{Disk, DiskFile, RealDisk};
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use uuid::Uuid;

use crate::lease::Lease;

/// The files of this machine as an object store, with `/` as its root.
#[derive(Clone, Debug)]
pub(crate) struct DurableFiles {
    reader: LocalFileSystem,
    /// On the file system of everything that is written.
    staging: PathBuf,
    /// Held by whoever can read through this.
    _lease: Option<Arc<Lease>>,
}

impl DurableFiles {
    pub(crate) fn new(staging: PathBuf) -> Self {
        Self { reader: LocalFileSystem::new(), staging, _lease: None }
    }

    /// The same files for a reader of a snapshot: those of the lease's stretch stay as long as this does.
    pub(crate) fn leased(&self, lease: Arc<Lease>) -> Self {
        Self { _lease: Some(lease), ..self.clone() }
    }

    async fn publish(&self, location: &Path, payload: PutPayload, mode: PutMode) -> Result<PutResult> {
        let replace = match mode {
            PutMode::Overwrite => true,
            PutMode::Create => false,
            PutMode::Update(_) => {
                return Err(object_store::Error::NotImplemented {
                    operation: "an update if the file is still the same".to_owned(),
                    implementer: NAME.to_owned(),
                });
            }
        };
        let target = self.reader.path_to_filesystem(location)?;
        let staged = self.staging.join(Uuid::new_v4().to_string());
        let work = move || {
            let done = publish(&target, &staged, &payload, replace);
            if done.is_err() {
                // It has another name than anything that is looked for; the next opening clears it away.
                let _ = fs::remove_file(&staged);
            }
            done.map_err(|source| failure(&target, source))
        };
        tokio::task::spawn_blocking(work).await??;
        Ok(PutResult { e_tag: None, version: None })
    }
}

impl fmt::Display for DurableFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl ObjectStore for DurableFiles {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.publish(location, payload, opts.mode).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.reader.path_to_filesystem(location)?;
        let staged = self.staging.join(Uuid::new_v4().to_string());
        // Made as every file of ours is, for its owner alone; then opened to be written in any order.
        let made = RealDisk.open_append(&staged).and_then(|_| OpenOptions::new().write(true).open(&staged));
        let file = made.map_err(|source| failure(&staged, source))?;
        Ok(Box::new(Upload { target, staged, file: Arc::new(Mutex::new(file)), length: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.reader.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.reader.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list(prefix)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.reader.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.reader.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let bytes = self.reader.get(from).await?.bytes().await?;
        let mode = match options.mode {
            CopyMode::Overwrite => PutMode::Overwrite,
            CopyMode::Create => PutMode::Create,
        };
        self.publish(to, bytes.into(), mode).await.map(|_| ())
    }
}

/// An upload in parts, each written to its place in a file that has no name in the store before it is whole.
#[derive(Debug)]
struct Upload {
    target: PathBuf,
    staged: PathBuf,
    file: Arc<Mutex<File>>,
    /// Of the parts so far, in bytes.
    length: u64,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (file, staged, mut offset) = (Arc::clone(&self.file), self.staged.clone(), self.length);
        self.length += data.content_length() as u64;
        let work = move || {
            let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
            for chunk in &data {
                let written = file.seek(SeekFrom::Start(offset)).and_then(|_| file.write_all(chunk));
                written.map_err(|source| failure(&staged, source))?;
                offset += chunk.len() as u64;
            }
            Ok(())
        };
        Box::pin(async move { tokio::task::spawn_blocking(work).await? })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (file, target, staged) = (Arc::clone(&self.file), self.target.clone(), self.staged.clone());
        let work = move || {
            let synced = file.lock().unwrap_or_else(PoisonError::into_inner).sync_data();
            let done = synced.and_then(|()| give_name(&target, &staged, true));
            done.map_err(|source| failure(&target, source))
        };
        tokio::task::spawn_blocking(work).await??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        let staged = self.staged.clone();
        // The next opening clears it away if this does not.
        let _ = tokio::task::spawn_blocking(move || fs::remove_file(staged)).await?;
        Ok(())
    }
}

fn publish(target: &FilePath, staged: &FilePath, payload: &PutPayload, replace: bool) -> io::Result<()> {
    let mut file = RealDisk.open_append(staged)?;
    for chunk in payload {
        file.append(chunk)?;
    }
    file.sync()?;
    drop(file);
    give_name(target, staged, replace)
}

/// Gives a file that is durable its name, durably.
fn give_name(target: &FilePath, staged: &FilePath, replace: bool) -> io::Result<()> {
    let parent = target.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    create_dirs(parent)?;
    if replace {
        fs::rename(staged, target)?;
        return RealDisk.sync_dir(parent);
    }
    // A link fails if the name is taken, where a rename would replace the file.
    fs::hard_link(staged, target)?;
    let synced = RealDisk.sync_dir(parent);
    if synced.is_err() {
        // It failed, so it must not be there: the caller may try again with other content.
        let _ = fs::remove_file(target);
    }
    let _ = fs::remove_file(staged);
    synced
}

/// Creates the directories that are missing, each durably.
fn create_dirs(directory: &FilePath) -> io::Result<()> {
    let missing: Vec<_> = directory.ancestors().take_while(|dir| !dir.exists()).collect();
    for dir in missing.into_iter().rev() {
        RealDisk.create_dir_all(dir)?;
        RealDisk.sync_dir(dir.parent().unwrap_or(FilePath::new("/")))?;
    }
    Ok(())
}

fn failure(path: &FilePath, source: io::Error) -> object_store::Error {
    let name = path.display().to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => {
            object_store::Error::AlreadyExists { path: name, source: Box::new(source) }
        }
        _ => object_store::Error::Generic {
            store: NAME,
            source: Box::new(io::Error::new(source.kind(), format!("cannot write {name}: {source}"))),
        },
    }
}

const NAME: &str = "DurableFiles";
