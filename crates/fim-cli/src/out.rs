//! Standard output, whose reader may have seen enough.

use std::fmt::Display;
use std::io::{self, Write};

use crate::failure::Failure;

/// Prints a line, and at once: who follows changes through a pipe waits for it.
pub fn line(line: impl Display) {
    end_if_closed(print(&line));
}

fn print(line: &dyn Display) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Ends the program in silence if the reader is gone, which is how `head` says that it has seen enough.
fn end_if_closed(written: io::Result<()>) {
    if let Err(error) = written {
        match failed(&error) {
            None => std::process::exit(0),
            Some(failure) => {
                eprintln!("steadfast: {failure}");
                std::process::exit(failure.exit_code().into());
            }
        }
    }
}

/// What a failed write to standard output means; nothing if its reader has seen enough.
pub fn failed(error: &io::Error) -> Option<Failure> {
    (error.kind() != io::ErrorKind::BrokenPipe)
        .then(|| Failure::Local(format!("cannot hand on the answer: {error}")))
}
