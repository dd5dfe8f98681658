//! One guest: what it begins with, and what it said.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use super::TRIALS;
use super::packages::{Kernel, output};

/// What came of the trials on a kernel.
pub struct Outcome {
    pub release: String,
    pub tests: Vec<Test>,
}

/// A test that ran.
#[derive(Debug, Default, PartialEq)]
pub struct Test {
    pub provider: String,
    pub name: String,
    /// True if it ended well.
    pub is_passed: bool,
    /// By what the agent noticed changes.
    pub noticed_by: Vec<String>,
    /// What was told: the place, and what.
    pub told: Vec<(String, String)>,
    /// What could not be tried, and why.
    pub untried: Vec<String>,
}

/// Boots the kernel with the disk, which stays as it is.
pub fn boot(folder: &Path, kernel: &Kernel, disk: &Path) -> Result<Outcome> {
    let begin = begin(folder, kernel)?;
    let log = folder.join(format!("{}.log", kernel.release));
    let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
    // There is no acceleration where this runs; a machine that has some is used the same way, so that results compare.
    let status = Command::new("nice")
        .args(["-n", "10", "timeout", LONGEST, "qemu-system-x86_64", "-accel", "tcg", "-cpu", "max"])
        .args(["-smp", "2", "-m", "2048", "-nographic", "-no-reboot", "-net", "none"])
        .arg("-kernel")
        .arg(&kernel.program)
        .arg("-initrd")
        .arg(&begin)
        .args(["-append", "console=ttyS0 quiet panic=-1 random.trust_cpu=on"])
        .arg("-drive")
        .arg(format!("file={},if=virtio,format=raw,snapshot=on", disk.display()))
        .stdin(Stdio::null())
        .stdout(file.try_clone().context("cannot write the log")?)
        .stderr(file)
        .status()
        .context("cannot run the guest")?;
    let said = String::from_utf8_lossy(&fs::read(&log).context("cannot read the log")?).replace('\r', "");
    if !said.contains("@done") {
        bail!("the guest did not come to its end ({status}); what it said is in {}", log.display());
    }
    Ok(Outcome { release: kernel.release.clone(), tests: parse(&said) })
}

/// What the kernel starts with: the modules that the trials take, and a way to the disk.
fn begin(folder: &Path, kernel: &Kernel) -> Result<PathBuf> {
    let tree = folder.join(format!("{}.begin", kernel.release));
    let _ = fs::remove_dir_all(&tree);
    let modules = tree.join("lib/modules").join(&kernel.release);
    for part in ["bin", "disk", "dev", "proc"] {
        fs::create_dir_all(tree.join(part)).context("cannot make a folder of the guest")?;
    }
    fs::create_dir_all(&modules).context("cannot make a folder of the guest")?;
    for list in ["modules.order", "modules.builtin", "modules.builtin.modinfo"] {
        fs::copy(kernel.modules.join(list), modules.join(list)).context("cannot copy a list of modules")?;
    }
    for part in ["arch", "crypto", "drivers/block", "drivers/virtio", "fs", "lib"] {
        let from = kernel.modules.join("kernel").join(part);
        if from.is_dir() {
            let to = modules.join("kernel").join(part);
            fs::create_dir_all(&to).context("cannot make a folder of the guest")?;
            output(Command::new("cp").arg("-rT").arg(&from).arg(&to))?;
        }
    }
    let unpack = "find . -name '*.ko.xz' -exec xz -d {} +";
    output(Command::new("sh").args(["-c", unpack]).current_dir(&modules))?;
    output(Command::new("busybox").args(["depmod", "-b"]).arg(&tree).arg(&kernel.release))?;
    let busybox = output(Command::new("which").arg("busybox"))?;
    fs::copy(busybox.trim(), tree.join("bin/busybox")).context("cannot copy busybox")?;
    let init = tree.join("init");
    fs::write(&init, INIT).context("cannot write the guest's beginning")?;
    output(Command::new("chmod").arg("755").arg(&init))?;
    let archive = folder.join(format!("{}.cpio", kernel.release));
    let mut pack = Command::new("sh");
    pack.args(["-c", "find . | cpio --quiet -o -H newc > \"$0\""]).arg(&archive).current_dir(&tree);
    output(&mut pack)?;
    std::io::stdout().flush().context("cannot say how far it is")?;
    Ok(archive)
}

