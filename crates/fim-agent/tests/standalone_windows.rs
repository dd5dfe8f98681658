//! `baseline` and `check` as a person runs them on Windows.

#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Runs the agent and says how it ended and what it printed.
fn agent(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let program = env!("CARGO_BIN_EXE_steadfast-agent");
    let Output { status, stdout, stderr } =
        Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A folder with a tree in it, and a baseline of that tree beside it.
fn with_baseline(options: &[&str]) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    fs::create_dir_all(home.path().join(r"tree\sub")).unwrap();
    fs::write(home.path().join(r"tree\a.ini"), "one").unwrap();
    fs::write(home.path().join(r"tree\sub\b.ini"), "two").unwrap();
    fs::write(home.path().join(r"tree\sub\noise.log"), "1").unwrap();
    let (code, out, err) = agent(home.path(), &[&["baseline", "--db", "base.db", "tree"], options].concat());
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    home
}

/// The lines that name files that differ, each as the word before the path and the path from the tree on. Of folders
/// Wine tells another time of creation whenever what is in them changes, so they are left out.
fn differences(out: &str) -> Vec<String> {
    let lines = out.lines().filter(|line| !line.starts_with(' ') && line.contains('\\'));
    lines
        .map(|line| {
            let (head, tail) = line.split_once(r"\tree").unwrap_or((line, ""));
            format!("{} {}", head.split_whitespace().next().unwrap_or_default(), tail)
        })
        .filter(|line| line.contains('.'))
        .collect()
}

#[test]
fn an_unchanged_tree_of_windows_ends_with_0() {
    let home = with_baseline(&[]);
    let (code, out, err) = agent(home.path(), &["check", "--db", "base.db"]);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.starts_with("No differences in 5 entities (baseline of 20"), "{out}");
}

#[test]
fn content_marks_arrivals_and_removals_are_differences() {
    let home = with_baseline(&[]);
    let tree = home.path().join("tree");
    let before = fs::metadata(tree.join("a.ini")).unwrap().modified().unwrap();
    fs::write(tree.join("a.ini"), "ONE").unwrap();
    OpenOptions::new().write(true).open(tree.join("a.ini")).unwrap().set_modified(before).unwrap();
    let mut permissions = fs::metadata(tree.join(r"sub\noise.log")).unwrap().permissions();
    let before_it = permissions.clone();
    permissions.set_readonly(true);
    fs::set_permissions(tree.join(r"sub\noise.log"), permissions).unwrap();
    fs::remove_file(tree.join(r"sub\b.ini")).unwrap();
    let odd = PathBuf::from(format!(r"\\?\{}\odd. ", tree.display()));
    fs::write(&odd, "x").unwrap();
    for threads in ["1", "3"] {
        let (code, out, _) = agent(home.path(), &["check", "--threads", threads, "--db", "base.db"]);
        assert_eq!(code, 1, "{out}");
        assert_eq!(
            differences(&out),
            [r"Modified \a.ini", r"Added \odd. ", r"Removed \sub\b.ini", r"Modified \sub\noise.log"],
            "{out}"
        );
        assert!(
            out.contains("    FileContentChecksum"),
            "the time was put back, and the size is the same: {out}"
        );
        assert!(!out.contains("    Size"), "{out}");
        assert!(out.contains("none → R"), "{out}");
    }
    let (code, out, _) = agent(home.path(), &["check", "--json", "--db", "base.db"]);
    let is_change = |line: &&str| line.contains(r#""type":"change""#) && line.contains(r#""kind":"File""#);
    assert_eq!((code, out.lines().filter(is_change).count()), (1, 4), "{out}");
    assert!(out.contains(r#""acl":["D:"#) && out.contains(r#""id":"S-1-5-"#), "{out}");
    fs::remove_file(&odd).unwrap();
    fs::set_permissions(tree.join(r"sub\noise.log"), before_it).unwrap();
}

#[test]
fn what_is_left_out_is_named_in_any_case_and_a_path_in_any_spelling() {
    let home = with_baseline(&["--exclude", "*.LOG"]);
    fs::write(home.path().join(r"tree\sub\noise.log"), "2").unwrap();
    fs::write(home.path().join(r"tree\sub\other.Log"), "").unwrap();
    fs::write(home.path().join(r"tree\sub\b.ini"), "changed").unwrap();
    let verbatim = format!(r"\\?\{}\tree\sub", home.path().display());
    let drive = verbatim.replace(r"\\?\", "").to_ascii_lowercase();
    for path in [
        r"tree\sub",
        r".\tree\a\..\sub",
        "tree/sub",
        r"TREE\Sub",
        &verbatim,
        &drive,
        &verbatim.to_ascii_uppercase(),
    ] {
        let (code, out, err) = agent(home.path(), &["check", "--db", "base.db", path]);
        assert_eq!(
            (code, differences(&out)),
            (1, vec![r"Modified \sub\b.ini".to_owned()]),
            "{path}: {out}{err}"
        );
    }
    let (code, out, err) = agent(home.path(), &["check", "--db", "base.db", r"C:\"]);
    assert_eq!((code, out.as_str()), (2, ""), "{err}");
    assert!(err.contains(r"does not cover C:\"), "{err}");
}

#[test]
fn a_file_that_another_program_has_to_itself_ends_with_3_and_is_named() {
    use std::os::windows::fs::OpenOptionsExt as _;
    let home = with_baseline(&[]);
    let path = home.path().join(r"tree\a.ini");
    let _holder = OpenOptions::new().read(true).write(true).share_mode(0).open(path).unwrap();
    let (code, out, _) = agent(home.path(), &["check", "--db", "base.db"]);
    assert_eq!((code, differences(&out)), (3, vec![r"Unreadable \a.ini".to_owned()]), "{out}");
    assert!(out.contains("another program holds it locked"), "{out}");
}

#[test]
fn a_server_that_does_not_answer_is_named_and_the_folder_can_be_used_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let enrol = [
        "enroll",
        "--server",
        "https://127.0.0.1:1",
        "--ca-fingerprint",
        &"ab".repeat(32),
        "--token",
        "t",
        "--data-dir",
        "agent",
    ];
    for _ in 0..2 {
        let (code, _, err) = agent(home.path(), &enrol);
        assert_eq!(code, 4, "{err}");
        assert!(err.contains("https://127.0.0.1:1") && err.contains("is the server running"), "{err}");
    }
    let (code, _, err) = agent(home.path(), &["run", "--data-dir", "agent"]);
    assert_eq!(code, 4, "{err}");
    assert!(err.contains("this machine is not enrolled"), "{err}");
    let (code, out, _) = agent(home.path(), &["run", "--help"]);
    assert_eq!(code, 0);
    // A default with a space is shown as it would be written in a program.
    assert!(out.contains(r"\\Steadfast\\Agent"), "{out}");
}
