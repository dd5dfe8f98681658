//! The agent for Windows, run by Wine, and a real server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::installation::{Installation, Said, finish, until};
use crate::{now, times_in_spool};

#[test]
fn a_machine_with_windows_reports_its_files_and_nothing_is_lost_when_it_is_killed() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    here.watch_only("windows-file", &spelled(&here.watched("**")));
    wine.enroll(&here);
    let machine = here.json(&["machine", "list", "--json"])[0].clone();
    assert_eq!((&machine["name"], &machine["osKind"]), (&json!("win01"), &json!("windows")));
    fs::write(here.watched("hosts"), "one\n").unwrap();
    fs::write(here.watched("gone.ini"), "x").unwrap();

    let agent = wine.start(&here);
    wait_until_rule_has_a_baseline(&here);
    fs::write(here.watched("hosts"), "one\ntwo\n").unwrap();
    fs::remove_file(here.watched("gone.ini")).unwrap();
    let row = here.query_until(&about(&here, "hosts"), |rows| !rows.is_empty()).remove(0);
    for (column, expected) in [
        ("ConfigChangeType", json!("Files")),
        ("ChangeCategory", json!("Modified")),
        ("SourceSystem", json!("OpsManager")),
        ("Computer", json!("win01")),
        ("Name", json!("hosts")),
        ("Size", json!(8)),
        ("PreviousSize", json!(4)),
    ] {
        assert_eq!(row[column], expected, "{column}: {row:#}");
    }
    assert!(row["FieldsChanged"].as_str().unwrap().contains("FileContentChecksum"), "{row:#}");
    assert!(row["Acls"].as_str().unwrap().starts_with("D:"), "{row:#}");
    assert_ne!(row["FileContentChecksum"], row["PreviousFileContentChecksum"]);
    let gone = here.query_until(&about(&here, "gone.ini"), |rows| !rows.is_empty()).remove(0);
    assert_eq!((&gone["ChangeCategory"], &gone["PreviousSize"]), (&json!("Removed"), &json!(1)));
    let beats = here.query_until("Heartbeat | distinct OSType, SourceSystem", |rows| !rows.is_empty());
    assert_eq!(beats, [json!({"OSType": "Windows", "SourceSystem": "OpsManager"})]);

    // Without a server a change waits in the spool, also through the end of an agent that had no time to say anything;
    // what happens while none runs is found by the next.
    here.stop_server();
    fs::write(here.watched("hosts"), "one\ntwo\nthree\n").unwrap();
    let told = Path::new(&spelled(&here.watched("hosts"))).to_owned();
    let is_waiting = until(|| if times_in_spool(&here, &told) > 1 { Ok(()) } else { Err(()) });
    assert!(is_waiting.is_ok(), "nothing waits in the spool:\n{}", here.read_log("agent.log"));
    drop(agent);
    fs::write(here.watched("came.ini"), "y").unwrap();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    let _agent = wine.start(&here);
    let came = here.query_until(&about(&here, "came.ini"), |rows| !rows.is_empty());
    assert_eq!((came.len(), &came[0]["ChangeCategory"]), (1, &json!("Added")));
    let sizes: Vec<Value> =
        here.query(&about(&here, "hosts")).iter().map(|row| row["Size"].clone()).collect();
    assert_eq!(sizes, [json!(8), json!(14)], "each change once");
    let gaps = "Coverage | where Cause == 'AgentStopped' | where isnotnull(EndTime)";
    here.query_until(gaps, |rows| !rows.is_empty());
}

