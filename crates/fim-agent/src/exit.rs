//! How the program ends.

use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;

use fim_os::keep_private;

use crate::log_file::LogFile;

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

/// Adds what went wrong to the log in the file, for whoever does not see what a program prints. It is written only to a
/// folder that is left to those who run the agent, which is made if it is missing; else stderr has it alone.
pub fn note_failure(log: &Path, error: &str) {
    let Ok(log) = std::path::absolute(log) else { return };
    if log.parent().is_none_or(|folder| keep_private(folder).is_err()) {
        return;
    }
    if let Ok(file) = LogFile::open(&log) {
        let log = tracing_subscriber::fmt().with_ansi(false).with_writer(Mutex::new(file)).finish();
        tracing::subscriber::with_default(log, || tracing::error!(error, "failed"));
    }
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

#[cfg(test)]
mod tests {
    use std::{env, fs};

    use super::*;

    #[test]
    fn a_log_that_is_named_without_a_folder_is_where_the_program_runs() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("own");
        keep_private(&folder).unwrap();
        fs::create_dir_all(&folder).unwrap();
        let before = env::current_dir().unwrap();
        env::set_current_dir(&folder).unwrap();
        note_failure(Path::new("agent.log"), "the reason");
        // Nobody removes a folder that a program is in.
        env::set_current_dir(before).unwrap();
        assert!(fs::read_to_string(folder.join("agent.log")).unwrap().contains("the reason"));
    }
}
