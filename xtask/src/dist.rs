//! Packages of the agent: what `dpkg` installs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Makes the package from the program at `agent`, or `target/bin/steadfast-agent`, and says where it is.
pub fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let agent = match arguments {
        [] => root.join("target/bin/steadfast-agent"),
        [agent] => PathBuf::from(agent),
        _ => bail!("dist takes one program at most: the agent's"),
    };
    if !agent.is_file() {
        bail!("{} is not there: build it with `make release` first", agent.display());
    }
    let package = deb(root, &agent, &root.join("target/dist"), env!("CARGO_PKG_VERSION"))?;
    println!("{}", package.display());
    Ok(())
}

/// Puts the program, its service and its maintainer scripts into a package of that version in `out`.
fn deb(root: &Path, agent: &Path, out: &Path, version: &str) -> Result<PathBuf> {
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let staging = out.join("deb");
    if staging.exists() {
        fs::remove_dir_all(&staging).context("cannot clear what an earlier run left")?;
    }
    put(agent, &staging.join("usr/bin/steadfast-agent"), 0o755)?;
    let unit = "packaging/systemd/steadfast-agent.service";
    put(&root.join(unit), &staging.join("usr/lib/systemd/system/steadfast-agent.service"), 0o644)?;
    put(&root.join("LICENSE"), &staging.join("usr/share/doc/steadfast-agent/copyright"), 0o644)?;
    for script in ["postinst", "prerm", "postrm"] {
        put(&root.join("packaging/deb").join(script), &staging.join("DEBIAN").join(script), 0o755)?;
    }
    let kilobytes = fs::metadata(agent).context("cannot look at the program")?.len().div_ceil(1024);
    let control =
        fs::read_to_string(root.join("packaging/deb/control")).context("cannot read the control file")?;
    let control = control
        .replace("@VERSION@", version)
        .replace("@ARCHITECTURE@", &architecture)
        .replace("@KILOBYTES@", &kilobytes.to_string());
    fs::write(staging.join("DEBIAN/control"), control).context("cannot write the control file")?;
    let package = out.join(format!("steadfast-agent_{version}_{architecture}.deb"));
    let mut build = Command::new("dpkg-deb");
    build.args(["--build", "--root-owner-group", "-Zxz"]).arg(&staging).arg(&package);
    output(&mut build)?;
    fs::remove_dir_all(&staging).context("cannot clear the staging folder")?;
    Ok(package)
}

fn put(from: &Path, to: &Path, mode: u32) -> Result<()> {
    let folder = to.parent().context("a file of the package has no folder")?;
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    fs::copy(from, to).with_context(|| format!("cannot copy {}", from.display()))?;
    fs::set_permissions(to, fs::Permissions::from_mode(mode))
        .with_context(|| format!("cannot set the mode of {}", to.display()))
}

/// What the command prints; its words if it fails.
fn output(command: &mut Command) -> Result<String> {
    let output =
        command.output().with_context(|| format!("cannot run {}", command.get_program().display()))?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// A folder that `dpkg` takes for a whole system.
    fn system(folder: &Path) -> PathBuf {
        let system = folder.join("system");
        for name in ["updates", "info", "triggers"] {
            fs::create_dir_all(system.join("var/lib/dpkg").join(name)).unwrap();
        }
        fs::write(system.join("var/lib/dpkg/status"), "").unwrap();
        system
    }

    fn dpkg(system: &Path, arguments: &[&str], package: &Path) -> String {
        let mut command = Command::new("dpkg");
        command.arg(format!("--root={}", system.display()));
        command.args(["--force-not-root", "--force-depends", "--force-script-chrootless", "--log=/dev/null"]);
        output(command.args(arguments).arg(package)).unwrap()
    }

    #[test]
    fn the_package_installs_upgrades_and_keeps_the_state_until_it_is_purged() {
        if Command::new("dpkg").arg("--version").output().is_err() {
            println!("skipped: dpkg is not there");
            return;
        }
        let folder = std::env::temp_dir().join(format!("steadfast-dist-{}", std::process::id()));
        let root = crate::root();
        let system = system(&folder);
        let agent = folder.join("agent");
        fs::write(&agent, "first").unwrap();
        let package = deb(&root, &agent, &folder, "1.0").unwrap();
        dpkg(&system, &["--install"], &package);
        let installed = system.join("usr/bin/steadfast-agent");
        assert_eq!(fs::read_to_string(&installed).unwrap(), "first");
        assert_eq!(fs::metadata(&installed).unwrap().permissions().mode() & 0o7777, 0o755);
        let unit = fs::read_to_string(system.join("usr/lib/systemd/system/steadfast-agent.service")).unwrap();
        assert!(unit.contains("ExecStart=/usr/bin/steadfast-agent run"));
        let state = system.join("var/lib/steadfast-agent");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("identity.json"), "mine").unwrap();

        fs::write(&agent, "second").unwrap();
        let package = deb(&root, &agent, &folder, "2.0").unwrap();
        dpkg(&system, &["--install"], &package);
        assert_eq!(fs::read_to_string(&installed).unwrap(), "second");
        assert_eq!(fs::read_to_string(state.join("identity.json")).unwrap(), "mine");
        dpkg(&system, &["--remove"], Path::new("steadfast-agent"));
        assert!(!installed.exists() && state.join("identity.json").exists());
        dpkg(&system, &["--purge"], Path::new("steadfast-agent"));
        assert!(!state.exists());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn the_unit_is_one_that_systemd_understands() {
        let unit = crate::root().join("packaging/systemd/steadfast-agent.service");
        let text = fs::read_to_string(&unit).unwrap();
        for promise in
            ["NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "SystemCallFilter="]
        {
            assert!(text.contains(promise), "{promise}");
        }
        let Ok(verified) = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit).output()
        else {
            println!("skipped: systemd-analyze is not there");
            return;
        };
        let complaints = String::from_utf8_lossy(&verified.stderr);
        // The program is not installed where the test runs.
        let ours =
            |line: &&str| line.contains("steadfast-agent.service") && !line.contains("is not executable");
        let complaints: Vec<&str> = complaints.lines().filter(ours).collect();
        assert!(complaints.is_empty(), "{complaints:?}");
    }
}
