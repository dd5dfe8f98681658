//! The published query interface by resource: of every workspace with records of it, only those.

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};

use super::log_query::{AddressQuery, AddressTimespan, Asked, LogQuery, preferences};
use crate::app::{App, AppState};
use crate::control::WorkspaceRecord;
use crate::problem::{ApiJson, ApiQuery, Problem};
use crate::query_log::Asker;

/// Answers a query about a resource, or all that is in a resource group or a subscription.
#[utoipa::path(
    post, path = "/v1/subscriptions/{*resource}", tag = "published", request_body = LogQuery,
    params(
        ("resource" = String, Path, description = "The rest of the resource's id, and `/query`."),
        AddressTimespan
    ),
    responses((status = 200, description = "Tables of columns and rows, in the published shape.", body = Object))
)]
pub async fn post_resource_query(
    State(app): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Path(path): Path<String>,
    ApiQuery(address): ApiQuery<AddressTimespan>,
    ApiJson(query): ApiJson<LogQuery>,
) -> Result<Response, Problem> {
    ask(&app, &asker, &headers, &path, query, address.timespan).await
}

/// Answers such a query that is in the address.
#[utoipa::path(
    get, path = "/v1/subscriptions/{*resource}", tag = "published",
    params(
        ("resource" = String, Path, description = "The rest of the resource's id, and `/query`."),
        AddressQuery
    ),
    responses((status = 200, description = "Tables of columns and rows, in the published shape.", body = Object))
)]
pub async fn get_resource_query(
    State(app): State<AppState>,
    asker: Asker,
    headers: HeaderMap,
    Path(path): Path<String>,
    ApiQuery(address): ApiQuery<AddressQuery>,
) -> Result<Response, Problem> {
    ask(&app, &asker, &headers, &path, address.into(), None).await
}

async fn ask(
    app: &App,
    asker: &Asker,
    headers: &HeaderMap,
    path: &str,
    query: LogQuery,
    address: Option<String>,
) -> Result<Response, Problem> {
    let missing = || Problem::not_found("resource", &format!("/subscriptions/{path}"));
    let resource = Resource::of_path(path).ok_or_else(missing)?;
    let theirs = asker.workspaces(app).await?;
    let mut holding = theirs.into_iter().filter(|workspace| resource.may_be_in(workspace));
    let workspace = holding.next().ok_or_else(missing)?;
    let together = holding.collect();
    // A workspace as a resource is all that is in it.
    let narrowed = (!resource.is_workspace(&workspace)).then(|| resource.id.clone());
    let asked =
        Asked { together, resource: narrowed, address, ..Asked::of(workspace, query, preferences(headers)) };
    Ok(asked.ask(app, asker).await?.into_response())
}

/// A resource id in small letters, as far as it says where records of the resource are.
#[derive(Debug, Eq, PartialEq)]
struct Resource {
    id: String,
    subscription: String,
    /// The resource group, which is a workspace here.
    group: Option<String>,
}

impl Resource {
    /// The resource of a call: what follows `/v1/subscriptions/`, with `/query` at its end.
    fn of_path(path: &str) -> Option<Self> {
        let path = path.to_ascii_lowercase();
        let id = path.strip_suffix("/query")?.trim_end_matches('/');
        let parts: Vec<&str> = id.split('/').collect();
        let group = match parts[..] {
            [_] => None,
            [_, "resourcegroups", group, ..] => Some(group.to_owned()),
            _ => return None,
        };
        let is_named = parts.iter().all(|part| !part.is_empty());
        let subscription = parts[0].to_owned();
        is_named.then(|| Self { id: format!("/subscriptions/{id}"), subscription, group })
    }

    fn may_be_in(&self, workspace: &WorkspaceRecord) -> bool {
        self.subscription.eq_ignore_ascii_case(&workspace.subscription_id)
            && self.group.as_ref().is_none_or(|group| group.eq_ignore_ascii_case(&workspace.name))
    }

    fn is_workspace(&self, workspace: &WorkspaceRecord) -> bool {
        self.id.eq_ignore_ascii_case(&workspace.resource_id())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_subscription_a_group_or_what_is_in_a_group() {
        let resource = |id: &str, group: Option<&str>| {
            let group = group.map(str::to_owned);
            Some(Resource { id: id.to_owned(), subscription: "s".to_owned(), group })
        };
        for (path, named) in [
            ("S/query", resource("/subscriptions/s", None)),
            ("s/resourceGroups/Web/query", resource("/subscriptions/s/resourcegroups/web", Some("web"))),
            (
                "s/resourceGroups/web/providers/Microsoft.HybridCompute/machines/Db1/query",
                resource(
                    "/subscriptions/s/resourcegroups/web/providers/microsoft.hybridcompute/machines/db1",
                    Some("web"),
                ),
            ),
            ("s/resourceGroups/web", None),
            ("query", None),
            ("/query", None),
            ("s//web/query", None),
            ("s/somewhere/web/query", None),
        ] {
            assert_eq!(Resource::of_path(path), named, "{path}");
        }
    }
}
