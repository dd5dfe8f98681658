//! Debian's kernels, as apt offers them: fetched and unpacked, not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// A kernel that was unpacked.
pub struct Kernel {
    pub release: String,
    pub program: PathBuf,
    /// The folder of its modules.
    pub modules: PathBuf,
}

/// Fails if a program is not there that all this takes.
pub fn hold_tools() -> Result<()> {
    for (tool, package) in TOOLS {
        if Command::new(tool).arg("--version").output().is_err() {
            bail!("{tool} is not there: install the package {package}");
        }
    }
    Ok(())
}

/// The newest kernel of each series that apt offers, the oldest first, unpacked in the folder. Only those whose release
/// begins with one of `wanted`, unless that is empty.
pub fn kernels(folder: &Path, wanted: &[String]) -> Result<Vec<Kernel>> {
    let pattern = "^linux-image-[0-9].*-cloud-amd64-unsigned$";
    let found = output(Command::new("apt-cache").args(["search", "--names-only", pattern]))?;
    let mut newest: Vec<(Vec<u32>, &str)> = Vec::new();
    let mut releases: Vec<(Vec<u32>, &str)> =
        found.lines().filter_map(|line| release_of(line.split(' ').next()?)).collect();
    releases.sort();
    for (numbers, release) in releases {
        newest.retain(|(other, _)| other.get(..2) != numbers.get(..2));
        newest.push((numbers, release));
    }
    let is_wanted = |release: &str| {
        wanted.is_empty() || wanted.iter().any(|wanted| release.starts_with(&format!("{wanted}.")))
    };
    newest
        .into_iter()
        .filter(|(_, release)| is_wanted(release))
        .map(|(_, release)| unpack(folder, release))
        .collect()
}

/// The release in the name of a package, with its numbers.
fn release_of(package: &str) -> Option<(Vec<u32>, &str)> {
    let release = package.strip_prefix("linux-image-")?.strip_suffix("-unsigned")?;
    let numbers = release.split(|letter: char| !letter.is_ascii_digit());
    Some((numbers.filter_map(|number| number.parse().ok()).collect(), release))
}

fn unpack(folder: &Path, release: &str) -> Result<Kernel> {
    let unpacked = folder.join(release);
    if !unpacked.is_dir() {
        let fetched = folder.join(format!("{release}.fetched"));
        fs::create_dir_all(&fetched).context("cannot make a folder for the package")?;
        let package = format!("linux-image-{release}-unsigned");
        output(Command::new("apt-get").args(["download", &package]).current_dir(&fetched))?;
        let archive = fs::read_dir(&fetched).context("cannot look for the package")?.next();
        let archive =
            archive.context("apt-get fetched nothing")?.context("cannot look for the package")?.path();
        output(Command::new("dpkg-deb").arg("-x").arg(archive).arg(&fetched))?;
        fs::rename(&fetched, &unpacked).context("cannot name what was unpacked")?;
    }
    Ok(Kernel {
        release: release.to_owned(),
        program: unpacked.join(format!("boot/vmlinuz-{release}")),
        modules: unpacked.join(format!("lib/modules/{release}")),
    })
}

/// What a command says; an error if it fails.
pub fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {:?}", command.get_program()))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Programs, and Debian's packages that have them.
const TOOLS: [(&str, &str); 9] = [
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("xz", "xz-utils"),
    ("mke2fs", "e2fsprogs"),
    ("mkfs.xfs", "xfsprogs"),
    ("mkfs.btrfs", "btrfs-progs"),
    ("setfacl", "acl"),
    ("timeout", "coreutils"),
];
