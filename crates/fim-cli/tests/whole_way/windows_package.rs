//! The package of the agent for Windows, installed by Wine, and a real server.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
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
    holds(&said, &service, None);
    assert_eq!(wine.file(PROGRAM), fs::read(first.with_extension("exe")).unwrap());
    let said = installer.remove(&first, &[]);
    assert!(said.code == 0 && !wine.path(PROGRAM).exists(), "{}{}", said.stdout, said.stderr);
    let token: Value = here.json(&["machine", "enroll-token", "--json"]);
    fs::write(here.path("token"), token["token"].as_str().unwrap()).unwrap();
    let server = format!("SERVER=https://{}", here.address());
    let fingerprint = format!("CAFINGERPRINT={}", token["caFingerprint"].as_str().unwrap());
    let token_file = format!("TOKENFILE={}", spelled(&here.path("token")));
    // Others could have put there what it would believe: an enrolment with a server of theirs.
    plant(&wine.path(STATE));
    let said = installer.install(&first, &[&server, &fingerprint, &token_file]);
    assert!(said.code != 0 && service.state().is_none(), "{}{}", said.stdout, said.stderr);
    let planted = fs::read_dir(wine.path(STATE)).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(planted.collect::<Vec<_>>(), ["identity.json"], "nothing is written there, nor changed");
    fs::remove_dir_all(wine.path(STATE)).unwrap();

    for (wrong, told) in [
        ([&*server, &*token_file, "CAFINGERPRINT=3f9a"], "`3f9a` is no SHA-256 fingerprint"),
        ([&*server, "TOKEN=stf_wrong", &*fingerprint], "refused the token"),
    ] {
        let said = installer.install(&first, &wrong);
        assert!(said.code != 0 && service.state().is_none(), "{}{}", said.stdout, said.stderr);
        let log = String::from_utf8(wine.file(LOG)).unwrap();
        assert!(log.lines().last().unwrap().contains(told) && !log.contains("stf_wrong"), "{log}");
    }

    let log = here.path("msiexec.log");
    let said = installer
        .install(&first, &[&server, &fingerprint, &token_file, "MACHINENAME=win01", "/l*v", &spelled(&log)]);
    holds(&said, &service, Some("RUNNING"));
    let log = String::from_utf8_lossy(&fs::read(&log).unwrap()).replace('\0', "");
    assert!(log.contains("TOKENFILE") && !log.contains(token["token"].as_str().unwrap()), "{log}");
    let path = format!(r#"ImagePath REG_SZ "{PROGRAM}" run --data-dir "{STATE}" --log-file "{LOG}""#);
    assert!(service.settings().contains(&path), "{path}: {:#?}", service.settings());
    let machine = here.json(&["machine", "list", "--json"])[0].clone();
    assert_eq!((&machine["name"], &machine["osKind"]), (&json!("win01"), &json!("windows")));
    wait_until_rule_has_a_baseline(&here);
    fs::write(here.watched("came.ini"), "x").unwrap();
    let came = here.query_until(&about(&here, "came.ini"), |rows| !rows.is_empty());
    assert_eq!((came.len(), &came[0]["ChangeCategory"]), (1, &json!("Added")));

    // Whoever rolls it out everywhere says the same each time; the token is good for one machine once.
    let identity = wine.file(IDENTITY);
    let said = installer.install(&second, &[&server, &fingerprint, &token_file]);
    holds(&said, &service, Some("RUNNING"));
    assert_eq!(wine.file(PROGRAM), fs::read(second.with_extension("exe")).unwrap());
    assert_eq!(installer.installed().len(), 1, "the older one is gone from the list of programs");
    let said = installer.install(&first, &[]);
    assert!(said.code != 0 && service.state().as_deref() == Some("RUNNING"), "{}", said.stderr);
    // What is installed is repaired, and that is no way to another server: users may begin a repair.
    let said = installer.install(&second, &["SERVER=https://127.0.0.1:1", "TOKEN=x", &fingerprint]);
    holds(&said, &service, Some("RUNNING"));
    assert_eq!(wine.file(IDENTITY), identity);
    fs::write(here.watched("came.ini"), "xx").unwrap();
    here.query_until(&about(&here, "came.ini"), |rows| rows.len() == 2);
    let gaps = here.query_until(GAPS, |rows| rows.len() >= 2);
    assert!(gaps.iter().all(|gap| gap["Detail"] == "the agent was stopped"), "{gaps:#?}");

    let said = installer.remove(&second, &[]);
    holds(&said, &service, None);
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
    holds(&said, &service, Some("RUNNING"));
    fs::write(here.watched("came.ini"), "xxx").unwrap();
    here.query_until(&about(&here, "came.ini"), |rows| rows.len() == 3);
    let said = installer.remove(&second, &["REMOVESTATE=1"]);
    holds(&said, &service, None);
    assert!(!wine.path(PROGRAM).exists() && !wine.path(STATE).parent().unwrap().exists());

    // Nor does an attempt that failed leave anything then.
    for wrong in ["CAFINGERPRINT=3f9a", &fingerprint] {
        installer.clear();
        let said = installer.install(&first, &[]);
        assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
        let wrong = wrong.strip_prefix("CAFINGERPRINT=").unwrap();
        let address = format!("https://{}", here.address());
        let enroll = ["enroll", "--server", &address, "--ca-fingerprint", wrong, "--token", "stf_wrong"];
        assert_ne!(wine.run(&[&enroll[..], &["--log-file", LOG]].concat()).code, 0);
        assert!(wine.path(LOG).exists());
        let said = installer.remove(&first, &["REMOVESTATE=1"]);
        assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
        assert!(!wine.path(STATE).parent().unwrap().exists(), "{wrong}");
    }
}

