//! What a server is started with.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fim_store::StoreOptions;
use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::clock::Clock;
use crate::nearest::nearest;

/// What a server is started with. Every key may be left out.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ServerConfig {
    /// Where everything is kept; made at the first start.
    #[schema(value_type = String)]
    pub data_dir: PathBuf,
    /// The address of the one TLS port: the page, the API and the agents.
    #[schema(value_type = String)]
    #[serde(deserialize_with = "address")]
    pub listen: SocketAddr,
    /// A loopback address that also serves the page over plain HTTP, for a browser on the same machine; none if absent.
    #[schema(value_type = Option<String>)]
    #[serde(deserialize_with = "address_if_any")]
    pub browser_listen: Option<SocketAddr>,
    /// Further names and addresses that the server's own certificate is to be valid for.
    pub names: Vec<String>,
    /// Seconds between two scans, set for every workspace at start; each workspace's own (900 at first) if absent.
    pub scan_interval_seconds: Option<u64>,
    /// A certificate of yours instead of the server's own.
    pub tls: TlsConfig,
    /// How the text of files is kept.
    pub content: ContentConfig,
    /// What one caller can cost.
    pub limits: Limits,
    /// How records are kept.
    pub store: StoreConfig,
    /// What a person calls the settings; not one itself.
    #[serde(skip)]
    pub names_of_options: OptionNames,
    /// Where the time comes from; not a setting.
    #[serde(skip)]
    pub clock: Clock,
}

/// A certificate of yours instead of the server's own.
#[derive(Clone, Debug, Default, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TlsConfig {
    /// PEM file: the server's certificate, then its issuers up to and with the root, which agents are given to trust.
    #[schema(value_type = Option<String>)]
    pub certificate: Option<PathBuf>,
    /// PEM file: the certificate's private key.
    #[schema(value_type = Option<String>)]
    pub key: Option<PathBuf>,
}

/// How the text of files is kept, for rules that have it stored.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ContentConfig {
    /// The file with the key that the texts are encrypted with: 64 hexadecimal digits, readable by the server alone. If
    /// absent, the server makes one, `content.key` in the data directory. Texts whose key is lost cannot be shown.
    #[schema(value_type = Option<String>)]
    pub key_file: Option<PathBuf>,
    /// The most bytes of text that are kept of one machine.
    pub machine_bytes: u64,
    /// The most bytes of text that are kept of one workspace.
    pub workspace_bytes: u64,
}

/// How records are kept. The defaults are for use; other values are for tests and for small machines.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StoreConfig {
    /// Milliseconds after which records are moved from the ingest log to data files at the latest. Each time costs a
    /// file and a commit for every table with new records.
    pub flush_milliseconds: u64,
    /// Bytes of a segment of the ingest log; the log's space is given back by whole segments.
    pub log_segment_bytes: u64,
    /// The most bytes of the ingest log; when it is full, agents are told to come again.
    pub log_bytes: u64,
}

/// What a person calls the settings that can keep a server from starting: a key, or an option of a command.
#[derive(Clone, Copy, Debug)]
pub struct OptionNames {
    /// Of [`ServerConfig::data_dir`].
    pub data_dir: &'static str,
    /// Of [`ServerConfig::listen`].
    pub listen: &'static str,
    /// Of [`ServerConfig::browser_listen`].
    pub browser_listen: &'static str,
}

