//! The real programs in a folder of their own: started, killed, started again, asked.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// A folder with a server's data, an agent's data, a profile, and a tree that is monitored.
pub struct Installation {
    folder: TempDir,
    /// Listening addresses, chosen at the first start and kept, since agents come back to them.
    ports: Option<(String, String)>,
    server: Option<Child>,
    agent: Option<Child>,
}

/// What a finished command said.
pub struct Said {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// A command that goes on, and what it prints.
pub struct Followed {
    child: Child,
    pub lines: Lines<BufReader<ChildStdout>>,
}

impl Drop for Followed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Installation {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("steadfast-whole-way").tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        fs::create_dir(folder.path().join("watched")).unwrap();
        Self { folder, ports: None, server: None, agent: None }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the tree that is monitored.
    pub fn watched(&self, name: &str) -> PathBuf {
        self.folder.path().join("watched").join(name)
    }

    /// Starts `steadfast up` and waits until it says where it is; what it said.
    pub fn up(&mut self, options: &[&str]) -> Value {
        let (listen, page) =
            self.ports.clone().unwrap_or_else(|| ("127.0.0.1:0".to_owned(), "127.0.0.1:0".to_owned()));
        let mut child = self
            .steadfast(&["up", "--json", "--data-dir"])
            .arg(self.path("data"))
            .args(["--listen", &listen, "--page", &page])
            .args(options)
            .stdout(Stdio::piped())
            .stderr(self.log("server.log"))
            .spawn()
            .unwrap();
        let ready = first_line(child.stdout.take().unwrap());
        let ready: Value = serde_json::from_str(&ready).unwrap_or_else(|_| {
            let _ = child.kill();
            panic!("'steadfast up' said {ready:?}\n{}", self.read_log("server.log"))
        });
        let address = |key: &str| ready[key].as_str().unwrap().split("//").nth(1).unwrap().to_owned();
        self.ports = Some((address("server"), address("page")));
        self.server = Some(child);
        ready
    }

    /// Starts `steadfast server` on the addresses and the data of the last `up`, with `settings` in its configuration.
    pub fn serve(&mut self, settings: &str) {
        let (listen, page) = self.ports.clone().unwrap();
        let config = self.path("server.toml");
        let data_dir = self.path("data");
        let text = format!(
            "data_dir = {:?}\nlisten = {listen:?}\nbrowser_listen = {page:?}\n{settings}\n",
            data_dir.to_str().unwrap()
        );
        fs::write(&config, text).unwrap();
        let child =
            self.steadfast(&["server", "--config"]).arg(config).stderr(self.log("server.log")).spawn();
        self.server = Some(child.unwrap());
    }

    /// Starts `steadfast server` on addresses of its own choice, and waits until it can be asked.
    pub fn serve_anew(&mut self) {
        let listen = "127.0.0.1:0".to_owned();
        self.ports = Some((listen.clone(), listen));
        self.serve("");
        let is_up = until(|| match finish(&mut self.steadfast(&["workspace", "list"])).code {
            0 => Ok(()),
            _ => Err(self.read_log("server.log")),
        });
        is_up.unwrap_or_else(|log| panic!("the server cannot be asked\n{log}"));
    }

    /// The links that servers printed for the first sign-in.
    pub fn sign_in_links(&self) -> Vec<String> {
        let log = self.read_log("server.log");
        log.split_whitespace().filter(|word| word.contains("/login#code=")).map(str::to_owned).collect()
    }

    /// The address of the running server, without `https://`.
    pub fn address(&self) -> &str {
        &self.ports.as_ref().unwrap().0
    }

    /// Enrols `steadfast-agent` with the running server.
    pub fn enroll_agent(&self) {
        self.enroll_agent_in("agent");
    }

    /// Enrols `steadfast-agent` with the running server; it keeps its identity in a folder of that name.
    pub fn enroll_agent_in(&self, folder: &str) {
        let token: Value = self.json(&["machine", "enroll-token", "--json"]);
        let said = finish(
            self.agent_command(&[
                "enroll",
                "--server",
                &format!("https://{}", self.ports.as_ref().unwrap().0),
                "--ca-fingerprint",
            ])
            .arg(token["caFingerprint"].as_str().unwrap())
            .args(["--name", &format!("trial-{folder}"), "--data-dir"])
            .arg(self.path(folder))
            .env("STEADFAST_ENROLL_TOKEN", token["token"].as_str().unwrap()),
        );
        assert_eq!(said.code, 0, "{}", said.stderr);
    }

