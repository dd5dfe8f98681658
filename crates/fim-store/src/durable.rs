//! A local object store whose answers are durable.
//!
//! `object_store`'s own never syncs: after a power loss a file that it reported as written can be empty, and a Delta
//! table with an empty last commit does not open. Here a file is written under another name, synced, then given its
//! name, and the directories are synced; so a name is there with all its bytes or not at all, and `Ok` is a promise.
//!
//! What changes the disk goes through [`Disk`], so that a test can fail every operation and cut the power at each of
//! them. What reads it goes through another object store, which on this machine is `object_store`'s own.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::io;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use fim_log::{Disk, DiskFile, create_dir_all};
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyMode, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use uuid::Uuid;

/// The files of a disk as an object store, with `/` as its root.
#[derive(Clone)]
pub(crate) struct DurableFiles<D> {
    disk: DurableNames<D>,
    reader: Arc<dyn ObjectStore>,
    /// Knows how a location is spelled on the disk; reads nothing.
    spelling: Arc<LocalFileSystem>,
    /// On the file system of everything that is written.
    staging: PathBuf,
}

/// A disk, and the directories on it whose names are known to be durable.
#[derive(Clone)]
struct DurableNames<D> {
    disk: D,
    known: Arc<Mutex<HashSet<PathBuf>>>,
}

impl<D: Disk + Clone> DurableFiles<D> {
    /// `reader` shows the disk's files, by their absolute paths.
    pub(crate) fn new(disk: D, reader: Arc<dyn ObjectStore>, staging: PathBuf) -> Self {
        let disk = DurableNames { disk, known: Arc::default() };
        Self { disk, reader, spelling: Arc::new(LocalFileSystem::new()), staging }
    }

    async fn publish(&self, location: &Path, payload: PutPayload, mode: PutMode) -> Result<PutResult> {
        let naming = match mode {
            PutMode::Overwrite => Naming::Replace,
            PutMode::Create => Naming::New,
            PutMode::Update(_) => {
                return Err(object_store::Error::NotImplemented {
                    operation: "an update if the file is still the same".to_owned(),
                    implementer: NAME.to_owned(),
                });
            }
        };
        let target = self.spelling.path_to_filesystem(location)?;
        let staged = self.staging.join(Uuid::new_v4().to_string());
        let names = self.disk.clone();
        let work = move || {
            let done = write_whole(&names.disk, &staged, &payload)
                .and_then(|()| names.give_name(&target, &staged, naming));
            if done.is_err() {
                // It has another name than anything that is looked for; the next opening clears it away.
                let _ = names.disk.remove(&staged);
            }
            done.map_err(|source| failure(&target, source))
        };
        tokio::task::spawn_blocking(work).await??;
        Ok(PutResult { e_tag: None, version: None })
    }
}

impl<D> fmt::Debug for DurableFiles<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct(NAME).field("staging", &self.staging).finish_non_exhaustive()
    }
}

impl<D> fmt::Display for DurableFiles<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(NAME)
    }
}

