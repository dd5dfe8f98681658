//! Writing a state.

use std::path::{Path, PathBuf};

use fim_core::{Entity, EntityPath};
use fim_log::{Disk, DiskFile};
use fim_scan::Hasher;
use fim_wire::append_entity;

use super::{
    BLOCK, BLOCK_ENDS_AT_BYTES, FOOTER, MAGIC, MOST_BLOCK_BYTES, MOST_METADATA_BYTES, VERSION,
    WriteStateError,
};

/// Writes a state, entity by entity in path order. Nothing has its name before [`finish`](Self::finish) has made it
/// durable; a writer that is dropped before leaves what was there.
pub struct StateWriter<'d, D: Disk> {
    disk: &'d D,
    path: PathBuf,
    temporary: PathBuf,
    file: Option<D::File>,
    compressor: zstd::bulk::Compressor<'static>,
    hasher: Hasher,
    /// The block under way.
    plain: Vec<u8>,
    in_block: u32,
    stored: Vec<u8>,
    last: Option<EntityPath>,
    entities: u64,
}

/// Where a state lies that shall be at `path`, until it is whole.
pub(crate) fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

impl<'d, D: Disk> StateWriter<'d, D> {
    /// Begins a state that shall be at `path`. `metadata` is the caller's own and comes back as it is.
    pub fn create(disk: &'d D, path: &Path, metadata: &[u8]) -> Result<Self, WriteStateError> {
        if metadata.len() > MOST_METADATA_BYTES {
            let what = "its metadata".to_owned();
            return Err(WriteStateError::TooLarge { what, bytes: metadata.len(), most: MOST_METADATA_BYTES });
        }
        let temporary = unfinished(path);
        let failed = |source| WriteStateError::Create { path: temporary.clone(), source };
        match disk.remove(&temporary) {
            // Left by a writer that was killed.
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let file = disk.open_append(&temporary).map_err(failed)?;
        let compressor = zstd::bulk::Compressor::new(ZSTD_LEVEL).map_err(failed)?;
        let mut writer = Self {
            disk,
            path: path.to_owned(),
            temporary: temporary.clone(),
            file: Some(file),
            compressor,
            hasher: Hasher::default(),
            plain: Vec::with_capacity(2 * BLOCK_ENDS_AT_BYTES),
            in_block: 0,
            stored: Vec::new(),
            last: None,
            entities: 0,
        };
        writer.append(&header(metadata))?;
        Ok(writer)
    }

    /// Adds the next entity.
    pub fn push(&mut self, entity: &Entity) -> Result<(), WriteStateError> {
        let path = entity.key.path();
        if let Some(last) = &self.last
            && *path <= *last
        {
            return Err(WriteStateError::OutOfOrder { earlier: path.clone(), later: last.clone() });
        }
        let start = self.plain.len();
        append_entity(entity, &mut self.plain);
        let bytes = self.plain.len() - start;
        if bytes > MOST_BLOCK_BYTES - BLOCK_ENDS_AT_BYTES {
            self.plain.truncate(start);
            let most = MOST_BLOCK_BYTES - BLOCK_ENDS_AT_BYTES;
            return Err(WriteStateError::TooLarge { what: path.to_string(), bytes, most });
        }
        self.in_block += 1;
        self.entities += 1;
        self.last = Some(path.clone());
        if self.plain.len() >= BLOCK_ENDS_AT_BYTES { self.end_block() } else { Ok(()) }
    }

    /// Makes the state durable and gives it its name. Says how many entities it holds.
    pub fn finish(mut self) -> Result<u64, WriteStateError> {
        self.end_block()?;
        let mut footer = vec![FOOTER];
        footer.extend_from_slice(&self.entities.to_le_bytes());
        footer.extend_from_slice(&self.hasher.digest().0);
        footer.extend_from_slice(&crc32fast::hash(&footer).to_le_bytes());
        self.append(&footer)?;
        let failed = |source| WriteStateError::Write { path: self.temporary.clone(), source };
        if let Some(file) = &mut self.file {
            file.sync().map_err(failed)?;
        }
        let failed = |source| WriteStateError::Rename { path: self.path.clone(), source };
        self.disk.rename(&self.temporary, &self.path).map_err(failed)?;
        self.file = None;
        let directory = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            Some(_) | None => Path::new("."),
        };
        self.disk.sync_dir(directory).map_err(failed)?;
        Ok(self.entities)
    }

    fn end_block(&mut self) -> Result<(), WriteStateError> {
        if self.in_block == 0 {
            return Ok(());
        }
        self.stored.clear();
        self.stored.resize(zstd::zstd_safe::compress_bound(self.plain.len()), 0);
        let stored = self
            .compressor
            .compress_to_buffer(&self.plain, &mut self.stored)
            .map_err(|source| WriteStateError::Write { path: self.temporary.clone(), source })?;
        self.stored.truncate(stored);
        let mut header = vec![BLOCK];
        // The lengths are below the limits of a block, far below what 32 bits hold.
        for number in [self.in_block, self.plain.len() as u32, stored as u32, crc32fast::hash(&self.stored)] {
            header.extend_from_slice(&number.to_le_bytes());
        }
        self.append(&header)?;
        let stored = std::mem::take(&mut self.stored);
        self.append(&stored)?;
        self.stored = stored;
        self.plain.clear();
        self.in_block = 0;
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> Result<(), WriteStateError> {
        self.hasher.update(bytes);
        let Some(file) = &mut self.file else { return Ok(()) };
        file.append(bytes).map_err(|source| WriteStateError::Write { path: self.temporary.clone(), source })
    }
}

impl<D: Disk> Drop for StateWriter<'_, D> {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // If it cannot be removed it is in nobody's way: the next writer replaces it.
            let _ = self.disk.remove(&self.temporary);
        }
    }
}

fn header(metadata: &[u8]) -> Vec<u8> {
    let mut start = MAGIC.to_vec();
    start.extend_from_slice(&VERSION.to_le_bytes());
    // At most the limit that `create` checked.
    start.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&start);
    crc.update(metadata);
    start.extend_from_slice(&crc.finalize().to_le_bytes());
    start.extend_from_slice(metadata);
    start
}

/// Paths, times and names compress well at any level; the lowest costs least.
const ZSTD_LEVEL: i32 = 1;
