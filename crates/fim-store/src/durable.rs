//! A local object store whose answers are durable.
//!
//! `object_store`'s own never syncs: after a power loss a file that it reported as written can be empty, and a Delta
//! table with an empty last commit does not open. Here a file is written under another name, synced, then given its
//! name, and the directories are synced; so a name is there with all its bytes or not at all, and `Ok` is a promise.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path as FilePath, PathBuf};

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

/// The files of this machine as an object store, with `/` as its root.
#[derive(Clone, Debug)]
pub(crate) struct DurableFiles {
    reader: LocalFileSystem,
    /// On the file system of everything that is written.
    staging: PathBuf,
}

impl DurableFiles {
    pub(crate) fn new(staging: PathBuf) -> Self {
        Self { reader: LocalFileSystem::new(), staging }
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
        Ok(Box::new(Upload { files: self.clone(), location: location.clone(), parts: Vec::new() }))
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

/// An upload in parts, kept in memory until it is whole: only a table's checkpoints come this way, and they are small.
#[derive(Debug)]
struct Upload {
    files: DurableFiles,
    location: Path,
    parts: Vec<Bytes>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        self.parts.extend(data);
        Box::pin(std::future::ready(Ok(())))
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let payload = PutPayload::from_iter(std::mem::take(&mut self.parts));
        self.files.publish(&self.location, payload, PutMode::Overwrite).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}

fn publish(target: &FilePath, staged: &FilePath, payload: &PutPayload, replace: bool) -> io::Result<()> {
    let parent = target.parent().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    create_dirs(parent)?;
    let mut file = RealDisk.open_append(staged)?;
    for chunk in payload {
        file.append(chunk)?;
    }
    file.sync()?;
    drop(file);
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
