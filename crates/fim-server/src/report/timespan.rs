//! The time range of a query, as the published query interface writes it.

use fim_core::Timestamp;

use crate::clock::Moment;

/// From, and up to but without.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Range {
    /// The first moment in it.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
}

/// Why a text is no time range.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum BadTimespan {
    /// It is written otherwise.
    #[error(
        "\"{0}\" is no time range; write an ISO 8601 duration such as P1D or PT12H, or two moments with a slash between, \
         such as 2026-11-01T00:00:00Z/2026-11-02T00:00:00Z, or a moment and a duration"
    )]
    Unreadable(String),
    /// There is no time in it.
    #[error(
        "the time range \"{0}\" does not end after its beginning; write the earlier moment first, and a later one behind"
    )]
    Empty(String),
}

/// Reads a duration up to now, or `moment/moment`, `moment/duration`, `duration/moment`.
pub fn parse(text: &str, now: Timestamp) -> Result<Range, BadTimespan> {
    let bad = || BadTimespan::Unreadable(text.to_owned());
    let moment = |part: &str| {
        Moment::parse(part).or_else(|| Moment::parse(&format!("{part}T00:00:00Z"))).map(|moment| moment.0)
    };
    let range = match text.trim().split_once('/') {
        None => {
            Range { from: now.plus_nanos(-duration(text.trim()).ok_or_else(bad)?), to: Timestamp(i64::MAX) }
        }
        Some((left, right)) => match (moment(left), moment(right), duration(left), duration(right)) {
            (Some(from), Some(to), ..) => Range { from, to },
            (Some(from), None, _, Some(length)) => Range { from, to: from.plus_nanos(length) },
            (None, Some(to), Some(length), _) => Range { from: to.plus_nanos(-length), to },
            _ => return Err(bad()),
        },
    };
    if range.from >= range.to { Err(BadTimespan::Empty(text.to_owned())) } else { Ok(range) }
}

/// An ISO 8601 duration in nanoseconds: weeks, days, hours, minutes and seconds. Months and years have no one length.
fn duration(text: &str) -> Option<i64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = rest.split_once('T').unwrap_or((rest, ""));
    if date.is_empty() && time.is_empty() || text.ends_with('T') {
        return None;
    }
    let days = parts(date, &[('W', 7 * 86_400), ('D', 86_400)])?;
    let seconds = parts(time, &[('H', 3600), ('M', 60), ('S', 1)])?;
    days.checked_add(seconds)
}

/// Numbers each followed by its unit, units in order.
fn parts(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
            return None;
        }
        let nanos_of_unit = seconds.checked_mul(1_000_000_000)?;
        total = total.checked_add(whole.parse::<i64>().ok()?.checked_mul(nanos_of_unit)?)?;
        if !fraction.is_empty() {
            let scale = 10_i64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
            total = total.checked_add(fraction.parse::<i64>().ok()?.checked_mul(nanos_of_unit / scale)?)?;
        }
        text = rest;
    }
    text.is_empty().then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_800_000_000_000_000_000);

    #[test]
    fn a_duration_ends_now_and_hides_nothing_newer() {
        assert_eq!(from("P1D"), Some(86_400));
        assert_eq!(from("PT12H"), Some(12 * 3600));
        assert_eq!(from("P1DT1M30S"), Some(86_490));
        assert_eq!(from("P2W"), Some(14 * 86_400));
        assert_eq!(from("PT0.5H"), Some(1800));
    }

    #[test]
    fn two_moments_or_a_moment_and_a_duration_make_a_range() {
        let day = parse("2026-11-01/2026-11-02", NOW).unwrap();
        assert_eq!(day.to.nanos_since(day.from), 86_400_000_000_000);
        assert_eq!(parse("2026-11-01T00:00:00Z/P1D", NOW), Ok(day));
        assert_eq!(parse("P1D/2026-11-02T00:00:00Z", NOW), Ok(day));
    }

    #[test]
    fn what_is_no_range_is_told() {
        for text in ["", "1d", "P", "PT", "P1M", "P1Y", "P1D/P1D", "x/y", "P-1D", "P99999999999999D"] {
            assert_eq!(parse(text, NOW), Err(BadTimespan::Unreadable(text.to_owned())), "{text}");
        }
        for text in ["2026-11-02/2026-11-01", "2026-11-02/2026-11-02", "PT0S/2026-11-02"] {
            assert_eq!(parse(text, NOW), Err(BadTimespan::Empty(text.to_owned())), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_reader_panic(text in "[PTWDHMS0-9./:Z+-]{0,40}") {
            let _ = parse(&text, NOW);
        }
    }

    fn from(text: &str) -> Option<i64> {
        parse(text, NOW).ok().map(|range| NOW.nanos_since(range.from) / 1_000_000_000)
    }
}