#[test]
fn a_folder_that_others_could_have_filled_is_believed_by_no_command() {
    let Some(wine) = Wine::here() else { return };
    let _session = wine.sign_in();
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    wine.enroll(&here);
    let service = Service { wine: &wine, data_dir: wine.data_dir(&here) };
    service.change("uninstall");
    let folder = here.path("agent");
    let identity = fs::read(folder.join("identity.json")).unwrap();
    let address = format!("https://{}", here.address());
    let token: Value = here.json(&["machine", "enroll-token", "--json"]);
    let fingerprint = token["caFingerprint"].as_str().unwrap();
    let token = token["token"].as_str().unwrap();
    let log = format!(r"{}\agent.log", service.data_dir);
    let enroll = |fingerprint: &str| {
        let known = ["--server", &address, "--ca-fingerprint", fingerprint, "--token", token];
        let more = ["--unless-enrolled", "--log-file", &log, "--data-dir", &service.data_dir];
        wine.run(&[&["enroll"], &known[..], &more[..]].concat())
    };
    let said = enroll(fingerprint);
    assert!(said.code == 0 && said.stdout.contains("is enrolled with"), "{}{}", said.stdout, said.stderr);
    // The address may be anybody's: it is not enrolled with the authority that is named now.
    let said = enroll(&"ab".repeat(32));
    assert!(said.code == 4 && said.stderr.contains("is not trusted"), "{}{}", said.stdout, said.stderr);
    fs::remove_file(folder.join("agent.log")).unwrap();

    let own = fs::metadata(&folder).unwrap().uid();
    let elsewhere = here.path("elsewhere");
    for (plant, told) in [
        (Plant::Open, "Everyone may open it"),
        (Plant::OfAnother, "who is no administrator"),
        (Plant::Linked, "has other names (2 in all)"),
    ] {
        match plant {
            Plant::Open => fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap(),
            Plant::OfAnother if own != 0 => continue,
            Plant::OfAnother => chown(&folder, Some(65534), None).unwrap(),
            Plant::Linked => fs::hard_link(folder.join("identity.json"), &elsewhere).unwrap(),
        }
        let remove = ["service", "uninstall", "--remove-state", "--data-dir", &service.data_dir];
        for said in [enroll(fingerprint), service.change("install"), wine.run(&remove)] {
            assert_eq!((said.code, service.state()), (4, None), "{}{}", said.stdout, said.stderr);
            assert!(said.stderr.contains(told) && said.stderr.contains("move"), "{told}: {}", said.stderr);
        }
        assert_eq!(fs::read(folder.join("identity.json")).unwrap(), identity);
        assert!(!folder.join("agent.log").exists(), "nothing is written there");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
        chown(&folder, Some(own), None).unwrap();
        let _ = fs::remove_file(&elsewhere);
    }
    assert_eq!(service.change("install").code, 0, "left to the administrator again");
    assert_eq!(service.state().as_deref(), Some("RUNNING"));
}

/// Holds that the installer has done its part, and in which state the service is then; `None` if there is none.
#[track_caller]
fn holds(said: &Said, service: &Service<'_>, state: Option<&str>) {
    assert_eq!((said.code, service.state().as_deref()), (0, state), "{}{}", said.stdout, said.stderr);
}

/// How others could have had their hands on a folder.
enum Plant {
    Open,
    OfAnother,
    Linked,
}

/// Makes the folder as somebody would who wants the agent to believe what is in it.
fn plant(folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("identity.json"), "{}").unwrap();
    fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
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
        // Wine takes nothing back of an installation that failed, and then believes that somebody still needs the program.
        self.wine.run_its("reg", &["delete", COMPONENT, "/f"]);
        let _ = fs::remove_file(self.wine.path(PROGRAM));
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
        self.drive().join(below)
    }

    fn file(&self, spelled: &str) -> Vec<u8> {
        let path = self.path(spelled);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

const GAPS: &str = "Coverage | where Cause == 'AgentStopped' and isnotnull(EndTime)";
const STATE: &str = r"C:\Program Files\Steadfast\Agent";
const LOG: &str = r"C:\Program Files\Steadfast\Agent\agent.log";
const IDENTITY: &str = r"C:\Program Files\Steadfast\Agent\identity.json";
const COMPONENT: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Installer\UserData\S-1-5-18\Components\C234CD39ABD4BCB4184195516D62A750";
const UNINSTALL: &str = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall";
