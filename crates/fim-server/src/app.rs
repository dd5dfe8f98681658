//! What every handler works with.

use std::sync::{Arc, Mutex};

use arrow::array::RecordBatch;
use fim_core::Timestamp;
use fim_store::{IngestError, Origin, Store};
use tokio::sync::watch;
use uuid::Uuid;

use crate::clock::Clock;
use crate::config::ServerConfig;
use crate::connection::ConnectionPlaces;
use crate::content::Contents;
use crate::control::{Control, MachineRecord, WorkspaceRecord};
use crate::health::Figures;
use crate::ingest::feed::Feeds;
use crate::ingest::places::{BatchPlaces, DecodedBytes};
use crate::ingest::provider::Providers;
use crate::ingest::rows::Rows;
use crate::ingest::settings::LatestSettings;
use crate::ingest::usage::Caps;
use crate::ingest::waits::SettingsWaits;
use crate::metrics::Metrics;
use crate::passwords::Passwords;
use crate::pki::{Authority, ServerTls};
use crate::problem::{Kind, Problem};
use crate::queries::Queries;
use crate::shares::Shares;
use crate::throttle::SignIns;

/// What every handler works with.
pub type AppState = Arc<App>;

/// The server's parts.
pub struct App {
    /// What it was started with.
    pub config: ServerConfig,
    /// The time.
    pub clock: Clock,
    /// Workspaces, rules, machines, users.
    pub control: Control,
    /// The records.
    pub store: Arc<Store>,
    /// The text of files before and after changes.
    pub contents: Contents,
    /// Answers to KQL.
    pub queries: Queries,
    /// Who signs agents' certificates.
    pub authority: Authority,
    /// What connections are accepted with.
    pub tls: ServerTls,
    /// Changes as they arrive.
    pub feeds: Feeds,
    /// Workspaces that have reached their daily cap.
    pub caps: Caps,
    /// What watches on each machine.
    pub providers: Providers,
    /// Counters.
    pub metrics: Metrics,
    /// Figures for `/metrics`.
    pub figures: Figures,
    /// Password hashing.
    pub passwords: Passwords,
    /// Who may try to sign in now.
    pub sign_ins: Mutex<SignIns>,
    /// Places for batches that are being received and stored.
    pub batch_places: BatchPlaces,
    /// What those batches may take after decompression.
    pub decoded_bytes: DecodedBytes,
    /// Places for calls of programs whose records are being received and stored.
    pub ingestion_places: Shares,
    /// Places for connections.
    pub connection_places: Arc<ConnectionPlaces>,
    /// Agents that wait for new settings.
    pub settings_waits: SettingsWaits,
    /// The settings as those who waited are told them.
    pub latest_settings: LatestSettings,
    /// Places for live streams.
    pub stream_places: Shares,
    /// When this server started.
    pub started: Timestamp,
    /// When it was not running before that.
    pub downtime: Option<Downtime>,
    /// How other machines reach it.
    pub public_url: String,
    /// Where the page is without TLS, for a browser on this machine: `http://ADDRESS`.
    pub local_page: Option<String>,
    /// True once the server is to stop.
    pub stop: watch::Receiver<bool>,
}

/// A stretch in which the server was not running.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Downtime {
    /// When it was last alive.
    pub from: Timestamp,
    /// When it started again.
    pub until: Timestamp,
}

impl App {
    /// The workspace that a machine joined.
    pub async fn workspace_of(&self, machine: &MachineRecord) -> Result<WorkspaceRecord, Problem> {
        self.control
            .workspace(&machine.workspace.to_string())
            .await
            .map_err(|error| Problem::internal("reading the workspace", &error))?
            .ok_or_else(|| Problem::not_found("workspace", &machine.workspace.to_string()))
    }

    /// No rows yet, for this workspace.
    pub fn rows(&self, workspace: Uuid) -> Result<Rows, Problem> {
        Rows::new(workspace).map_err(|error| Problem::internal("preparing rows", &error))
    }

    /// Stores rows; when this returns they are durable. False if the origin's rows had been stored before.
    pub async fn store_rows(
        &self,
        workspace: Uuid,
        rows: Rows,
        origin: Option<Origin>,
    ) -> Result<bool, Problem> {
        let rows = rows.finish().map_err(|error| Problem::internal("making rows", &error))?;
        self.store_tables(workspace, rows, origin).await
    }

    /// Stores rows that are built, as [`Self::store_rows`] does.
    pub async fn store_tables(
        &self,
        workspace: Uuid,
        rows: Vec<(&'static str, RecordBatch)>,
        origin: Option<Origin>,
    ) -> Result<bool, Problem> {
        let done = match origin {
            Some(origin) => {
                self.store.ingest(workspace, rows, origin).await.map(|accepted| !accepted.duplicate)
            }
            None => self.store.ingest_own(workspace, rows).await.map(|()| true),
        };
        done.map_err(|error| ingest_problem(&error))
    }
}

fn ingest_problem(error: &IngestError) -> Problem {
    match error {
        IngestError::Busy { retry_after } => {
            Problem::new(Kind::TooManyRequests, error.to_string()).retry_after(retry_after.as_secs())
        }
        IngestError::Closed => Problem::new(Kind::Unavailable, "the server is stopping").retry_after(5),
        IngestError::TooLarge { .. } => Problem::new(Kind::TooLarge, error.to_string()),
        IngestError::NotDurable { .. } => {
            tracing::error!(%error, "rows could not be stored");
            Problem::new(Kind::Unavailable, "the rows could not be made durable; see the server's log")
                .retry_after(30)
        }
        IngestError::WorkspaceDropped { .. } => Problem::new(Kind::NotFound, error.to_string()),
        IngestError::UnknownTable { .. } | IngestError::Schema(_) | IngestError::Encode(_) => {
            Problem::internal("storing rows", error)
        }
    }
}

/// Waits until the server is to stop.
pub async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that whoever could say so is gone, which is a reason to stop as well.
    let _ = stop.wait_for(|stopped| *stopped).await;
}
