//! Starting the server and stopping it.

mod tasks;

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Extension, Json, Router, middleware, routing};
use fim_core::Timestamp;
use fim_store::{FlushError, OpenStoreError, Store, StoreOptions};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tower_http::timeout::RequestBodyTimeoutLayer;
use uuid::Uuid;

use self::tasks::Tasks;
use crate::app::{App, AppState, Downtime, stopped};
use crate::authz::{Grant, Role, Scope};
use crate::config::{Limits, ServerConfig};
use crate::connection::{ConnectionPlaces, Transport, serve};
use crate::control::{AddWorkspaceError, By, Control, ControlError, OpenControlError, digest_of};
use crate::data_dir::{DataDir, OpenDataDirError, private_folder};
use crate::ingest::places::{BatchPlaces, DecodedBytes};
use crate::ingest::settings::LatestSettings;
use crate::ingest::usage::{self, Caps};
use crate::ingest::waits::{SettingsWaits, open_files};
use crate::ingest::{agent, feed::Feeds, losses, provider::Providers, silence};
use crate::metrics::Metrics;
use crate::passwords::{PasswordError, Passwords};
use crate::pki::{Authority, MakeTlsError, OpenAuthorityError, ServerTls};
use crate::problem::body_limit;
use crate::queries::Queries;
use crate::shares::{Shares, SharesOf};
use crate::throttle::SignIns;
use crate::{api, auth, content, edge, health, web};