#[test]
fn values_and_keys_that_come_change_and_go_are_rows_with_the_published_columns() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    let name = here.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let key = format!(r"HKLM\SOFTWARE\{name}");
    here.watch_only("registry", &key);
    assert_eq!(here.run(&["rule", "edit", "own", "--recurse"]).code, 0);
    wine.enroll(&here);
    let registry = Registry { wine: &wine, key };
    registry.set("", "stays", "REG_SZ", "safe.exe");
    registry.set("", "becomes", "REG_SZ", "1");
    registry.set("", "goes", "REG_DWORD", "7");

    let _agent = wine.start(&here);
    let told = |query: &str| {
        let query = format!(
            "ConfigurationChange | where RegistryKey contains '{name}' {query} \
             | order by TimeGenerated asc"
        );
        here.query_until(&query, |rows| !rows.is_empty())
    };
    let mut number = 0;
    let is_watched = until(|| {
        number += 1;
        registry.set("", "probe", "REG_DWORD", &number.to_string());
        let rows = here.query("ConfigurationChange | where ValueName == 'probe'");
        if rows.is_empty() { Err(()) } else { Ok(()) }
    });
    assert!(is_watched.is_ok(), "no change is reported:\n{}", here.read_log("agent.log"));

    registry.set("", "stays", "REG_SZ", "evil.exe");
    let row = told("and ValueName == 'stays'").remove(0);
    for (column, expected) in [
        ("ConfigChangeType", "Registry"),
        ("ChangeCategory", "Modified"),
        ("SourceSystem", "OpsManager"),
        ("RegistryKey", &format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\{name}")),
        ("Hive", "HKEY_LOCAL_MACHINE"),
        ("ValueType", "REG_SZ"),
        ("ValueData", "evil.exe"),
        ("PreviousValueType", "REG_SZ"),
        ("PreviousValueData", "safe.exe"),
        ("FieldsChanged", "ValueData"),
        ("FileSystemPath", ""),
    ] {
        assert_eq!(row[column], expected, "{column}: {row:#}");
    }
    registry.set("", "becomes", "REG_DWORD", "1");
    let row = told("and ValueName == 'becomes'").remove(0);
    assert_eq!((&row["PreviousValueType"], &row["ValueType"]), (&json!("REG_SZ"), &json!("REG_DWORD")));
    assert_eq!(row["FieldsChanged"], "ValueType, ValueData");
    registry.remove("", Some("goes"));
    let row = told("and ValueName == 'goes'").remove(0);
    assert_eq!((&row["ChangeCategory"], &row["PreviousValueData"]), (&json!("Removed"), &json!("7")));
    registry.set(r"\sub", "inner", "REG_SZ", "x");
    let key = told("and RegistryKey endswith 'sub' and isempty(ValueType)").remove(0);
    assert_eq!((&key["ChangeCategory"], &key["Name"]), (&json!("Added"), &json!("sub")));
    assert!(key["Acls"].as_str().unwrap().starts_with("D:"), "{key:#}");
    assert_eq!(told("and ValueName == 'inner'")[0]["ChangeCategory"], "Added");
    registry.remove(r"\sub", None);
    told("and RegistryKey endswith 'sub' and isempty(ValueType) and ChangeCategory == 'Removed'");

    let said = here.run(&["changes", "--since", "1h"]);
    assert!(said.stdout.contains(&format!(r"HKEY_LOCAL_MACHINE\SOFTWARE\{name}\stays")), "{}", said.stdout);
    let summary = "ConfigurationChange | where ConfigChangeType in ('Registry', 'Files') \
                   | summarize count() by Computer, ConfigChangeType | project Computer, ConfigChangeType";
    assert_eq!(here.query(summary), [json!({"Computer": "win01", "ConfigChangeType": "Registry"})]);
}

