//! The files of a faulty disk as an object store to read from.

use std::fmt;

use async_trait::async_trait;
use fim_log::Disk as _;
use fim_testkit::FaultyDisk;
use futures::stream::BoxStream;
use futures::{FutureExt as _, StreamExt as _};
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

/// Reads what programs see on the disk at the moment.
#[derive(Debug)]
pub struct DiskReader(pub FaultyDisk);

impl DiskReader {
    /// All files as they are now.
    fn image(&self) -> InMemory {
        let image = InMemory::new();
        for path in self.0.paths() {
            let Ok(bytes) = self.0.read(&path) else { continue };
            let location = Path::from_absolute_path(&path).unwrap();
            image.put(&location, bytes.into()).now_or_never().expect("memory does not wait").unwrap();
        }
        image
    }
}

impl fmt::Display for DiskReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DiskReader")
    }
}

#[async_trait]
impl ObjectStore for DiskReader {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        unreachable!("it is only read from")
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        unreachable!("it is only read from")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = std::path::Path::new("/").join(location.as_ref());
        let bytes = self.0.read(&path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => {
                Error::NotFound { path: location.to_string(), source: error.into() }
            }
            _ => Error::Generic { store: "DiskReader", source: error.into() },
        })?;
        let image = InMemory::new();
        image.put(location, bytes.into()).await?;
        image.get_opts(location, options).await
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        unreachable!("it is only read from")
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        match self.0.list(std::path::Path::new("/")) {
            Ok(_) => self.image().list(prefix),
            Err(error) => {
                let failure = Error::Generic { store: "DiskReader", source: error.into() };
                futures::stream::once(async { Err(failure) }).boxed()
            }
        }
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let listed = self.0.list(std::path::Path::new("/"));
        listed.map_err(|error| Error::Generic { store: "DiskReader", source: error.into() })?;
        self.image().list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        unreachable!("it is only read from")
    }
}
