//! The text of a literal to its value.
//!
//! Each function takes exactly what one token holds and gives none if no value can be read from it.

use crate::time::{Date, DateTime, TICKS_PER_DAY, TICKS_PER_SECOND, TimeSpan};
use crate::types::{Decimal, ScalarType, Value};

/// The ticks of a unit of time as it is written after a number.
pub(crate) fn unit_ticks(unit: &str) -> Option<f64> {
    let seconds = |count: i64| (count * TICKS_PER_SECOND) as f64;
    Some(match unit {
        "d" | "day" | "days" => seconds(86_400),
        "h" | "hr" | "hrs" | "hour" | "hours" => seconds(3_600),
        "m" | "min" | "minute" | "minutes" => seconds(60),
        "s" | "sec" | "second" | "seconds" => seconds(1),
        "ms" | "milli" | "millis" | "millisec" | "millisecond" | "milliseconds" => 10_000.0,
        "micro" | "micros" | "microsec" | "microsecond" | "microseconds" => 10.0,
        "nano" | "nanos" | "nanosec" | "nanosecond" | "nanoseconds" => 0.01,
        "tick" | "ticks" => 1.0,
        _ => return None,
    })
}

/// An integer: decimal or hexadecimal, unsigned.
pub(crate) fn long(text: &str) -> Option<i64> {
    match text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        // All 64 bits may be written, so that 0xFFFFFFFFFFFFFFFF is -1.
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(|bits| bits as i64),
        None if text.starts_with(['+', '-']) => None,
        None => text.parse().ok(),
    }
}

/// A number with a point or exponent.
pub(crate) fn real(text: &str) -> Option<f64> {
    // Only inside of `real(…)` can a number start with its point.
    let is_number = text.strip_prefix('.').unwrap_or(text).starts_with(|c: char| c.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten().filter(|number: &f64| number.is_finite())
}

/// A number with a unit: `1.5h`.
pub(crate) fn time_span(text: &str) -> Option<TimeSpan> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(number_end);
    let per_unit = unit_ticks(unit)?;
    // Whole numbers stay exact: a real could not hold all ticks of a long time.
    if let (Ok(count), true) = (number.parse::<i64>(), per_unit >= 1.0) {
        return count.checked_mul(per_unit as i64).map(TimeSpan);
    }
    ticks_from_real(number.parse::<f64>().ok()? * per_unit)
}

fn ticks_from_real(ticks: f64) -> Option<TimeSpan> {
    let limit = i64::MAX as f64;
    (-limit..limit).contains(&ticks).then(|| TimeSpan(ticks.round() as i64))
}

/// `type(…)`: the type and its value, or the type and none if the value cannot be read.
pub(crate) fn typed(text: &str) -> Option<(ScalarType, Option<Value>)> {
    let (name, inside) = text.strip_suffix(')')?.split_once('(')?;
    let ty = ScalarType::from_name(name.trim_end())?;
    Some((ty, typed_value(ty, inside.trim())))
}

fn typed_value(ty: ScalarType, inside: &str) -> Option<Value> {
    let unquoted = match inside.chars().next() {
        Some('"' | '\'') => string(inside)?,
        Some(_) | None => inside.to_owned(),
    };
    value_from_text(ty, unquoted.trim())
}

/// The value of a type that a text spells, as a literal or a conversion at run time reads it: `12`, `1.02:03:04`,
/// `null`. None if it spells none, and for `string` and `dynamic`, which are more than a spelling.
pub fn value_from_text(ty: ScalarType, text: &str) -> Option<Value> {
    if text == "null" {
        return Some(Value::Null);
    }
    match ty {
        ScalarType::Bool => bool(text).map(Value::Bool),
        ScalarType::DateTime => date_time(text).map(Value::DateTime),
        ScalarType::Int => signed_long(text)?.try_into().ok().map(Value::Int),
        ScalarType::Long => signed_long(text).map(Value::Long),
        ScalarType::Real => signed_real(text).map(Value::Real),
        ScalarType::TimeSpan => time_span_inside(text).map(Value::TimeSpan),
        ScalarType::Guid => guid(text).map(Value::Guid),
        ScalarType::Decimal => decimal(text).map(Value::Decimal),
        ScalarType::String | ScalarType::Dynamic => None,
    }
}

