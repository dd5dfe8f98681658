//! A word for tests that cannot run here: what passes without having run must not pass in silence.

use std::fs::{self, OpenOptions};
use std::io::Write as _;

/// Says that the calling test cannot run here, and why. The runner hides what a passing test prints, so the word goes to
/// the file that `STEADFAST_SKIPS` names as well, if it is set: `make test` shows it at the end.
#[allow(clippy::print_stderr, reason = "a skipped test says so")]
pub fn skip(why: &str) {
    let thread = std::thread::current();
    let line = format!("skipped: {}: {why}\n", thread.name().unwrap_or("a test"));
    eprint!("{line}");
    if let Some(path) = std::env::var_os("STEADFAST_SKIPS") {
        let file = OpenOptions::new().append(true).create(true).open(&path);
        if let Err(error) = file.and_then(|mut file| file.write_all(line.as_bytes())) {
            eprintln!("cannot write to {}: {error}", path.display());
        }
    }
}

/// True if this machine lets a process like this notice changes in real time: it has the right to administer the system,
/// and its Linux is 5.17 or newer (fanotify(7): `FAN_RENAME`, and names with events, are there since). Where it does, a
/// test that finds nothing noticed has found a mistake.
pub fn may_notice_in_real_time() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    is_administrator(&status) && is_at_least(&release, (5, 17))
}

/// Whether the effective capabilities hold `CAP_SYS_ADMIN`, which is number 21 (capabilities(7)).
fn is_administrator(status: &str) -> bool {
    let field = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    field.and_then(|text| u64::from_str_radix(text.trim(), 16).ok()).is_some_and(|set| set >> 21 & 1 == 1)
}

fn is_at_least(release: &str, wanted: (u32, u32)) -> bool {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => (major, minor) >= wanted,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kernel_s_release_is_compared_by_its_numbers() {
        assert!(is_at_least("6.1.0-18-amd64\n", (5, 17)));
        assert!(is_at_least("5.17.0", (5, 17)));
        assert!(!is_at_least("5.9.1", (5, 17)));
        assert!(!is_at_least("what", (5, 17)));
    }

    #[test]
    fn the_right_to_administer_is_one_of_the_effective_capabilities() {
        assert!(is_administrator("Name:\tx\nCapEff:\t000001ffffffffff\n"));
        assert!(!is_administrator("CapEff:\t0000000000000000\n"));
        assert!(!is_administrator(""));
    }
}