    /// Starts `steadfast-agent run`.
    pub fn start_agent(&mut self) {
        let child = self
            .agent_command(&["run", "--data-dir"])
            .arg(self.path("agent"))
            .stdout(Stdio::null())
            .stderr(self.log("agent.log"))
            .spawn()
            .unwrap();
        self.agent = Some(child);
    }

    /// Starts `steadfast-agent run` with that folder in the place of the one where rpm keeps its database.
    pub fn start_agent_with_rpm(&mut self, database: &Path) {
        let agent = self.agent_command(&["run", "--data-dir"]);
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-e", "-c", "mount --bind \"$1\" /var/lib/rpm; shift; exec \"$@\"", "sh"]);
        command.arg(database).arg(agent.get_program()).args(agent.get_args()).arg(self.path("agent"));
        self.agent = Some(command.stdout(Stdio::null()).stderr(self.log("agent.log")).spawn().unwrap());
    }

    /// Starts `steadfast-agent run` without the right to read what file modes forbid.
    pub fn start_agent_that_modes_bind(&mut self) {
        self.start_agent_without("-dac_override,-dac_read_search");
    }

    /// Starts `steadfast-agent run` without the rights by which the kernel tells of all files and processes.
    pub fn start_agent_that_may_not_watch_all(&mut self) {
        self.start_agent_without("-sys_admin,-bpf,-perfmon");
    }

    fn start_agent_without(&mut self, capabilities: &str) {
        let mut agent = self.agent_command(&["run", "--data-dir"]);
        agent.arg(self.path("agent"));
        let mut command = without(&agent, capabilities);
        self.agent = Some(command.stdout(Stdio::null()).stderr(self.log("agent.log")).spawn().unwrap());
    }

    /// The command without the right to read and write what file modes forbid.
    pub fn as_modes_bind(&self, command: &Command) -> Command {
        without(command, "-dac_override,-dac_read_search")
    }

    /// What `steadfast-agent status --json` says.
    pub fn agent_status(&self) -> Value {
        let said = finish(self.agent_command(&["status", "--json", "--data-dir"]).arg(self.path("agent")));
        serde_json::from_str(&said.stdout).unwrap_or(Value::Null)
    }

    /// What `steadfast-agent` says to a person, asked by this command.
    pub fn agent_said(&self, command: &str) -> Said {
        finish(self.agent_command(&[command, "--data-dir"]).arg(self.path("agent")))
    }

    /// How much memory the agent has to itself.
    pub fn agent_memory_kib(&self) -> u64 {
        let id = self.agent.as_ref().unwrap().id();
        let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let own = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).unwrap();
        own.trim_end_matches("kB").trim().parse().unwrap()
    }

    /// Asks the agent to stop and waits until it has.
    pub fn stop_agent(&mut self) {
        stop(self.agent.take().unwrap());
    }

    /// Gives the agent no time to run until it is released.
    pub fn hold_agent(&self) {
        self.signal_agent("-STOP");
    }

    /// Lets the agent run again.
    pub fn release_agent(&self) {
        self.signal_agent("-CONT");
    }

    fn signal_agent(&self, signal: &str) {
        let id = self.agent.as_ref().unwrap().id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// Ends the agent at once, as `kill -9` does.
    pub fn kill_agent(&mut self) {
        kill(self.agent.take().unwrap());
    }

    /// Asks the server to stop and waits until it has.
    pub fn stop_server(&mut self) {
        stop(self.server.take().unwrap());
    }

    /// Ends the server at once, as `kill -9` does.
    pub fn kill_server(&mut self) {
        kill(self.server.take().unwrap());
    }

    /// Runs `steadfast` with these arguments.
    pub fn run(&self, arguments: &[&str]) -> Said {
        finish(&mut self.steadfast(arguments))
    }

    /// Runs `steadfast` until the value is dropped; its output, line by line.
    pub fn follow(&self, arguments: &[&str]) -> Followed {
        let mut follower = self.steadfast(arguments);
        let follower = follower.stdout(Stdio::piped()).stderr(self.log("follow.log"));
        let mut child = follower.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Followed { child, lines }
    }

    /// Runs `steadfast` and reads the JSON that it prints.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let said = self.run(arguments);
        assert_eq!(said.code, 0, "steadfast {arguments:?}: {}", said.stderr);
        serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}", said.stdout))
    }

    /// The rows of a query.
    pub fn query(&self, kql: &str) -> Vec<Value> {
        self.json(&["query", "-o", "json", kql]).as_array().unwrap().clone()
    }

    /// Asks until the rows satisfy the condition; fails with the last rows after a minute.
    pub fn query_until(&self, kql: &str, is_enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let rows = until(|| {
            let rows = self.query(kql);
            if is_enough(&rows) { Ok(rows) } else { Err(rows) }
        });
        rows.unwrap_or_else(|rows| {
            panic!(
                "{kql}\nstill answers {rows:#?}\nserver:\n{}\nagent:\n{}",
                self.read_log("server.log"),
                self.read_log("agent.log")
            )
        })
    }

    /// Monitors nothing but the installation's own tree, so that a scan is quick and the machine's life is no noise.
    pub fn watch_only_own_tree(&self) {
        self.watch_only("linux-file", self.watched("**").to_str().unwrap());
    }

    /// Monitors nothing but what the pattern names, by a rule of that type.
    pub fn watch_only(&self, rule_type: &str, pattern: &str) {
        for rule in self.json(&["rule", "list", "--json"]).as_array().unwrap() {
            assert_eq!(self.run(&["rule", "delete", rule["name"].as_str().unwrap()]).code, 0);
        }
        let said = self.run(&["rule", "add", "--type", rule_type, "--name", "own", "--path", pattern]);
        assert_eq!(said.code, 0, "{}", said.stderr);
    }

    /// Waits until the machine has its first baseline: a scan that ended and nothing being done.
    pub fn wait_for_baseline(&self) {
        let machines = until(|| {
            let machines = self.json(&["machine", "list", "--json"]);
            let is_idle = machines.as_array().unwrap().iter().any(|machine| machine["state"] == "idle");
            if is_idle { Ok(()) } else { Err(machines) }
        });
        machines
            .unwrap_or_else(|machines| panic!("no baseline: {machines:#}\n{}", self.read_log("agent.log")));
    }

    /// A command with this installation's profile and nothing of the caller's.
    pub fn steadfast(&self, arguments: &[&str]) -> Command {
        let mut command = program("steadfast");
        command
            .args(arguments)
            .env("STEADFAST_HOME", self.path("home"))
            .env_remove("STEADFAST_SERVER")
            .env_remove("STEADFAST_TOKEN")
            .env_remove("STEADFAST_CA")
            .env_remove("STEADFAST_WORKSPACE");
        command
    }

    pub fn agent_command(&self, arguments: &[&str]) -> Command {
        let mut command = program("steadfast-agent");
        command.args(arguments).env_remove("STEADFAST_ENROLL_TOKEN");
        command
    }

    fn log(&self, name: &str) -> Stdio {
        fs::OpenOptions::new().create(true).append(true).open(self.path(name)).unwrap().into()
    }

    pub fn read_log(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_default()
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        for child in [self.agent.take(), self.server.take()].into_iter().flatten() {
            kill(child);
        }
    }
}

