//! Change records, and where nobody was watching.

use axum::Json;
use axum::extract::{Extension, State};
use serde::Deserialize;

use super::model::{Change, ChangeCategory, ChangeDetail, ChangePage, ChangeType, Gap};
use super::workspaces::{Period, count};
use crate::app::AppState;
use crate::clock::Moment;
use crate::control::WorkspaceRecord;
use crate::problem::{ApiQuery, ItemName, Kind, Problem};
use crate::report::changes::{self, Cursor, Filter, Sort};
use crate::report::{coverage, detail};

/// Which changes to list.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListChanges {
    /// The first moment of the period; a week before its end if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    pub from: Option<Moment>,
    /// The first moment after the period; now if absent.
    #[param(value_type = Option<String>, format = DateTime)]
    pub to: Option<Moment>,
    /// What path, machine or rule must contain; case does not matter.
    pub q: Option<String>,
    /// The kind of entity.
    #[serde(rename = "type")]
    #[param(rename = "type", inline = false)]
    pub change_type: Option<ChangeType>,
    /// What happened to it.
    #[param(inline = false)]
    pub category: Option<ChangeCategory>,
    /// The machine's name or id.
    pub machine: Option<String>,
    /// The order: the newest first if absent.
    #[param(inline = true)]
    pub sort: Option<Sort>,
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// How many changes a page has: 100 if absent, at most 1,000.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<usize>,
}

/// Changes, page by page. A later page neither repeats nor loses a change when new ones arrive.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/changes", tag = "changes",
    params(("ws" = String, Path, description = "The workspace's id or name."), ListChanges),
    responses((status = 200, description = "A page.", body = ChangePage))
)]
pub async fn list_changes(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiQuery(wanted): ApiQuery<ListChanges>,
) -> Result<Json<ChangePage>, Problem> {
    let period = Period { from: wanted.from, to: wanted.to };
    let limit = wanted.limit.unwrap_or(100);
    if !(1..=MOST_PER_PAGE).contains(&limit) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!("limit is {limit}; it takes 1 to {MOST_PER_PAGE}"),
        ));
    }
    let cursor = wanted
        .cursor
        .as_deref()
        .map(Cursor::decode)
        .transpose()
        .map_err(|error| Problem::new(Kind::BadRequest, error.to_string()))?;
    let filter = Filter {
        range: period.range(app.clock.now())?,
        search: wanted.q,
        change_type: wanted.change_type,
        category: wanted.category,
        machine: wanted.machine,
        sort: wanted.sort.unwrap_or_default(),
    };
    let total = count(&app, &workspace, &changes::count_query(&filter)).await?;
    let table = app.report(workspace.id, &changes::page_query(&filter, cursor.as_ref(), limit)).await?;
    let page = changes::read_page(&table, filter.sort, cursor.as_ref(), limit)
        .map_err(|error| Problem::internal("reading the changes", &error))?;
    Ok(Json(ChangePage { items: page.items, total, next: page.next.map(|next| next.encode()) }))
}

/// One change with every attribute before and after.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/changes/{id}", tag = "changes",
    params(
        ("ws" = String, Path, description = "The workspace's id or name."),
        ("id" = String, Path, description = "The change's id.")
    ),
    responses((status = 200, description = "The change.", body = ChangeDetail))
)]
pub async fn show_change(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ItemName(id): ItemName,
) -> Result<Json<ChangeDetail>, Problem> {
    let internal = |error| Problem::internal("reading the change", &error);
    let table = app.report(workspace.id, &changes::by_id_query(&id)).await?;
    let row = table.rows().next().ok_or_else(|| Problem::not_found("change", &id))?;
    let change = changes::change(row).map_err(internal)?;
    let attrs = detail::attributes(row).map_err(internal)?;
    let machine = row.text("SourceComputerId").map_err(internal)?;
    let query = changes::related_query(machine, &change, MOST_RELATED);
    let related = app.report(workspace.id, &query).await?;
    let related: Vec<Change> =
        related.rows().map(changes::change).collect::<Result<_, _>>().map_err(internal)?;
    Ok(Json(ChangeDetail { change, attrs, related }))
}

/// The stretches of a period that could not be watched: those that go on first, then the newest.
#[utoipa::path(
    get, path = "/api/v1/workspaces/{ws}/coverage", tag = "changes",
    params(("ws" = String, Path, description = "The workspace's id or name."), Period),
    responses((status = 200, description = "The stretches; none means that everything was watched.", body = Vec<Gap>))
)]
pub async fn list_gaps(
    State(app): State<AppState>,
    Extension(workspace): Extension<WorkspaceRecord>,
    ApiQuery(period): ApiQuery<Period>,
) -> Result<Json<Vec<Gap>>, Problem> {
    let range = period.range(app.clock.now())?;
    let table = app.report(workspace.id, &coverage::query(range, MOST_GAPS)).await?;
    coverage::read(&table).map(Json).map_err(|error| Problem::internal("reading the gaps", &error))
}

const MOST_PER_PAGE: usize = 1000;
const MOST_RELATED: usize = 20;
/// How many gaps are read at once.
pub const MOST_GAPS: usize = 10_000;
