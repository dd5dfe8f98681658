//! How far the first baseline is.

use std::time::Duration;

use fim_sensor::{RunningSensor, SensorState, Status};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::commands::server::StopSignal;

/// Shows the first baseline until it is done, or the signal comes. A later start has none to show.
pub fn show_first_baseline(agent: &RunningSensor, signal: &StopSignal) {
    let bar = ProgressBar::new(0);
    loop {
        let status = agent.status();
        match status.state {
            SensorState::Starting => {}
            SensorState::Baselining => update(&bar, &status),
            SensorState::Scanning | SensorState::Idle | SensorState::Stopped => {
                bar.finish_and_clear();
                if let Some(scan) = status.last_scan.filter(|_| bar.position() > 0) {
                    eprintln!(
                        "baseline of {} entities, {} read; scans every {} s from now on",
                        scan.entities,
                        HumanBytes(scan.bytes),
                        status.scan_interval_seconds
                    );
                }
                return;
            }
        }
        if signal.wait(REDRAW_EVERY) {
            bar.finish_and_clear();
            return;
        }
    }
}

fn update(bar: &ProgressBar, status: &Status) {
    let progress = status.progress.unwrap_or_default();
    if let Some(total) = progress.bytes_total.filter(|_| bar.length() == Some(0))
        && let Ok(style) = ProgressStyle::with_template(TEMPLATE)
    {
        bar.set_length(total);
        bar.set_style(style.progress_chars("=> "));
    }
    bar.set_position(progress.bytes_done);
    let of = progress.files_total.map(|total| format!(" of {total}")).unwrap_or_default();
    bar.set_message(format!("{}{of} files", progress.files_done));
}

const TEMPLATE: &str =
    "first baseline [{bar:30}] {msg}, {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
const REDRAW_EVERY: Duration = Duration::from_millis(100);
