use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A file system that never answers: one of FUSE that nobody serves, mounted as long as this lives.
pub struct SilentMount {
    point: PathBuf,
    holder: Child,
}

impl SilentMount {
    /// Mounts one over a directory. Asking anything of it takes until this is dropped.
    ///
    /// # Errors
    ///
    /// Says why the machine does not allow it.
    pub fn over(point: &Path) -> Result<Self, String> {
        let mut holder = Command::new("sh")
            .args(["-c", HOLD, "sh"])
            .arg(point)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|error| format!("sh cannot be run: {error}"))?;
        let mut said = String::new();
        let from = holder.stdout.take().ok_or("sh has no output")?;
        let read = BufReader::new(from).read_line(&mut said);
        let mount = Self { point: point.to_owned(), holder };
        match read {
            Ok(_) if said == "mounted\n" => Ok(mount),
            _ => Err("a file system of FUSE cannot be mounted here".to_owned()),
        }
    }
}

impl Drop for SilentMount {
    fn drop(&mut self) {
        // Who waits for an answer is told that there is nobody.
        drop(self.holder.stdin.take());
        self.holder.wait().ok();
        Command::new("umount").arg("-l").arg(&self.point).stderr(Stdio::null()).status().ok();
    }
}

/// Keeps the other end of the file system open until the standard input ends.
const HOLD: &str = "exec 3<>/dev/fuse && \
     mount -i -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0,allow_other silent \"$1\" && \
     echo mounted && read -r _";