fn bool(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn signed_long(text: &str) -> Option<i64> {
    match text.strip_prefix('-') {
        Some(digits) if digits.starts_with(|c: char| c.is_ascii_digit()) => match long(digits) {
            Some(number) => Some(number.wrapping_neg()),
            None => text.parse().ok(),
        },
        Some(_) => None,
        None => long(text.strip_prefix('+').unwrap_or(text)),
    }
}

fn signed_real(text: &str) -> Option<f64> {
    let (sign, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    match unsigned.to_ascii_lowercase().as_str() {
        "nan" => Some(f64::NAN),
        "inf" => Some(sign * f64::INFINITY),
        _ => real(unsigned).map(|number| sign * number),
    }
}

/// A guid with or without its hyphens and braces.
pub(crate) fn guid(text: &str) -> Option<u128> {
    let text = text.strip_prefix('{').and_then(|inner| inner.strip_suffix('}')).unwrap_or(text);
    let digits = match text.len() {
        32 => text.to_owned(),
        36 if [8, 13, 18, 23].iter().all(|at| text.as_bytes()[*at] == b'-') => text.replace('-', ""),
        _ => return None,
    };
    let is_hex = digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    is_hex.then(|| u128::from_str_radix(&digits, 16).ok()).flatten()
}

fn decimal(text: &str) -> Option<Decimal> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    let mut mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    for _ in scale..0 {
        mantissa = mantissa.checked_mul(10)?;
    }
    let scale = u8::try_from(scale.max(0)).ok().filter(|scale| *scale <= 34)?;
    Some(Decimal { mantissa, scale })
}

/// What stands inside `time(…)`: `1d`, `12:30`, `-1.02:03:04.5` or a number of days.
fn time_span_inside(text: &str) -> Option<TimeSpan> {
    let (is_negative, unsigned) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let span = time_span(unsigned).or_else(|| clock_span(unsigned))?;
    Some(TimeSpan(if is_negative { span.0.wrapping_neg() } else { span.0 }))
}

fn clock_span(text: &str) -> Option<TimeSpan> {
    let digits =
        |part: &str| part.bytes().all(|digit| digit.is_ascii_digit()).then(|| part.parse::<i64>().ok());
    if !text.contains(':') {
        return digits(text)??.checked_mul(TICKS_PER_DAY).map(TimeSpan);
    }
    let (first, rest) = text.split_once(':')?;
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (minutes, seconds) = rest.split_once(':').unwrap_or((rest, "0"));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let (days, hours, minutes, seconds) =
        (digits(days)??, digits(hours)??, digits(minutes)??, digits(seconds)??);
    if hours > 23 || minutes > 59 || seconds > 59 {
        return None;
    }
    let ticks = fraction_ticks(fraction)?;
    let whole = hours * 3_600 + minutes * 60 + seconds;
    days.checked_mul(TICKS_PER_DAY)?.checked_add(whole * TICKS_PER_SECOND + ticks).map(TimeSpan)
}

/// The digits behind the point of a second as ticks; more than seven are cut off.
fn fraction_ticks(digits: &str) -> Option<i64> {
    if !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    format!("{digits:0<7}")[..7].parse().ok()
}

/// A date, with a time of day and offset or without, in ISO 8601 or as `month/day/year`.
pub(crate) fn date_time(text: &str) -> Option<DateTime> {
    let (day, time) = match text.find(['T', 't', ' ']) {
        Some(at) => (&text[..at], text[at + 1..].trim()),
        None => (text, ""),
    };
    let date = calendar_date(day)?;
    let (clock, offset_minutes) = split_offset(time)?;
    let moment = if clock.is_empty() {
        DateTime::from_parts(date, 0, 0, 0, 0)?
    } else {
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        let mut parts = clock.split(':');
        let hour = number_part(parts.next()?)?;
        let minute = number_part(parts.next()?)?;
        let second = parts.next().map_or(Some(0), number_part)?;
        if parts.next().is_some() {
            return None;
        }
        DateTime::from_parts(date, hour, minute, second, fraction_ticks(fraction)?)?
    };
    DateTime(moment.0 - offset_minutes * 60 * TICKS_PER_SECOND).in_range()
}

fn calendar_date(text: &str) -> Option<Date> {
    // A date that starts with no year is one of the United States: month, day, year.
    let is_month_first = text.contains('/') || text.find('-').is_some_and(|at| at <= 2);
    if is_month_first {
        let mut parts = text.split(['/', '-']).map(number_part);
        let (month, day, year) = (parts.next()??, parts.next()??, parts.next()??);
        return parts.next().is_none().then_some(Date { year: year.into(), month, day });
    }
    // A year at the end means that the month comes first.
    if let Some((day, year)) = text.rsplit_once('-')
        && year.len() == 4
        && let Some((month, day)) = day.split_once('-')
        && month.len() <= 2
    {
        return Some(Date {
            year: number_part(year)?.into(),
            month: number_part(month)?,
            day: number_part(day)?,
        });
    }
    let mut parts = text.split('-').map(number_part);
    let year = parts.next()??;
    let month = parts.next().unwrap_or(Some(1))?;
    let day = parts.next().unwrap_or(Some(1))?;
    (parts.next().is_none() && text.len() >= 4).then_some(Date { year: year.into(), month, day })
}

fn number_part(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.len() <= 4 && text.bytes().all(|digit| digit.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

/// The clock, and by how many minutes it is ahead of UTC.
fn split_offset(time: &str) -> Option<(&str, i64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0)) };
    let (hours, minutes) = time[at + 1..].split_once(':')?;
    let offset = i64::from(number_part(hours)?) * 60 + i64::from(number_part(minutes)?);
    Some((&time[..at], if time[at..].starts_with('-') { -offset } else { offset }))
}