/// Tries every tenth of a second until it succeeds, for a minute at most; the last failure.
pub fn until<T, E>(mut attempt: impl FnMut() -> Result<T, E>) -> Result<T, E> {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) if Instant::now() >= deadline => return Err(failure),
            Err(_) => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// The command without these capabilities. Root may all by them; other users have none to lose.
fn without(command: &Command, capabilities: &str) -> Command {
    let is_root = fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0);
    let mut bound = if is_root {
        let mut bound = Command::new("setpriv");
        bound.arg(format!("--bounding-set={capabilities}")).arg(command.get_program());
        bound
    } else {
        Command::new(command.get_program())
    };
    bound.args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bound.env(name, value),
            None => bound.env_remove(name),
        };
    }
    bound
}

/// Runs a command to its end.
pub fn finish(command: &mut Command) -> Said {
    let Output { status, stdout, stderr } = command.output().unwrap();
    Said {
        code: status.code().unwrap_or(-1),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

/// One of our programs: from `STEADFAST_BIN`, where the tests of CI put what users run, else beside this test.
fn program(name: &str) -> Command {
    let folder = std::env::var_os("STEADFAST_BIN").map_or_else(
        || Path::new(env!("CARGO_BIN_EXE_steadfast")).parent().unwrap().to_owned(),
        PathBuf::from,
    );
    let path = folder.join(name);
    assert!(path.exists(), "{} is missing: run 'make build', or 'cargo build -p fim-agent'", path.display());
    Command::new(path)
}

fn first_line(stdout: ChildStdout) -> String {
    let mut reader = BufReader::new(stdout);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    // The rest is read by nobody; a thread keeps the pipe open so that the program is not told that it closed.
    std::thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    line
}

fn stop(mut child: Child) {
    let said = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(said.success());
    let status = child.wait().unwrap();
    assert!(status.success(), "stopped with {status}");
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}