/// What one caller can cost.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at a time; further ones wait to be accepted. Callers who showed neither a
    /// machine's certificate nor credentials that were accepted have half of them at most; those of one address (an IPv4
    /// address, or a /64 of IPv6) a sixteenth, those on the server's own machine an eighth of their own. One machine or
    /// caller who did has an eighth at most. Behind a proxy, which is one address for many people, raise it.
    pub connections: usize,
    /// Agents that wait for new settings at a time, each on a connection that does not count among the others; further ones
    /// have them with their next heartbeat.
    pub waiting_agents: usize,
    /// Seconds for a TLS handshake.
    pub handshake_seconds: u64,
    /// Seconds for a request's headers to arrive, and for a connection to be idle.
    pub header_seconds: u64,
    /// Seconds between two pieces of a body.
    pub body_seconds: u64,
    /// Bytes of a JSON body.
    pub json_bytes: usize,
    /// Bytes of an agent's batch as sent.
    pub batch_bytes: usize,
    /// Bytes of an agent's batch after decompression.
    pub batch_decoded_bytes: usize,
    /// Bytes of all batches after decompression that are held at a time; what becomes of them takes several times as much.
    /// An agent that finds too few left is told to come again.
    pub batches_decoded_bytes: usize,
    /// Batches being stored at a time; an agent that finds no place is told to come again.
    pub batches_at_once: usize,
    /// Bytes of a body of the published ingestion interface as sent. After decompression it may have twice as many, since
    /// clients count their records without what stands between them.
    pub ingestion_bytes: usize,
    /// Calls of that interface that are received and stored at a time; further ones are told to come again. One caller
    /// has a quarter of them at most, and those of one workspace half.
    pub ingestions_at_once: usize,
    /// Seconds for a whole body of that interface.
    pub ingestion_seconds: u64,
    /// Rows of an answer to a query.
    pub query_rows: usize,
    /// Bytes of an answer to a query.
    pub query_bytes: usize,
    /// Seconds for a query.
    pub query_seconds: u64,
    /// Queries of callers at a time; further ones wait. One caller has half of them at most, and those of one workspace
    /// leave one to the others. The page's figures have as many places of their own.
    pub queries_at_once: usize,
    /// Seconds that a query waits for a place.
    pub query_wait_seconds: u64,
    /// Live streams at a time; those of one workspace are half of them at most.
    pub streams: usize,
    /// Live streams of one caller at a time.
    pub streams_of_a_caller: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("/var/lib/steadfast"),
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            browser_listen: None,
            names: Vec::new(),
            scan_interval_seconds: None,
            tls: TlsConfig::default(),
            content: ContentConfig::default(),
            limits: Limits::default(),
            store: StoreConfig::default(),
            names_of_options: OptionNames::default(),
            clock: Clock::system(),
        }
    }
}

impl Default for ContentConfig {
    fn default() -> Self {
        Self { key_file: None, machine_bytes: 256 << 20, workspace_bytes: 4 << 30 }
    }
}

impl Default for StoreConfig {
    fn default() -> Self {
        let options = StoreOptions::default();
        Self {
            flush_milliseconds: u64::try_from(options.flush_interval.as_millis()).unwrap_or(u64::MAX),
            log_segment_bytes: options.log.segment_bytes,
            log_bytes: options.log.max_bytes,
        }
    }
}

impl Default for OptionNames {
    fn default() -> Self {
        Self {
            data_dir: "`data_dir` in the configuration",
            listen: "`listen` in the configuration",
            browser_listen: "`browser_listen` in the configuration",
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 2048,
            waiting_agents: 2048,
            handshake_seconds: 10,
            header_seconds: 60,
            body_seconds: 30,
            json_bytes: 1 << 20,
            batch_bytes: 8 << 20,
            batch_decoded_bytes: 32 << 20,
            batches_decoded_bytes: 128 << 20,
            batches_at_once: 64,
            ingestion_bytes: 1 << 20,
            ingestions_at_once: 32,
            ingestion_seconds: 120,
            query_rows: 500_000,
            query_bytes: 64 << 20,
            query_seconds: 180,
            queries_at_once: 4,
            query_wait_seconds: 10,
            streams: 256,
            streams_of_a_caller: 16,
        }
    }
}

/// Why a configuration file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ReadConfigError {
    /// It cannot be read.
    #[error("cannot read the configuration file {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not TOML, or a value does not fit its key.
    #[error("{path} is not a configuration of this server")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: toml::de::Error,
    },
    /// A key is unknown.
    #[error("{path} has an unknown key \"{key}\"; {hint}")]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The key with its table.
        key: String,
        /// What was probably meant, or what there is.
        hint: String,
    },
    /// A value makes no sense.
    #[error("{path}: {reason}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which value, and what it should be.
        reason: String,
    },
}

impl StoreConfig {
    /// The options of the store.
    pub fn options(&self) -> StoreOptions {
        let default = StoreOptions::default();
        let mut log = default.log;
        log.segment_bytes = self.log_segment_bytes;
        log.max_bytes = self.log_bytes;
        let flush_interval = Duration::from_millis(self.flush_milliseconds);
        StoreOptions { flush_interval, log, ..default }
    }
}

impl Limits {
    /// The first key whose value is 0.
    fn first_zero(&self) -> Option<String> {
        let table = toml::Table::try_from(self).ok()?;
        table.into_iter().find_map(|(key, value)| (value.as_integer() == Some(0)).then_some(key))
    }
}

impl ServerConfig {
    /// Reads a TOML file.
    pub fn read(path: &Path) -> Result<Self, ReadConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ReadConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Reads TOML; `path` is for messages.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ReadConfigError> {
        let parse_error = |source| ReadConfigError::Parse { path: path.to_owned(), source };
        let table: toml::Table = text.parse().map_err(parse_error)?;
        if let Some((key, hint)) = unknown_key(&table) {
            return Err(ReadConfigError::UnknownKey { path: path.to_owned(), key, hint });
        }
        let config: Self = toml::from_str(text).map_err(parse_error)?;
        match config.fault() {
            Some(reason) => Err(ReadConfigError::Invalid { path: path.to_owned(), reason }),
            None => Ok(config),
        }
    }

