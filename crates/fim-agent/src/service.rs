//! `service`: the agent as a service of Windows.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use fim_os::{
    Event, RemovedService, SERVICE_NAME, ServiceError, check_private, default_data_dir, install_service,
    remove_service, report_event,
};
use fim_sensor::{DataDir, IdentityError};

use crate::DataDirArg;
use crate::exit::{FAILURE, USAGE, fail, note_failure, print};

/// What is done with the service.
#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    Install(InstallArgs),
    Uninstall(UninstallArgs),
}

/// Has Windows start the agent with the system, and again if it fails; starts it at once.
///
/// The program is copied to the folder for programs, since whoever can change what the system starts is the system. Where
/// the service is there already it is replaced by this version of it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent enroll --server https://fim.example.org:8443 --ca-fingerprint 3f9a… --token-file -
  steadfast-agent service install

The log is agent.log in the data directory. `sc.exe stop steadfast-agent` and `sc.exe start steadfast-agent` do what
they say. On Linux, the package of the agent brings a unit of systemd instead.

Exit codes:
  0  the service is installed and runs
  2  usage: an option is wrong, or this system has no such services
  4  failure")]
pub struct InstallArgs {
    /// Do nothing if this machine is not enrolled.
    #[arg(long)]
    if_enrolled: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

/// Stops the agent, and removes the service and its program. The data directory stays, unless its removal is asked for.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent service uninstall
  steadfast-agent service uninstall --remove-state

Exit codes:
  0  there is no service any more
  2  usage: an option is wrong, or this system has no such services
  4  failure")]
pub struct UninstallArgs {
    /// Remove the data directory as well: this machine's identity, what it knows of itself, what waits for the server.
    #[arg(long)]
    remove_state: bool,
    #[command(flatten)]
    data_dir: DataDirArg,
}

/// Runs `service`.
pub fn service(command: &ServiceCommand) -> ExitCode {
    let done = match command {
        ServiceCommand::Install(args) => install(args),
        ServiceCommand::Uninstall(args) => uninstall(args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let is_usage = matches!(error.downcast_ref(), Some(ServiceError::NotHere));
            fail(if is_usage { USAGE } else { FAILURE }, error)
        }
    }
}

fn install(args: &InstallArgs) -> anyhow::Result<()> {
    let dir = args.data_dir.data_dir();
    let folder =
        std::path::absolute(dir.path()).with_context(|| format!("cannot find {}", dir.path().display()))?;
    // Where only administrators read it, as everything that the agent keeps.
    let log = DataDir::new(&folder).log_path();
    match dir.identity() {
        // A service that nobody has enrolled would only fail, again and again.
        Err(IdentityError::NotEnrolled { .. }) if args.if_enrolled => {
            print("this machine is not enrolled: there is nothing to start yet");
            Ok(())
        }
        Err(error @ IdentityError::NotEnrolled { .. }) => Err(error.into()),
        identity => {
            let begun = identity.map_err(Into::into).and_then(|_| begin(&folder, &log));
            // Whoever sees the exit code only, as an installer does, looks into the logs.
            begun.inspect_err(|error| match error.downcast_ref() {
                Some(ServiceError::EndedAtStart { .. }) => {}
                _ => {
                    let why = format!("{error:#}");
                    report_event(&Event::Failed { why: &why });
                    note_failure(&log, &why);
                }
            })
        }
    }
}

fn begin(folder: &Path, log: &Path) -> anyhow::Result<()> {
    // Whoever could have put an identity there would be told what the system sees.
    check_private(folder).with_context(|| format!("the service is not to work in {}", folder.display()))?;
    let installed = install_service(arguments(folder, log)).map_err(|error| match error {
        ServiceError::EndedAtStart { .. } => {
            anyhow::Error::new(error).context(format!("its log {} says why", log.display()))
        }
        other => other.into(),
    })?;
    print(&format!("the service {SERVICE_NAME} runs {}", installed.program.display()));
    print(&format!("its log is {}", log.display()));
    for refused in installed.refused {
        eprintln!("warning: on this system it cannot {refused}");
    }
    Ok(())
}

fn uninstall(args: &UninstallArgs) -> anyhow::Result<()> {
    let RemovedService { was_there, left } = remove_service()?;
    let was = if was_there { "is removed" } else { "was not there" };
    let kept = if args.remove_state { "" } else { "; what the agent keeps is left" };
    print(&format!("the service {SERVICE_NAME} {was}{kept}"));
    if let Some(program) = left {
        eprintln!("warning: {} is still there; remove it yourself", program.display());
    }
    if args.remove_state {
        remove_state(&args.data_dir.data_dir())?;
    }
    Ok(())
}

fn remove_state(dir: &DataDir) -> anyhow::Result<()> {
    if dir.path().exists() {
        // Nothing is removed through a link that somebody else may have made.
        check_private(dir.path()).with_context(|| format!("{} is not removed", dir.path().display()))?;
    }
    let was = if dir.remove()? { "is removed" } else { "was not there" };
    if dir.path() == default_data_dir()
        && let Some(folder) = dir.path().parent()
    {
        // Whoever keeps something else there keeps it.
        let _ = std::fs::remove_dir(folder);
    }
    print(&format!("{} {was}", dir.path().display()));
    Ok(())
}

/// What the program is started with.
fn arguments(folder: &Path, log: &Path) -> Vec<OsString> {
    vec!["run".into(), "--data-dir".into(), folder.into(), "--log-file".into(), log.into()]
}