#[async_trait]
impl<D: Disk + Clone> ObjectStore for DurableFiles<D> {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        self.publish(location, payload, opts.mode).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _opts: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let target = self.spelling.path_to_filesystem(location)?;
        let staged = self.staging.join(Uuid::new_v4().to_string());
        let file = self.disk.disk.open_append(&staged).map_err(|source| failure(&staged, source))?;
        let parts = Parts { file, written: 0, early: BTreeMap::new(), is_failed: false };
        let parts = Arc::new(Mutex::new(parts));
        Ok(Box::new(Upload { names: self.disk.clone(), target, staged, parts, count: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.reader.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[std::ops::Range<u64>]) -> Result<Vec<Bytes>> {
        self.reader.get_ranges(location, ranges).await
    }

    /// A removal is not made durable: a file that nobody needs does no harm if it comes back.
    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let (disk, spelling) = (self.disk.disk.clone(), Arc::clone(&self.spelling));
        let remove = move |location: Result<Path>| {
            let (disk, spelling) = (disk.clone(), Arc::clone(&spelling));
            async move {
                let location = location?;
                let path = spelling.path_to_filesystem(&location)?;
                let work = move || disk.remove(&path).map_err(|source| failure(&path, source));
                tokio::task::spawn_blocking(work).await??;
                Ok(location)
            }
        };
        locations.then(remove).boxed()
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

/// An upload in parts, put together in a file that has no name in the store before it is whole.
struct Upload<D: Disk> {
    names: DurableNames<D>,
    target: PathBuf,
    staged: PathBuf,
    parts: Arc<Mutex<Parts<D>>>,
    /// Parts that were handed over.
    count: usize,
}

/// The parts of an upload that have arrived.
struct Parts<D: Disk> {
    file: D::File,
    /// How many are in the file.
    written: usize,
    /// Those that came before one that goes before them.
    early: BTreeMap<usize, PutPayload>,
    /// True if a part may be in the file by half.
    is_failed: bool,
}

impl<D: Disk> Parts<D> {
    fn add(&mut self, number: usize, part: PutPayload) -> io::Result<()> {
        self.early.insert(number, part);
        while let Some(next) = self.early.remove(&self.written) {
            for chunk in &next {
                self.file.append(chunk).inspect_err(|_| self.is_failed = true)?;
            }
            self.written += 1;
        }
        Ok(())
    }

    /// Makes the bytes durable if all parts have come.
    fn finish(&mut self, count: usize) -> io::Result<()> {
        if self.is_failed || self.written != count {
            return Err(io::Error::other("a part of the upload is missing"));
        }
        self.file.sync()
    }
}

impl<D: Disk> fmt::Debug for Upload<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("target", &self.target).finish_non_exhaustive()
    }
}

#[async_trait]
impl<D: Disk + Clone> MultipartUpload for Upload<D> {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (parts, staged, number) = (Arc::clone(&self.parts), self.staged.clone(), self.count);
        self.count += 1;
        let work = move || {
            let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
            parts.add(number, data).map_err(|source| failure(&staged, source))
        };
        Box::pin(async move { tokio::task::spawn_blocking(work).await? })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (parts, count, names) = (Arc::clone(&self.parts), self.count, self.names.clone());
        let (target, staged) = (self.target.clone(), self.staged.clone());
        let work = move || {
            let synced = parts.lock().unwrap_or_else(PoisonError::into_inner).finish(count);
            let done = synced.and_then(|()| names.give_name(&target, &staged, Naming::Replace));
            done.map_err(|source| failure(&target, source))
        };
        tokio::task::spawn_blocking(work).await??;
        Ok(PutResult { e_tag: None, version: None })
    }

    async fn abort(&mut self) -> Result<()> {
        let (disk, staged) = (self.names.disk.clone(), self.staged.clone());
        // The next opening clears it away if this does not.
        let _ = tokio::task::spawn_blocking(move || disk.remove(&staged)).await?;
        Ok(())
    }
}

/// Whether a name may be taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Naming {
    /// The file of that name is replaced.
    Replace,
    /// It is an error if there is one.
    New,
}

impl<D: Disk> DurableNames<D> {
    /// Gives a file that is durable its name, durably.
    fn give_name(&self, target: &FilePath, staged: &FilePath, naming: Naming) -> io::Result<()> {
        let parent = target.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        self.create_dir(parent)?;
        match naming {
            Naming::Replace => {
                self.disk.rename(staged, target)?;
                self.disk.sync_dir(parent)
            }
            Naming::New => {
                // A link fails if the name is taken, where a rename would replace the file.
                self.disk.link(staged, target)?;
                let synced = self.disk.sync_dir(parent);
                if synced.is_err() {
                    // It failed, so it must not be there: the caller may try again with other content.
                    let _ = self.disk.remove(target);
                }
                let _ = self.disk.remove(staged);
                synced
            }
        }
    }

    /// Sees to it that the directory is there and stays there.
    fn create_dir(&self, dir: &FilePath) -> io::Result<()> {
        if self.known.lock().unwrap_or_else(PoisonError::into_inner).contains(dir) && self.disk.is_dir(dir) {
            return Ok(());
        }
        create_dir_all(&self.disk, dir)?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(dir.to_owned());
        Ok(())
    }
}

fn write_whole<D: Disk>(disk: &D, path: &FilePath, payload: &PutPayload) -> io::Result<()> {
    let mut file = disk.open_append(path)?;
    for chunk in payload {
        file.append(chunk)?;
    }
    file.sync()
}

fn failure(path: &FilePath, source: io::Error) -> object_store::Error {
    let name = path.display().to_string();
    match source.kind() {
        io::ErrorKind::AlreadyExists => {
            object_store::Error::AlreadyExists { path: name, source: Box::new(source) }
        }
        io::ErrorKind::NotFound => object_store::Error::NotFound { path: name, source: Box::new(source) },
        _ => object_store::Error::Generic {
            store: NAME,
            source: Box::new(io::Error::new(source.kind(), format!("cannot change {name}: {source}"))),
        },
    }
}

const NAME: &str = "DurableFiles";
