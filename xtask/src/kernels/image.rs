//! The disk of the guests: the agent and the tests, and the programs of this machine that these take.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

use super::TRIALS;
use super::packages::output;

/// Makes the disk in the folder.
pub fn disk(root: &Path, folder: &Path) -> Result<PathBuf> {
    let programs = built(root)?;
    let tree = folder.join("root");
    if tree.exists() {
        fs::remove_dir_all(&tree).context("cannot clear the guests' files")?;
    }
    for place in
        ["usr/bin", "usr/sbin", "usr/lib", "usr/lib64", "proc", "sys", "dev", "run", "tmp", "etc", "root"]
    {
        fs::create_dir_all(tree.join(place)).context("cannot make a folder of the guests")?;
    }
    for place in ["bin", "sbin", "lib", "lib64"] {
        symlink(format!("usr/{place}"), tree.join(place)).context("cannot make a link of the guests")?;
    }
    fs::write(tree.join("etc/passwd"), PASSWD).context("cannot write the guests' users")?;
    let mut libraries = BTreeSet::new();
    put(&programs.agent, &programs.agent, &tree, &mut libraries)?;
    put(&programs.tests, Path::new("/trials/tests"), &tree, &mut libraries)?;
    for name in PROGRAMS {
        let path = output(Command::new("which").arg(name))?;
        let path = Path::new(path.trim());
        put(path, path, &tree, &mut libraries)?;
    }
    for library in libraries {
        copy(&library, &tree.join(relative(&library)?))?;
    }
    let start = tree.join("trials/start");
    fs::write(&start, script()).context("cannot write the guests' script")?;
    fs::set_permissions(&start, fs::Permissions::from_mode(0o755))
        .context("cannot write the guests' script")?;
    let disk = folder.join("disk");
    let _ = fs::remove_file(&disk);
    output(Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(&tree).arg(&disk).arg("6G"))?;
    Ok(disk)
}

struct Programs {
    agent: PathBuf,
    tests: PathBuf,
}

/// Builds the agent and the suite. The suite starts the agent by the path that it was built at.
fn built(root: &Path) -> Result<Programs> {
    let mut cargo = Command::new("cargo");
    cargo.args(["test", "--workspace", "-p", "fim-agent", "--test", "evasion", "--no-run"]);
    let messages = output(cargo.arg("--message-format=json").current_dir(root))?;
    let (mut agent, mut tests) = (None, None);
    for line in messages.lines() {
        let message: serde_json::Value = serde_json::from_str(line).context("cannot read what cargo says")?;
        let executable = message["executable"].as_str().map(PathBuf::from);
        match message["target"]["name"].as_str() {
            Some("steadfast-agent") if message["profile"]["test"] == false => agent = executable.or(agent),
            Some("evasion") => tests = executable.or(tests),
            Some(_) | None => {}
        }
    }
    match (agent, tests) {
        (Some(agent), Some(tests)) => Ok(Programs { agent, tests }),
        _ => bail!("cargo built no agent, or no tests"),
    }
}

/// Puts a program into the tree, and adds the libraries that it takes.
fn put(program: &Path, at: &Path, tree: &Path, libraries: &mut BTreeSet<PathBuf>) -> Result<()> {
    let to = tree.join(relative(at)?);
    copy(program, &to)?;
    // What debuggers want would fill the disk. What is no program of this machine stays as it is.
    let _ = Command::new("strip").arg("--strip-debug").arg(&to).output();
    let told = Command::new("ldd").arg(program).output().context("cannot run ldd")?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    libraries.extend(told.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder).context("cannot make a folder of the guests")?;
    }
    fs::copy(from, to).with_context(|| format!("cannot copy {} for the guests", from.display()))?;
    Ok(())
}

fn relative(path: &Path) -> Result<&Path> {
    path.strip_prefix("/").with_context(|| format!("{} is not a whole path", path.display()))
}

/// What the guest does: each test of each trial, told by lines that begin with `@`.
fn script() -> String {
    let mut lines = vec![START.to_owned()];
    for trial in &TRIALS {
        for (test, _) in trial.tests {
            let provider = trial.provider;
            lines.push(format!("echo '@trial {provider} {test}'"));
            lines.push(format!(
                "STEADFAST_TEST_PROVIDER={provider} timeout 900 /trials/tests --exact {test} --nocapture 2>&1"
            ));
            lines.push("echo \"@ended $?\"".to_owned());
        }
    }
    lines.push("echo '@done'\nbusybox poweroff -f\n".to_owned());
    lines.join("\n")
}

const START: &str = "#!/bin/sh
export PATH=/usr/bin:/usr/sbin TMPDIR=/tmp RUST_BACKTRACE=0
mount -t proc none /proc
mount -t sysfs none /sys
busybox ip link set lo up";

/// Whose processes run there.
const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n";

/// What the script and the tests start.
const PROGRAMS: &[&str] = &[
    "busybox",
    "sh",
    "timeout",
    "mount",
    "umount",
    "mkfs.ext4",
    "mkfs.xfs",
    "mkfs.btrfs",
    "chmod",
    "chown",
    "setfacl",
    "unshare",
    "setpriv",
    "kill",
    "cat",
    "cp",
    "mv",
    "rm",
    "ln",
    "touch",
    "mkdir",
    "true",
    "env",
    "chattr",
    "tee",
    "dd",
];
