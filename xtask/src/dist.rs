//! Packages of the agent: what `dpkg`, `rpm` and the installer of Windows install.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, bail};

/// Makes the packages from the program at `agent`, or `target/bin/steadfast-agent`, and from the one for Windows beside it,
/// and says where they are.
pub fn run(root: &Path, arguments: &[String]) -> Result<()> {
    let agent = match arguments {
        [] => root.join("target/bin/steadfast-agent"),
        [agent] => PathBuf::from(agent),
        _ => bail!("dist takes one program at most: the agent's"),
    };
    if !agent.is_file() {
        bail!("{} is not there: build it with `make release` first", agent.display());
    }
    let out = root.join("target/dist");
    let makers: [(&str, &str, Make); 2] = [("dpkg-deb", "dpkg", deb), ("rpmbuild", "rpm", rpm)];
    let mut is_any_made = false;
    for (program, package, make) in makers {
        if Command::new(program).arg("--version").output().is_ok() {
            println!("{}", make(root, &agent, &out, env!("CARGO_PKG_VERSION"))?.display());
            is_any_made = true;
        } else {
            eprintln!("no package for {package}: {program} is not there, install the package {package}");
        }
    }
    let for_windows = agent.with_extension("exe");
    if !for_windows.is_file() {
        eprintln!(
            "no package for Windows: {} is not there, `scripts/windows build` makes it",
            for_windows.display()
        );
    } else if Command::new("wixl").arg("--version").output().is_err() {
        eprintln!("no package for Windows: wixl is not there, install the packages wixl and msitools");
    } else {
        println!("{}", msi(root, &for_windows, &out, env!("CARGO_PKG_VERSION"))?.display());
        is_any_made = true;
    }
    if !is_any_made {
        bail!("no package can be made here");
    }
    Ok(())
}

/// Makes a package of the program in a folder, of that version, and says where it is.
type Make = fn(root: &Path, agent: &Path, out: &Path, version: &str) -> Result<PathBuf>;

