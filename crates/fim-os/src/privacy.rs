//! Folders that are left to those who run the agent.

use std::io;
use std::path::PathBuf;

use fim_core::windows::Distrust;

/// Why a folder cannot be the agent's own.
#[derive(Debug, thiserror::Error)]
pub enum PrivacyError {
    /// It could not be made.
    #[error("cannot make {}", path.display())]
    Make {
        /// The folder, or one above it.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It could not be looked at.
    #[error("cannot look at whose {} is", path.display())]
    Look {
        /// The folder, one above it or something in it.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// It is somewhere else than it seems.
    #[error("{} is a link; name the folder that it leads to, or remove the link", path.display())]
    Link {
        /// The folder, one above it or something in it.
        path: PathBuf,
    },
    /// A file in it has another name somewhere, by which it may be changed.
    #[error("{} has other names ({links} in all); move its folder away if somebody else made it", path.display())]
    OtherNames {
        /// The file.
        path: PathBuf,
        /// How many names it has.
        links: u32,
    },
    /// Somebody else could put there what the agent would believe.
    #[error("{} cannot be relied on: {why}; move it away, or name a folder that only administrators may make", path.display())]
    Distrusted {
        /// The folder, one above it or something in it.
        path: PathBuf,
        /// Why not.
        why: Distrust,
    },
}