/// What a text token says, or none if an escape in it cannot be read.
///
/// A token that lacks its closing quote is read up to its end.
pub(crate) fn string(token: &str) -> Option<String> {
    let body = token.strip_prefix(['h', 'H']).unwrap_or(token);
    for fence in ["```", "~~~"] {
        if let Some(inner) = body.strip_prefix(fence) {
            return Some(inner.strip_suffix(fence).unwrap_or(inner).to_owned());
        }
    }
    if let Some(verbatim) = body.strip_prefix('@') {
        let quote = verbatim.chars().next()?;
        let inner = verbatim[1..].strip_suffix(quote).unwrap_or(&verbatim[1..]);
        return Some(inner.replace(&format!("{quote}{quote}"), &quote.to_string()));
    }
    let quote = body.chars().next()?;
    unescape(body[1..].strip_suffix(quote).unwrap_or(&body[1..]))
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let escape = &rest[at + 1..];
        let (c, length) = escaped(escape)?;
        out.push(c);
        rest = &escape[length..];
    }
    out.push_str(rest);
    Some(out)
}

/// The character that the escape behind a backslash stands for, and how long the escape is.
fn escaped(escape: &str) -> Option<(char, usize)> {
    let first = escape.chars().next()?;
    let simple = |c: char| Some((c, 1));
    match first {
        '\'' | '"' | '\\' => simple(first),
        'a' => simple('\u{7}'),
        'b' => simple('\u{8}'),
        'f' => simple('\u{c}'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\u{b}'),
        'x' => hex_escape(escape, 2),
        'u' => surrogate_escape(escape).or_else(|| hex_escape(escape, 4)),
        'U' => hex_escape(escape, 8),
        '0'..='7' => {
            let longest = if first <= '3' { 3 } else { 2 };
            let digits =
                escape.bytes().take(longest).take_while(|digit| (b'0'..=b'7').contains(digit)).count();
            let code = u32::from_str_radix(&escape[..digits], 8).ok()?;
            Some((char::from_u32(code)?, digits))
        }
        _ => None,
    }
}

fn hex_escape(escape: &str, digits: usize) -> Option<(char, usize)> {
    let code = hex(escape.get(1..=digits)?)?;
    Some((char::from_u32(code)?, digits + 1))
}

/// A character outside the basic plane, written as two halves: `\uD83D\uDE00`.
fn surrogate_escape(escape: &str) -> Option<(char, usize)> {
    let high = hex(escape.get(1..5)?).filter(|unit| (0xD800..0xDC00).contains(unit))?;
    let low = hex(escape.get(5..11)?.strip_prefix("\\u")?).filter(|unit| (0xDC00..0xE000).contains(unit))?;
    Some((char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))?, 11))
}

fn hex(digits: &str) -> Option<u32> {
    digits
        .bytes()
        .all(|digit| digit.is_ascii_hexdigit())
        .then(|| u32::from_str_radix(digits, 16).ok())
        .flatten()
}

/// A text as a literal of the language.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