#[test]
fn services_and_software_of_windows_are_rows_with_the_published_columns() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    assert_eq!(here.run(&["fim", "collect", "--daemons", "5s", "--software", "5s"]).code, 0);
    let name = here.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let key = |below: &str| Registry { wine: &wine, key: format!(r"HKLM\{below}\{name}") };
    let software = key(r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall");
    let service = key(r"SYSTEM\CurrentControlSet\Services");
    wine.enroll(&here);
    let _agent = wine.start(&here);
    let told = |query: &str| {
        let query = format!("ConfigurationChange | where {query} | order by TimeGenerated asc");
        here.query_until(&query, |rows| !rows.is_empty()).remove(0)
    };
    let mut number = 0;
    let is_compared = until(|| {
        number += 1;
        software.set("", "DisplayName", "REG_SZ", &name);
        software.set("", "DisplayVersion", "REG_SZ", &number.to_string());
        let rows = here.query(&format!("ConfigurationChange | where SoftwareName == '{name}'"));
        if rows.is_empty() { Err(()) } else { Ok(()) }
    });
    assert!(is_compared.is_ok(), "no software is reported:\n{}", here.read_log("agent.log"));
    software.set("", "DisplayVersion", "REG_SZ", "final");
    let row = told(&format!("SoftwareName == '{name}' and Current == 'final'"));
    for (column, expected) in [
        ("ConfigChangeType", "Software"),
        ("ChangeCategory", "Modified"),
        ("SoftwareType", "Application"),
        ("SourceSystem", "OpsManager"),
        ("Attributes", "Manager=windows; Architecture=x64"),
    ] {
        assert_eq!(row[column], expected, "{column}: {row:#}");
    }
    software.remove("", None);
    told(&format!("SoftwareName == '{name}' and ChangeCategory == 'Removed' and Previous == 'final'"));

    let manage = |arguments: &[&str]| {
        let mut command = Command::new(script("wine-run"));
        let said = finish(command.env("WINEPREFIX", &wine.prefix).arg("sc").args(arguments));
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.stdout, said.stderr);
    };
    // What a service is can differ between two looks, as long as its manager has not written all of it.
    manage(&["create", &name, "binPath=", r"C:\windows\system32\winedevice.exe", "start=", "auto"]);
    let row = told(&format!("SvcName == '{name}' and isnotempty(SvcState)"));
    for (column, expected) in [
        ("ConfigChangeType", "WindowsServices"),
        ("SourceSystem", "OpsManager"),
        ("SvcState", "Stopped"),
        ("SvcStartupType", "Auto"),
        ("SvcAccount", "LocalSystem"),
        ("SvcPath", r"C:\windows\system32\winedevice.exe"),
    ] {
        assert_eq!(row[column], expected, "{column}: {row:#}");
    }
    told(&format!("SvcName == '{name}' and ChangeCategory == 'Added'"));
    service.set("", "Start", "REG_DWORD", "4");
    let row = told(&format!("SvcName == '{name}' and SvcChangeType == 'StartupType'"));
    assert_eq!(
        (&row["SvcPreviousStartupType"], &row["SvcStartupType"]),
        (&json!("Auto"), &json!("Disabled"))
    );
    manage(&["delete", &name]);
    told(&format!("SvcName == '{name}' and ChangeCategory == 'Removed'"));
    let said = here.run(&["changes", "--since", "1h"]);
    assert!(said.stdout.contains("WindowsServices") && said.stdout.contains(&name), "{}", said.stdout);
}

#[test]
fn the_agent_is_a_service_that_starts_with_the_system_and_stops_when_it_is_told() {
    let Some(wine) = Wine::here() else { return };
    // Wine's system ends with the last program of a user, and its services end with it.
    let _session = wine.sign_in();
    let mut here = Installation::new();
    here.up(&["--no-agent", "--scan-interval", "1s"]);
    here.watch_only("windows-file", &spelled(&here.watched("**")));
    let service = Service { wine: &wine, data_dir: wine.data_dir(&here) };
    // Of a run of this test that was ended before.
    service.change("uninstall");
    let said = service.change("install");
    assert_eq!((said.code, service.state()), (4, None), "{}", said.stderr);
    assert!(said.stderr.contains("enroll"), "who is not enrolled has nothing to do: {}", said.stderr);

    wine.enroll(&here);
    let said = service.change("install");
    assert_eq!((said.code, service.state().as_deref()), (0, Some("RUNNING")), "{}", said.stderr);
    assert!(!said.stderr.contains("when it fails"), "the system starts it again: {}", said.stderr);
    let settings = service.settings();
    let data_dir = &service.data_dir;
    let log = format!(r"{data_dir}\agent.log");
    for setting in [
        "Start REG_DWORD 0x2".to_owned(),
        "ObjectName REG_SZ LocalSystem".to_owned(),
        format!(r#"ImagePath REG_SZ "{PROGRAM}" run --data-dir {data_dir} --log-file {log}"#),
    ] {
        assert!(settings.contains(&setting), "{setting}: {settings:#?}");
    }
    wait_until_rule_has_a_baseline(&here);

    service.manage("stop");
    service.wait_for("STOPPED");
    assert_eq!(service.exit_code().as_deref(), Some("0"));
    fs::write(here.watched("came.ini"), "x").unwrap();
    service.manage("start");
    let came = here.query_until(&about(&here, "came.ini"), |rows| !rows.is_empty());
    assert_eq!((came.len(), &came[0]["ChangeCategory"]), (1, &json!("Added")));
    // The next version takes the place of one that runs, which stops for it as if it was told to.
    let said = service.change("install");
    assert_eq!((said.code, service.state().as_deref()), (0, Some("RUNNING")), "{}", said.stderr);
    let gaps = "Coverage | where Cause == 'AgentStopped' and isnotnull(EndTime)";
    let gaps = here.query_until(gaps, |rows| rows.len() == 2);
    assert!(gaps.iter().all(|gap| gap["Detail"] == "the agent was stopped"), "{gaps:#?}");

    service.manage("stop");
    service.wait_for("STOPPED");
    let identity = here.path("agent").join("identity.json");
    let kept = fs::read(&identity).unwrap();
    fs::write(&identity, "{").unwrap();
    service.manage("start");
    service.wait_for("STOPPED");
    assert_eq!(service.exit_code().as_deref(), Some("4"), "it has failed");
    let log = fs::read_to_string(here.path("agent").join("agent.log")).unwrap();
    assert!(log.lines().last().unwrap().contains("identity.json is damaged"), "{log}");

    let program = wine.drive().join("Program Files/Steadfast/steadfast-agent.exe");
    assert!(program.exists());
    fs::write(&identity, &kept).unwrap();
    service.manage("start");
    for _ in 0..2 {
        let said = service.change("uninstall");
        assert_eq!((said.code, service.state(), program.exists()), (0, None, false), "{}", said.stderr);
    }
    assert_eq!(fs::read(&identity).unwrap(), kept, "what the agent keeps is left");
}

#[test]
fn on_linux_the_service_is_a_unit_of_systemd() {
    let mut here = Installation::new();
    here.up(&["--no-agent"]);
    here.enroll_agent();
    let data_dir = here.path("agent");
    let install = ["service", "install", "--data-dir", data_dir.to_str().unwrap()];
    for arguments in [&install[..], &["service", "uninstall"]] {
        let said = finish(&mut here.agent_command(arguments));
        assert_eq!(said.code, 2, "{}", said.stderr);
        assert!(said.stderr.contains("systemctl enable --now steadfast-agent"), "{}", said.stderr);
    }
}

/// The service, gone with the value.
pub struct Service<'w> {
    pub wine: &'w Wine,
    pub data_dir: String,
}

