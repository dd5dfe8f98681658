//! Finding entities in a state without reading all of it.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use fim_core::{Entity, EntityPath, Spot};

use super::{ReadStateError, StateReader};

/// A state in which places can be looked up: which paths which block begins with, and the block that was read last.
/// A block holds some hundred entities, so that a million of them cost a few hundred kilobytes.
pub struct StateBlocks<R> {
    source: R,
    path: PathBuf,
    /// The first path of each block, and where the block is in the file.
    blocks: Vec<(EntityPath, u64)>,
    cached: Option<(usize, Vec<Entity>)>,
}

impl<R: Read + Seek> StateBlocks<R> {
    /// Reads the state once to learn where what is; `path` is for messages.
    pub fn new(source: R, path: &Path) -> Result<Self, ReadStateError> {
        let mut reader = StateReader::new(source, path)?;
        let mut blocks: Vec<(EntityPath, u64)> = Vec::new();
        while let Some(entity) = reader.next() {
            let entity = entity?;
            let at = reader.block_at();
            if blocks.last().is_none_or(|(_, last)| *last != at) {
                blocks.push((entity.key.path().clone(), at));
            }
        }
        Ok(Self { source: reader.into_source(), path: path.to_owned(), blocks, cached: None })
    }

    /// What the state holds at the spots, which are in path order and none within a deep one, in path order.
    pub fn at<'b>(&'b mut self, spots: &'b [Spot]) -> AtSpots<'b, R> {
        AtSpots { blocks: self, spots, block: 0, next: 0, is_begun: false }
    }

    /// The block in which a path is, if it is in any.
    fn block_of(&self, path: &EntityPath) -> usize {
        self.blocks.partition_point(|(first, _)| first <= path).saturating_sub(1)
    }

    fn load(&mut self, block: usize) -> Result<&[Entity], ReadStateError> {
        if self.cached.as_ref().is_none_or(|(cached, _)| *cached != block) {
            self.cached = None;
            let Some((_, at)) = self.blocks.get(block) else { return Ok(&[]) };
            let failed = |source| ReadStateError::Read { path: self.path.clone(), source };
            self.source.seek(SeekFrom::Start(*at)).map_err(failed)?;
            let entities = StateReader::block_entities(&mut self.source, &self.path, *at)?;
            self.cached = Some((block, entities));
        }
        Ok(self.cached.as_ref().map_or(&[], |(_, entities)| entities))
    }
}

/// What a state holds at some spots.
pub struct AtSpots<'b, R> {
    blocks: &'b mut StateBlocks<R>,
    spots: &'b [Spot],
    /// Where the next entity of a deep spot is.
    block: usize,
    next: usize,
    is_begun: bool,
}

impl<R: Read + Seek> AtSpots<'_, R> {
    fn next_entity(&mut self) -> Result<Option<Entity>, ReadStateError> {
        while let Some(spot) = self.spots.first() {
            if !self.is_begun {
                self.block = self.blocks.block_of(&spot.path);
                let entities = self.blocks.load(self.block)?;
                self.next = entities.partition_point(|entity| *entity.key.path() < spot.path);
                self.is_begun = true;
            }
            let found = self.take_next()?.filter(|entity| {
                let path = entity.key.path();
                *path == spot.path || (spot.is_deep && path.is_within(&spot.path))
            });
            let goes_on = spot.is_deep && found.is_some();
            if !goes_on {
                self.spots = &self.spots[1..];
                self.is_begun = false;
            }
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The entity that comes next in the state.
    fn take_next(&mut self) -> Result<Option<Entity>, ReadStateError> {
        loop {
            let entities = self.blocks.load(self.block)?;
            if let Some(entity) = entities.get(self.next) {
                self.next += 1;
                return Ok(Some(entity.clone()));
            }
            self.block += 1;
            self.next = 0;
            if self.block >= self.blocks.blocks.len() {
                return Ok(None);
            }
        }
    }
}

impl<R: Read + Seek> Iterator for AtSpots<'_, R> {
    type Item = Result<Entity, ReadStateError>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.next_entity();
        if next.is_err() {
            self.spots = &[];
        }
        next.transpose()
    }
}
