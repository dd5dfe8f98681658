//! `format_datetime` and `format_timespan`: what their format texts mean; pure.

use fim_kql::{DateTime, TICKS_PER_DAY, TICKS_PER_SECOND, TimeSpan};

/// A format of moments, read once and used for many.
#[derive(Debug)]
pub(crate) struct DateTimeFormat(Vec<Piece>);

/// A format of timespans, read once and used for many.
#[derive(Debug)]
pub(crate) struct TimeSpanFormat(Vec<Piece>);

/// A run of one letter, or characters that stand for themselves.
#[derive(Debug)]
enum Piece {
    Run { letter: char, length: usize },
    Text(String),
}

impl DateTimeFormat {
    /// Reads a format; letters without a meaning stand for themselves.
    pub fn parse(format: &str) -> Self {
        Self(pieces(format, "yMdHhmsfFt"))
    }

    /// The moment as the format says.
    pub fn write(&self, moment: DateTime) -> String {
        let date = moment.date();
        let clock = Clock::of(moment.time_of_day().0);
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Run { letter, length } => match letter {
                    'y' if *length <= 2 => pad(&mut text, date.year % 100, *length),
                    'y' => pad(&mut text, date.year, *length),
                    'M' => pad(&mut text, date.month.into(), *length),
                    'd' => pad(&mut text, date.day.into(), *length),
                    't' => text.push_str(if clock.hour < 12 { "AM" } else { "PM" }),
                    _ => clock.write(*letter, *length, &mut text),
                },
            }
        }
        text
    }
}

impl TimeSpanFormat {
    /// Reads a format; letters without a meaning stand for themselves.
    pub fn parse(format: &str) -> Self {
        Self(pieces(format, "dHhmsfF"))
    }

    /// The timespan as the format says, without its sign.
    pub fn write(&self, span: TimeSpan) -> String {
        let ticks = span.0.unsigned_abs();
        let day = TICKS_PER_DAY.unsigned_abs();
        let (days, rest) = ((ticks / day) as i64, (ticks % day) as i64);
        let clock = Clock::of(rest);
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(literal) => text.push_str(literal),
                Piece::Run { letter: 'd', length } => pad(&mut text, days, *length),
                // A timespan has no morning and afternoon: both letters count to 23.
                Piece::Run { letter: 'h', length } => pad(&mut text, clock.hour, *length),
                Piece::Run { letter, length } => clock.write(*letter, *length, &mut text),
            }
        }
        text
    }
}

/// A time of day.
struct Clock {
    hour: i64,
    minute: i64,
    second: i64,
    fraction: i64,
}

impl Clock {
    fn of(ticks: i64) -> Self {
        let seconds = ticks / TICKS_PER_SECOND;
        Self {
            hour: seconds / 3600,
            minute: seconds / 60 % 60,
            second: seconds % 60,
            fraction: ticks % TICKS_PER_SECOND,
        }
    }

    fn write(&self, letter: char, length: usize, text: &mut String) {
        match letter {
            'H' => pad(text, self.hour, length),
            'h' => pad(text, (self.hour + 11) % 12 + 1, length),
            'm' => pad(text, self.minute, length),
            's' => pad(text, self.second, length),
            'f' => text.push_str(&self.fraction_digits(length)),
            'F' => text.push_str(self.fraction_digits(length).trim_end_matches('0')),
            other => text.extend(std::iter::repeat_n(other, length)),
        }
    }

    fn fraction_digits(&self, length: usize) -> String {
        format!("{:07}", self.fraction)[..length.min(7)].to_owned()
    }
}

fn pieces(format: &str, letters: &str) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for character in format.chars() {
        let has_meaning = letters.contains(character);
        match pieces.last_mut() {
            Some(Piece::Run { letter, length }) if has_meaning && *letter == character => *length += 1,
            Some(Piece::Text(text)) if !has_meaning => text.push(character),
            _ if has_meaning => pieces.push(Piece::Run { letter: character, length: 1 }),
            _ => pieces.push(Piece::Text(character.to_string())),
        }
    }
    pieces
}

fn pad(text: &mut String, number: i64, digits: usize) {
    text.push_str(&format!("{number:0digits$}"));
}