impl Service<'_> {
    /// Has the agent install or uninstall it.
    pub fn change(&self, command: &str) -> Said {
        match command {
            "install" => self.wine.run(&["service", command, "--data-dir", &self.data_dir]),
            _ => self.wine.run(&["service", command]),
        }
    }

    /// Has the system start or stop it.
    fn manage(&self, command: &str) {
        let said = self.wine.run_its("sc", &[command, SERVICE]);
        assert_eq!(said.code, 0, "{command}: {}{}", said.stdout, said.stderr);
    }

    /// What the system says of it; nothing if there is none.
    fn told(&self, heading: &str) -> Option<String> {
        let said = self.wine.run_its("sc", &["query", SERVICE]);
        let line = said.stdout.lines().find_map(|line| line.trim().strip_prefix(heading))?;
        Some(line.trim().trim_start_matches(':').trim().to_owned())
    }

    pub fn state(&self) -> Option<String> {
        self.told("STATE").and_then(|state| state.split_whitespace().nth(1).map(str::to_owned))
    }

    /// What it ended with by its own word.
    fn exit_code(&self) -> Option<String> {
        self.told("SERVICE_EXIT_CODE").and_then(|code| code.split_whitespace().next().map(str::to_owned))
    }

    fn wait_for(&self, wanted: &str) {
        let state = until(|| match self.state() {
            Some(state) if state == wanted => Ok(()),
            other => Err(other),
        });
        assert!(state.is_ok(), "{state:?} instead of {wanted}");
    }

    /// What the system keeps of it, with single spaces.
    pub fn settings(&self) -> Vec<String> {
        let key = format!(r"HKLM\SYSTEM\CurrentControlSet\Services\{SERVICE}");
        let said = self.wine.run_its("reg", &["query", &key]);
        said.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        self.change("uninstall");
    }
}

