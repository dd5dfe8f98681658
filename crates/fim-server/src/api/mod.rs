//! The API at `/api/v1`, and the published interfaces beside it: each route with what it does to what, and its
//! description for clients.

mod changes;
mod contents;
mod fim;
mod machines;
pub mod model;
mod query;
mod rules;
mod session;
mod storage;
mod stream;
mod tokens;
mod workspaces;

pub use model::*;
pub(crate) use rules::recommended;
pub(crate) use session::{ADMIN, begin_attempt, make_sign_in_link};
pub use tokens::LONGEST_ENROLLMENT_SECONDS;
pub(crate) use tokens::{make_enrollment_token, make_token};
pub(crate) use workspaces::{DropRowsError, drop_rows, is_reporting};

use axum::{Router, middleware};
use utoipa::OpenApi as _;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, ResponseBuilder, SecurityRequirement};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use crate::app::AppState;
use crate::auth::{Access, COOKIE_NAME, SESSION_KEY_HEADER, gate};
use crate::authz::{Noun, Verb};
use crate::clients::{batch, ingestion, kusto, log_query, management, resource_query, sign_in};
use crate::surface::Surface;

/// The API's router and its description.
pub(crate) struct Api {
    /// What serves it.
    pub router: Router<AppState>,
    /// What describes it; `x-access` of each operation says what it does to what.
    pub document: OpenApi,
}

/// The API of this version.
pub(crate) fn api() -> Api {
    use Noun::{
        ApiToken, Content, EnrollmentToken, Fim, Machine, OwnSession, Record, Reference, Rule, SignInLink,
        Workspace,
    };
    use Verb::{Create, Delete, Edit, View};

    let routes = Routes::new()
        .public(routes!(session::sign_in))
        .public(routes!(session::sign_in_once))
        .needs(Create, SignInLink, routes!(session::create_sign_in_link))
        .needs(View, OwnSession, routes!(session::show_session))
        .needs(Delete, OwnSession, routes!(session::sign_out))
        .needs(Edit, OwnSession, routes!(session::set_password))
        .needs(View, Workspace, routes!(workspaces::list_workspaces))
        .needs(Create, Workspace, routes!(workspaces::create_workspace))
        .needs(View, Workspace, routes!(workspaces::show_workspace))
        .needs(Delete, Workspace, routes!(workspaces::delete_workspace))
        .needs(View, Workspace, routes!(workspaces::summarize_workspace))
        .needs(View, Workspace, routes!(storage::show_storage))
        .needs(Edit, Workspace, routes!(storage::edit_storage))
        .needs(View, Machine, routes!(machines::list_machines))
        .needs(View, Machine, routes!(machines::show_machine))
        .needs(Delete, Machine, routes!(machines::remove_machine))
        .needs(View, Record, routes!(changes::list_changes))
        .needs(View, Record, routes!(changes::show_change))
        .needs(View, Record, routes!(stream::stream_changes))
        .needs(View, Content, routes!(contents::show_content))
        .needs(View, Record, routes!(changes::list_gaps))
        .needs(View, Rule, routes!(rules::list_rules))
        .needs(Create, Rule, routes!(rules::create_rule))
        .needs(View, Rule, routes!(rules::show_rule))
        .needs(Edit, Rule, routes!(rules::edit_rule))
        .needs(Delete, Rule, routes!(rules::delete_rule))
        .needs(Edit, Rule, routes!(rules::enable_rule))
        .needs(Edit, Rule, routes!(rules::disable_rule))
        .needs(View, Fim, routes!(fim::show_fim))
        .needs(Edit, Fim, routes!(fim::enable_fim))
        .needs(Edit, Fim, routes!(fim::disable_fim))
        .needs(Edit, Fim, routes!(fim::edit_collection))
        .needs(View, Reference, routes!(fim::list_recommended))
        .needs(View, Record, routes!(query::run_query))
        .needs(View, Record, routes!(query::download_query))
        .needs(View, Record, routes!(query::download_query_as_ndjson))
        .needs(View, Record, routes!(query::download_query_as_parquet))
        .needs(View, Record, routes!(query::download_query_as_arrow))
        .needs(View, Reference, routes!(query::validate_query))
        .needs(View, Reference, routes!(query::list_capabilities))
        .needs(View, Reference, routes!(query::list_tables))
        .needs(Create, EnrollmentToken, routes!(tokens::create_enrollment_token))
        .needs(View, ApiToken, routes!(tokens::list_tokens))
        .needs(Create, ApiToken, routes!(tokens::create_token))
        .needs(Delete, ApiToken, routes!(tokens::delete_token))
        .public(routes!(sign_in::exchange_token))
        .public(routes!(sign_in::discover))
        .public(routes!(sign_in::discover_for_kusto))
        .needs(View, Record, routes!(log_query::post_log_query, log_query::get_log_query))
        .needs_named(
            View,
            Record,
            routes!(resource_query::post_resource_query, resource_query::get_resource_query),
        )
        .needs_named(View, Record, routes!(batch::post_log_batch))
        .needs(Create, Record, routes!(ingestion::post_records))
        .needs_named(View, Record, routes!(kusto::post_kusto_query))
        .needs_named(View, Record, routes!(management::post_kusto_command));
    let (router, mut document) = routes.router.split_for_parts();
    complete(&mut document);
    Api { router, document }
}

