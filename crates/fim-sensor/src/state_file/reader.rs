//! Reading a state.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use fim_core::{Digest, Entity, EntityPath};
use fim_scan::Hasher;
use fim_wire::take_entity;

use super::{
    BLOCK, BLOCK_HEADER_BYTES, FOOTER, FOOTER_BYTES, HEADER_BYTES, MAGIC, MOST_BLOCK_BYTES,
    MOST_METADATA_BYTES, ReadStateError, VERSION,
};

/// Reads a state, entity by entity in path order.
///
/// Each block is checked before anything of it is handed out. The end is checked too, so that a state is known to be
/// whole once the iterator has ended without an error; after an error it ends.
pub struct StateReader<R> {
    source: R,
    path: PathBuf,
    at_byte: u64,
    metadata: Vec<u8>,
    hasher: Hasher,
    block: Vec<u8>,
    read: usize,
    left_in_block: u32,
    block_at: u64,
    last: Option<EntityPath>,
    entities: u64,
    is_ended: bool,
}

impl StateReader<BufReader<File>> {
    /// Opens the state at `path`.
    pub fn open(path: &Path) -> Result<Self, ReadStateError> {
        let failed = |source| ReadStateError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if !file.metadata().map_err(failed)?.is_file() {
            return Err(ReadStateError::NotAState { path: path.to_owned() });
        }
        Self::new(BufReader::with_capacity(READ_BYTES, file), path)
    }
}

impl<R: Read> StateReader<R> {
    /// Reads a state from anything; `path` is for messages.
    pub fn new(source: R, path: &Path) -> Result<Self, ReadStateError> {
        let mut reader = Self::standing_at(source, path, 0);
        reader.read_header()?;
        Ok(reader)
    }

    /// What the writer was given as metadata.
    pub fn metadata(&self) -> &[u8] {
        &self.metadata
    }

    /// Where the block of the entity that was handed out last is in the file.
    pub(super) fn block_at(&self) -> u64 {
        self.block_at
    }

    /// What it reads from.
    pub(super) fn into_source(self) -> R {
        self.source
    }

    /// The entities of the one block that begins where `source` stands, at byte `at` of the file.
    pub(super) fn block_entities(source: R, path: &Path, at: u64) -> Result<Vec<Entity>, ReadStateError> {
        let mut reader = Self::standing_at(source, path, at);
        let mut entities = Vec::new();
        if reader.read_part()? {
            while reader.left_in_block > 0 {
                entities.extend(reader.next_entity()?);
            }
        }
        Ok(entities)
    }

    fn standing_at(source: R, path: &Path, at_byte: u64) -> Self {
        Self {
            source,
            path: path.to_owned(),
            at_byte,
            metadata: Vec::new(),
            hasher: Hasher::default(),
            block: Vec::new(),
            read: 0,
            left_in_block: 0,
            block_at: at_byte,
            last: None,
            entities: 0,
            is_ended: false,
        }
    }

