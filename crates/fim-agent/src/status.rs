//! `status`: how the agent is doing.

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
  1  it is not running, it has trouble, changes are no longer noticed in real time, or a rule cannot be used as it is:
     what it is stands in the answer
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
    let is_running = dir.is_in_use();
    if !is_running {
        status = stopped(status);
    }
    if args.json {
        if let Err(error) = print_json(&status) {
            return fail(FAILURE, error);
        }
    } else {
        print(&text(&status));
    }
    if is_running && is_well(&status) { ExitCode::SUCCESS } else { ExitCode::from(ATTENTION) }
}

/// True if nothing that is told of the agent is trouble.
fn is_well(status: &Status) -> bool {
    let troubles = [
        &status.real_time_error,
        &status.spool_full_since,
        &status.stuck_since,
        &status.server_error,
        &status.error,
    ];
    troubles.iter().all(|trouble| trouble.is_none()) && status.warnings.is_empty()
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

/// What is left of the last word of an agent that does not run: it notices nothing and plans nothing.
fn stopped(status: Status) -> Status {
    Status {
        state: SensorState::Stopped,
        progress: None,
        provider: String::new(),
        next_scan: None,
        real_time_error: None,
        stuck_since: None,
        // Everything is one, and no number says that.
        open_gaps: None,
        ..status
    }
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
        format!("open gaps        {}", open_gaps(status)),
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
    lines.extend(status.lists_unnoticed.iter().map(|why| {
        format!("lists            daemons and software are compared from time to time only: {why}")
    }));
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
        (None, SensorState::Stopped) => "when it runs".to_owned(),
        (None, SensorState::Starting | SensorState::Idle) => "not planned".to_owned(),
    }
}

fn open_gaps(status: &Status) -> String {
    if status.state == SensorState::Stopped {
        return "everything, while the agent does not run".to_owned();
    }
    status.open_gaps.map_or_else(|| "not known yet".to_owned(), |number| number.to_string())
}

fn provider(status: &Status) -> String {
    match status.provider.as_str() {
        _ if status.state == SensorState::Stopped => "nothing, the agent does not run".to_owned(),
        "" => "nothing yet".to_owned(),
        "scan" => "scans only".to_owned(),
        provider => format!("{provider}, in real time"),
    }
}

fn describe(status: &Status) -> String {
    let state = match status.state {
        SensorState::Starting => "starting",
        SensorState::Baselining if is_first_baseline(status) => "taking the first baseline",
        SensorState::Baselining => "taking the baseline of new rules",
        SensorState::Scanning => "scanning",
        SensorState::Idle => "waiting for the next scan",
        SensorState::Stopped => "not running",
    };
    match &status.progress {
        Some(progress) => {
            // What the last scan saw tells nothing of rules that are new since.
            let is_known =
                |total: &u64| status.state == SensorState::Scanning && progress.files_done <= *total;
            let total = progress.files_total.filter(is_known);
            let of = total.map_or_else(String::new, |total| format!(" of {total}"));
            format!("{state}: {}{of} files, {} MiB", progress.files_done, progress.bytes_done >> 20)
        }
        None => state.to_owned(),
    }
}

fn is_first_baseline(status: &Status) -> bool {
    status.last_scan_end.is_none()
}

#[cfg(test)]
mod tests {
    use fim_sensor::{ScanProgress, SensorState, Status};

    use super::*;

    /// What is said at this heading.
    fn said(status: &Status, heading: &str) -> String {
        let text = text(status);
        let line = text.lines().find_map(|line| line.strip_prefix(heading)).unwrap();
        line.trim().to_owned()
    }

    #[test]
    fn an_agent_that_does_not_run_notices_nothing_and_plans_nothing() {
        let at_work = Status {
            state: SensorState::Idle,
            provider: "fanotify+ebpf".to_owned(),
            next_scan: Some("2026-11-23T06:38:19Z".to_owned()),
            open_gaps: Some(0),
            ..Status::default()
        };
        let told = |status: &Status| {
            ["state", "noticed by", "next scan", "open gaps"].map(|heading| said(status, heading))
        };
        let running =
            ["waiting for the next scan", "fanotify+ebpf, in real time", "2026-11-23T06:38:19Z", "0"];
        assert_eq!(told(&at_work), running);
        let stopped = [
            "not running",
            "nothing, the agent does not run",
            "when it runs",
            "everything, while the agent does not run",
        ];
        assert_eq!(told(&super::stopped(at_work)), stopped);
    }

    #[test]
    fn whatever_is_told_as_trouble_or_as_a_warning_needs_attention() {
        let quiet = Status { refused_providers: vec!["fanotify: why".to_owned()], ..Status::default() };
        assert!(is_well(&quiet));
        let troubles: [fn(&mut Status); 6] = [
            |status| status.real_time_error = Some("deaf".to_owned()),
            |status| status.spool_full_since = Some("2026-11-23T06:38:19Z".to_owned()),
            |status| status.stuck_since = Some("2026-11-23T06:38:19Z".to_owned()),
            |status| status.server_error = Some("away".to_owned()),
            |status| status.error = Some("full".to_owned()),
            |status| status.warnings.push("no such variable".to_owned()),
        ];
        for trouble in troubles {
            let mut status = quiet.clone();
            trouble(&mut status);
            assert!(!is_well(&status), "{}", text(&status));
        }
    }

    #[test]
    fn how_far_a_scan_is_has_a_total_only_where_that_is_known() {
        use SensorState::{Baselining, Scanning};
        let ended = Some("2026-11-23T06:38:19Z");
        for (state, last_scan_end, files_done, files_total, expected) in [
            (Baselining, None, 7, None, "taking the first baseline: 7 files, 3 MiB"),
            (Baselining, ended, 7, Some(1365), "taking the baseline of new rules: 7 files, 3 MiB"),
            (Baselining, ended, 1910, Some(1365), "taking the baseline of new rules: 1910 files, 3 MiB"),
            (Scanning, ended, 7, Some(1365), "scanning: 7 of 1365 files, 3 MiB"),
            (Scanning, ended, 1365, Some(1365), "scanning: 1365 of 1365 files, 3 MiB"),
            (Scanning, ended, 1366, Some(1365), "scanning: 1366 files, 3 MiB"),
        ] {
            let progress =
                ScanProgress { files_done, files_total, bytes_done: 3 << 20, ..ScanProgress::default() };
            let status = Status {
                state,
                last_scan_end: last_scan_end.map(str::to_owned),
                progress: Some(progress),
                ..Status::default()
            };
            assert_eq!(said(&status, "state"), expected);
        }
    }
}
