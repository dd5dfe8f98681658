//! The package of the agent for Windows, installed by Wine, and a real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::installation::{Installation, Said, finish};
use crate::windows::{PROGRAM, Service, Wine, about, script, spelled, wait_until_rule_has_a_baseline};

#[test]
fn a_package_installs_enrols_upgrades_and_keeps_what_the_agent_has_until_its_removal_is_asked_for() {
    let Some(wine) = Wine::here() else { return };
    // Wine's system ends with the last program of a user, and its services end with it.
    let _session = wine.sign_in();
    let installer = Installer { wine: &wine };
    // Of a run of this test that was ended before.
    installer.clear();
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    here.watch_only("windows-file", &spelled(&here.watched("**")));
    let service = Service { wine: &wine, data_dir: STATE.to_owned() };
    let (first, second) = (pack(&wine, &here, "1.0.0"), pack(&wine, &here, "1.0.1"));

    // With nothing said it only brings the program; what is said wrongly is named where whoever sees no output looks.
    let said = installer.install(&first, &[]);
    assert_eq!((said.code, service.state()), (0, None), "{}{}", said.stdout, said.stderr);
    assert_eq!(wine.file(PROGRAM), fs::read(first.with_extension("exe")).unwrap());
    let token: Value = here.json(&["machine", "enroll-token", "--json"]);
    fs::write(here.path("token"), token["token"].as_str().unwrap()).unwrap();
    let server = format!("SERVER=https://{}", here.address());
    let fingerprint = format!("CAFINGERPRINT={}", token["caFingerprint"].as_str().unwrap());
    let token_file = format!("TOKENFILE={}", spelled(&here.path("token")));
    for (wrong, told) in [
        ([&*server, "TOKEN=stf_wrong", &*fingerprint], "refused the token"),
        ([&*server, &*token_file, "CAFINGERPRINT=3f9a"], "`3f9a` is no SHA-256 fingerprint"),
    ] {
        let said = installer.install(&first, &wrong);
        assert!(said.code != 0 && service.state().is_none(), "{}{}", said.stdout, said.stderr);
        let log = String::from_utf8(wine.file(LOG)).unwrap();
        assert!(log.lines().last().unwrap().contains(told) && !log.contains("stf_wrong"), "{log}");
    }

    let log = here.path("msiexec.log");
    let said = installer
        .install(&first, &[&server, &fingerprint, &token_file, "MACHINENAME=win01", "/l*v", &spelled(&log)]);
    assert_eq!(
        (said.code, service.state().as_deref()),
        (0, Some("RUNNING")),
        "{}{}",
        said.stdout,
        said.stderr
    );
    let log = String::from_utf8_lossy(&fs::read(&log).unwrap()).replace('\0', "");
    assert!(log.contains("TOKENFILE") && !log.contains(token["token"].as_str().unwrap()), "{log}");
    let path = format!(r#"ImagePath REG_SZ "{PROGRAM}" run --data-dir {STATE} --log-file {LOG}"#);
    assert!(service.settings().contains(&path), "{path}: {:#?}", service.settings());
    let machine = here.json(&["machine", "list", "--json"])[0].clone();
    assert_eq!((&machine["name"], &machine["osKind"]), (&json!("win01"), &json!("windows")));
    wait_until_rule_has_a_baseline(&here);
    fs::write(here.watched("came.ini"), "x").unwrap();
    let came = here.query_until(&about(&here, "came.ini"), |rows| !rows.is_empty());
    assert_eq!((came.len(), &came[0]["ChangeCategory"]), (1, &json!("Added")));

    let identity = wine.file(IDENTITY);
    let said = installer.install(&second, &[]);
    assert_eq!(
        (said.code, service.state().as_deref()),
        (0, Some("RUNNING")),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert_eq!(wine.file(PROGRAM), fs::read(second.with_extension("exe")).unwrap());
    assert_eq!(installer.installed().len(), 1, "the older one is gone from the list of programs");
    let said = installer.install(&first, &[]);
    assert!(said.code != 0 && service.state().as_deref() == Some("RUNNING"), "{}", said.stderr);
    // Whoever rolls it out everywhere says the same each time; the token is good for one machine once.
    let said = installer.install(&second, &[&server, &fingerprint, &token_file]);
    assert_eq!(
        (said.code, service.state().as_deref()),
        (0, Some("RUNNING")),
        "{}{}",
        said.stdout,
        said.stderr
    );
    assert_eq!(wine.file(IDENTITY), identity);
    fs::write(here.watched("came.ini"), "xx").unwrap();
    here.query_until(&about(&here, "came.ini"), |rows| rows.len() == 2);
    let gaps = here.query_until(GAPS, |rows| rows.len() >= 2);
    assert!(gaps.iter().all(|gap| gap["Detail"] == "the agent was stopped"), "{gaps:#?}");

    let said = installer.remove(&second, &[]);
    assert_eq!((said.code, service.state()), (0, None), "{}{}", said.stdout, said.stderr);
    assert!(!wine.path(PROGRAM).exists() && installer.installed().is_empty());
    assert_eq!(wine.file(IDENTITY), identity, "what the agent keeps is left");
    // What does not start is not left as a service that will not, and the log says why.
    let spool = wine.path(STATE).join("spool");
    fs::rename(&spool, here.path("spool")).unwrap();
    fs::write(&spool, "").unwrap();
    let said = installer.install(&second, &[]);
    assert!(said.code != 0, "{}{}", said.stdout, said.stderr);
    assert_eq!(service.state(), None, "{}{}", said.stdout, said.stderr);
    let log = String::from_utf8(wine.file(LOG)).unwrap();
    assert!(log.lines().last().unwrap().contains("spool"), "{log}");
    fs::remove_file(&spool).unwrap();
    fs::rename(here.path("spool"), &spool).unwrap();
    let said = installer.install(&second, &[]);
    assert_eq!(
        (said.code, service.state().as_deref()),
        (0, Some("RUNNING")),
        "{}{}",
        said.stdout,
        said.stderr
    );
    fs::write(here.watched("came.ini"), "xxx").unwrap();
    here.query_until(&about(&here, "came.ini"), |rows| rows.len() == 3);
    let said = installer.remove(&second, &["REMOVESTATE=1"]);
    assert_eq!((said.code, service.state()), (0, None), "{}{}", said.stdout, said.stderr);
    assert!(!wine.path(PROGRAM).exists() && !wine.path(STATE).parent().unwrap().exists());
}

/// Packs the agent under a version, with a program that differs from those of others; where the package is, and beside it
/// the program.
fn pack(wine: &Wine, here: &Installation, version: &str) -> PathBuf {
    let folder = here.path(version);
    fs::create_dir(&folder).unwrap();
    let mut program = fs::read(&wine.agent).unwrap();
    // The system does not look at what follows.
    program.extend(version.as_bytes());
    let packed = folder.join("steadfast-agent.exe");
    fs::write(&packed, program).unwrap();
    let said = finish(Command::new(script("windows")).arg("msi").arg(&folder).arg(version));
    assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    let package = folder.join(format!("steadfast-agent-{version}-x64.msi"));
    fs::rename(packed, package.with_extension("exe")).unwrap();
    package
}

/// The system's installer; what it has installed goes with the value.
struct Installer<'w> {
    wine: &'w Wine,
}

impl Installer<'_> {
    fn install(&self, package: &Path, arguments: &[&str]) -> Said {
        self.run("/i", &spelled(package), arguments)
    }

    fn remove(&self, package: &Path, arguments: &[&str]) -> Said {
        self.run("/x", &spelled(package), arguments)
    }

    fn run(&self, what: &str, package: &str, arguments: &[&str]) -> Said {
        self.wine.run_its("msiexec", &[&[what, package, "/qn"], arguments].concat())
    }

    /// The codes of what the list of programs has of us.
    fn installed(&self) -> Vec<String> {
        let said = self.wine.run_its("reg", &["query", UNINSTALL, "/s"]);
        let mut code = "";
        let mut codes = Vec::new();
        for line in said.stdout.lines() {
            if line.starts_with("HKEY") {
                code = line.trim().rsplit('\\').next().unwrap();
            } else if line.contains("DisplayName") && line.contains("Steadfast agent") {
                codes.push(code.to_owned());
            }
        }
        codes
    }

    fn clear(&self) {
        for code in self.installed() {
            self.run("/x", &code, &[]);
        }
        let _ = fs::remove_dir_all(self.wine.path(STATE));
    }
}

impl Drop for Installer<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl Wine {
    /// Where this machine has a file of Wine's system.
    fn path(&self, spelled: &str) -> PathBuf {
        let below = spelled.strip_prefix(r"C:\").unwrap().replace('\\', "/");
        Path::new(&self.prefix).join("drive_c").join(below)
    }

    fn file(&self, spelled: &str) -> Vec<u8> {
        let path = self.path(spelled);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

const GAPS: &str = "Coverage | where Cause == 'AgentStopped' and isnotnull(EndTime)";
const STATE: &str = r"C:\ProgramData\Steadfast\Agent";
const LOG: &str = r"C:\ProgramData\Steadfast\Agent\agent.log";
const IDENTITY: &str = r"C:\ProgramData\Steadfast\Agent\identity.json";
const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
