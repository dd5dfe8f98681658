//! `baseline` and `check` as a person runs them.

#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::{Command, Output};

const AGENT: &str = env!("CARGO_BIN_EXE_steadfast-agent");

/// Runs the agent and says how it ended and what it printed.
fn agent(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    run(Command::new(AGENT).args(arguments), directory)
}

/// The same, without root's right to pass over modes: root has it by capabilities, other users have none to lose.
fn agent_that_modes_bind(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    if fs::metadata("/proc/self").unwrap().uid() != 0 {
        return agent(directory, arguments);
    }
    let mut command = Command::new("setpriv");
    command.arg("--bounding-set=-dac_override,-dac_read_search").arg(AGENT).args(arguments);
    run(&mut command, directory)
}

fn run(command: &mut Command, directory: &Path) -> (i32, String, String) {
    let Output { status, stdout, stderr } = command.current_dir(directory).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A directory with a tree in it, and a baseline of that tree beside it.
fn with_baseline() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("tree/sub")).unwrap();
    fs::write(directory.path().join("tree/a.conf"), "one").unwrap();
    fs::write(directory.path().join("tree/sub/b.conf"), "two").unwrap();
    let (code, out, err) = agent(directory.path(), &["baseline", "--db", "base.db", "tree"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!(out, "Baseline of 4 entities, 6 bytes of content read.\n");
    directory
}

#[test]
fn an_unchanged_tree_ends_with_0() {
    let directory = with_baseline();
    let (code, out, _) = agent(directory.path(), &["check", "--db", "base.db"]);
    assert_eq!(code, 0);
    assert!(out.starts_with("No differences in 4 entities (baseline of 20"), "{out}");
    let mode = fs::metadata(directory.path().join("base.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "a baseline is nobody else's business");
}

#[test]
fn differences_end_with_1_and_are_shown() {
    let directory = with_baseline();
    let tree = directory.path().join("tree");
    fs::write(tree.join("a.conf"), "changed").unwrap();
    fs::remove_file(tree.join("sub/b.conf")).unwrap();
    fs::write(tree.join("new\nline"), "").unwrap();
    for threads in ["1", "3"] {
        let (code, out, _) = agent(directory.path(), &["check", "--threads", threads, "--db", "base.db"]);
        assert_eq!(code, 1);
        let found: Vec<&str> =
            out.lines().filter(|line| !line.starts_with(' ') && line.contains('/')).collect();
        assert_eq!(found.len(), 3, "{out}");
        assert!(found[0].starts_with("Modified   /") && found[0].ends_with("/tree/a.conf"), "{out}");
        assert!(found[1].starts_with("Added      /") && found[1].ends_with("/tree/new\\x0aline"), "{out}");
        assert!(found[2].starts_with("Removed    /") && found[2].ends_with("/tree/sub/b.conf"), "{out}");
        assert!(out.contains("\n3 differences in 4 entities: 1 added, 1 modified, 1 removed"), "{out}");
    }
    let (code, out, _) = agent(directory.path(), &["check", "--json", "--db", "base.db"]);
    assert_eq!(code, 1);
    assert_eq!(out.lines().filter(|line| line.contains("\"type\":\"change\"")).count(), 3);
    let (code, out, _) = agent(directory.path(), &["check", "--db", "base.db", "tree/sub"]);
    assert_eq!((code, out.matches("Removed").count(), out.matches("Modified").count()), (1, 1, 0));
}

#[test]
fn mistakes_in_use_end_with_2_and_say_what_to_do() {
    let directory = with_baseline();
    for (arguments, word) in [
        (&["baseline", "--db", "base.db", "tree"][..], "--force"),
        (&["baseline", "--db", "other.db", "tree", "missing"], "cannot take a baseline of missing"),
        (&["baseline", "--db", "other.db", "--exclude", "[", "tree"], "\"[\""),
        (&["baseline", "--db", "other.db", "--threads", "0", "tree"], "from 1 to"),
        (&["baseline", "--db", "other.db"], "PATH"),
        (&["check", "--db", "base.db", "/"], "does not cover /"),
        (&["check", "--db", "base.db", "base.db"], "/base.db; it covers /"),
        (
            &["check", "--db", "base.db", "tree", "tree/a.cnof"],
            "/tree/a.cnof on this machine, and the baseline",
        ),
        (
            &["check", "--db", "base.db", "--json", "tree/none/a"],
            "/tree/none/a on this machine, and the baseline",
        ),
        (&["check"], "--db"),
    ] {
        let (code, out, err) = agent(directory.path(), arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(word), "{arguments:?}: {err}");
    }
    assert!(!directory.path().join("other.db").exists());
    let (code, ..) = agent(directory.path(), &["baseline", "--force", "--db", "base.db", "tree"]);
    assert_eq!(code, 0);
}

#[test]
fn what_cannot_be_read_ends_with_3_and_is_named() {
    let directory = with_baseline();
    let file = directory.path().join("tree/a.conf");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o0)).unwrap();
    let (code, out, _) =
        agent_that_modes_bind(directory.path(), &["baseline", "--force", "--db", "base.db", "tree"]);
    assert_eq!(code, 3);
    assert!(out.contains("/tree/a.conf\n    permission denied: let the agent read it"), "{out}");
    let (code, out, _) = agent_that_modes_bind(directory.path(), &["check", "--db", "base.db"]);
    assert_eq!(code, 3);
    assert!(out.contains("1 place could not be read"), "{out}");
}

#[test]
fn a_baseline_that_cannot_be_used_ends_with_4_and_says_why() {
    let directory = with_baseline();
    let (code, _, err) = agent(directory.path(), &["check", "--db", "missing.db"]);
    assert_eq!(code, 4);
    assert!(
        err.starts_with(
            "error: cannot use --db missing.db; `steadfast-agent baseline --db FILE PATH…` writes"
        ),
        "{err}"
    );
    let (code, _, err) = agent(directory.path(), &["check", "--db", "tree/a.conf"]);
    assert_eq!(code, 4);
    assert!(err.contains("is not a state file of Steadfast"), "{err}");
    let path = directory.path().join("base.db");
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() - 60;
    bytes[middle] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (code, _, err) = agent(directory.path(), &["check", "--db", "base.db"]);
    assert_eq!(code, 4);
    assert!(err.contains("damaged at byte"), "{err}");
    let (code, _, err) = agent(directory.path(), &["baseline", "--db", "no/such/place.db", "tree"]);
    assert_eq!(code, 4);
    assert!(
        err.starts_with("error: cannot write --db no/such/place.db; name a file in a directory"),
        "{err}"
    );
    assert!(err.contains("cannot create no/such/place.db.new"), "{err}");
}

#[test]
fn a_baseline_within_its_scope_is_left_out_with_a_warning() {
    let directory = with_baseline();
    let (code, _, err) = agent(directory.path(), &["baseline", "--db", "tree/base.db", "tree"]);
    assert_eq!(code, 0);
    assert_eq!(err, "warning: tree/base.db lies within the scope and is left out of it\n");
    let (code, out, _) = agent(directory.path(), &["check", "--db", "tree/base.db"]);
    assert_eq!(code, 0, "{out}");
}

#[test]
fn a_check_of_200000_files_takes_less_than_32_mib_of_memory() {
    if !Path::new(GNU_TIME).exists() {
        return fim_testkit::skip(
            "what a process took at most is told by GNU time; install the package `time`",
        );
    }
    // A disk would make each of them durable.
    let memory = Path::new("/dev/shm");
    let home = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
    let directories = (0..MANY / 1000).map(|number| home.path().join(format!("tree/{number:03}")));
    for directory in directories {
        fs::create_dir_all(&directory).unwrap();
        for number in 0..1000 {
            // Most are empty, so that the files themselves take no hundreds of megabytes.
            let content: &[u8] = if number % 10 == 0 { b"content" } else { b"" };
            fs::write(directory.join(format!("a-file-of-some-name-{number:04}.conf")), content).unwrap();
        }
    }
    let (code, out, err) = agent(home.path(), &["baseline", "--db", "base.db", "tree"]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.starts_with(&format!("Baseline of {} entities", MANY + MANY / 1000 + 1)), "{out}");
    for directory in 0..MANY / 1000 {
        fs::write(home.path().join(format!("tree/{directory:03}/a-file-of-some-name-0500.conf")), "evil")
            .unwrap();
    }
    let mut check = Command::new(GNU_TIME);
    check.args(["--quiet", "--format", "%M", "--output", "peak", AGENT, "check", "--db", "base.db"]);
    let (code, out, err) = run(&mut check, home.path());
    assert_eq!((code, err.as_str()), (1, ""));
    assert_eq!(out.matches(".conf").count(), MANY / 1000, "{out}");
    let peak_kib: u64 = fs::read_to_string(home.path().join("peak")).unwrap().trim().parse().unwrap();
    assert!(peak_kib < 32 << 10, "{peak_kib} KiB");
}

const MANY: usize = 200_000;

const GNU_TIME: &str = "/usr/bin/time";
