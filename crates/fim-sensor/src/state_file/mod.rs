//! The state on disk: every entity, sorted by path, written and read as a stream and never held whole.
//!
//! ```text
//! file    = magic (8) version (u16) metadata length (u32) crc32 of these and the metadata (u32) metadata
//!           block* footer
//! block   = 1 (u8) entities (u32) plain length (u32) stored length (u32) crc32 of the stored bytes (u32) stored
//! footer  = 2 (u8) entities (u64) SHA-256 of everything before the footer (32) crc32 of the footer before this (u32)
//! ```
//!
//! Numbers are little endian. What is stored of a block is its entities as they go over the wire, one behind the other,
//! compressed with zstd. A file of another format is refused by name: of a newer one, because a newer program is needed,
//! of an older one, because what is compared with a baseline must be understood completely. A file is written under another name, made durable, and then renamed, so that under its own name it is always whole: what
//! is found damaged was damaged afterwards.

mod error;
mod index;
mod merge;
mod reader;
mod writer;

pub use error::{ReadStateError, WriteStateError};
pub use index::{AtSpots, StateBlocks};
pub use merge::{Pair, Pairs};
pub use reader::StateReader;
pub use writer::StateWriter;
pub(crate) use writer::unfinished;

const MAGIC: [u8; 8] = *b"SFSTATE\n";
const VERSION: u16 = 2;
const HEADER_BYTES: usize = 8 + 2 + 4 + 4;
const BLOCK: u8 = 1;
const BLOCK_HEADER_BYTES: usize = 4 + 4 + 4 + 4;
const FOOTER: u8 = 2;
const FOOTER_BYTES: usize = 8 + 32 + 4;

/// The longest metadata; a file that claims more is damaged.
const MOST_METADATA_BYTES: usize = 16 << 20;

/// A block ends with the entity that brings it to this length.
const BLOCK_ENDS_AT_BYTES: usize = 64 << 10;

/// The longest block, with room for one entity of the largest kind; a file that claims more is damaged.
const MOST_BLOCK_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests;
