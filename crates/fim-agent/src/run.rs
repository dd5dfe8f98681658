//! `run`: the agent at work.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fim_os::{Event, HostFacts, LiveTree, OS_NAME, PROVIDERS, StopRequests, best_watcher, report_event};
use fim_sensor::{LogOptions, MakeWatcher, RunningSensor, ScanOptions, Sensor, SensorConfig, WatcherChoice};

use crate::DataDirArg;
use crate::exit::{FAILURE, fail};

/// Watches this machine until it is told to stop: by SIGTERM or SIGINT, on Windows by the manager of services, Ctrl+C or the
/// end of the session.
///
/// What changed while it was not running is found by its first scan. While the server is away, changes wait in the
/// data directory.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent run
  steadfast-agent run --data-dir ./agent --spool-megabytes 64

Exit codes:
  0  it was told to stop, and did
  2  usage: an option is wrong
  4  failure")]
pub struct RunArgs {
    #[command(flatten)]
    data_dir: DataDirArg,
    /// How many threads read files. One is easiest on the machine, more are faster.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    threads: u16,
    /// How much may wait for the server, in megabytes. Beyond that, changes are found again once there is room.
    #[arg(long, value_name = "MB", default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    spool_megabytes: u64,
    /// Do not notice changes in real time; scans find them.
    #[arg(long)]
    scan_only: bool,
    /// Notice changes in real time by this, or by what is behind it where it does not work.
    #[arg(long, value_name = "PROVIDER", default_value = PROVIDERS[0], value_parser = PROVIDERS, conflicts_with = "scan_only")]
    provider: String,
    /// Work at the usual priority instead of behind everything else.
    #[arg(long)]
    full_priority: bool,
    /// Write the log to this file instead of stderr: at most 8 MiB, half of them in FILE.1 once it is full.
    #[arg(long, value_name = "FILE")]
    log_file: Option<PathBuf>,
}

impl RunArgs {
    /// The file that the log goes to; stderr if there is none.
    pub fn log_file(&self) -> Option<&Path> {
        self.log_file.as_deref()
    }
}

/// Runs `run`.
pub fn run(args: &RunArgs) -> ExitCode {
    let requests = match StopRequests::listen() {
        Ok(requests) => requests,
        Err(error) => return failed(args, anyhow::Error::new(error).context("cannot listen to signals")),
    };
    match work(args, &requests) {
        Ok(asked_by) => {
            tell(&requests, &Event::Stopped { asked_by });
            requests.ended(0);
            ExitCode::SUCCESS
        }
        Err(error) => {
            tell(&requests, &Event::Failed { why: &format!("{error:#}") });
            let exit_code = failed(args, error);
            requests.ended(FAILURE);
            exit_code
        }
    }
}

/// Says what went wrong. Whoever reads the log in a file does not see stderr.
fn failed(args: &RunArgs, error: anyhow::Error) -> ExitCode {
    if args.log_file.is_some() {
        tracing::error!(error = format!("{error:#}"), "failed");
    }
    fail(FAILURE, error)
}

/// Tells the system's log what becomes of a service, which has nobody who would see what it prints.
fn tell(requests: &StopRequests, event: &Event<'_>) {
    if requests.are_for_a_service() {
        report_event(event);
    }
}

/// Works until it is asked to stop, and says by what.
fn work(args: &RunArgs, requests: &StopRequests) -> anyhow::Result<&'static str> {
    fim_os::raise_open_files();
    fim_os::keep_little_memory();
    if !args.full_priority {
        fim_os::lower_priority();
    }
    let config = SensorConfig {
        data_dir: args.data_dir.data_dir(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        os_name: HostFacts::read().os_name.unwrap_or_else(|| OS_NAME.to_owned()),
        scan: ScanOptions { threads: args.threads.into(), ..ScanOptions::default() },
        spool: LogOptions { segment_bytes: 1 << 20, max_bytes: args.spool_megabytes << 20 },
        list_watcher: if args.scan_only { Err(SCAN_ONLY.to_owned()) } else { fim_os::list_watcher() },
    };
    let sensor = Sensor::start(config, || Arc::new(LiveTree::new()), make_watcher(args))?;
    requests.at_work();
    tell(requests, &Event::Started { version: env!("CARGO_PKG_VERSION") });
    wait(sensor, requests)
}

fn make_watcher(args: &RunArgs) -> MakeWatcher {
    let provider = args.provider.clone();
    if args.scan_only { Box::new(WatcherChoice::default) } else { Box::new(move || best_watcher(&provider)) }
}

/// Waits until it is asked to stop, or until a thread of the sensor has ended.
fn wait(sensor: RunningSensor, requests: &StopRequests) -> anyhow::Result<&'static str> {
    loop {
        match requests.wait(LOOK_EVERY) {
            Ok(Some(asked_by)) => {
                tracing::info!(asked_by, "stopping");
                sensor.stop()?;
                return Ok(asked_by);
            }
            Ok(None) => {
                if let Some(failure) = sensor.failure() {
                    let _ = sensor.stop();
                    return Err(failure.into());
                }
            }
            Err(error) => {
                let _ = sensor.stop();
                return Err(anyhow::Error::new(error).context("cannot listen to signals"));
            }
        }
    }
}

const SCAN_ONLY: &str = "the agent was started with --scan-only";

const LOOK_EVERY: Duration = Duration::from_secs(1);