/// Puts the program, its service and its maintainer scripts into a package for `dpkg`.
fn deb(root: &Path, agent: &Path, out: &Path, version: &str) -> Result<PathBuf> {
    let architecture = output(Command::new("dpkg").arg("--print-architecture"))?;
    let staging = out.join("deb");
    stage(root, agent, &staging, "usr/share/doc/steadfast-agent/copyright")?;
    for script in ["preinst", "postinst", "prerm", "postrm"] {
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

/// Puts the program, its service and its scripts into a package for `rpm`.
fn rpm(root: &Path, agent: &Path, out: &Path, version: &str) -> Result<PathBuf> {
    let top = out.join("rpm");
    let staging = top.join("staging");
    let files = stage(root, agent, &staging, "usr/share/licenses/steadfast-agent/LICENSE")?;
    let listed = files.iter().map(|(path, mode)| format!("%attr({mode:04o}, root, root) /{path}"));
    let specification = fs::read_to_string(root.join("packaging/rpm/steadfast-agent.spec"))
        .context("cannot read the specification of the package")?
        .replace("@VERSION@", version)
        .replace("@FILES@", &listed.collect::<Vec<_>>().join("\n"));
    let written = top.join("steadfast-agent.spec");
    fs::write(&written, specification).context("cannot write the specification of the package")?;
    let architecture = output(Command::new("rpm").args(["--eval", "%{_target_cpu}"]))?;
    let package = out.join(format!("steadfast-agent-{version}-1.{architecture}.rpm"));
    let mut build = Command::new("rpmbuild");
    build.args(["-bb", "--quiet", "--nodeps"]);
    for (name, value) in [
        ("_topdir", top.display().to_string()),
        ("_rpmdir", out.display().to_string()),
        ("_build_name_fmt", "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm".to_owned()),
        ("staging", staging.display().to_string()),
        // The package says nothing of the machine that made it, and every rpm since version 4.6 can unpack it.
        ("_buildhost", "localhost".to_owned()),
        ("_binary_payload", "w6.xzdio".to_owned()),
    ] {
        build.arg("--define").arg(format!("{name} {value}"));
    }
    output(build.arg(&written))?;
    fs::remove_dir_all(&top).context("cannot clear the staging folder")?;
    Ok(package)
}

/// Puts the program for Windows into a package for its installer.
fn msi(root: &Path, agent: &Path, out: &Path, version: &str) -> Result<PathBuf> {
    let staging = out.join("msi");
    if staging.exists() {
        fs::remove_dir_all(&staging).context("cannot clear what an earlier run left")?;
    }
    put(agent, &staging.join("steadfast-agent.exe"), 0o755)?;
    output(Command::new(root.join("scripts/windows")).arg("msi").arg(&staging).arg(version))?;
    let package = format!("steadfast-agent-{version}-x64.msi");
    fs::rename(staging.join(&package), out.join(&package)).context("the package was not made")?;
    fs::remove_dir_all(&staging).context("cannot clear the staging folder")?;
    Ok(out.join(package))
}

/// Puts the files of every package into an empty folder, the licence under that path, and says which they are.
fn stage(root: &Path, agent: &Path, staging: &Path, licence: &str) -> Result<Vec<(String, u32)>> {
    if staging.exists() {
        fs::remove_dir_all(staging).context("cannot clear what an earlier run left")?;
    }
    let files = [
        (agent.to_owned(), "usr/bin/steadfast-agent", 0o755),
        (
            root.join("packaging/systemd/steadfast-agent.service"),
            "usr/lib/systemd/system/steadfast-agent.service",
            0o644,
        ),
        (root.join("LICENSE"), licence, 0o644),
    ];
    let put_one = |(from, to, mode): (PathBuf, &str, u32)| {
        put(&from, &staging.join(to), mode)?;
        Ok((to.to_owned(), mode))
    };
    files.into_iter().map(put_one).collect()
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
    use std::os::unix::fs::MetadataExt as _;

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

    /// Puts what scripts of packages need below that folder, so that it serves them as a whole system: a shell, and a service
    /// manager that notes what it is told.
    fn can_run_scripts(system: &Path) {
        for program in ["/bin/sh", "/bin/rm"] {
            let libraries = output(Command::new("ldd").arg(program)).unwrap();
            let libraries = libraries.split_whitespace().filter(|word| word.starts_with('/'));
            for from in libraries.chain([program]) {
                let to = system.join(from.trim_start_matches('/'));
                put(Path::new(from), &to, 0o755).unwrap();
            }
        }
        fs::create_dir_all(system.join("run/systemd/system")).unwrap();
        let manager = system.join("usr/bin/systemctl");
        fs::create_dir_all(manager.parent().unwrap()).unwrap();
        fs::write(&manager, "#!/bin/sh\necho \"$*\" >> /told\n").unwrap();
        fs::set_permissions(&manager, fs::Permissions::from_mode(0o755)).unwrap();
    }

    const UNIT: &str = "steadfast-agent.service";

    /// What the service manager is told of a service that is new.
    fn new_service() -> Vec<String> {
        vec!["daemon-reload".to_owned(), format!("enable --quiet {UNIT}"), format!("restart {UNIT}")]
    }

    /// What it is told of a service with a new program: nothing that brings back what its owner stopped or disabled.
    fn new_program() -> Vec<String> {
        vec!["daemon-reload".to_owned(), format!("try-restart {UNIT}")]
    }

    #[test]
    fn an_upgrade_for_dpkg_leaves_a_service_that_its_owner_stopped_or_disabled_as_it_is() {
        if !is_root() || Command::new("dpkg").arg("--version").output().is_err() {
            println!("skipped: dpkg is not there, or this is not root, who alone may run scripts elsewhere");
            return;
        }
        let folder = std::env::temp_dir().join(format!("steadfast-dist-scripts-{}", std::process::id()));
        let root = crate::root();
        let system = system(&folder);
        can_run_scripts(&system);
        let agent = folder.join("agent");
        fs::write(&agent, "first").unwrap();
        let first = deb(&root, &agent, &folder, "1.0").unwrap();
        let second = deb(&root, &agent, &folder, "2.0").unwrap();
        let dpkg = |arguments: &[&str], package: &Path| {
            let mut command = Command::new("dpkg");
            command.arg(format!("--root={}", system.display())).args(["--force-depends", "--log=/dev/null"]);
            output(command.args(arguments).arg(package)).unwrap();
            told(&system)
        };
        assert_eq!(dpkg(&["--install"], &first), new_service());
        assert_eq!(dpkg(&["--install"], &second), new_program());
        let removed = [format!("disable --quiet --now {UNIT}"), "daemon-reload".to_owned()];
        assert_eq!(dpkg(&["--remove"], Path::new("steadfast-agent")), removed);
        assert_eq!(dpkg(&["--install"], &second), new_service(), "removed, not purged, and wanted again");
        assert_eq!(dpkg(&["--install"], &second), new_program());
        fs::remove_dir_all(&folder).unwrap();
    }

    /// Whether this is root, who alone may change the root of what he starts.
    fn is_root() -> bool {
        fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
    }

    fn rpm_in(system: &Path, arguments: &[&str], package: &Path) -> String {
        let mut command = Command::new("rpm");
        command.arg("--root").arg(system).args(["--dbpath", "/var/lib/rpm"]);
        output(command.args(arguments).arg(package)).unwrap()
    }

    /// What the service manager was told since it was asked last.
    fn told(system: &Path) -> Vec<String> {
        let told = fs::read_to_string(system.join("told")).unwrap_or_default();
        let _ = fs::remove_file(system.join("told"));
        told.lines().map(str::to_owned).collect()
    }

    #[test]
    fn the_package_for_rpm_installs_upgrades_and_keeps_the_state_when_it_is_erased() {
        if !is_root() || Command::new("rpmbuild").arg("--version").output().is_err() {
            println!("skipped: rpmbuild is not there, or this is not root, who alone installs elsewhere");
            return;
        }
        let folder = std::env::temp_dir().join(format!("steadfast-dist-rpm-{}", std::process::id()));
        let root = crate::root();
        let system = folder.join("rpm-system");
        can_run_scripts(&system);
        let agent = folder.join("agent");
        fs::write(&agent, "first").unwrap();
        let package = rpm(&root, &agent, &folder, "1.0").unwrap();
        rpm_in(&system, &["-i", "--nodeps"], &package);
        assert_eq!(told(&system), new_service());
        let listed = rpm_in(
            &system,
            &["-q", "--qf", "[%{FILEMODES:perms} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILENAMES}\\n]"],
            Path::new("steadfast-agent"),
        );
        assert_eq!(
            listed.lines().collect::<Vec<_>>(),
            [
                "-rwxr-xr-x root root /usr/bin/steadfast-agent",
                "-rw-r--r-- root root /usr/lib/systemd/system/steadfast-agent.service",
                "-rw-r--r-- root root /usr/share/licenses/steadfast-agent/LICENSE",
            ]
        );
        let installed = system.join("usr/bin/steadfast-agent");
        assert_eq!(fs::read_to_string(&installed).unwrap(), "first");
        assert_eq!(fs::metadata(&installed).unwrap().permissions().mode() & 0o7777, 0o755);
        let service = fs::read(system.join("usr/lib/systemd/system").join(UNIT)).unwrap();
        assert_eq!(service, fs::read(root.join("packaging/systemd").join(UNIT)).unwrap());
        let state = system.join("var/lib/steadfast-agent");
        fs::create_dir_all(&state).unwrap();
        fs::write(state.join("identity.json"), "mine").unwrap();

        fs::write(&agent, "second").unwrap();
        let package = rpm(&root, &agent, &folder, "2.0").unwrap();
        rpm_in(&system, &["-U", "--nodeps"], &package);
        assert_eq!(fs::read_to_string(&installed).unwrap(), "second");
        assert_eq!(told(&system), [&new_program()[..], &["daemon-reload".to_owned()]].concat());
        rpm_in(&system, &["-e"], Path::new("steadfast-agent"));
        assert_eq!(told(&system), [format!("disable --quiet --now {UNIT}"), "daemon-reload".to_owned()]);
        assert!(!installed.exists());
        assert_eq!(fs::read_to_string(state.join("identity.json")).unwrap(), "mine");
        fs::remove_dir_all(&folder).unwrap();
    }

    /// The rows of a table of a package for the installer of Windows, with their cells.
    fn table(package: &Path, name: &str) -> Vec<Vec<String>> {
        let told = output(Command::new("msiinfo").arg("export").arg(package).arg(name)).unwrap();
        let told = told.replace("\r\n", "\n");
        told.lines().skip(3).map(|row| row.split('\t').map(str::to_owned).collect()).collect()
    }

    #[test]
    fn the_package_for_windows_lets_administrators_alone_say_whom_to_enrol_with() {
        if Command::new("wixl").arg("--version").output().is_err() {
            println!("skipped: wixl is not there");
            return;
        }
        let folder = std::env::temp_dir().join(format!("steadfast-dist-msi-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let agent = folder.join("agent.exe");
        fs::write(&agent, "program").unwrap();
        let package = msi(&crate::root(), &agent, &folder, "1.0.0").unwrap();
        assert!(package.ends_with("steadfast-agent-1.0.0-x64.msi") && !folder.join("msi").exists());

        let properties = table(&package, "Property");
        let property = |name: &str| properties.iter().find(|row| row[0] == name).map(|row| row[1].as_str());
        // What the system would take from a user of a package that it installs or repairs for him: nothing that he says.
        assert_eq!(property("SecureCustomProperties"), Some("OLDERINSTALLED;NEWERINSTALLED"));
        assert_eq!(property("MsiHiddenProperties"), Some("TOKEN;EnrollArguments"));
        assert_eq!(property("ALLUSERS"), Some("1"), "for the machine, not for a user");
        let may_be_said = |name: &str| !name.chars().any(|letter| letter.is_ascii_lowercase());
        let directories = table(&package, "Directory");
        let others: Vec<&str> =
            directories.iter().map(|row| row[0].as_str()).filter(|name| may_be_said(name)).collect();
        assert_eq!(others, ["TARGETDIR"], "which the folder for programs does not lie in");
        assert!(directories.iter().any(|row| row[..2] == ["ProgramFolder", "ProgramFiles64Folder"]));

        let actions = table(&package, "CustomAction");
        let sequence = table(&package, "InstallExecuteSequence");
        let condition = |name: &str| sequence.iter().find(|row| row[0] == name).map(|row| row[1].as_str());
        for (name, kind, when) in [
            // Deferred, by the system itself, and with its arguments kept out of the log; then without the last.
            ("Enroll", 18 | 0x400 | 0x800 | 0x2000, "SERVER AND NOT Installed AND NOT REINSTALL"),
            ("InstallService", 18 | 0x400 | 0x800, "NOT (REMOVE=\"ALL\")"),
            (
                "RemoveState",
                18 | 0x400 | 0x800,
                "REMOVE=\"ALL\" AND REMOVESTATE=\"1\" AND NOT UPGRADINGPRODUCTCODE",
            ),
        ] {
            let action = actions.iter().find(|row| row[0] == name).unwrap();
            assert_eq!(
                (action[1].as_str(), condition(name)),
                (kind.to_string().as_str(), Some(when)),
                "{name}"
            );
            assert_eq!(action[2], "program", "{name} runs what was installed");
            assert!(action[3].contains("--data-dir \"[State]\""), "{name}: {}", action[3]);
        }
        assert!(
            actions.iter().all(|row| !may_be_said(&row[2])),
            "no action sets what may be said: {actions:?}"
        );
        assert_eq!(condition("RemoveExistingProducts"), Some("NOT Installed"));
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
