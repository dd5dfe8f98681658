//! `status`: how the agent is doing.

use std::fs::File;
use std::process::ExitCode;

use clap::Args;
use fim_sensor::{DataDir, SensorState, Status};

use crate::DataDirArg;
use crate::exit::{ATTENTION, FAILURE, fail, print, print_json};

/// Says how the agent is doing.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  steadfast-agent status
  steadfast-agent status --json

Exit codes:
  0  the agent is running, and nothing is wrong
  1  it is not running, or it has trouble: what it is stands in the answer
  2  usage: an option is wrong
  4  failure: how it is doing cannot be read")]
pub struct StatusArgs {
    #[command(flatten)]
    data_dir: DataDirArg,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs `status`.
pub fn status(args: &StatusArgs) -> ExitCode {
    let dir = args.data_dir.data_dir();
    let mut status = match read(&dir) {
        Ok(status) => status,
        Err(error) => return fail(FAILURE, error),
    };
    let is_running = is_running(&dir);
    if !is_running {
        status.state = SensorState::Stopped;
        status.progress = None;
    }
    if args.json {
        if let Err(error) = print_json(&status) {
            return fail(FAILURE, error);
        }
    } else {
        print(&text(&status));
    }
    let is_well =
        is_running && status.stuck_since.is_none() && status.error.is_none() && status.server_error.is_none();
    if is_well { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) }
}

fn read(dir: &DataDir) -> anyhow::Result<Status> {
    let identity = dir.identity()?;
    let path = dir.status_path();
    match std::fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| anyhow::Error::new(error).context(format!("{} is damaged", path.display()))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Status {
            server: identity.server,
            workspace: identity.workspace_name,
            machine_id: identity.machine_id.to_string(),
            ..Status::default()
        }),
        Err(error) => Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display()))),
    }
}

/// True if a running agent holds the directory's lock.
fn is_running(dir: &DataDir) -> bool {
    File::open(dir.path().join("lock")).is_ok_and(|file| file.try_lock_shared().is_err())
}

fn text(status: &Status) -> String {
    let known = |time: &Option<String>| time.clone().unwrap_or_else(|| "never".to_owned());
    let mut lines = vec![
        format!("state            {}", describe(status)),
        format!("server           {} (workspace `{}`)", status.server, status.workspace),
        format!("machine          {}", status.machine_id),
        format!("last contact     {}", known(&status.last_contact)),
        format!("noticed by       {}", provider(status)),
        format!("last scan        {}", known(&status.last_scan_end)),
        format!("next scan        {}", next_scan(status)),
        format!("rules in force   {}", status.rules),
        format!("waiting reports  {} ({} bytes on the disk)", status.spool_records, status.spool_bytes),
        format!("open gaps        {}", status.open_gaps),
    ];
    if let (Some(expires), Some(days)) = (&status.certificate_expires, status.certificate_days_left) {
        lines.push(format!("certificate      until {expires} ({days} days)"));
    }
    lines.extend(status.real_time_error.iter().map(|error| format!("real time        off: {error}")));
    lines.extend(status.refused_providers.iter().map(|refused| format!("cannot be used   {refused}")));
    if status.large_files_waiting > 0 {
        let (files, bytes) = (status.large_files_waiting, status.large_bytes_left);
        lines.push(format!("large files      {files} to be read beside the scans, {bytes} bytes left"));
    }
    lines.extend(status.unwatched.iter().map(|place| format!("scanned only     {place}")));
    lines.extend(status.spool_full_since.iter().map(|since| format!("spool full since {since}")));
    lines.extend(status.stuck_since.iter().map(|since| {
        format!("stuck since      {since}: the system does not answer, and nothing is looked at; see where it hangs in \
                 /proc/{}/task/*/stack", status.process_id)
    }));
    lines.extend(status.server_error.iter().map(|error| format!("server trouble   {error}")));
    lines.extend(status.error.iter().map(|error| format!("trouble          {error}")));
    lines.extend(status.warnings.iter().map(|warning| format!("warning          {warning}")));
    lines.join("\n")
}

fn next_scan(status: &Status) -> String {
    match (&status.next_scan, status.state) {
        (Some(time), _) => time.clone(),
        (None, SensorState::Baselining | SensorState::Scanning) => "after the one under way".to_owned(),
        (None, SensorState::Starting | SensorState::Idle | SensorState::Stopped) => "not planned".to_owned(),
    }
}

fn provider(status: &Status) -> String {
    match status.provider.as_str() {
        "" => "nothing yet".to_owned(),
        "scan" => "scans only".to_owned(),
        provider => format!("{provider}, in real time"),
    }
}

fn describe(status: &Status) -> String {
    let state = match status.state {
        SensorState::Starting => "starting",
        SensorState::Baselining => "taking the first baseline",
        SensorState::Scanning => "scanning",
        SensorState::Idle => "waiting for the next scan",
        SensorState::Stopped => "not running",
    };
    match &status.progress {
        Some(progress) => {
            let of = progress.files_total.map_or_else(String::new, |total| format!(" of {total}"));
            format!("{state}: {}{of} files, {} MiB", progress.files_done, progress.bytes_done >> 20)
        }
        None => state.to_owned(),
    }
}
