//! The agent's program, and how it is started.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The provider that is to be tried and no other; else the best that works is.
pub fn wanted_provider() -> Option<String> {
    std::env::var("STEADFAST_TEST_PROVIDER").ok()
}

/// The agent with a view of its own, under the number of the process that is started.
pub fn agent_shown(shown: &[(PathBuf, &'static str)]) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-ec"]);
    let binds = (0..shown.len()).map(|_| r#"mount --bind "$1" "$2"; shift 2; "#);
    command.arg(binds.chain([r#"exec "$@""#]).collect::<String>()).arg("sh");
    for (folder, place) in shown {
        command.arg(folder).arg(place);
    }
    command.arg(env!("CARGO_BIN_EXE_steadfast-agent"));
    command.env_remove("STEADFAST_ENROLL_TOKEN").stdout(Stdio::null());
    command
}

/// The agent.
pub fn agent() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_steadfast-agent"));
    command.env_remove("STEADFAST_ENROLL_TOKEN").stdout(Stdio::null());
    command
}
