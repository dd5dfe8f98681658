//! The trees that are scanned. What is made up is the same on every machine.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};

/// How large the trees are.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub small_files: usize,
    pub big_files: usize,
    pub big_file_mib: usize,
    pub whole_usr: bool,
}

impl Sizes {
    /// Minutes on a laptop.
    pub const MODERATE: Self =
        Self { small_files: 40_000, big_files: 4, big_file_mib: 128, whole_usr: false };

    /// The sizes that the targets speak of.
    pub const FULL: Self = Self { small_files: 200_000, big_files: 4, big_file_mib: 256, whole_usr: true };
}

/// A tree.
#[derive(Clone, Copy, Debug)]
pub enum Workload {
    /// What the recommended items cover: programs and configuration.
    Recommended,
    /// Many files of 4 KiB, a hundred in a directory.
    Small,
    /// A few large files.
    Big,
    /// A system's own files.
    System,
}

impl Workload {
    pub fn all() -> [Self; 4] {
        [Self::Recommended, Self::Small, Self::Big, Self::System]
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Recommended => "recommended",
            Self::Small => "small",
            Self::Big => "big",
            Self::System => "system",
        }
    }

    /// Makes the tree, and says what it is.
    pub fn make(self, tree: &Path, sizes: &Sizes) -> anyhow::Result<String> {
        fs::create_dir_all(tree).with_context(|| format!("cannot create {}", tree.display()))?;
        match self {
            Self::Recommended => {
                let sources = ["/etc", "/boot", "/usr/bin", "/usr/sbin"];
                copy(&sources, tree)?;
                Ok(format!("a copy of {}", sources.join(", ")))
            }
            Self::Small => {
                make_small(tree, sizes.small_files)?;
                Ok(format!("{} files of 4 KiB, 100 in a directory", sizes.small_files))
            }
            Self::Big => {
                for number in 0..sizes.big_files {
                    make_big(&tree.join(format!("big{number:02}")), number, sizes.big_file_mib)?;
                }
                Ok(format!("{} files of {} MiB", sizes.big_files, sizes.big_file_mib))
            }
            Self::System => {
                let source = if sizes.whole_usr { "/usr" } else { "/usr/share" };
                copy(&[source], tree)?;
                Ok(format!("a copy of {source}"))
            }
        }
    }
}

/// A copy stands still while it is measured, as the machine's own files may not.
fn copy(sources: &[&str], tree: &Path) -> anyhow::Result<()> {
    for source in sources.iter().filter(|source| Path::new(source).exists()) {
        let parent = Path::new(source).parent().unwrap_or(Path::new("/"));
        let place = tree.join(parent.strip_prefix("/").unwrap_or(parent));
        fs::create_dir_all(&place).with_context(|| format!("cannot create {}", place.display()))?;
        let status = Command::new("cp").args(["--archive", "--", source]).arg(&place).status();
        let status = status.context("cannot run cp")?;
        ensure!(status.success(), "cannot copy {source}; run as root, or make room");
    }
    Ok(())
}

fn make_small(tree: &Path, files: usize) -> anyhow::Result<()> {
    for number in 0..files {
        let directory = tree.join(format!("d{:03}/s{:05}", number / 10_000, number / 100));
        if number % 100 == 0 {
            fs::create_dir_all(&directory)
                .with_context(|| format!("cannot create {}", directory.display()))?;
        }
        let file = directory.join(format!("f{:03}.dat", number % 100));
        fs::write(&file, filler(number as u64, 4096))
            .with_context(|| format!("cannot write {}", file.display()))?;
    }
    Ok(())
}

fn make_big(file: &Path, number: usize, mib: usize) -> anyhow::Result<()> {
    use std::io::Write as _;
    let failed = || format!("cannot write {}", file.display());
    let mut out = fs::File::create(file).with_context(failed)?;
    let mut block = filler(number as u64, 1 << 20);
    for at in 0..mib {
        block[..8].copy_from_slice(&(at as u64).to_le_bytes());
        out.write_all(&block).with_context(failed)?;
    }
    Ok(())
}

/// Bytes that look random (SplitMix64), the same for the same seed.
fn filler(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut next = || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ state >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    };
    (0..bytes.div_ceil(8)).flat_map(|_| next().to_le_bytes()).take(bytes).collect()
}
