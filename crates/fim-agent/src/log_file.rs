//! A log in a file that does not grow without end.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file that lines are added to. Once it has its share, it becomes `FILE.1` in place of the one before, and a new one
/// begins: the last lines are always there, and the two have [`MOST_BYTES`] at most, or a line more. Where no new one can
/// begin, this one may have as much, beside the one before.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    file: File,
    bytes: u64,
    most_bytes: u64,
}

/// Why a log cannot be written to a file.
#[derive(Debug, thiserror::Error)]
#[error("cannot open the log {}", path.display())]
pub struct OpenLogError {
    path: PathBuf,
    source: io::Error,
}

impl LogFile {
    /// Goes on behind what the file has.
    ///
    /// # Errors
    ///
    /// Fails if the file can be neither opened nor made.
    pub fn open(path: &Path) -> Result<Self, OpenLogError> {
        let opened = append_to(path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((bytes, file)) => Ok(Self { path: path.to_owned(), file, bytes, most_bytes: MOST_BYTES / 2 }),
            Err(source) => Err(OpenLogError { path: path.to_owned(), source }),
        }
    }

    /// Lets the file be the one before, and begins a new one. Where that cannot be, the lines go on in this one up to what
    /// both may have, and then it begins anew itself.
    fn begin_anew(&mut self) -> io::Result<()> {
        // First the new one: if there is no room for it, nothing is to have been moved.
        match self.next_file() {
            Ok(file) => {
                self.file = file;
                self.bytes = 0;
            }
            Err(_) if self.bytes < 2 * self.most_bytes => {}
            Err(_) => {
                self.file.set_len(0)?;
                self.bytes = 0;
            }
        }
        Ok(())
    }

    /// Fails, and leaves the file where it is, if no other can be made, or if somebody keeps this one from being renamed, as
    /// a reader on Windows can.
    fn next_file(&self) -> io::Result<File> {
        let [before, next] = [".1", ".next"].map(|ending| {
            let mut path = self.path.clone().into_os_string();
            path.push(ending);
            PathBuf::from(path)
        });
        let file = append_to(&next)?;
        std::fs::rename(&self.path, before).and_then(|()| std::fs::rename(&next, &self.path)).inspect_err(
            |_| {
                let _ = std::fs::remove_file(&next);
            },
        )?;
        Ok(file)
    }
}

/// Takes the whole lines that a log writes at once.
impl Write for LogFile {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        if self.bytes > 0 && self.bytes.saturating_add(lines.len() as u64) > self.most_bytes {
            self.begin_anew()?;
        }
        let written = self.file.write(lines)?;
        self.bytes = self.bytes.saturating_add(written as u64);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// Some ten thousand lines.
const MOST_BYTES: u64 = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_there_and_no_more_than_fit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("agent.log");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
        std::fs::write(&path, "kept\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        log.most_bytes = 12;
        log.write_all(b"first\n").unwrap();
        assert_eq!((read("agent.log").as_str(), read("agent.log.1").as_str()), ("kept\nfirst\n", ""));
        log.write_all(b"second\n").unwrap();
        assert_eq!((read("agent.log").as_str(), read("agent.log.1").as_str()), ("second\n", "kept\nfirst\n"));
        log.write_all(b"third is longer than all\n").unwrap();
        log.write_all(b"4\n").unwrap();
        assert_eq!(
            (read("agent.log").as_str(), read("agent.log.1").as_str()),
            ("4\n", "third is longer than all\n")
        );
    }

    #[test]
    fn lines_stay_where_no_other_file_can_be_kept_or_begun_until_they_fill_both_shares() {
        // Nothing becomes a folder that has something in it, and no folder is opened to be written to.
        for obstacle in ["agent.log.1/inner", "agent.log.next"] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("agent.log");
            std::fs::create_dir_all(folder.path().join(obstacle)).unwrap();
            let mut log = LogFile::open(&path).unwrap();
            log.most_bytes = 8;
            for line in ["first\n", "second\n", "third\n"] {
                log.write_all(line.as_bytes()).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "first\nsecond\nthird\n", "{obstacle}");
            log.write_all(b"fourth\n").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "fourth\n", "{obstacle}");
        }
    }

    #[test]
    fn a_log_where_no_file_can_be_names_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("agent.log");
        let error = LogFile::open(&path).unwrap_err();
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
}