    fn read_header(&mut self) -> Result<(), ReadStateError> {
        let not_a_state = |path: &Path| ReadStateError::NotAState { path: path.to_owned() };
        let mut header = [0; HEADER_BYTES];
        match self.fill(&mut header) {
            Err(ReadStateError::Damaged { .. }) => return Err(not_a_state(&self.path)),
            other => other?,
        }
        let [magic @ .., v0, v1, l0, l1, l2, l3, c0, c1, c2, c3] = header;
        if magic != MAGIC {
            return Err(not_a_state(&self.path));
        }
        let found = u16::from_le_bytes([v0, v1]);
        if found > VERSION {
            return Err(ReadStateError::Newer { path: self.path.clone(), found, known: VERSION });
        }
        if (1..VERSION).contains(&found) {
            return Err(ReadStateError::Older { path: self.path.clone(), found, known: VERSION });
        }
        let length = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if length > MOST_METADATA_BYTES {
            return Err(self.damaged(0, "its header claims more metadata than there may be"));
        }
        let mut metadata = vec![0; length];
        self.fill(&mut metadata)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&header[..HEADER_BYTES - 4]);
        crc.update(&metadata);
        if crc.finalize() != u32::from_le_bytes([c0, c1, c2, c3]) || found == 0 {
            return Err(self.damaged(0, "its header fails its checksum"));
        }
        self.metadata = metadata;
        Ok(())
    }

    fn next_entity(&mut self) -> Result<Option<Entity>, ReadStateError> {
        while self.left_in_block == 0 {
            if self.read < self.block.len() {
                return Err(self.damaged(self.block_at, "a block holds more than its entities"));
            }
            if !self.read_part()? {
                return Ok(None);
            }
        }
        let mut rest = &self.block[self.read..];
        let Ok(entity) = take_entity(&mut rest) else {
            return Err(self.damaged(self.block_at, "a block holds no entity where one should be"));
        };
        self.read = self.block.len() - rest.len();
        let path = entity.key.path();
        if self.last.as_ref().is_some_and(|last| path <= last) {
            return Err(self.damaged(self.block_at, "its entities are not in order"));
        }
        self.last = Some(path.clone());
        self.left_in_block -= 1;
        self.entities += 1;
        Ok(Some(entity))
    }

    /// Reads the next block, or the footer; false after the footer.
    fn read_part(&mut self) -> Result<bool, ReadStateError> {
        let digest = self.hasher.digest();
        self.block_at = self.at_byte;
        let mut kind = [0];
        self.fill(&mut kind)?;
        match kind {
            [BLOCK] => self.read_block().map(|()| true),
            [FOOTER] => self.read_footer(digest).map(|()| false),
            _ => Err(self.damaged(self.block_at, "neither a block nor the end begins there")),
        }
    }

    fn read_block(&mut self) -> Result<(), ReadStateError> {
        let mut header = [0; BLOCK_HEADER_BYTES];
        self.fill(&mut header)?;
        let [entities, plain, stored, crc] =
            [0, 1, 2, 3].map(|position| u32::from_le_bytes(header.as_chunks::<4>().0[position]));
        let (plain, stored) = (plain as usize, stored as usize);
        if plain > MOST_BLOCK_BYTES || stored > zstd::zstd_safe::compress_bound(plain) || entities == 0 {
            return Err(self.damaged(self.block_at, "a block claims a length that none has"));
        }
        let mut bytes = vec![0; stored];
        self.fill(&mut bytes)?;
        if crc32fast::hash(&bytes) != crc {
            return Err(self.damaged(self.block_at, "a block fails its checksum"));
        }
        self.block = zstd::bulk::decompress(&bytes, plain)
            .ok()
            .filter(|block| block.len() == plain)
            .ok_or_else(|| self.damaged(self.block_at, "a block cannot be decompressed"))?;
        (self.read, self.left_in_block) = (0, entities);
        Ok(())
    }

    fn read_footer(&mut self, digest: Digest) -> Result<(), ReadStateError> {
        let mut footer = [0; 1 + FOOTER_BYTES];
        footer[0] = FOOTER;
        self.fill(&mut footer[1..])?;
        let (body, crc) = footer.split_at(1 + FOOTER_BYTES - 4);
        let (count, stored_digest) = body[1..].split_at(8);
        if crc != crc32fast::hash(body).to_le_bytes() {
            return Err(self.damaged(self.block_at, "its end fails its checksum"));
        }
        if stored_digest != digest.0 || count != self.entities.to_le_bytes() {
            return Err(self.damaged(self.block_at, "its end does not belong to what comes before"));
        }
        match self.source.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged(self.at_byte, "there is something behind its end")),
            Err(source) => Err(ReadStateError::Read { path: self.path.clone(), source }),
        }
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ReadStateError> {
        match self.source.read_exact(buffer) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(self.damaged(self.at_byte, "it ends too early"));
            }
            Err(source) => return Err(ReadStateError::Read { path: self.path.clone(), source }),
        }
        self.hasher.update(buffer);
        self.at_byte += buffer.len() as u64;
        Ok(())
    }

    fn damaged(&self, at_byte: u64, what: &'static str) -> ReadStateError {
        ReadStateError::Damaged { path: self.path.clone(), at_byte, what }
    }
}

impl<R: Read> Iterator for StateReader<R> {
    type Item = Result<Entity, ReadStateError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_ended {
            return None;
        }
        let next = self.next_entity();
        self.is_ended = !matches!(next, Ok(Some(_)));
        next.transpose()
    }
}

const READ_BYTES: usize = 64 << 10;
