//! A server of the test's own: loopback, free ports, a new directory, a clock that the test moves.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fim_core::Timestamp;
use fim_server::{Clock, Limits, RunningServer, Server, ServerConfig};
use sqlx::{AssertSqlSafe, Connection as _, Row as _, SqliteConnection};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::client::Client;

/// A server with what belongs to it.
pub struct Running {
    runtime: Runtime,
    server: Option<RunningServer>,
    config: ServerConfig,
    pub clock: Clock,
    pub folder: TempDir,
}

impl Running {
    /// Starts one in a new directory.
    pub fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// Starts one in a new directory, with some settings of its own.
    pub fn start_with(set: impl FnOnce(&mut ServerConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Callers judge the server's certificate by the real time, so the clock starts with it.
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let clock = Clock::manual(Timestamp(i64::try_from(since_epoch.as_nanos()).unwrap()));
        let mut config = ServerConfig {
            data_dir: folder.path().join("data"),
            listen: "127.0.0.1:0".parse().unwrap(),
            browser_listen: Some("127.0.0.1:0".parse().unwrap()),
            clock: clock.clone(),
            limits: Limits {
                batch_bytes: 1 << 20,
                batch_decoded_bytes: 2 << 20,
                json_bytes: 64 << 10,
                ..Limits::default()
            },
            ..ServerConfig::default()
        };
        set(&mut config);
        let runtime = runtime();
        let server = runtime.block_on(Server::start(config.clone())).unwrap();
        Self { runtime, server: Some(server), config, clock, folder }
    }

    /// Stops it and starts it again on the same directory.
    pub fn restart(&mut self) {
        self.stop();
        self.server = Some(self.runtime.block_on(Server::start(self.config.clone())).unwrap());
    }

    /// Ends it as a kill would, with nothing flushed, lets `damage` happen to its directory, and starts it again.
    pub fn kill_and_start(&mut self, damage: impl FnOnce(&Path)) {
        drop(self.server.take());
        // With its runtime every task goes, and with the tasks all that holds the store.
        std::mem::replace(&mut self.runtime, runtime()).shutdown_timeout(PATIENCE);
        damage(&self.folder.path().join("data"));
        self.server = Some(self.runtime.block_on(Server::start(self.config.clone())).unwrap());
    }

    /// Stops it.
    pub fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            self.runtime.block_on(server.stop()).unwrap();
        }
    }

    pub fn server(&self) -> &RunningServer {
        self.server.as_ref().unwrap()
    }

    pub fn url(&self) -> String {
        format!("https://{}", self.server().address())
    }

    pub fn browser_url(&self) -> String {
        format!("http://{}", self.server().browser_address().unwrap())
    }

    pub fn owner_token(&self) -> String {
        self.runtime.block_on(self.server().issue_owner_token()).unwrap()
    }

    pub fn sign_in_code(&self) -> String {
        let link = self.runtime.block_on(self.server().issue_sign_in_link()).unwrap();
        link.path.strip_prefix("/login#code=").unwrap().to_owned()
    }

    /// Does something to the control database behind the server's back.
    pub fn tamper(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut control = self.control().await;
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut control).await.unwrap();
        });
    }

    /// The number that the control database answers with.
    pub fn number(&self, sql: &str) -> i64 {
        self.runtime.block_on(async {
            let mut control = self.control().await;
            sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut control).await.unwrap().get(0)
        })
    }

    /// Keeps everybody from writing to the control database until what is returned is dropped.
    pub fn locked_control(&self) -> SqliteConnection {
        self.runtime.block_on(async {
            let mut control = self.control().await;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut control).await.unwrap();
            control
        })
    }

    async fn control(&self) -> SqliteConnection {
        let path = self.folder.path().join("data/control.sqlite");
        SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.unwrap()
    }

    pub fn enrollment_token(&self) -> String {
        self.runtime.block_on(self.server().issue_enrollment_token("default")).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.stop();
        }
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().worker_threads(2).build().unwrap()
}

#[test]
fn a_second_server_is_told_what_is_in_the_way() {
    let first = Running::start();
    let start =
        |config: ServerConfig| first.runtime.block_on(Server::start(config)).err().unwrap().to_string();

    let mut same_port = first.config.clone();
    same_port.data_dir = first.folder.path().join("other");
    same_port.listen = first.server().address();
    let message = start(same_port.clone());
    assert!(message.contains("is in use by another program"), "{message}");
    assert!(message.ends_with("choose another port with `listen` in the configuration"), "{message}");
    same_port.listen = "127.0.0.1:0".parse().unwrap();
    same_port.browser_listen = first.server().browser_address();
    same_port.names_of_options.browser_listen = "--page";
    let message = start(same_port);
    assert!(message.ends_with("choose another port with --page"), "{message}");

    let same_directory = first.config.clone();
    let message = start(same_directory);
    assert!(message.contains("another server uses the data directory"), "{message}");
}

#[test]
fn secrets_are_their_owner_s_alone() {
    use std::os::unix::fs::PermissionsExt;
    let server = Running::start();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = server.folder.path().join("data");
    assert_eq!(mode(&data), 0o700);
    for secret in ["pki/ca.key", "pki/server.key", "control.sqlite", "format"] {
        assert_eq!(mode(&data.join(secret)), 0o600, "{secret}");
    }
}

/// How long a test waits for what must happen without its doing.
pub const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn nothing_in_the_data_directory_can_be_read_by_others() {
    use std::os::unix::fs::PermissionsExt as _;

    let running = Running::start();
    let (mut client, machine) = crate::machine::joined(&running, "web01");
    crate::machine::send(&running, &mut client, &machine, &crate::machine::added(1, &["/etc/a"]));
    let mut owner =
        Client::new(&running.url(), running.server().ca_pem(), None).with_token(&running.owner_token());
    let query = r#"{"query":"ConfigurationChange | sort by TimeGenerated"}"#.as_bytes().to_vec();
    let json = [("content-type".to_owned(), "application/json".to_owned())];
    let answer = owner.call("POST", "/api/v1/workspaces/default/query", &json, Some(query)).unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text);
    let mut left = vec![running.folder.path().join("data")];
    let mut seen = 0;
    while let Some(path) = left.pop() {
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        let mode = metadata.permissions().mode() & 0o777;
        assert_eq!(mode & 0o077, 0, "{} has the mode {mode:o}", path.display());
        seen += 1;
        if metadata.is_dir() {
            left.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    assert!(seen > 10, "{seen}");
}
