//! The program's answers and exit codes where there is no server.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;
use std::process::Command;

/// Runs the agent; its exit code, and what it said.
fn agent(data_dir: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_steadfast-agent"))
        .args(arguments)
        .env("STEADFAST_AGENT_DATA_DIR", data_dir)
        .env_remove("STEADFAST_ENROLL_TOKEN")
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_machine_that_is_not_enrolled_is_told_how_to() {
    let home = tempfile::tempdir().unwrap();
    for command in [&["run"][..], &["status"], &["config", "check"]] {
        let (code, said) = agent(home.path(), command);
        assert_eq!(code, Some(4), "{command:?}: {said}");
        assert!(said.contains("steadfast-agent enroll --server URL"), "{command:?}: {said}");
    }
    let (code, said) = agent(home.path(), &["doctor"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("BAD   identity"), "{said}");
    assert!(!said.contains("not running") && !said.contains(" notices changes"), "{said}");
}

#[test]
fn enrolling_without_proof_of_the_server_or_without_a_token_is_a_usage_error() {
    let home = tempfile::tempdir().unwrap();
    let fingerprint = "ab".repeat(32);
    let server = ["enroll", "--server", "https://127.0.0.1:1"];
    for (more, expected) in [
        (&["--token", "t"][..], "--ca-fingerprint"),
        (&["--token", "t", "--ca-fingerprint", "abc"], "3 hexadecimal digits instead of 64"),
        (&["--ca-fingerprint", &fingerprint], "a token is needed"),
        (&["--ca-fingerprint", &fingerprint, "--token", " "], "the token is empty"),
        (&["--ca-fingerprint", &fingerprint, "--token", "t", "--name", ""], "or leave --name out"),
        (&["--ca-fingerprint", &fingerprint, "--token-file", "/nowhere/token"], "cannot read the token"),
    ] {
        let (code, said) = agent(home.path(), &[&server[..], more].concat());
        assert_eq!(code, Some(2), "{more:?}: {said}");
        assert!(said.contains(expected), "{more:?}: {said}");
    }
}

#[test]
fn what_keeps_a_machine_from_enrolling_is_in_the_log_that_was_asked_for() {
    let home = tempfile::tempdir().unwrap();
    let log = home.path().join("agent.log");
    let fingerprint = "ab".repeat(32);
    let server = ["enroll", "--log-file", log.to_str().unwrap(), "--server", "https://127.0.0.1:1"];
    for (more, expected) in [
        (&["--token", "t", "--ca-fingerprint", "abc"][..], "3 hexadecimal digits instead of 64"),
        (&["--ca-fingerprint", &fingerprint, "--token", " "], "the token is empty"),
        (&["--ca-fingerprint", &fingerprint, "--token", "secret"], "cannot enrol this machine"),
    ] {
        let (_, said) = agent(home.path(), &[&server[..], more].concat());
        let log = std::fs::read_to_string(&log).unwrap();
        let last = log.lines().last().unwrap();
        assert!(said.contains(expected) && last.contains(expected), "{said}{log}");
        assert!(last.contains("ERROR") && !log.contains("secret"), "{log}");
    }
    let (_, said) = agent(home.path(), &["enroll", "--log-file", log.to_str().unwrap(), "--help"]);
    assert!(said.contains("--log-file"), "{said}");
    assert_eq!(std::fs::read_to_string(&log).unwrap().lines().count(), 3, "help is no failure");
}

#[test]
fn a_variable_that_is_set_to_nothing_is_not_set() {
    let home = tempfile::tempdir().unwrap();
    let arguments = ["enroll", "--server", "https://127.0.0.1:1", "--ca-fingerprint", &"ab".repeat(32)];
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast-agent"));
    command.args(arguments).env("STEADFAST_AGENT_DATA_DIR", "").env("STEADFAST_ENROLL_TOKEN", "");
    let said = String::from_utf8(command.output().unwrap().stderr).unwrap();
    assert!(said.contains("a token is needed"), "{said}");
    // A file is read though the variable is set, too.
    let token = home.path().join("token");
    std::fs::write(&token, " ").unwrap();
    let said = command.arg("--token-file").arg(&token).output().unwrap().stderr;
    assert!(String::from_utf8(said).unwrap().contains("the token is empty"));
}

#[test]
fn nothing_that_the_doctor_says_is_said_twice() {
    let home = tempfile::tempdir().unwrap();
    let (_, said) = agent(home.path(), &["doctor"]);
    assert_eq!(said.matches("is not enrolled").count(), 1, "{said}");
    assert!(said.contains("--ca-fingerprint SHA256"), "{said}");
}

#[test]
fn a_data_directory_that_is_not_there_is_told_with_what_makes_it() {
    let home = tempfile::tempdir().unwrap();
    let (code, said) = agent(&home.path().join("none"), &["doctor"]);
    assert_eq!(code, Some(1), "{said}");
    let line = said.lines().find(|line| line.starts_with("BAD   data directory")).unwrap();
    assert!(line.contains("/none: `steadfast-agent enroll` makes it, --data-dir names another"), "{line}");
}

#[test]
fn a_server_that_cannot_be_reached_is_a_failure_that_names_it() {
    let home = tempfile::tempdir().unwrap();
    let fingerprint = "ab".repeat(32);
    let arguments =
        ["enroll", "--server", "https://127.0.0.1:1", "--ca-fingerprint", &fingerprint, "--token", "t"];
    let (code, said) = agent(home.path(), &arguments);
    assert_eq!(code, Some(4), "{said}");
    assert!(said.contains("nothing listens at https://127.0.0.1:1; is the server running"), "{said}");
    assert!(!home.path().join("identity.json").exists());
}