    /// What is wrong with the values together, if anything.
    pub fn fault(&self) -> Option<String> {
        if self.tls.certificate.is_some() != self.tls.key.is_some() {
            return Some("tls.certificate and tls.key belong together; set both or neither".to_owned());
        }
        if let Some(address) = self.browser_listen
            && !address.ip().is_loopback()
        {
            return Some(format!(
                "browser_listen is {address}, but plain HTTP is for this machine's browser alone; \
                 use a loopback address such as 127.0.0.1:8080"
            ));
        }
        if let Some(key) = self.limits.first_zero() {
            return Some(format!("limits.{key} is 0, so that nothing is let through; the least is 1"));
        }
        if self.store.flush_milliseconds < LEAST_FLUSH_MILLISECONDS {
            return Some(format!(
                "store.flush_milliseconds is {}; the least is {LEAST_FLUSH_MILLISECONDS}",
                self.store.flush_milliseconds
            ));
        }
        if self.limits.batches_decoded_bytes < self.limits.batch_decoded_bytes {
            return Some(format!(
                "limits.batches_decoded_bytes is {}; the least is limits.batch_decoded_bytes, {}, so that every batch has \
                 room",
                self.limits.batches_decoded_bytes, self.limits.batch_decoded_bytes
            ));
        }
        if self.store.log_bytes < LEAST_LOG_BYTES {
            return Some(format!(
                "store.log_bytes is {}; the least is {LEAST_LOG_BYTES}, so that every batch has room",
                self.store.log_bytes
            ));
        }
        match self.scan_interval_seconds {
            Some(0) => Some("scan_interval_seconds is 0; the least is 1".to_owned()),
            Some(seconds) if seconds > MAX_SCAN_INTERVAL_SECONDS => Some(format!(
                "scan_interval_seconds is {seconds}; the most is {MAX_SCAN_INTERVAL_SECONDS} (a week)"
            )),
            Some(_) | None => None,
        }
    }
}

/// The longest time between two scans.
pub const MAX_SCAN_INTERVAL_SECONDS: u64 = 7 * 24 * 3600;
/// The shortest time between two collections of daemons, software or the inventory.
pub const SHORTEST_COLLECTION_SECONDS: u64 = 5;
/// The longest time between two of them: a year.
pub const LONGEST_COLLECTION_SECONDS: u64 = 365 * 24 * 3600;

/// Below this the server would do little else than to make files.
const LEAST_FLUSH_MILLISECONDS: u64 = 20;
/// A batch's rows may take as much.
const LEAST_LOG_BYTES: u64 = 64 << 20;

/// The first key that is not one of ours, and what was probably meant.
fn unknown_key(table: &toml::Table) -> Option<(String, String)> {
    for (key, value) in table {
        let known_here =
            KEYS.iter().find(|(section, _)| section.is_empty()).map_or(&[][..], |(_, keys)| keys);
        if !known_here.contains(&key.as_str()) {
            return Some((key.clone(), hint(key, known_here)));
        }
        let section = KEYS.iter().find(|(section, _)| section == key);
        if let (Some((_, keys)), toml::Value::Table(inner)) = (section, value)
            && let Some(unknown) = inner.keys().find(|inner| !keys.contains(&inner.as_str()))
        {
            return Some((format!("{key}.{unknown}"), hint(unknown, keys)));
        }
    }
    None
}

/// Reads an address to listen on; what is none is told with what to write.
fn address<'de, D: Deserializer<'de>>(value: D) -> Result<SocketAddr, D::Error> {
    struct Address;
    impl Visitor<'_> for Address {
        type Value = SocketAddr;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an IP address and a port in quotes; write \"127.0.0.1:8443\"")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<SocketAddr, E> {
            text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
        }
    }
    value.deserialize_str(Address)
}

fn address_if_any<'de, D: Deserializer<'de>>(value: D) -> Result<Option<SocketAddr>, D::Error> {
    address(value).map(Some)
}

fn hint(key: &str, known: &[&str]) -> String {
    match nearest(key, known.iter().copied()) {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("the keys there are {}", known.join(", ")),
    }
}

