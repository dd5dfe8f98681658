//! The header `Prefer` of the published query interface; pure.

use std::time::Duration;

/// What the caller prefers; whatever else the header says is for others (RFC 7240).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Preferences {
    /// How long the caller waits.
    pub wait: Option<Duration>,
    /// With what the query cost.
    pub has_statistics: bool,
    /// With how the query wants to be shown.
    pub has_render: bool,
}

impl Preferences {
    /// Reads the values of all headers of the name.
    pub fn read<'a>(values: impl IntoIterator<Item = &'a str>) -> Self {
        let mut preferences = Self::default();
        for preference in values.into_iter().flat_map(|value| value.split([',', ';'])) {
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let (name, value) = (name.trim(), value.trim().trim_matches('"'));
            let is_wanted = value.eq_ignore_ascii_case("true");
            match name.to_ascii_lowercase().as_str() {
                "wait" => {
                    let seconds = value.parse().ok().filter(|seconds| *seconds > 0);
                    preferences.wait =
                        seconds.map(|seconds: u64| Duration::from_secs(seconds.min(MOST_SECONDS)));
                }
                "include-statistics" => preferences.has_statistics = is_wanted,
                "include-render" => preferences.has_render = is_wanted,
                _ => {}
            }
        }
        preferences
    }
}

/// Source: the published limit of `wait`.
const MOST_SECONDS: u64 = 600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_preferred_is_read_and_the_rest_is_passed_over() {
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        let none = Preferences::default();
        for (header, preferences) in [
            ("", none),
            ("wait=60", Preferences { wait: seconds(60), ..none }),
            ("wait=6000", Preferences { wait: seconds(600), ..none }),
            ("wait=0", none),
            ("wait=soon", none),
            (
                "wait=5, include-statistics=true,include-render=true",
                Preferences { wait: seconds(5), has_statistics: true, has_render: true },
            ),
            (
                "Include-Render = \"true\"; ai.response-thinning=true",
                Preferences { has_render: true, ..none },
            ),
            ("include-statistics=false", none),
        ] {
            assert_eq!(Preferences::read([header]), preferences, "{header}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_the_reader_panic(header in "[a-z=,;\" 0-9-]{0,60}") {
            let _ = Preferences::read([header.as_str()]);
        }
    }
}
