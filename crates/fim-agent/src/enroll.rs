//! `enroll`: makes this machine known to a server.

use std::fs;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Args;
use fim_os::{Event, HostFacts, OS_NAME, check_private, keep_private, report_event};
use fim_sensor::{EnrollError, Enrollment, Fingerprint, LONGEST_NAME, Token, TrustAnchor, enrolled_with};

use crate::DataDirArg;
use crate::exit::{FAILURE, USAGE, fail, note_failure, print};

/// Makes this machine known to a server, once, with a token that `steadfast machine enroll-token` gives.
///
/// The server is proved by its certificate authority's fingerprint or file before the token is sent. The private key
/// is made on this machine and never leaves it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent enroll --server https://fim.example.org:8443 --ca-fingerprint 3f9a… --token-file -
  STEADFAST_ENROLL_TOKEN=… steadfast-agent enroll --server https://10.0.0.5:8443 --ca-file ca.pem

A token on the command line can be seen by everybody who may list processes; --token-file or the variable
STEADFAST_ENROLL_TOKEN keeps it to yourself.

Exit codes:
  0  the machine is enrolled
  2  usage: an option is wrong or missing
  4  failure: nothing was changed")]
pub struct EnrollArgs {
    /// The server's address.
    #[arg(long, value_name = "URL")]
    server: String,
    /// The token. Visible in the process list: prefer --token-file. [env: STEADFAST_ENROLL_TOKEN]
    #[arg(long, value_name = "TOKEN")]
    token: Option<String>,
    /// A file that holds the token; `-` asks for it, or reads a line of the standard input.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    token_file: Option<PathBuf>,
    /// The SHA-256 fingerprint of the server's certificate authority, which the server prints at its start.
    #[arg(long, value_name = "SHA256", required_unless_present = "ca_file")]
    ca_fingerprint: Option<Fingerprint>,
    /// A file with the certificate of the server's authority, in PEM form.
    #[arg(long, value_name = "FILE", conflicts_with = "ca_fingerprint")]
    ca_file: Option<PathBuf>,
    /// The machine's name; the one it gives itself if left out.
    #[arg(long, value_name = "NAME", value_parser = machine_name)]
    name: Option<String>,
    /// Do nothing if this machine is enrolled with that server, by its address and its authority.
    #[arg(long)]
    unless_enrolled: bool,
    /// Say what went wrong in this file, too.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
    #[command(flatten)]
    data_dir: DataDirArg,
}

/// Runs `enroll`.
pub fn enroll(args: &EnrollArgs) -> ExitCode {
    match enroll_here(args) {
        Ok(said) => {
            print(&said);
            ExitCode::SUCCESS
        }
        Err((code, error)) => {
            note_refusal(args.log_file.as_deref(), &format!("{error:#}"));
            fail(code, error)
        }
    }
}

/// Says that the machine was not enrolled, and why, to whoever does not see what a program prints.
pub fn note_refusal(log: Option<&Path>, why: &str) {
    report_event(&Event::EnrollmentFailed { why });
    if let Some(log) = log {
        note_failure(log, why);
    }
}

/// What there is to say, or the exit code and why.
fn enroll_here(args: &EnrollArgs) -> Result<String, (u8, anyhow::Error)> {
    let dir = args.data_dir.data_dir();
    let trust = trust(args).map_err(|error| (USAGE, error))?;
    let refused = |error| match error {
        EnrollError::BadAuthority => (USAGE, error.into()),
        other => (FAILURE, other.into()),
    };
    if args.unless_enrolled {
        let identity = enrolled_with(&dir, &args.server, &trust).map_err(refused)?;
        // What others could have put there says nothing.
        if let Some(identity) = identity.filter(|_| check_private(dir.path()).is_ok()) {
            return Ok(format!("{} is enrolled with {}", identity.machine_id, identity.server));
        }
    }
    let enrollment = enrollment(args, trust).map_err(|error| (USAGE, error))?;
    keep_private(dir.path()).map_err(|error| {
        let what = format!("cannot keep {} to those who run the agent", dir.path().display());
        (FAILURE, anyhow::Error::new(error).context(what))
    })?;
    let identity = fim_sensor::enroll(&dir, &enrollment).map_err(refused)?;
    Ok(format!(
        "enrolled as {} in the workspace `{}` of {}",
        identity.machine_id, identity.workspace_name, identity.server
    ))
}

/// How the server is known.
fn trust(args: &EnrollArgs) -> anyhow::Result<TrustAnchor> {
    match (&args.ca_fingerprint, &args.ca_file) {
        (Some(fingerprint), _) => Ok(TrustAnchor::Fingerprint(*fingerprint)),
        (None, Some(path)) => {
            let read = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
            read.map(TrustAnchor::Certificate)
        }
        (None, None) => anyhow::bail!("give --ca-fingerprint or --ca-file, so that the server can be proved"),
    }
}

/// One line, so that a person who pastes the token only has to press Enter.
fn read_token(input: std::io::Stdin) -> std::io::Result<String> {
    if input.is_terminal() {
        eprint!("Enrolment token: ");
    }
    let mut line = String::new();
    input.lock().take(LONGEST_TOKEN_BYTES).read_line(&mut line)?;
    Ok(line)
}

fn enrollment(args: &EnrollArgs, trust: TrustAnchor) -> anyhow::Result<Enrollment> {
    let token = match (&args.token, &args.token_file) {
        (_, Some(path)) if path.as_os_str() == "-" => {
            read_token(std::io::stdin()).context("cannot read the token from the standard input")?
        }
        (_, Some(path)) => fs::read_to_string(path)
            .with_context(|| format!("cannot read the token from {}", path.display()))?,
        (Some(token), None) => token.clone(),
        // A variable that is set to nothing is not set.
        (None, None) => match std::env::var("STEADFAST_ENROLL_TOKEN") {
            Ok(token) if !token.is_empty() => token,
            _ => anyhow::bail!(
                "a token is needed: give --token-file FILE, or set STEADFAST_ENROLL_TOKEN; \
                 `steadfast machine enroll-token` makes one"
            ),
        },
    };
    let token = Token::new(&token);
    if token.is_empty() {
        anyhow::bail!("the token is empty; `steadfast machine enroll-token` makes one");
    }
    let facts = HostFacts::read();
    Ok(Enrollment {
        server: args.server.clone(),
        token,
        trust,
        machine_name: args.name.clone().unwrap_or(facts.host_name),
        os_type: OS_NAME,
        os_name: facts.os_name.unwrap_or_else(|| OS_NAME.to_owned()),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}

/// Refuses what the server would not take as a machine's name.
fn machine_name(typed: &str) -> Result<String, String> {
    fim_sensor::machine_name(typed).ok_or_else(|| {
        format!("write 1 to {LONGEST_NAME} characters that can be seen, on one line, or leave --name out")
    })
}

/// Many times what a token has.
const LONGEST_TOKEN_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_machine_can_have_is_refused_before_the_server_is_asked() {
        for bad in ["", "  ", "a\nb", "web\u{202e}", &"x".repeat(256)] {
            let told = machine_name(bad).unwrap_err();
            assert!(told.contains("1 to 255 characters") && told.contains("--name"), "{told}");
        }
        assert_eq!(machine_name(" web-7 ").as_deref(), Ok("web-7"));
        assert!(machine_name(&"\u{fc}".repeat(255)).is_ok());
    }
}
