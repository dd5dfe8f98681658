//! What there is more of than the kernel or the watcher takes at once, and what happens while the watcher is given orders.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use fim_core::{GapCause, Hint, Notice};

use super::{Watched, entity};

/// More files than the kernel keeps notices of for who does not take them; nothing where that is too many, which is said.
fn flood() -> Option<usize> {
    let kept = |file: &str| {
        let kept = fs::read_to_string(file).unwrap_or_default();
        kept.trim().parse::<usize>().unwrap_or(16_384)
    };
    let most = ["fanotify", "inotify"].map(|of| kept(&format!("/proc/sys/fs/{of}/max_queued_events")));
    let most = most[0].max(most[1]);
    if most > 50_000 {
        fim_testkit::skip(&format!("this kernel keeps {most} notices, which are too many for a flood"));
        return None;
    }
    Some(most + most / 4)
}

impl Watched {
    /// Takes no notice of a flood and of what `act` does at its end, until it is told that some were lost.
    fn overwhelm(&mut self, flood: usize, act: impl FnOnce(&Path)) {
        self.hints();
        for number in 0..flood {
            fs::write(self.path(&format!("in/flood-{number}")), "x").unwrap();
        }
        act(self.folder.path());
        let mut hints = Vec::new();
        let is_lost =
            |hint: &Hint| matches!(&hint.notice, Notice::Lost(loss) if loss.cause == GapCause::NoticesLost);
        let end = Instant::now() + Duration::from_secs(60);
        while !hints.iter().any(is_lost) {
            assert!(Instant::now() < end, "nothing is told as lost");
            self.watcher.wait(Duration::from_millis(50), &mut hints).unwrap();
        }
    }
}

#[test]
fn of_more_than_are_taken_at_once_none_is_lost_and_each_directory_among_them_is_watched() {
    // The others have no watch of each directory, and take all that there is.
    let Some(mut watched) = Watched::by_provider("inotify") else { return };
    watched.hints();
    // No divisor of what the kernel gives at once shall hide a remainder.
    let names: Vec<String> = (0..9000).map(|number| format!("in/directory-number-{number:05}")).collect();
    for name in &names {
        fs::create_dir(watched.path(name)).unwrap();
    }
    let told = watched.told();
    let untold = names.iter().filter(|name| !told.contains(&entity(&watched.path(name)))).count();
    assert_eq!(untold, 0, "of {}", names.len());
    let last: Vec<_> = names[8000..].iter().map(|name| watched.path(name).join("below")).collect();
    for below in &last {
        fs::write(below, "x").unwrap();
    }
    let told = watched.told();
    assert_eq!(last.iter().filter(|below| told.contains(&entity(below))).count(), last.len());
}

#[test]
fn a_directory_that_came_while_notices_were_lost_is_told_by_where_it_is() {
    let Some(flood) = flood() else { return };
    for mut watched in Watched::by_each_provider() {
        for name in ["in/jobs", "elsewhere", "elsewhere/evil"] {
            fs::create_dir(watched.path(name)).unwrap();
        }
        watched.hints();
        // Where it is may be remembered from now on.
        fs::write(watched.path("elsewhere/evil/first"), "x").unwrap();
        watched.overwhelm(flood, |folder| {
            fs::rename(folder.join("in/jobs"), folder.join("elsewhere/jobs")).unwrap();
            fs::rename(folder.join("elsewhere/evil"), folder.join("in/jobs")).unwrap();
        });
        let names = watched.names_after(|folder| {
            fs::write(folder.join("in/jobs/second"), "x").unwrap();
            fs::write(folder.join("elsewhere/jobs/third"), "x").unwrap();
        });
        assert!(names.contains("in/jobs/second"), "{names:?}");
        assert!(!names.contains("in/jobs/third"), "{names:?}");
    }
}

#[test]
fn the_end_of_a_directory_is_not_taken_for_that_of_the_one_in_its_place() {
    let Some(flood) = flood() else { return };
    for mut watched in Watched::by_each_provider() {
        for name in ["in/d", "elsewhere"] {
            fs::create_dir(watched.path(name)).unwrap();
        }
        // While it is open it does not end, though it is under no name.
        let open = fs::File::open(watched.path("in/d")).unwrap();
        watched.overwhelm(flood, |folder| {
            fs::remove_dir(folder.join("in/d")).unwrap();
            fs::create_dir(folder.join("in/d")).unwrap();
        });
        drop(open);
        let names = watched.names_after(|folder| fs::write(folder.join("in/d/f"), "x").unwrap());
        assert!(names.contains("in/d/f"), "{names:?}");
        fs::rename(watched.path("in/d"), watched.path("elsewhere/d")).unwrap();
        watched.hints();
        let names = watched.names_after(|folder| fs::write(folder.join("elsewhere/d/g"), "x").unwrap());
        assert!(!names.contains("in/d/g"), "{names:?}");
    }
}

#[test]
fn an_order_to_watch_other_places_loses_nothing_of_those_that_stay() {
    for mut watched in Watched::by_each_provider() {
        fs::create_dir(watched.path("in/d")).unwrap();
        watched.hints();
        let before = watched.watcher.heard();
        fs::write(watched.path("in/d/f"), "x").unwrap();
        assert_eq!(watched.watch("in"), []);
        let heard = watched.watcher.heard();
        assert!(heard <= before, "what waits to be taken counts as heard: {before:?}, {heard:?}");
        let told = watched.told();
        assert!(told.contains(&entity(&watched.path("in/d/f"))), "{told:?}");
        // What is wanted no more is told no more, and comes back.
        fs::create_dir(watched.path("other")).unwrap();
        assert_eq!(watched.watch("other"), []);
        watched.hints();
        let act = |folder: &Path| {
            fs::write(folder.join("in/d/f"), "y").unwrap();
            fs::write(folder.join("other/f"), "y").unwrap();
        };
        let names = watched.names_after(act);
        assert!(names.contains("other/f") && !names.contains("in/d/f"), "{names:?}");
        assert_eq!(watched.watch("in"), []);
        let names = watched.names_after(act);
        assert!(names.contains("in/d/f") && !names.contains("other/f"), "{names:?}");
    }
}
