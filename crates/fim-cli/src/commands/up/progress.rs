//! How far the first baseline is.

use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use fim_os::LiveTree;
use fim_sensor::{DataDir, RunningSensor, SensorState, Status, current_settings, preview};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::commands::server::StopSignal;

/// Shows the first baseline until it is done, the signal comes, or the agent fails. A later start has none to show.
pub fn show_first_baseline(agent: &RunningSensor, folder: &Path, signal: &StopSignal) {
    let bar = ProgressBar::no_length().with_style(style(COUNTING));
    let mut entities = None;
    loop {
        let status = agent.status();
        match status.state {
            SensorState::Starting => {}
            SensorState::Baselining => update(&bar, &status, entities.get_or_insert_with(|| measure(folder))),
            SensorState::Scanning | SensorState::Idle | SensorState::Stopped => {
                bar.finish_and_clear();
                if let Some(scan) = status.last_scan.filter(|_| entities.is_some()) {
                    eprintln!(
                        "first baseline: {} entities, {} read; scans every {} s from now on",
                        scan.entities,
                        HumanBytes(scan.bytes),
                        status.scan_interval_seconds
                    );
                }
                return;
            }
        }
        // Why it failed is told by the one who waits for the agent's end.
        if agent.failure().is_some() || signal.wait(REDRAW_EVERY) {
            bar.finish_and_clear();
            return;
        }
    }
}

/// How many entities there are, counted beside the baseline without reading them; the bar only counts up until then.
/// Their bytes would be a worse measure: what links lead to is read as well, and its size is seen only then. The thread
/// ends with the process if the baseline is quicker.
fn measure(folder: &Path) -> Receiver<u64> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let data_dir = DataDir::new(folder);
    thread::spawn(move || {
        let Ok((settings, ..)) = current_settings(&data_dir) else { return };
        let (rules, _) = settings.rule_set(&|name| std::env::var(name).ok());
        let entities =
            preview(Arc::new(LiveTree::new()), &rules).rules.iter().map(|cost| cost.entities).sum();
        // Nobody waits for it any more if the baseline was quicker.
        let _ = sender.send(entities);
    });
    receiver
}

fn update(bar: &ProgressBar, status: &Status, entities: &Receiver<u64>) {
    if let Ok(entities) = entities.try_recv() {
        bar.set_length(entities);
        bar.set_style(style(MEASURED));
    }
    let progress = status.progress.unwrap_or_default();
    bar.set_position(progress.entities_done);
    bar.set_message(format!("{} files, {}", progress.files_done, HumanBytes(progress.bytes_done)));
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
}

const COUNTING: &str = "first baseline: {pos} entities: {msg}";
const MEASURED: &str = "first baseline [{bar:30}] {pos} of {len} entities: {msg}, {eta} left";
const REDRAW_EVERY: Duration = Duration::from_millis(100);