/// Every key by its table; a test holds it to what is read.
const KEYS: &[(&str, &[&str])] = &[
    (
        "",
        &[
            "data_dir",
            "listen",
            "browser_listen",
            "names",
            "scan_interval_seconds",
            "tls",
            "content",
            "limits",
            "store",
        ],
    ),
    ("tls", &["certificate", "key"]),
    ("content", &["key_file", "machine_bytes", "workspace_bytes"]),
    ("store", &["flush_milliseconds", "log_segment_bytes", "log_bytes"]),
    (
        "limits",
        &[
            "connections",
            "waiting_agents",
            "handshake_seconds",
            "header_seconds",
            "body_seconds",
            "json_bytes",
            "batch_bytes",
            "batch_decoded_bytes",
            "batches_decoded_bytes",
            "batches_at_once",
            "ingestion_bytes",
            "ingestions_at_once",
            "ingestion_seconds",
            "query_rows",
            "query_bytes",
            "query_seconds",
            "queries_at_once",
            "query_wait_seconds",
            "streams",
            "streams_of_a_caller",
        ],
    ),
];

#[cfg(test)]
mod reference;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default() {
        let config = parse("").unwrap();
        assert_eq!(config.listen, ServerConfig::default().listen);
    }

    #[test]
    fn every_key_is_read() {
        let full = r#"
            data_dir = "/srv/fim"
            listen = "0.0.0.0:9443"
            browser_listen = "127.0.0.1:8080"
            names = ["fim.example.org"]
            scan_interval_seconds = 60
            [tls]
            certificate = "/etc/fim.pem"
            key = "/etc/fim.key"
            [content]
            key_file = "/etc/fim-content.key"
            machine_bytes = 1
            workspace_bytes = 1
            [store]
            flush_milliseconds = 100
            log_segment_bytes = 65536
            log_bytes = 67108864
            [limits]
            connections = 1
            waiting_agents = 1
            handshake_seconds = 1
            header_seconds = 1
            body_seconds = 1
            json_bytes = 1
            batch_bytes = 1
            batch_decoded_bytes = 1
            batches_decoded_bytes = 1
            batches_at_once = 1
            ingestion_bytes = 1
            ingestions_at_once = 1
            ingestion_seconds = 1
            query_rows = 1
            query_bytes = 1
            query_seconds = 1
            queries_at_once = 1
            query_wait_seconds = 1
            streams = 1
            streams_of_a_caller = 1
        "#;
        let config = parse(full).unwrap();
        assert_eq!((config.limits.streams, config.store.flush_milliseconds), (1, 100));
        let table: toml::Table = full.parse().unwrap();
        for (section, keys) in KEYS {
            let there = if section.is_empty() { &table } else { table[*section].as_table().unwrap() };
            assert_eq!(keys.len(), there.len(), "[{section}]");
        }
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_one() {
        let message = |text| parse(text).unwrap_err().to_string();
        assert_eq!(
            message("lisen = 1"),
            "server.toml has an unknown key \"lisen\"; did you mean \"listen\"?"
        );
        assert_eq!(
            message("[limits]\nqueri_rows = 1"),
            "server.toml has an unknown key \"limits.queri_rows\"; did you mean \"query_rows\"?"
        );
        assert_eq!(
            message("[tls]\ncolour = 1"),
            "server.toml has an unknown key \"tls.colour\"; the keys there are certificate, key"
        );
    }

    #[test]
    fn a_store_that_could_not_work_is_refused_with_what_could() {
        let message = |text| parse(text).unwrap_err().to_string();
        assert!(message("[store]\nflush_milliseconds = 0").contains("the least is 20"));
        assert!(message("[store]\nlog_bytes = 1").contains("the least is 67108864"));
    }

    #[test]
    fn what_is_no_address_to_listen_on_is_told_with_what_to_write() {
        for text in ["listen = 5", "listen = \"5\"", "listen = \"localhost:1\"", "browser_listen = 8080"] {
            let told = fim_core::error_chain(&parse(text).unwrap_err());
            assert!(told.contains("write \"127.0.0.1:8443\"") && told.contains(text), "{told}");
        }
    }

    #[test]
    fn a_limit_that_lets_nothing_through_is_refused() {
        let limits = KEYS.iter().find(|(section, _)| *section == "limits").unwrap().1;
        for key in limits {
            let error = parse(&format!("[limits]\n{key} = 0")).unwrap_err().to_string();
            assert!(error.contains(&format!("limits.{key} is 0")), "{error}");
        }
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        let error = parse("browser_listen = \"0.0.0.0:80\"").unwrap_err();
        assert!(error.to_string().contains("loopback"), "{error}");
    }

    fn parse(text: &str) -> Result<ServerConfig, ReadConfigError> {
        ServerConfig::parse(Path::new("server.toml"), text)
    }
}
