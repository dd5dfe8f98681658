//! `service`: the agent as a service of Windows.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use fim_os::{RemovedService, SERVICE_NAME, ServiceError, install_service, remove_service};

use crate::DataDirArg;
use crate::exit::{FAILURE, USAGE, fail, print};

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
    #[command(flatten)]
    data_dir: DataDirArg,
}

/// Stops the agent, and removes the service and its program. The data directory stays.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent service uninstall

Exit codes:
  0  there is no service any more
  2  usage: an option is wrong, or this system has no such services
  4  failure")]
pub struct UninstallArgs {}

/// Runs `service`.
pub fn service(command: &ServiceCommand) -> ExitCode {
    let done = match command {
        ServiceCommand::Install(args) => install(args),
        ServiceCommand::Uninstall(UninstallArgs {}) => uninstall(),
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
    // A service that nobody has enrolled would only fail, again and again.
    dir.identity()?;
    let folder =
        std::path::absolute(dir.path()).with_context(|| format!("cannot find {}", dir.path().display()))?;
    let log = log_file(&folder);
    let installed = install_service(arguments(&folder, &log)).map_err(|error| match error {
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

fn uninstall() -> anyhow::Result<()> {
    let RemovedService { was_there, left } = remove_service()?;
    let was = if was_there { "is removed" } else { "was not there" };
    print(&format!("the service {SERVICE_NAME} {was}; what the agent keeps is left"));
    if let Some(program) = left {
        eprintln!("warning: {} is still there; remove it yourself", program.display());
    }
    Ok(())
}

/// What the program is started with.
fn arguments(folder: &Path, log: &Path) -> Vec<OsString> {
    vec!["run".into(), "--data-dir".into(), folder.into(), "--log-file".into(), log.into()]
}

/// Where only administrators read it, as everything that the agent keeps.
fn log_file(folder: &Path) -> PathBuf {
    folder.join("agent.log")
}
