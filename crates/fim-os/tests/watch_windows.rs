//! What the system really tells of what happens in folders and keys. Under Wine this is Wine's own.

#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fim_core::{EntityPath, Hint, Notice, PathStyle, Rule, RuleSet};
use fim_os::{PROVIDERS, best_watcher};
use fim_scan::{Unwatched, Watcher};

/// A folder of a test's own, of which a part is watched.
struct Watched {
    // It goes first: a folder that is watched cannot be removed on all systems.
    watcher: Box<dyn Watcher>,
    folder: tempfile::TempDir,
}

impl Watched {
    /// Watches what these rules name, in which `{}` stands for the folder.
    fn new(rules: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("in")).unwrap();
        let watcher = best_watcher(PROVIDERS[0]).watcher.unwrap();
        let mut watched = Self { watcher, folder };
        assert_eq!(watched.watch(rules), []);
        watched
    }

    fn watch(&mut self, rules: &[&str]) -> Vec<Unwatched> {
        let folder = self.folder.path().to_str().unwrap();
        let rules = rules
            .iter()
            .map(|path| Rule { recurse: true, ..Rule::new(*path, "Custom", path.replace("{}", folder)) });
        let plan = RuleSet::new(rules.collect(), PathStyle::Windows).unwrap().scan_plan();
        let canary = entity(&self.path("canary"));
        self.watcher.watch(&Arc::new(plan), &canary);
        self.watcher.unwatched().to_vec()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Waits until all of these are told; gives all that was.
    fn told(&mut self, expected: &[String]) -> BTreeSet<String> {
        let end = Instant::now() + Duration::from_secs(30);
        let mut told = BTreeSet::new();
        while !expected.iter().all(|one| told.contains(one)) {
            assert!(Instant::now() < end, "{expected:?} is not told: {told:?}");
            let mut hints = Vec::new();
            self.watcher.wait(Duration::from_millis(50), &mut hints).unwrap();
            told.extend(hints.iter().map(|hint| self.text(hint)));
        }
        told
    }

    /// The hint with the folder left out.
    fn text(&self, hint: &Hint) -> String {
        let folder = entity(self.folder.path()).to_string();
        let name = |path: &EntityPath| path.to_string().replace(&folder, "");
        match &hint.notice {
            Notice::Touched(path) => format!("touched {}", name(path)),
            Notice::Created { path, is_directory } => format!("came {} {is_directory}", name(path)),
            Notice::Removed { path, .. } => format!("went {}", name(path)),
            Notice::Moved { from, to, .. } => format!("moved {} {}", name(from), name(to)),
            Notice::Below(path) => format!("below {}", name(path)),
            Notice::TouchedFile(_)
            | Notice::TouchedByNumber { .. }
            | Notice::ContentRead(_)
            | Notice::Lost(_) => format!("{:?}", hint.notice),
        }
    }

    /// What is told once `act` was done.
    fn after(&mut self, act: impl FnOnce(&Path), expected: &[&str]) {
        act(self.folder.path());
        self.told(&expected.iter().map(|&one| one.to_owned()).collect::<Vec<_>>());
    }
}

fn entity(path: &Path) -> EntityPath {
    EntityPath::windows(path.as_os_str().as_encoded_bytes())
}

#[test]
fn every_way_to_change_a_file_is_told_under_its_name() {
    let mut watched = Watched::new(&[r"{}\in"]);
    watched.after(|folder| fs::write(folder.join("in/a.txt"), "1").unwrap(), &[r"came \in\a.txt false"]);
    watched.after(
        |folder| {
            let mut file = OpenOptions::new().append(true).open(folder.join("in/a.txt")).unwrap();
            file.write_all(b"2").unwrap();
        },
        &[r"below \in\a.txt"],
    );
    watched.after(
        |folder| fs::rename(folder.join("in/a.txt"), folder.join("in/b.txt")).unwrap(),
        &[r"moved \in\a.txt \in\b.txt"],
    );
    watched.after(|folder| fs::remove_file(folder.join("in/b.txt")).unwrap(), &[r"went \in\b.txt"]);
    watched.after(|folder| fs::create_dir(folder.join("in/new")).unwrap(), &[r"came \in\new true"]);
    watched.after(|folder| fs::write(folder.join("in/new/c"), "1").unwrap(), &[r"came \in\new\c false"]);
    watched.after(|folder| fs::write(folder.join("canary"), "1").unwrap(), &[r"came \canary false"]);
}

#[test]
fn a_folder_that_comes_later_is_watched_from_then_on() {
    let mut watched = Watched::new(&[r"{}\later\below\**"]);
    watched.after(|folder| fs::create_dir_all(folder.join("later/below")).unwrap(), &[r"below \later\below"]);
    watched.after(
        |folder| fs::write(folder.join("later/below/x"), "1").unwrap(),
        &[r"came \later\below\x false"],
    );
}

#[test]
fn a_file_that_is_named_alone_is_told_of_where_it_comes_and_changes() {
    // Scans know it by the name that the rule has.
    let mut watched = Watched::new(&[r"{}\IN\Win.INI"]);
    watched.after(|folder| fs::write(folder.join("in/win.ini"), "1").unwrap(), &[r"came \IN\Win.INI false"]);
    watched.after(|folder| fs::write(folder.join("in/win.ini"), "22").unwrap(), &[r"below \IN\Win.INI"]);
}

/// A key of a test's own, gone with the value.
struct Key(String);

impl Key {
    fn new(folder: &Path) -> Self {
        let unique = folder.file_name().unwrap().to_str().unwrap();
        let key = Self(format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\Steadfast watch {unique}"));
        key.set("", "first");
        key
    }

    fn set(&self, below: &str, name: &str) {
        run(&["add", &format!("{}{below}", self.0), "/v", name, "/d", "x", "/f"]);
    }

    fn remove(&self, below: &str) {
        run(&["delete", &format!("{}{below}", self.0), "/f"]);
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        let _ = Command::new("reg").args(["delete", &self.0, "/f"]).output();
    }
}

fn run(arguments: &[&str]) {
    let output = Command::new("reg").args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {output:?}");
}

#[test]
fn what_changes_in_a_key_and_below_it_is_told_of_the_key() {
    let mut watched = Watched::new(&[r"{}\in"]);
    let key = Key::new(watched.folder.path());
    assert_eq!(watched.watch(&[&key.0]), []);
    let told = [format!("below {}", key.0)];
    key.set("", "second");
    watched.told(&told);
    key.set(r"\sub", "third");
    watched.told(&told);
    key.remove(r"\sub");
    watched.told(&told);
    let value = format!("{}:second", key.0);
    assert_eq!(watched.watch(&[&value]), []);
    run(&["delete", &key.0, "/v", "second", "/f"]);
    watched.told(&[format!("below {value}")]);
}

#[test]
fn a_key_that_goes_and_comes_again_is_watched_again() {
    let mut watched = Watched::new(&[r"{}\in"]);
    let key = Key::new(watched.folder.path());
    assert_eq!(watched.watch(&[&format!(r"{}\later", key.0)]), []);
    let told = [format!(r"below {}\later", key.0)];
    for _ in 0..2 {
        key.set(r"\later", "value");
        watched.told(&told);
        key.set(r"\later", "other");
        watched.told(&told);
        key.remove(r"\later");
        watched.told(&told);
    }
}