#[test]
fn what_changes_on_windows_is_told_when_it_happens() {
    let Some(wine) = Wine::here() else { return };
    let mut here = Installation::new();
    // No scan comes while the test goes on, but the first.
    here.up(&["--no-agent", "--scan-interval", "1h"]);
    here.watch_only("windows-file", &spelled(&here.watched("**")));
    let name = here.path("").file_name().unwrap().to_str().unwrap().to_owned();
    let registry = Registry { wine: &wine, key: format!(r"HKLM\SOFTWARE\{name}") };
    let rule = ["rule", "add", "--type", "registry", "--name", "key", "--path", &registry.key, "--recurse"];
    assert_eq!(here.run(&rule).code, 0);
    registry.set("", "stays", "REG_SZ", "safe.exe");
    wine.enroll(&here);
    let _agent = wine.start(&here);
    wait_until_rule_has_a_baseline(&here);
    assert_eq!(here.json(&["machine", "list", "--json"])[0]["provider"], "notices");

    let told = |query: &str| {
        let query = format!("ConfigurationChange | where {query} | order by TimeGenerated asc");
        here.query_until(&query, |rows| !rows.is_empty()).remove(0)
    };
    fs::create_dir(here.watched("made")).unwrap();
    fs::write(here.watched("made").join("file"), "1").unwrap();
    let row = told("Name == 'file' and ChangeCategory == 'Added'");
    assert_eq!(row["ChangeSource"], "RealTime", "{row:#}");
    fs::write(here.watched("made").join("file"), "22").unwrap();
    let row = told("Name == 'file' and ChangeCategory == 'Modified'");
    assert_eq!((&row["ChangeSource"], &row["Size"]), (&json!("RealTime"), &json!(2)), "{row:#}");
    fs::remove_file(here.watched("made").join("file")).unwrap();
    told("Name == 'file' and ChangeCategory == 'Removed' and ChangeSource == 'RealTime'");
    registry.set("", "stays", "REG_SZ", "evil.exe");
    let row = told("ValueName == 'stays'");
    assert_eq!(
        (&row["ChangeSource"], &row["PreviousValueData"], &row["ValueData"]),
        (&json!("RealTime"), &json!("safe.exe"), &json!("evil.exe")),
        "{row:#}"
    );
    registry.set(r"\sub", "inner", "REG_SZ", "x");
    told("ValueName == 'inner' and ChangeSource == 'RealTime'");
    assert!(here.query("Coverage | where Cause == 'NoticesLost'").is_empty(), "no notice is lost");
}

/// A key of the test's own in Wine's registry, gone with the value.
pub struct Registry<'w> {
    pub wine: &'w Wine,
    pub key: String,
}

impl Registry<'_> {
    pub fn set(&self, below: &str, name: &str, value_type: &str, data: &str) {
        let key = format!("{}{below}", self.key);
        self.run(&["add", &key, "/v", name, "/t", value_type, "/d", data, "/f"]);
    }

    pub fn remove(&self, below: &str, name: Option<&str>) {
        let key = format!("{}{below}", self.key);
        match name {
            Some(name) => self.run(&["delete", &key, "/v", name, "/f"]),
            None => self.run(&["delete", &key, "/f"]),
        }
    }

    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(script("wine-run"));
        let said = finish(command.env("WINEPREFIX", &self.wine.prefix).arg("reg").args(arguments));
        assert_eq!(said.code, 0, "{arguments:?}: {}{}", said.stdout, said.stderr);
    }
}

impl Drop for Registry<'_> {
    fn drop(&mut self) {
        let mut command = Command::new(script("wine-run"));
        let _ =
            command.env("WINEPREFIX", &self.wine.prefix).args(["reg", "delete", &self.key, "/f"]).output();
    }
}

/// Wine, and the agent that it runs.
pub struct Wine {
    pub agent: PathBuf,
    pub prefix: String,
}

/// A program that runs; dropping it ends it at once, as the end of its process in the task manager does.
pub struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Removes the ways to installations that are gone.
impl Drop for Wine {
    fn drop(&mut self) {
        for entry in fs::read_dir(self.drive()).unwrap() {
            let path = entry.unwrap().path();
            if path.is_symlink() && !path.exists() {
                let _ = fs::remove_file(path);
            }
        }
    }
}

impl Wine {
    /// What `scripts/windows test` has built; nothing where that could not be.
    pub fn here() -> Option<Self> {
        let Some(agent) = std::env::var_os("STEADFAST_WINDOWS_AGENT") else {
            fim_testkit::skip("STEADFAST_WINDOWS_AGENT names no agent; scripts/windows test builds one");
            return None;
        };
        let prefix = finish(Command::new(script("windows")).arg("prefix"));
        assert_eq!(prefix.code, 0, "{}", prefix.stderr);
        Some(Self { agent: agent.into(), prefix: prefix.stdout.trim().to_owned() })
    }

