//! Programs that are told to stop, or given what they cannot use.

use std::fs;
use std::process::{Command, Stdio};

use crate::installation::{Installation, finish, until};

#[test]
fn who_is_told_to_stop_during_the_first_baseline_stops_and_does_not_say_that_it_runs() {
    let here = Installation::new();
    let log = fs::File::create(here.path("up.log")).unwrap();
    let mut up = here.steadfast(&["up", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--data-dir"]);
    let mut up = up.arg(here.path("data")).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    // The agent has enrolled, and its first look at the recommended items takes longer than to send a signal.
    let is_enrolled = until(|| here.path("data/agent/identity.json").exists().then_some(()).ok_or(()));
    let told = Command::new("kill").args(["-TERM", &up.id().to_string()]).status().unwrap();
    let ended = until(|| up.try_wait().unwrap().ok_or(()));
    let _ = up.kill();
    let log = here.read_log("up.log");
    assert!(is_enrolled.is_ok() && told.success(), "{log}");
    assert!(ended.is_ok_and(|status| status.code() == Some(0)), "{ended:?}: {log}");
    assert!(log.contains("stopping; the agent ends its work first"), "{log}");
    assert!(!log.contains("is running") && !log.contains("Sign in"), "{log}");
}

#[test]
fn a_token_that_no_header_takes_is_told_by_its_name_and_one_with_space_around_it_is_good() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    let profile = fs::read_to_string(here.path("home/profile.toml")).unwrap();
    let token = profile.split("token = \"").nth(1).unwrap().split('"').next().unwrap();
    let with_token = |token: &str| finish(here.steadfast(&["fim", "status"]).env("STEADFAST_TOKEN", token));
    let good = with_token(&format!(" {token}\r\n"));
    assert_eq!(good.code, 0, "{}", good.stderr);
    for bad in [format!("{token}\u{fc}"), format!("{token}\r{token}"), " ".to_owned()] {
        let refused = with_token(&bad);
        assert_eq!(refused.code, 2, "{}", refused.stderr);
        assert!(refused.stderr.starts_with("steadfast: STEADFAST_TOKEN is no token: "), "{}", refused.stderr);
        assert!(!refused.stderr.contains(token), "{}", refused.stderr);
    }
}
