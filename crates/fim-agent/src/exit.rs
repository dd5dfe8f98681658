//! How the program ends.

use std::io::{self, Write as _};
use std::process::ExitCode;

/// Something needs a person's attention.
pub const ATTENTION: u8 = 1;
/// An option is wrong.
pub const USAGE: u8 = 2;
/// Part of the scope could not be read.
pub const PARTIAL: u8 = 3;
/// It did not work.
pub const FAILURE: u8 = 4;

/// Says what went wrong, with its causes, and ends with the code.
pub fn fail(code: u8, error: impl Into<anyhow::Error>) -> ExitCode {
    let _ = writeln!(io::stderr(), "error: {:#}", error.into());
    ExitCode::from(code)
}

/// Prints a line of data. A reader that has gone away is no failure.
pub fn print(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}

/// Prints a value as JSON.
pub fn print_json<T: serde::Serialize>(value: &T) -> Result<(), serde_json::Error> {
    print(&serde_json::to_string_pretty(value)?);
    Ok(())
}
