//! The real rpm with a database of its own.
#![allow(clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// rpm with a database in a folder. Nothing is installed but what the database says.
#[derive(Debug)]
pub struct Rpm {
    folder: PathBuf,
}

impl Rpm {
    /// rpm with an empty database; nothing where there is no rpm.
    ///
    /// # Panics
    ///
    /// Panics if rpm cannot make the database.
    pub fn new(folder: &Path) -> Option<Self> {
        let is_there = |program| Command::new(program).arg("--version").output().is_ok();
        if !is_there("rpm") || !is_there("rpmbuild") {
            return None;
        }
        let rpm = Self { folder: folder.to_owned() };
        rpm.run(&["--initdb"]);
        Some(rpm)
    }

    /// The folder of the database.
    pub fn database(&self) -> PathBuf {
        self.folder.join("database")
    }

    /// Makes the packages that a specification describes.
    ///
    /// # Panics
    ///
    /// Panics if rpm refuses to.
    pub fn build(&self, specification: &str) -> Vec<PathBuf> {
        let top = self.folder.join("packages");
        let _ = fs::remove_dir_all(&top);
        let file = self.folder.join("package.spec");
        fs::write(&file, specification).unwrap_or_else(|error| panic!("cannot write {file:?}: {error}"));
        let mut command = Command::new("rpmbuild");
        command.env("HOME", &self.folder).args(["-bb", "--quiet", "--nodeps", "--define"]);
        command.arg(format!("_topdir {}", top.display()));
        command
            .args(["--define", "_build_name_fmt %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"])
            .arg(&file);
        output(&mut command);
        let names = fs::read_dir(top.join("RPMS")).into_iter().flatten().flatten();
        let mut packages: Vec<PathBuf> = names.map(|name| name.path()).collect();
        packages.sort();
        packages
    }

    /// Runs rpm with the database, and says what it printed.
    ///
    /// # Panics
    ///
    /// Panics if it fails.
    pub fn run(&self, arguments: &[&str]) -> String {
        let mut command = Command::new("rpm");
        command.env("HOME", &self.folder).arg("--dbpath").arg(self.database()).args(arguments);
        output(&mut command)
    }

    /// Changes what is installed: `-i`, `-U` or `-e` and what of.
    ///
    /// # Panics
    ///
    /// Panics if rpm refuses to.
    pub fn change(&self, how: &str, packages: &[&Path]) {
        let mut arguments = vec![how, "--justdb", "--nodeps", "--noscripts"];
        if how != "-e" {
            arguments.extend(["--ignorearch", "--ignoreos", "--nosignature"]);
        }
        arguments.extend(packages.iter().filter_map(|package| package.to_str()));
        self.run(&arguments);
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}
