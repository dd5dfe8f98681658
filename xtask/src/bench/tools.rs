//! The tools that are compared, told to look at the same things.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};

use super::measure::Run;

/// What a tool is told to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Phase {
    /// To record the tree.
    Init,
    /// To compare the unchanged tree with the record.
    Check,
}

impl Phase {
    pub const ALL: [Self; 2] = [Self::Init, Self::Check];

    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "init",
            Self::Check => "check",
        }
    }
}

/// A program and how it is called.
#[derive(Clone, Debug)]
pub struct Tool {
    pub name: &'static str,
    pub version: String,
    kind: Kind,
    program: PathBuf,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Kind {
    Ours { threads: usize },
    Aide { workers: usize },
}

/// Ours first, then Debian's AIDE, which the others are measured against, then a newer one if there is one.
pub fn find(agent: &Path) -> anyhow::Result<Vec<Tool>> {
    let ours = version(agent, "--version")?;
    let debian = Path::new("/usr/bin/aide");
    ensure!(debian.exists(), "{} is not there; install the package `aide`", debian.display());
    let mut tools = vec![
        Tool { name: OURS, version: ours.clone(), kind: Kind::Ours { threads: 1 }, program: agent.into() },
        Tool {
            name: "steadfast, 2 threads",
            version: ours,
            kind: Kind::Ours { threads: 2 },
            program: agent.into(),
        },
        Tool {
            name: REFERENCE,
            version: version(debian, "--version")?,
            kind: Kind::Aide { workers: 1 },
            program: debian.into(),
        },
    ];
    if let Some(newer) = std::env::var_os("AIDE").map(PathBuf::from) {
        tools.push(Tool {
            name: "aide (newer)",
            version: version(&newer, "--version")?,
            kind: Kind::Aide { workers: 1 },
            program: newer,
        });
    }
    Ok(tools)
}

fn version(program: &Path, option: &str) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg(option)
        .output()
        .with_context(|| format!("cannot run {}", program.display()))?;
    let text = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned())
}

impl Tool {
    /// Does the phase on `tree`, keeping its files in `directory`.
    pub fn run(
        &self,
        phase: Phase,
        tree: &Path,
        directory: &Path,
        measure: impl Fn(&[String], &Path, i32) -> anyhow::Result<Run>,
    ) -> anyhow::Result<Run> {
        let stem = self.name.replace(|character: char| !character.is_alphanumeric(), "-");
        let record = directory.join(format!("{stem}.db"));
        let command = match self.kind {
            Kind::Ours { .. } => self.command(phase, &record, tree),
            Kind::Aide { workers } => {
                let config = directory.join(format!("{stem}.conf"));
                std::fs::write(&config, aide_config(&record, tree, workers))
                    .with_context(|| format!("cannot write {}", config.display()))?;
                self.command(phase, &config, tree)
            }
        };
        let run = measure(&command, &directory.join(format!("{stem}.out")), 0)?;
        if let (Kind::Aide { .. }, Phase::Init) = (self.kind, phase) {
            std::fs::rename(record.with_extension("db.new"), &record).context("AIDE wrote no record")?;
        }
        Ok(run)
    }

    /// The command line, with the tool's own record or configuration in `file`.
    pub fn command(&self, phase: Phase, file: &Path, tree: &Path) -> Vec<String> {
        let (program, file) = (self.program.display().to_string(), file.display().to_string());
        match (self.kind, phase) {
            (Kind::Ours { threads }, Phase::Init) => {
                let threads = threads.to_string();
                let fixed = ["baseline", "--force", "--threads", &threads, "--db", &file];
                [&[program.as_str()][..], &fixed, &[&tree.display().to_string()]].concat().owned()
            }
            (Kind::Ours { threads }, Phase::Check) => {
                let threads = threads.to_string();
                [program.as_str(), "check", "--threads", &threads, "--db", &file].owned()
            }
            (Kind::Aide { .. }, Phase::Init) => [program.as_str(), "-c", &file, "--init"].owned(),
            (Kind::Aide { .. }, Phase::Check) => [program.as_str(), "-c", &file, "--check"].owned(),
        }
    }
}

trait Owned {
    fn owned(&self) -> Vec<String>;
}

impl Owned for [&str] {
    fn owned(&self) -> Vec<String> {
        self.iter().map(|&text| text.to_owned()).collect()
    }
}

/// The attributes that ours compares too: type, mode, owner, group, size, times of content and inode, inode, links,
/// ACL, extended attributes, SHA-256.
fn aide_config(record: &Path, tree: &Path, workers: usize) -> String {
    let (record, tree) = (record.display(), tree.display());
    format!(
        "database_in=file:{record}\ndatabase_out=file:{record}.new\ngzip_dbout=no\nnum_workers={workers}\n\
         report_url=stdout\nlog_level=error\nFull = {AIDE_ATTRIBUTES}\n{tree} Full\n"
    )
}

/// What AIDE is told to record.
pub const AIDE_ATTRIBUTES: &str = "ftype+p+u+g+s+m+c+i+n+acl+xattrs+sha256";

/// Our program with the options that it has by itself.
pub const OURS: &str = "steadfast";

/// What the ratios are against.
pub const REFERENCE: &str = "aide (Debian)";