/// The server.
#[derive(Debug)]
pub struct Server;

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration makes no sense.
    #[error("the configuration is wrong: {0}")]
    Config(String),
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] OpenDataDirError),
    /// The control database cannot be used.
    #[error(transparent)]
    OpenControl(#[from] OpenControlError),
    /// The control database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// The records cannot be used.
    #[error("cannot open the records in {path}")]
    Store {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: OpenStoreError,
    },
    /// The certificate authority cannot be used.
    #[error("cannot open the certificate authority")]
    Authority(#[from] OpenAuthorityError),
    /// TLS cannot be spoken.
    #[error(transparent)]
    Tls(#[from] MakeTlsError),
    /// The query engine did not start.
    #[error(transparent)]
    Queries(#[from] fim_query::StartEngineError),
    /// A folder cannot be made.
    #[error("cannot create {path}")]
    CreateFolder {
        /// The folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The address is taken.
    #[error("{address} is in use by another program; stop that one, or choose another port with {option}")]
    PortInUse {
        /// The address.
        address: SocketAddr,
        /// What sets it.
        option: &'static str,
    },
    /// The address cannot be had.
    #[error("cannot listen on {address}; choose another address with {option}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What sets it.
        option: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// The text of files cannot be kept.
    #[error(transparent)]
    Contents(#[from] content::OpenContentsError),
    /// The records of a deleted workspace could not be removed.
    #[error("cannot remove the records of a workspace that was deleted")]
    DropRows(#[from] api::DropRowsError),
    /// Passwords cannot be hashed.
    #[error(transparent)]
    Passwords(#[from] PasswordError),
    /// The first start could not be completed.
    #[error("cannot set up the new data directory: {0}")]
    Bootstrap(String),
    /// A worker died.
    #[error("a worker stopped while the server was starting")]
    Worker(#[from] tokio::task::JoinError),
}

/// Why a server did not stop cleanly. Nothing that was acknowledged is lost: it is in the ingest log.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// The last rows could not be moved to data files.
    #[error("the last rows could not be moved to data files; the next start reads them from the ingest log")]
    Flush(#[from] FlushError),
    /// A worker died.
    #[error("a worker stopped while the server was stopping")]
    Worker(#[from] tokio::task::JoinError),
}

/// Why a server that runs does not do its work any more. Only a fault of its own leads to that, of which its log has more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ServerFailure {
    /// A part of it has ended.
    #[error("the server's {0} has ended by a fault; its log says more, and a new start sets it right")]
    Ended(&'static str),
    /// The store takes no rows any more.
    #[error(
        "a thread of the server's store has ended by a fault; its log says more, and a new start sets it right"
    )]
    Store,
}

/// Why a running server could not make what was asked for.
#[derive(Debug, thiserror::Error)]
pub enum MakeSecretError {
    /// The database failed.
    #[error(transparent)]
    Control(#[from] ControlError),
    /// There is no such workspace.
    #[error("there is no workspace \"{0}\"")]
    NoWorkspace(String),
    /// It could not be kept.
    #[error("{0}")]
    Refused(String),
}

/// Where a server listens.
#[derive(Clone, Copy, Debug)]
struct Addresses {
    tls: SocketAddr,
    browser: Option<SocketAddr>,
}

/// A server that runs until it is stopped.
pub struct RunningServer {
    app: AppState,
    addresses: Addresses,
    stop: watch::Sender<bool>,
    tasks: Tasks,
    /// Held until the end, so that nobody else uses the directory.
    _data_dir: DataDir,
}

impl Server {
    /// Starts a server: opens or makes its data directory, listens, and at the first start makes the workspace
    /// `default` with monitoring on and the user `admin`, who has no password until one is set.
    pub async fn start(config: ServerConfig) -> Result<RunningServer, StartError> {
        if let Some(fault) = config.fault() {
            return Err(StartError::Config(fault));
        }
        let started = config.clock.now();
        let data_dir = DataDir::open(&config.data_dir, config.names_of_options.data_dir)?;
        let parts = Parts::open(&config, data_dir.path(), started).await?;
        // Before anything is made that a start which cannot listen would leave behind.
        let listeners = Listeners::bind(&config).await?;
        bootstrap(&parts.control, started).await?;
        parts.control.end_plain_sessions().await?;
        finish_deletions(&parts.control, &parts.store).await?;
        if let Some(seconds) = config.scan_interval_seconds {
            parts.control.set_scan_interval(seconds, By { actor: "configuration", at: started }).await?;
        }
        let last_alive = parts.control.state(silence::LAST_ALIVE).await?;
        let last_alive = last_alive.and_then(|text| text.parse().ok()).map(Timestamp);
        let downtime = last_alive.map(|from| Downtime { from, until: started });
        let (stop, stopping) = watch::channel(false);
        let addresses = listeners.addresses(&config);
        let app = Arc::new(parts.into_app(config, started, downtime, addresses, stopping.clone()));
        usage::tell_retention(&app).await.map_err(|problem| StartError::Bootstrap(problem.detail))?;
        let tasks = run(&app, listeners, &stopping);
        tracing::info!(tls = %addresses.tls, browser = ?addresses.browser, "the server listens");
        Ok(RunningServer { app, addresses, stop, tasks, _data_dir: data_dir })
    }
}

/// What is opened before the server listens.
struct Parts {
    control: Control,
    store: Arc<Store>,
    contents: content::Contents,
    authority: Authority,
    tls: ServerTls,
    queries: Queries,
    passwords: Passwords,
}

impl Parts {
    async fn open(config: &ServerConfig, folder: &Path, now: Timestamp) -> Result<Self, StartError> {
        let control = Control::open(&folder.join("control.sqlite")).await?;
        let store = Arc::new(open_store(folder.join("store"), store_options(config)).await?);
        let contents = content::Contents::open(folder, &config.content).await?;
        let authority = Authority::open(&folder.join("pki"), now)?;
        let tls = ServerTls::new(&authority, config, &config.clock)?;
        let spill = folder.join("spill");
        private_folder(&spill).map_err(|source| StartError::CreateFolder { path: spill.clone(), source })?;
        let queries = Queries::start(Arc::clone(&store), &config.limits, &spill)?;
        let passwords = tokio::task::spawn_blocking(Passwords::new).await??;
        Ok(Self { control, store, contents, authority, tls, queries, passwords })
    }

    fn into_app(
        self,
        config: ServerConfig,
        started: Timestamp,
        downtime: Option<Downtime>,
        addresses: Addresses,
        stop: watch::Receiver<bool>,
    ) -> App {
        let Self { control, store, contents, authority, tls, queries, passwords } = self;
        App {
            clock: config.clock.clone(),
            control,
            contents,
            queries,
            authority,
            tls,
            feeds: Feeds::default(),
            caps: Caps::default(),
            providers: Providers::default(),
            metrics: Metrics::default(),
            passwords,
            figures: health::Figures::default(),
            sign_ins: Mutex::new(SignIns::new()),
            batch_places: BatchPlaces::new(config.limits.batches_at_once),
            decoded_bytes: DecodedBytes::new(config.limits.batches_decoded_bytes),
            ingestion_places: Shares::new(ingestion_shares(&config.limits)),
            connection_places: Arc::new(ConnectionPlaces::new(config.limits.connections)),
            settings_waits: SettingsWaits::within(&config.limits, open_files()),
            latest_settings: LatestSettings::default(),
            stream_places: Shares::new(stream_shares(&config.limits)),
            started,
            downtime,
            stop,
            public_url: public_url(&config, addresses.tls),
            local_page: addresses.browser.map(|address| format!("http://{address}")),
            store,
            config,
        }
    }
}

/// What the server accepts connections from.
struct Listeners {
    tls: TcpListener,
    browser: Option<TcpListener>,
}

impl Listeners {
    async fn bind(config: &ServerConfig) -> Result<Self, StartError> {
        let names = config.names_of_options;
        let tls = listen(config.listen, names.listen).await?;
        let browser = match config.browser_listen {
            Some(address) => Some(listen(address, names.browser_listen).await?),
            None => None,
        };
        Ok(Self { tls, browser })
    }

    /// Where they listen; the system has chosen the port where 0 was asked for.
    fn addresses(&self, config: &ServerConfig) -> Addresses {
        let local = |listener: &TcpListener, asked| listener.local_addr().unwrap_or(asked);
        let browser = self.browser.as_ref().zip(config.browser_listen);
        Addresses {
            tls: local(&self.tls, config.listen),
            browser: browser.map(|(listener, asked)| local(listener, asked)),
        }
    }
}

impl RunningServer {
    /// Where it listens with TLS.
    pub fn address(&self) -> SocketAddr {
        self.addresses.tls
    }

    /// Where it serves the page over plain HTTP to a browser on the same machine.
    pub fn browser_address(&self) -> Option<SocketAddr> {
        self.addresses.browser
    }

    /// How other machines reach it: `https://NAME:PORT`.
    pub fn public_url(&self) -> &str {
        &self.app.public_url
    }

    /// The SHA-256 of the certificate that callers are to trust, in lower-case hex: what agents pin.
    pub fn ca_fingerprint(&self) -> &str {
        self.app.tls.fingerprint()
    }

    /// The certificate by which the server is to be trusted, as PEM: its own CA's, or the configured root.
    pub fn ca_pem(&self) -> &str {
        self.app.tls.trust_pem()
    }

    /// True if the API token is good and may do everything.
    pub async fn accepts_token(&self, token: &str) -> bool {
        let found = self.app.control.token(digest_of(token), self.app.clock.now()).await;
        found.ok().flatten().is_some_and(|record| record.grant == OWNER_OF_ALL)
    }

    /// A new API token that may do everything.
    pub async fn issue_owner_token(&self) -> Result<String, MakeSecretError> {
        let by = By { actor: HERE, at: self.app.clock.now() };
        let taken = self.app.control.tokens().await.map_err(MakeSecretError::Control)?;
        let name =
            first_free("local", |name| taken.iter().any(|token| token.name.eq_ignore_ascii_case(name)));
        let token = api::make_token(&self.app, &name, OWNER_OF_ALL, None, by).await;
        token.map(|token| token.token).map_err(|problem| MakeSecretError::Refused(problem.detail))
    }

    /// A link by which `admin` signs in once, within ten minutes.
    pub async fn issue_sign_in_link(&self) -> Result<api::SignInLink, MakeSecretError> {
        let by = By { actor: HERE, at: self.app.clock.now() };
        let link = api::make_sign_in_link(&self.app, by).await;
        link.map_err(|problem| MakeSecretError::Refused(problem.detail))
    }

    /// True while nobody can sign in by a password: `admin` has none, and there is nobody else at first.
    pub async fn awaits_first_sign_in(&self) -> Result<bool, MakeSecretError> {
        let admin = self.app.control.user(api::ADMIN).await?;
        Ok(admin.is_none_or(|admin| admin.password_hash.is_none()))
    }

    /// A token that one machine can join a workspace (by id or name) with, within an hour.
    pub async fn issue_enrollment_token(&self, workspace: &str) -> Result<String, MakeSecretError> {
        let record = self.app.control.workspace(workspace).await?;
        let record = record.ok_or_else(|| MakeSecretError::NoWorkspace(workspace.to_owned()))?;
        let by = By { actor: HERE, at: self.app.clock.now() };
        let token = api::make_enrollment_token(&self.app, &record, None, 3600, by).await;
        token.map(|token| token.token).map_err(|problem| MakeSecretError::Refused(problem.detail))
    }

    /// Why it does not do all of its work any more, though nobody has told it to stop; `None` while it does. Whoever runs
    /// it asks now and then, so that a server that is dead does not look alive.
    pub fn failure(&self) -> Option<ServerFailure> {
        if *self.app.stop.borrow() {
            return None;
        }
        let store = (!self.app.store.is_working()).then_some(ServerFailure::Store);
        store.or_else(|| self.tasks.ended().map(ServerFailure::Ended))
    }

    /// Stops: no more connections, open ones finish for a while, every row goes to data files.
    pub async fn stop(self) -> Result<(), StopError> {
        self.stop.send_replace(true);
        // Of a task that died it is told when all else is done: the rows are safe before that.
        let ended = self.tasks.join().await;
        // What is taken in is taken in to the end though its sender has hung up.
        self.app.batch_places.drained().await;
        self.app.ingestion_places.drained().await;
        let now = self.app.clock.now();
        if let Err(error) = self.app.control.set_state(silence::LAST_ALIVE, &now.0.to_string()).await {
            tracing::warn!(%error, "cannot keep when the server stopped");
        }
        let store = Arc::clone(&self.app.store);
        let closed = tokio::task::spawn_blocking(move || store.close()).await?;
        self.app.contents.close().await;
        self.app.control.close().await;
        tracing::info!("the server has stopped");
        closed?;
        Ok(ended?)
    }
}

/// The routes of one listener. Agents are served by TLS alone.
fn router(app: &AppState, transport: Transport) -> Router {
    let api::Api { router, document } = api::api();
    let describe = routing::get(move || async move { Json(document) });
    let mut router = router
        .route("/api/v1/openapi.json", describe)
        .route("/healthz", routing::get(health::live))
        .route("/readyz", routing::get(health::ready))
        .route("/metrics", routing::get(health::metrics));
    match transport {
        Transport::Tls => router = router.nest("/agent/v1", agent::routes(app)),
        Transport::Loopback => {}
    }
    router
        .fallback(web::page)
        .layer(body_limit(app.config.limits.json_bytes))
        .layer(RequestBodyTimeoutLayer::new(Duration::from_secs(app.config.limits.body_seconds)))
        .layer(middleware::from_fn(auth::check_host))
        .layer(middleware::from_fn(edge::edge))
        .layer(Extension(AppState::clone(app)))
        .with_state(AppState::clone(app))
}

fn run(app: &AppState, listeners: Listeners, stopping: &watch::Receiver<bool>) -> Tasks {
    let serve = |listener, transport| {
        let router = router(app, transport);
        serve(AppState::clone(app), listener, router, transport, stopping.clone())
    };
    let mut tasks = Tasks::default();
    tasks.spawn("listener", serve(listeners.tls, Transport::Tls));
    if let Some(listener) = listeners.browser {
        tasks.spawn("listener for browsers", serve(listener, Transport::Loopback));
    }
    let losses = losses::tell(AppState::clone(app), stopping.clone());
    let mut stop = stopping.clone();
    tasks.spawn("telling of lost records", async move {
        losses.await;
        stopped(&mut stop).await;
    });
    tasks.spawn("look for silent agents", silence::watch(AppState::clone(app), stopping.clone()));
    tasks.spawn("sweep of texts", content::watch(AppState::clone(app), stopping.clone()));
    tasks.spawn("look at the meters", usage::watch(AppState::clone(app), stopping.clone()));
    tasks.spawn("renewal of its certificate", renew_certificate(AppState::clone(app), stopping.clone()));
    tasks
}

/// Makes the server's own certificate anew before it ends.
async fn renew_certificate(app: AppState, mut stop: watch::Receiver<bool>) {
    let mut tick = tokio::time::interval(RENEWAL_CHECK);
    loop {
        tokio::select! {
            _ = tick.tick() => {}
            () = stopped(&mut stop) => return,
        }
        if let Err(error) = app.tls.renew(&app.authority, app.clock.now()) {
            tracing::error!(error = %fim_core::error_chain(&error), "cannot renew the server's certificate; will try again");
        }
    }
}

/// The streams of one workspace leave as many to the others.
fn stream_shares(limits: &Limits) -> SharesOf {
    SharesOf {
        all: limits.streams,
        caller: limits.streams_of_a_caller,
        workspace: limits.streams.div_ceil(2),
    }
}

/// The calls of one workspace leave as many to the others, and those of one caller leave as many to his workspace's.
fn ingestion_shares(limits: &Limits) -> SharesOf {
    let all = limits.ingestions_at_once;
    SharesOf { all, caller: all.div_ceil(4), workspace: all.div_ceil(2) }
}

/// How the store behaves; it has the time from the server's clock.
fn store_options(config: &ServerConfig) -> StoreOptions {
    let clock = config.clock.clone();
    StoreOptions { clock: fim_store::Clock::new(move || clock.now()), ..config.store.options() }
}

async fn open_store(path: PathBuf, options: StoreOptions) -> Result<Store, StartError> {
    let opened = tokio::task::spawn_blocking({
        let path = path.clone();
        move || Store::open(&path, options)
    });
    opened.await?.map_err(|source| StartError::Store { path, source })
}

async fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { address, option },
        _ => StartError::Listen { address, option, source },
    })
}

/// Makes what a new data directory needs. Each step may have been done by a start that was cut short.
async fn bootstrap(control: &Control, now: Timestamp) -> Result<(), StartError> {
    if control.state(BOOTSTRAPPED).await?.is_some() {
        return Ok(());
    }
    let by = By { actor: "first start", at: now };
    let workspace = match control.workspace(DEFAULT_WORKSPACE).await? {
        Some(workspace) => workspace,
        None => match control.add_workspace(DEFAULT_WORKSPACE, "local", "Local", by).await {
            Ok(workspace) => workspace,
            Err(AddWorkspaceError::Control(error)) => return Err(error.into()),
            Err(error @ AddWorkspaceError::NameTaken(_)) => {
                return Err(StartError::Bootstrap(error.to_string()));
            }
        },
    };
    let all = api::EnableFim::but(&[]);
    control.enable_fim(workspace.id, &api::recommended(), &all, by).await?;
    control.ensure_owner(api::ADMIN, by).await?;
    control.set_state(BOOTSTRAPPED, "1").await?;
    Ok(())
}

/// Removes the rows of workspaces that were deleted when the server ended, and tells of rows that belong to none: those
/// stay, since the database may be an older copy that was put back.
async fn finish_deletions(control: &Control, store: &Arc<Store>) -> Result<(), StartError> {
    for deleted in control.owed_deletions().await? {
        api::drop_rows(control, store, deleted).await?;
    }
    let known: HashSet<Uuid> = control.workspaces().await?.iter().map(|workspace| workspace.id).collect();
    for workspace in store.workspaces().into_iter().filter(|workspace| !known.contains(workspace)) {
        tracing::warn!(%workspace, "there are records of a workspace that the control database does not know");
    }
    Ok(())
}

/// The name, or the first of `name-2`, `name-3` and so on that is not taken.
fn first_free(name: &str, is_taken: impl Fn(&str) -> bool) -> String {
    let mut free = name.to_owned();
    let mut number = 1;
    while is_taken(&free) {
        number += 1;
        free = format!("{name}-{number}");
    }
    free
}

/// How other machines reach the server, as far as it can know.
fn public_url(config: &ServerConfig, tls: SocketAddr) -> String {
    match config.names.first() {
        Some(name) => format!("https://{name}:{}", tls.port()),
        None if tls.ip().is_unspecified() => {
            let host = crate::pki::host_name().unwrap_or_else(|| "localhost".to_owned());
            format!("https://{host}:{}", tls.port())
        }
        None => format!("https://{tls}"),
    }
}

const DEFAULT_WORKSPACE: &str = "default";
/// Whose doing it is when the program that runs the server asks for a secret.
const HERE: &str = "this machine";
const OWNER_OF_ALL: Grant = Grant { role: Role::Owner, scope: Scope::Tenant };
const BOOTSTRAPPED: &str = "bootstrapped";
const RENEWAL_CHECK: Duration = Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use axum::extract::State;

    use super::*;

    async fn running() -> (tempfile::TempDir, RunningServer) {
        let folder = tempfile::tempdir().unwrap();
        let config = ServerConfig {
            data_dir: folder.path().join("data"),
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            ..ServerConfig::default()
        };
        (folder, Server::start(config).await.unwrap())
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_part_of_the_server_that_dies_is_told_and_the_stop_still_keeps_every_row() {
        let (_folder, mut running) = running().await;
        assert_eq!(running.failure(), None);
        running.tasks.spawn("part", async { panic!("a test") });
        while running.failure().is_none() {
            tokio::task::yield_now().await;
        }
        assert_eq!(running.failure(), Some(ServerFailure::Ended("part")));
        let store = Arc::clone(&running.app.store);
        assert!(matches!(running.stop().await, Err(StopError::Worker(_))));
        assert!(!store.is_working(), "it was closed");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_server_whose_store_is_dead_is_not_ready() {
        let (_folder, running) = running().await;
        assert!(health::ready(State(AppState::clone(&running.app))).await.is_ok());
        let store = Arc::clone(&running.app.store);
        tokio::task::spawn_blocking(move || store.close()).await.unwrap().unwrap();
        assert_eq!(running.failure(), Some(ServerFailure::Store));
        let problem = health::ready(State(AppState::clone(&running.app))).await.unwrap_err();
        assert_eq!(problem.status, 503);
        running.stop().await.unwrap();
    }
}
