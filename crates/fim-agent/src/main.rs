//! The sensor as a program.

mod check_config;
mod doctor;
mod enroll;
mod exit;
mod log_file;
mod run;
mod service;
mod standalone;
mod status;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::panic;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;

use clap::builder::{OsStringValueParser, TypedValueParser as _};
use clap::{Args, Parser, Subcommand};
use fim_sensor::DataDir;
use tracing_subscriber::EnvFilter;

use crate::log_file::LogFile;

/// Watches this machine's files and tells what changed.
#[derive(Debug, Parser)]
#[command(
    name = "steadfast-agent",
    version,
    after_help = "Logs go to stderr; RUST_LOG chooses how much (default: info).\n\n\
Exit codes:
  0  all is well
  1  something needs attention: differences, a failed check, an agent that is not running
  2  usage: an option is wrong
  3  part of the scope could not be read
  4  failure"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Enroll(enroll::EnrollArgs),
    Run(run::RunArgs),
    /// Have Windows start the agent by itself.
    #[command(subcommand)]
    Service(service::ServiceCommand),
    Status(status::StatusArgs),
    Doctor(doctor::DoctorArgs),
    /// Look at the settings.
    #[command(subcommand)]
    Config(ConfigCommand),
    Baseline(standalone::BaselineArgs),
    Check(standalone::CheckArgs),
}

impl Command {
    /// The file that the log goes to; stderr if there is none.
    fn log_file(&self) -> Option<&Path> {
        match self {
            Self::Run(args) => args.log_file(),
            Self::Enroll(_)
            | Self::Service(_)
            | Self::Status(_)
            | Self::Doctor(_)
            | Self::Config(_)
            | Self::Baseline(_)
            | Self::Check(_) => None,
        }
    }
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    Check(check_config::CheckConfigArgs),
}

/// Where the agent keeps everything.
#[derive(Debug, Args)]
struct DataDirArg {
    /// The directory in which the agent keeps its identity, its state and what waits for the server.
    #[arg(
        long = "data-dir",
        value_name = "DIR",
        env = "STEADFAST_AGENT_DATA_DIR",
        default_value_os_t = fim_os::default_data_dir(),
        value_parser = OsStringValueParser::new().map(data_dir)
    )]
    path: PathBuf,
}

impl DataDirArg {
    fn data_dir(&self) -> DataDir {
        DataDir::new(&self.path)
    }
}

/// A variable that is set to nothing is not set.
fn data_dir(typed: OsString) -> PathBuf {
    if typed.is_empty() { fim_os::default_data_dir() } else { typed.into() }
}

fn main() -> ExitCode {
    let cli = Cli::try_parse().unwrap_or_else(|error| refuse(&error));
    start_log(cli.command.log_file());
    match cli.command {
        Command::Enroll(args) => enroll::enroll(&args),
        Command::Run(args) => run::run(&args),
        Command::Service(command) => service::service(&command),
        Command::Status(args) => status::status(&args),
        Command::Doctor(args) => doctor::doctor(&args),
        Command::Config(ConfigCommand::Check(args)) => check_config::check_config(&args),
        Command::Baseline(args) => standalone::baseline(args),
        Command::Check(args) => standalone::check(args),
    }
}

/// Says which option is wrong, also in the log of whoever does not see what is printed; or shows the help.
fn refuse(error: &clap::Error) -> ! {
    let mut arguments = std::env::args_os().skip_while(|argument| argument != "--log-file").skip(1);
    if error.use_stderr()
        && let Some(log) = arguments.next()
    {
        let said = error.to_string();
        let why = said.lines().next().unwrap_or_default().trim_start_matches("error: ");
        enroll::note_refusal(Some(Path::new(&log)), why);
    }
    error.exit()
}

/// Writes the log to the file from now on, or to stderr if there is none or it cannot be opened: watching goes on without.
fn start_log(path: Option<&Path>) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    match path.map(LogFile::open) {
        Some(Ok(file)) => {
            log.with_ansi(false).with_writer(Mutex::new(file)).init();
            // What a thread says at its end would go where nobody reads.
            panic::set_hook(Box::new(|defect| tracing::error!(%defect, "a thread has ended by a defect")));
        }
        failed_or_none => {
            log.with_ansi(std::io::stderr().is_terminal()).with_writer(std::io::stderr).init();
            if let Some(Err(error)) = failed_or_none {
                tracing::warn!(error = format!("{:#}", anyhow::Error::from(error)), "the log goes to stderr");
            }
        }
    }
}
