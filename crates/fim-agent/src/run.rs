//! `run`: the agent at work.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use fim_os::{HostFacts, LiveTree, OS_NAME, PROVIDERS, StopRequests, best_watcher};
use fim_sensor::{LogOptions, MakeWatcher, RunningSensor, ScanOptions, Sensor, SensorConfig, WatcherChoice};

use crate::DataDirArg;
use crate::exit::{FAILURE, fail};

/// Watches this machine until it is told to stop: by SIGTERM or SIGINT, on Windows by Ctrl+C or the end of the session.
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
}

/// Runs `run`.
pub fn run(args: &RunArgs) -> ExitCode {
    let requests = match StopRequests::listen() {
        Ok(requests) => requests,
        Err(error) => return fail(FAILURE, anyhow::Error::new(error).context("cannot listen to signals")),
    };
    fim_os::raise_open_files();
    if !args.full_priority {
        fim_os::lower_priority();
    }
    let config = SensorConfig {
        data_dir: args.data_dir.data_dir(),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        os_name: HostFacts::read().os_name.unwrap_or_else(|| OS_NAME.to_owned()),
        scan: ScanOptions { threads: args.threads.into(), ..ScanOptions::default() },
        spool: LogOptions { segment_bytes: 1 << 20, max_bytes: args.spool_megabytes << 20 },
    };
    let sensor = match Sensor::start(config, || Arc::new(LiveTree::new()), make_watcher(args)) {
        Ok(sensor) => sensor,
        Err(error) => return fail(FAILURE, error),
    };
    wait(sensor, &requests)
}

fn make_watcher(args: &RunArgs) -> MakeWatcher {
    let provider = args.provider.clone();
    if args.scan_only { Box::new(WatcherChoice::default) } else { Box::new(move || best_watcher(&provider)) }
}

/// Waits until it is asked to stop, or until a thread of the sensor has ended.
fn wait(sensor: RunningSensor, requests: &StopRequests) -> ExitCode {
    loop {
        match requests.wait(LOOK_EVERY) {
            Ok(Some(asked_by)) => {
                tracing::info!(asked_by, "stopping");
                return match sensor.stop() {
                    Ok(()) => ExitCode::SUCCESS,
                    Err(error) => fail(FAILURE, error),
                };
            }
            Ok(None) => {
                if let Some(failure) = sensor.failure() {
                    let _ = sensor.stop();
                    return fail(FAILURE, failure);
                }
            }
            Err(error) => {
                let _ = sensor.stop();
                return fail(FAILURE, anyhow::Error::new(error).context("cannot listen to signals"));
            }
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);
