//! How far the first baseline is.

use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use fim_os::LiveTree;
use fim_sensor::{
    DataDir, FileTree as _, RunningSensor, ScanControl, SensorState, Status, current_settings, preview,
};
use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressState, ProgressStyle};

use crate::commands::server::StopSignal;

/// Shows the first baseline until it is done, the signal comes, or the agent fails. A later start has none to show.
pub fn show_first_baseline(agent: &RunningSensor, folder: &Path, signal: &StopSignal) {
    let bar = ProgressBar::no_length().with_style(style(COUNTING));
    let mut counting = None;
    loop {
        let status = agent.status();
        match status.state {
            SensorState::Starting => {}
            SensorState::Baselining => {
                update(&bar, &status, &counting.get_or_insert_with(|| Counting::start(folder)).entities);
            }
            SensorState::Scanning | SensorState::Idle | SensorState::Stopped => {
                bar.finish_and_clear();
                if let Some(scan) = status.last_scan.filter(|_| counting.is_some()) {
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
/// Their bytes would be a worse measure: what links lead to is read as well, and its size is seen only then. It is given
/// up if the baseline is quicker, or told to stop, and nobody waits for it then: a file system may not answer it.
struct Counting {
    entities: Receiver<u64>,
    control: Arc<ScanControl>,
}

impl Counting {
    fn start(folder: &Path) -> Self {
        let (sender, entities) = mpsc::sync_channel(1);
        let control = Arc::new(ScanControl::default());
        let (data_dir, counted) = (DataDir::new(folder), Arc::clone(&control));
        thread::spawn(move || {
            let Ok((settings, ..)) = current_settings(&data_dir) else { return };
            let tree = Arc::new(LiveTree::new());
            let rules = settings.rules_here(tree.style(), &|name| std::env::var(name).ok()).rules;
            let seen = preview(tree, &rules, Arc::clone(&counted));
            if !counted.is_cancelled() {
                // Nobody waits for it any more if the baseline was quicker.
                let _ = sender.send(seen.rules.iter().map(|cost| cost.entities).sum());
            }
        });
        Self { entities, control }
    }
}

impl Drop for Counting {
    fn drop(&mut self) {
        self.control.cancel();
    }
}

fn update(bar: &ProgressBar, status: &Status, entities: &Receiver<u64>) {
    let progress = status.progress.unwrap_or_default();
    if let Ok(entities) = entities.try_recv() {
        bar.set_length(entities);
        bar.set_style(style(MEASURED));
    }
    // What came since it was counted is looked at as well.
    if bar.length().is_some_and(|length| length < progress.entities_done) {
        bar.set_length(progress.entities_done);
    }
    bar.set_position(progress.entities_done);
    bar.set_message(HumanBytes(progress.bytes_done).to_string());
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .with_key("left", |state: &ProgressState, out: &mut dyn Write| {
            if let Some(left) = time_left(state.elapsed(), state.pos(), state.len().unwrap_or(0)) {
                // Nobody is there to tell of a text that cannot be made longer.
                let _ = write!(out, ", {} left", HumanDuration(left));
            }
        })
        .progress_chars("=> ")
}

/// How long it takes still at the speed of all that was done: that of the last moment jumps from file to file.
fn time_left(elapsed: Duration, done: u64, total: u64) -> Option<Duration> {
    if elapsed < SPEED_KNOWN_AFTER || done == 0 {
        return None;
    }
    let seconds = elapsed.as_secs_f64() / done as f64 * total.saturating_sub(done) as f64;
    Duration::try_from_secs_f64(seconds).ok()
}

const COUNTING: &str = "first baseline: {pos} entities, {msg} read";
const MEASURED: &str = "first baseline [{bar:30}] {pos} of {len} entities, {msg} read{left}";
/// Before that, what is left is a guess.
const SPEED_KNOWN_AFTER: Duration = Duration::from_secs(2);
const REDRAW_EVERY: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use fim_sensor::ScanProgress;

    use super::*;

    #[test]
    fn what_is_left_is_told_from_all_that_was_done() {
        let left = |seconds, done, total| time_left(Duration::from_secs(seconds), done, total);
        assert_eq!(left(10, 100, 300), Some(Duration::from_secs(20)));
        assert_eq!(left(10, 300, 300), Some(Duration::ZERO));
        assert_eq!(left(10, 301, 300), Some(Duration::ZERO));
        assert_eq!((left(1, 100, 300), left(10, 0, 300)), (None, None));
    }

    #[test]
    fn one_counter_is_shown_and_it_never_passes_its_end() {
        let bar = ProgressBar::hidden();
        bar.unset_length();
        let (sender, entities) = mpsc::sync_channel(1);
        let shown = |entities_done| {
            let done = ScanProgress { entities_done, files_done: 99, bytes_done: 2048, ..Default::default() };
            update(&bar, &Status { progress: Some(done), ..Status::default() }, &entities);
            (bar.position(), bar.length(), bar.message())
        };
        assert_eq!(shown(7), (7, None, "2.00 KiB".to_owned()));
        sender.send(10).unwrap();
        assert_eq!(shown(8), (8, Some(10), "2.00 KiB".to_owned()));
        assert_eq!(shown(12), (12, Some(12), "2.00 KiB".to_owned()));
    }
}