    /// The folder `agent` of an installation as Wine's programs find it. By way of `Z:` it would be below a folder in which
    /// everybody may put another in its place, where no agent works.
    pub fn data_dir(&self, here: &Installation) -> String {
        let name = here.path("").file_name().unwrap().to_str().unwrap().to_owned();
        let way = self.drive().join(&name);
        if !way.exists() {
            std::os::unix::fs::symlink(here.path(""), way).unwrap();
        }
        format!(r"C:\{name}\agent")
    }

    pub fn drive(&self) -> PathBuf {
        Path::new(&self.prefix).join("drive_c")
    }

    /// Enrols the machine `win01` with the running server.
    pub fn enroll(&self, here: &Installation) {
        let token: Value = here.json(&["machine", "enroll-token", "--json"]);
        fs::write(here.path("token"), token["token"].as_str().unwrap()).unwrap();
        let server = format!("https://{}", here.address());
        let (folder, token_file) = (self.data_dir(here), spelled(&here.path("token")));
        let said = self.run(&[
            "enroll",
            "--name",
            "win01",
            "--server",
            &server,
            "--ca-fingerprint",
            token["caFingerprint"].as_str().unwrap(),
            "--token-file",
            &token_file,
            "--data-dir",
            &folder,
        ]);
        assert_eq!(said.code, 0, "{}{}", said.stdout, said.stderr);
    }

    /// Runs a command of the agent to its end.
    pub fn run(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(script("wine-run"));
        finish(command.env("WINEPREFIX", &self.prefix).arg(&self.agent).args(arguments))
    }

    /// Runs a command of the agent to its end; Wine prints what it tells the event log.
    pub fn run_told(&self, arguments: &[&str]) -> Said {
        let mut command = Command::new(script("wine-run"));
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all,err+eventlog");
        finish(command.arg(&self.agent).args(arguments))
    }

    /// Runs a program of the system to its end.
    pub fn run_its(&self, program: &str, arguments: &[&str]) -> Said {
        let mut command = Command::new(script("wine-run"));
        finish(command.env("WINEPREFIX", &self.prefix).arg(program).args(arguments))
    }

    /// Starts a program that waits, as that of a user who is signed in, until the value goes.
    pub fn sign_in(&self) -> Running {
        let mut command = self.wine();
        let child = command.arg("cmd").stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        Running(child.spawn().unwrap())
    }

    fn wine(&self) -> Command {
        let mut command = Command::new("/usr/lib/wine/wine64");
        command.env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all").env_remove("DISPLAY");
        command
    }

    /// Starts the agent. The process is Wine's, and is the one that the agent is in.
    pub fn start(&self, here: &Installation) -> Running {
        let log = fs::OpenOptions::new().create(true).append(true).open(here.path("agent.log")).unwrap();
        let child = self
            .wine()
            .arg(&self.agent)
            .args(["run", "--data-dir", &self.data_dir(here)])
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        Running(child.unwrap())
    }
}

/// The path of a file of this machine as Wine's programs spell it.
pub fn spelled(path: &Path) -> String {
    format!("Z:{}", path.to_str().unwrap().replace('/', r"\"))
}

/// Changes of one file of the monitored tree, oldest first.
pub fn about(here: &Installation, name: &str) -> String {
    let path = spelled(&here.watched(name));
    format!("ConfigurationChange | where FileSystemPath == @'{path}' | order by TimeGenerated asc")
}

/// Waits until a file made now is reported: only then the rule is known to have its baseline.
pub fn wait_until_rule_has_a_baseline(here: &Installation) {
    let changes = format!("{} | where TimeGenerated > datetime({})", about(here, "probe"), now());
    let mut number = 0;
    let found = until(|| {
        number += 1;
        fs::write(here.watched("probe"), number.to_string()).unwrap();
        if here.query(&changes).is_empty() { Err(()) } else { Ok(()) }
    });
    assert!(found.is_ok(), "no change is reported:\n{}", here.read_log("agent.log"));
}

pub fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts").join(name)
}

const SERVICE: &str = "steadfast-agent";
pub const PROGRAM: &str = r"C:\Program Files\Steadfast\steadfast-agent.exe";
