//! `doctor`: what may keep the agent from doing its work.

use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use fim_os::{KEEP_PRIVATE, LiveTree, PROVIDERS, best_watcher, is_private};
use fim_sensor::{Outcome, Privacy, diagnose};

use crate::DataDirArg;
use crate::exit::{ATTENTION, FAILURE, fail, print, print_json};

/// Checks what the agent needs: its directory, its certificate, the server, the clock, the rules' paths, and what notices
/// changes in real time.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent doctor
  steadfast-agent doctor --json

Exit codes:
  0  nothing is wrong
  1  a check failed or warns
  2  usage: an option is wrong
  4  failure")]
pub struct DoctorArgs {
    #[command(flatten)]
    data_dir: DataDirArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `doctor`.
pub fn doctor(args: &DoctorArgs) -> ExitCode {
    let checks = diagnose(
        &args.data_dir.data_dir(),
        Arc::new(LiveTree::new()),
        &best_watcher(PROVIDERS[0]),
        Privacy { is_private, fix: KEEP_PRIVATE },
    );
    if args.json {
        if let Err(error) = print_json(&checks) {
            return fail(FAILURE, error);
        }
    } else {
        for check in &checks {
            let mark = match check.outcome {
                Outcome::Good => "ok  ",
                Outcome::Warning => "warn",
                Outcome::Bad => "BAD ",
            };
            print(&format!("{mark}  {:<15} {}", check.name, check.detail));
        }
    }
    let is_well = checks.iter().all(|check| check.outcome == Outcome::Good);
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) }
}
