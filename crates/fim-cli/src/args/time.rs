//! Lengths of time as they are typed.

use std::time::Duration;

use fim_server::{
    LONGEST_COLLECTION_SECONDS, LONGEST_ENROLLMENT_SECONDS, MAX_SCAN_INTERVAL_SECONDS,
    SHORTEST_COLLECTION_SECONDS,
};

/// Seconds between two collections; 0 for none.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Every(pub u64);

/// Reads how often lists are collected.
pub fn every(text: &str) -> Result<Every, String> {
    if text == "off" {
        return Ok(Every(0));
    }
    let (shortest, longest) = (SHORTEST_COLLECTION_SECONDS, LONGEST_COLLECTION_SECONDS);
    let time = between(text, shortest, longest).map_err(|error| format!("{error}, or off"))?;
    Ok(Every(time.as_secs()))
}

/// Reads how often files are scanned.
pub fn scan_interval(text: &str) -> Result<Duration, String> {
    if text == "off" {
        return Err(
            "files are scanned as long as monitoring is on; `steadfast fim disable` turns it off".to_owned()
        );
    }
    between(text, 1, MAX_SCAN_INTERVAL_SECONDS)
}

fn between(text: &str, shortest: u64, longest: u64) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_between = (shortest..=longest).contains(&time.as_secs());
    let range = || format!("write a time from {} to {}", as_typed(shortest), as_typed(longest));
    is_between.then_some(time).ok_or_else(range)
}

/// A length of time as it is typed: `1d`, `1h 30m`, `0s`.
pub fn as_typed(seconds: u64) -> String {
    let mut left = seconds;
    let parts: Vec<String> = [(24 * 3600, "d"), (3600, "h"), (60, "m"), (1, "s")]
        .into_iter()
        .filter_map(|(length, name)| {
            let number = left / length;
            left %= length;
            (number > 0).then(|| format!("{number}{name}"))
        })
        .collect();
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// Reads a time such as `1h 30m`. The parser's own words say where it stopped, and not what to write instead.
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "this is not a length of time; write one such as 30s, 15m, 1h 30m or 7d".to_owned())
}

/// Reads a time that is not none.
pub fn at_least_a_second(text: &str) -> Result<Duration, String> {
    duration(text).and_then(|time| {
        let is_enough = time.as_secs() > 0;
        is_enough.then_some(time).ok_or_else(|| "write a time of at least a second".to_owned())
    })
}

/// Reads how long an enrolment token is good.
pub fn enrollment(text: &str) -> Result<Duration, String> {
    between(text, 1, LONGEST_ENROLLMENT_SECONDS)
}

/// Reads how far back changes are wanted.
pub fn since(text: &str) -> Result<Duration, String> {
    between(text, 0, FARTHEST_BACK_SECONDS)
}

/// A hundred years, before which there are no changes.
const FARTHEST_BACK_SECONDS: u64 = 36_500 * 24 * 3600;

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn a_time_that_is_none_is_told_how_to_write() {
        assert_eq!(duration("90m"), Ok(Duration::from_secs(5400)));
        for (text, said) in [("yesterday", "such as 30s, 15m, 1h 30m or 7d"), ("0s", "at least a second")] {
            assert!(at_least_a_second(text).unwrap_err().contains(said), "{text}");
        }
    }

    #[test]
    fn a_time_that_is_too_short_or_too_long_is_told_with_its_option_and_as_times_are_typed() {
        for (arguments, said) in [
            (["--software", "2s"], "'2s' for '--software <TIME>': write a time from 5s to 365d, or off"),
            (["--daemons", "366d"], "'366d' for '--daemons <TIME>': write a time from 5s to 365d, or off"),
            (["--files", "8d"], "'8d' for '--files <TIME>': write a time from 1s to 7d"),
        ] {
            let line = ["steadfast", "fim", "collect"].into_iter().chain(arguments);
            let error =
                Arguments::try_parse_from(line).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains(said), "{error}");
        }
        let line = ["steadfast", "changes", "--since", "1000000d"];
        let error = Arguments::try_parse_from(line).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("write a time from 0s to 36500d"), "{error}");
        let line = ["steadfast", "fim", "collect", "--software", "off", "--files", "7d", "--daemons", "5s"];
        assert!(Arguments::try_parse_from(line).is_ok());
    }

    #[test]
    fn a_time_is_shown_as_it_is_typed() {
        for (seconds, typed) in [
            (0, "0s"),
            (45, "45s"),
            (900, "15m"),
            (5400, "1h 30m"),
            (36_000, "10h"),
            (86_400, "1d"),
            (90_061, "1d 1h 1m 1s"),
        ] {
            assert_eq!(as_typed(seconds), typed);
            assert_eq!(duration(typed), Ok(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn that_files_are_not_to_be_scanned_is_told_with_what_does_that() {
        for line in [&["fim", "collect", "--files", "off"][..], &["up", "--scan-interval", "off"]] {
            let error = Arguments::try_parse_from([&["steadfast"], line].concat()).err();
            let told = error.map(|error| error.to_string()).unwrap_or_default();
            assert!(told.contains("`steadfast fim disable` turns it off"), "{told}");
        }
    }

    #[test]
    fn a_token_that_is_to_be_good_for_too_long_is_told_with_its_option() {
        let line = ["steadfast", "machine", "enroll-token", "--expires-in", "10y"];
        let error = Arguments::try_parse_from(line).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("'10y' for '--expires-in <TIME>': write a time from 1s to 30d"), "{error}");
    }
}
