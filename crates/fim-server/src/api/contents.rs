//! The text of a file before and after a change.

use axum::Json;
use axum::extract::{Extension, State};
use fim_core::NoText;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::model::ChangeCategory;
use crate::app::AppState;
use crate::authz::Actor;
use crate::content::{Compared, Content, Hunk, Owner, compare};
use crate::control::{By, WorkspaceRecord};
use crate::ingest::contents::digest_of_hex;
use crate::problem::{ItemName, Kind, Problem};
use crate::report::{changes, detail};

/// How the text of a file differs before and after a change. Secrets in known formats are masked in it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeContent {
    /// The change's id.
    pub id: String,
    /// The machine's name.
    pub machine: String,
    /// The file.
    pub entity: String,
    /// What there is of the text before.
    pub before: ContentState,
    /// What there is of the text after.
    pub after: ContentState,
    /// The stretches that differ; none unless there is a text, or no file, on each side.
    pub hunks: Vec<Hunk>,
    /// True if there are more than are told.
    pub is_cut: bool,
}

/// What there is of the text of a file on one side of a change.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContentState {
    /// The text.
    Text,
    /// There was no file.
    NoFile,
    /// The change does not say what the content was.
    Unknown,
    /// The agent has not sent it: no rule asked for it by then, it was not read in time, or it was let go since.
    NotReceived,
    /// The file is larger than what is stored of one.
    TooLarge,
    /// The content is no text.
    NotText,
    /// The file held something else by the time that it was read for this.
    ChangedWhileRead,
    /// The file could not be read for this.
    Unreadable,
    /// What the server keeps of a machine or a workspace was full.
    LimitReached,
    /// It was encrypted with a key that is gone, or is damaged.
    Lost,
}

/// How the text of a file differs before and after a change, for rules that have it stored. Who asks is written into the
/// audit log.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/changes/{id}/content", tag = "changes",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("id" = String, Path, description = "The change's id.")
    ),
    responses((status = 200, description = "The difference.", body = ChangeContent))
)]
pub async fn show_content(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(id): ItemName,
) -> Result<Json<ChangeContent>, Problem> {
    let internal = |error| Problem::internal("reading the change", &error);
    let table = app.report(workspace.id, &changes::by_id_query(&id)).await?;
    let row = table.rows().next().ok_or_else(|| Problem::not_found("change", &id))?;
    let change = changes::change(row).map_err(internal)?;
    let machine = row.text("SourceComputerId").map_err(internal)?;
    // Records of other programs may be of machines that are none of ours.
    let machine = Uuid::parse_str(machine)
        .map_err(|_| Problem::new(Kind::NotFound, "the change is of no machine with an agent"))?;
    let [before, after] = detail::digests(row).map_err(internal)?;
    let owner = Owner { workspace: workspace.id, machine };
    let by = By { actor: &actor.name, at: app.clock.now() };
    app.control
        .note_reading(workspace.id, machine, &id, &change.entity, by)
        .await
        .map_err(|error| Problem::internal("writing the audit log", &error))?;
    let (before, before_text) = side(&app, owner, before, change.category == ChangeCategory::Added).await?;
    let (after, after_text) = side(&app, owner, after, change.category == ChangeCategory::Removed).await?;
    let compared = match (before_text, after_text) {
        (Some(before), Some(after)) => tokio::task::spawn_blocking(move || compare(&before, &after))
            .await
            .map_err(|error| Problem::internal("comparing two texts", &error))?,
        (Some(_), None) | (None, Some(_)) | (None, None) => Compared::default(),
    };
    Ok(Json(ChangeContent {
        id,
        machine: change.machine,
        entity: change.entity,
        before,
        after,
        hunks: compared.hunks,
        is_cut: compared.is_cut,
    }))
}

/// What there is of one side, and the text to compare: nothing is compared where it is not known.
async fn side(
    app: &AppState,
    owner: Owner,
    digest: Option<String>,
    has_no_file: bool,
) -> Result<(ContentState, Option<String>), Problem> {
    if has_no_file {
        return Ok((ContentState::NoFile, Some(String::new())));
    }
    let Some(digest) = digest.as_deref().and_then(digest_of_hex) else {
        return Ok((ContentState::Unknown, None));
    };
    let found = app.contents.find(owner, digest).await;
    let found = found.map_err(|error| Problem::internal("reading a text", &error))?;
    Ok(match found {
        Content::Text(text) => (ContentState::Text, Some(text)),
        Content::None(why) => (ContentState::from(why), None),
        Content::Lost => (ContentState::Lost, None),
        Content::NotReceived => (ContentState::NotReceived, None),
    })
}

impl From<NoText> for ContentState {
    fn from(why: NoText) -> Self {
        match why {
            NoText::TooLarge => Self::TooLarge,
            NoText::NotText => Self::NotText,
            NoText::ChangedWhileRead => Self::ChangedWhileRead,
            NoText::Unreadable => Self::Unreadable,
            NoText::LimitReached => Self::LimitReached,
        }
    }
}