/// The tests in what a guest said.
fn parse(said: &str) -> Vec<Test> {
    let mut tests: Vec<Test> = Vec::new();
    for line in said.lines() {
        // The firmware leaves its own characters before the first line.
        let trial = line.split_once("@trial ").and_then(|(_, trial)| trial.split_once(' '));
        if let Some((provider, name)) = trial {
            tests.push(Test { provider: provider.to_owned(), name: name.to_owned(), ..Test::default() });
        }
        let Some(test) = tests.last_mut() else { continue };
        if let Some(code) = line.strip_prefix("@ended ") {
            test.is_passed = code == "0";
        } else if let Some((_, provider)) = line.split_once("noticed by ") {
            test.noticed_by.push(provider.to_owned());
        } else if let Some((place, what)) =
            line.strip_prefix("told on ").and_then(|line| line.split_once(": "))
        {
            test.told.push((place.to_owned(), what.to_owned()));
        } else if let Some((_, why)) = line.split_once("skipped: ") {
            test.untried.push(why.to_owned());
        }
    }
    tests
}

impl Outcome {
    /// What is missing of the promise.
    pub fn missing(&self) -> Vec<String> {
        let mut missing = Vec::new();
        for trial in &TRIALS {
            for (name, places) in trial.tests {
                let what = format!("Linux {}, {}: {name}", self.release, trial.provider);
                let ran =
                    self.tests.iter().find(|test| test.provider == trial.provider && test.name == *name);
                let Some(test) = ran else {
                    missing.push(format!("{what} did not run"));
                    continue;
                };
                if !test.is_passed {
                    missing.push(format!("{what} failed"));
                }
                if test.noticed_by.is_empty() || test.noticed_by.iter().any(|by| by != trial.provider) {
                    missing.push(format!("{what} was noticed by {:?}", test.noticed_by));
                }
                let untold = places.iter().filter(|place| !test.told.iter().any(|(told, _)| told == *place));
                missing.extend(untold.map(|place| format!("{what} told nothing on {place}")));
            }
        }
        missing
    }
}

const INIT: &str = "#!/bin/busybox sh
/bin/busybox mount -t devtmpfs none /dev
/bin/busybox mount -t proc none /proc
for module in virtio_pci virtio_blk loop xfs btrfs overlay; do /bin/busybox modprobe $module; done
/bin/busybox mount -t ext4 /dev/vda /disk
/bin/busybox mount --move /dev /disk/dev
/bin/busybox umount /proc
exec /bin/busybox switch_root /disk /trials/start
";

/// As long as a guest may take, for `timeout`: its processor is emulated.
const LONGEST: &str = "90m";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_says_is_read_test_by_test() {
        let said = "[    1.0] Linux\n@trial p a::b\ntest a::b ... noticed by p\n\
                    told on ext4: /x, by /bin/sh (1)\nskipped: a::b: no btrfs\n@ended 0\n@trial p c\n@ended 101\n@done\n";
        let expected = Test {
            provider: "p".to_owned(),
            name: "a::b".to_owned(),
            is_passed: true,
            noticed_by: vec!["p".to_owned()],
            told: vec![("ext4".to_owned(), "/x, by /bin/sh (1)".to_owned())],
            untried: vec!["a::b: no btrfs".to_owned()],
        };
        let failed = Test { provider: "p".to_owned(), name: "c".to_owned(), ..Test::default() };
        assert_eq!(parse(said), [expected, failed]);
    }

    #[test]
    fn a_guest_that_ran_nothing_misses_everything_that_is_promised() {
        let outcome = Outcome { release: "1".to_owned(), tests: Vec::new() };
        let promised: usize = TRIALS.iter().map(|trial| trial.tests.len()).sum();
        assert_eq!(outcome.missing().len(), promised);
    }
}