/// Collects routes. There is no way to add one without saying what it does to what.
struct Routes {
    router: OpenApiRouter<AppState>,
}

impl Routes {
    fn new() -> Self {
        Self { router: OpenApiRouter::with_openapi(Document::openapi()) }
    }

    fn public(self, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Access::Public, routes)
    }

    fn needs(self, verb: Verb, noun: Noun, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Access::Needs(verb, noun), routes)
    }

    fn needs_named(self, verb: Verb, noun: Noun, routes: UtoipaMethodRouter<AppState>) -> Self {
        self.add(Access::NeedsNamed(verb, noun), routes)
    }

    fn add(self, access: Access, mut routes: UtoipaMethodRouter<AppState>) -> Self {
        for item in routes.1.paths.values_mut() {
            for operation in operations(item) {
                operation.extensions =
                    Some(ExtensionsBuilder::new().add("x-access", access.to_string()).build());
            }
        }
        let gated = routes.map(|router| router.route_layer(middleware::from_fn_with_state(access, gate)));
        Self { router: self.router.routes(gated) }
    }
}

#[derive(utoipa::OpenApi)]
#[openapi(
    info(
        title = "Steadfast",
        description = "File integrity monitoring: workspaces, machines, rules, changes, gaps, and queries in KQL.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(crate::problem::Problem)),
    tags(
        (name = "session", description = "Signing in and out."),
        (name = "workspaces", description = "Workspaces and their figures."),
        (name = "machines", description = "Machines and how they join."),
        (name = "changes", description = "Change records, and where nobody was watching."),
        (name = "rules", description = "Monitored entities."),
        (name = "fim", description = "Whether monitoring is on."),
        (name = "query", description = "Questions in KQL."),
        (name = "tokens", description = "What programs sign in with."),
        (name = "published", description = "The published interfaces that clients of others speak; errors are in their shape."),
    )
)]
struct Document;

/// Adds what is the same for every operation: how to sign in, and what a problem looks like.
fn complete(document: &mut OpenApi) {
    let problem = ResponseBuilder::new()
        .description("What went wrong, as RFC 9457.")
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
        )
        .build();
    let published = ResponseBuilder::new()
        .description("What went wrong, in the shape that the interface's clients expect.")
        .content("application/json", ContentBuilder::new().build())
        .build();
    for (path, item) in &mut document.paths.paths {
        let answer = match Surface::of(path) {
            Surface::Own | Surface::Page => &problem,
            Surface::LogQueries | Surface::Ingestion | Surface::Kusto | Surface::SignIn => &published,
        };
        for operation in operations(item) {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(answer.clone()));
        }
    }
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(
        "session",
        SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
            COOKIE_NAME,
            "Set by signing in. Over plain HTTP on the server's own machine its name is `steadfast_session`.",
        ))),
    );
    components.add_security_scheme(
        "sessionKey",
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(
            SESSION_KEY_HEADER,
            "What the answer to signing in has as `sessionKey`; each call by the session's cookie sends it.",
        ))),
    );
    components.add_security_scheme(
        "token",
        SecurityScheme::Http(
            HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An API token.")).build(),
        ),
    );
    document.security = Some(vec![
        SecurityRequirement::new("session", Vec::<String>::new()).add("sessionKey", Vec::<String>::new()),
        SecurityRequirement::new("token", Vec::<String>::new()),
    ]);
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete]
        .into_iter()
        .filter_map(Option::as_mut)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_description_is_the_one_of_the_code() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/fim.json");
        let text = format!("{}\n", api().document.to_pretty_json().unwrap());
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(std::path::Path::new(path).parent().unwrap()).unwrap();
            std::fs::write(path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(path).unwrap_or_default();
        assert!(committed == text, "{path} is stale; run this test with UPDATE=1 and commit it");
    }

    /// One line for each route; with the matrix of roles it says who may call what. A changed line is a changed promise.
    #[test]
    fn what_each_route_does_to_what_is_the_reviewed_list() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/routes.txt");
        let mut lines = accesses();
        lines.insert(0, "# method and path: verb and noun, as the matrix of roles has them".to_owned());
        let list = format!("{}\n", lines.join("\n"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &list).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            list == golden,
            "{path} is not what the routes are; read the difference, then run with UPDATE=1"
        );
    }

    #[test]
    fn nothing_but_signing_in_is_public() {
        let public: Vec<String> = accesses().into_iter().filter(|line| line.ends_with(": public")).collect();
        assert_eq!(
            public,
            [
                "POST /api/v1/session: public",
                "POST /api/v1/session/one-time: public",
                "GET /v1/rest/auth/metadata: public",
                "POST /{tenant}/oauth2/v2.0/token: public",
                "GET /{tenant}/v2.0/.well-known/openid-configuration: public",
            ]
        );
    }

    /// Every route as `METHOD path: verb noun`, by path.
    fn accesses() -> Vec<String> {
        let document = serde_json::to_value(api().document).unwrap();
        let paths = document["paths"].as_object().unwrap();
        let routes = paths.iter().flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, operation)| {
                let access =
                    operation["x-access"].as_str().expect("every operation says what it does to what");
                format!("{} {path}: {access}", method.to_uppercase())
            })
        });
        routes.collect()
    }
}
