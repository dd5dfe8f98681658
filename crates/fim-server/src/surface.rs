//! The interfaces that share the one port, and how each tells a problem: ours as RFC 9457, the published ones as their
//! clients expect it.

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use crate::api::model::Diagnostic;
use crate::problem::Problem;

/// Which interface a path belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Surface {
    /// The page and its files.
    Page,
    /// Our API and the agents'.
    Own,
    /// The published query interface of log workspaces.
    LogQueries,
    /// The published ingestion interface of logs.
    Ingestion,
    /// The published query interface of Kusto clusters.
    Kusto,
    /// OAuth 2.0.
    SignIn,
}

impl Surface {
    /// The interface that the path belongs to.
    pub fn of(path: &str) -> Self {
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| path.starts_with(prefix));
        let ends = |endings: &[&str]| endings.iter().any(|ending| path.ends_with(ending));
        if starts(&["/api/", "/agent/"]) {
            Self::Own
        } else if starts(&["/v1/rest/", "/v2/rest/"]) {
            Self::Kusto
        } else if starts(&["/v1/"]) {
            Self::LogQueries
        } else if starts(&["/dataCollectionRules/"]) {
            Self::Ingestion
        } else if ends(&["/oauth2/v2.0/token", "/v2.0/.well-known/openid-configuration"]) {
            Self::SignIn
        } else {
            Self::Page
        }
    }

    /// True if programs speak it, so that every answer is a document.
    pub fn is_for_programs(self) -> bool {
        match self {
            Self::Page => false,
            Self::Own | Self::LogQueries | Self::Ingestion | Self::Kusto | Self::SignIn => true,
        }
    }

    /// The problem as this interface tells it. `request_id` is what the server's log has; `has_credentials` is true if
    /// the caller sent some.
    pub fn render(self, problem: Problem, request_id: &str, has_credentials: bool) -> Response {
        match self {
            Self::Page | Self::Own => problem.render(request_id),
            Self::LogQueries => {
                let refused = refused_credentials(problem, has_credentials);
                refused.render_as(&LogError::document(&refused, request_id))
            }
            Self::Ingestion => problem.render_as(&LogError::document(&problem, request_id)),
            Self::Kusto => {
                let told = entity_not_found(problem);
                told.render_as(&KustoError::document(&told, request_id))
            }
            Self::SignIn => problem.render_as(&SignInError::new(&problem, request_id)),
        }
    }
}

/// The published query interface says 401 where credentials are missing, and 403 where they are not good.
fn refused_credentials(problem: Problem, has_credentials: bool) -> Problem {
    match problem.status() {
        StatusCode::UNAUTHORIZED if has_credentials => {
            Problem { status: 403, ..problem.with_code("InvalidAuthenticationToken") }
        }
        _ => problem,
    }
}

/// Kusto clusters say 404 where nothing is served, and 400 where there is no such database or table.
fn entity_not_found(problem: Problem) -> Problem {
    match problem.code {
        Some(NO_RESOURCE) => Problem { status: 400, ..problem },
        Some(_) | None => problem,
    }
}

/// An error as the published interfaces of logs tell it; clients show the innermost message.
#[derive(Debug, Serialize)]
pub struct LogError {
    message: String,
    code: &'static str,
    #[serde(rename = "correlationId", skip_serializing_if = "String::is_empty")]
    correlation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    innererror: Option<LogErrorClass>,
}

/// What sort of mistake a query has, and the first mistake.
#[derive(Debug, Serialize)]
struct LogErrorClass {
    code: &'static str,
    message: &'static str,
    innererror: LogErrorPlace,
}

/// A mistake and where it is.
#[derive(Debug, Serialize)]
struct LogErrorPlace {
    code: String,
    message: String,
    line: u32,
    pos: u32,
}

#[derive(Debug, Serialize)]
struct LogErrorDocument {
    error: LogError,
}

impl LogError {
    /// The error that a problem is.
    pub fn of(problem: &Problem, request_id: &str) -> Self {
        let correlation_id = request_id.to_owned();
        match problem.diagnostics.first() {
            Some(first) => Self {
                message: "The request had some invalid properties".to_owned(),
                code: "BadArgumentError",
                correlation_id,
                innererror: Some(LogErrorClass::of(problem, first)),
            },
            None => Self {
                message: problem.detail.clone(),
                code: log_code(problem),
                correlation_id,
                innererror: None,
            },
        }
    }

    fn document(problem: &Problem, request_id: &str) -> impl Serialize {
        LogErrorDocument { error: Self::of(problem, request_id) }
    }
}

impl LogErrorClass {
    fn of(problem: &Problem, first: &Diagnostic) -> Self {
        let (code, message) = match problem.code {
            Some(code @ SYNTAX) => (code, "A recognition error occurred in the query."),
            Some(_) | None => (SEMANTICS, "A semantic error occurred."),
        };
        let place = LogErrorPlace {
            code: first.code.clone(),
            message: problem.detail.clone(),
            line: first.line,
            pos: first.column,
        };
        Self { code, message, innererror: place }
    }
}

/// The published word for a problem.
fn log_code(problem: &Problem) -> &'static str {
    if let Some(code) = problem.code {
        return code;
    }
    match problem.status().as_u16() {
        400 | 415 | 422 => "BadArgumentError",
        401 => "AuthenticationFailed",
        403 => "InsufficientAccessError",
        404 => "PathNotFoundError",
        405 => "MethodNotAllowedError",
        413 => "PayloadTooLargeError",
        429 => "ThrottledError",
        503 => "ServiceUnavailableError",
        504 => "GatewayTimeoutError",
        _ => "InternalServerError",
    }
}

/// An error as Kusto clusters tell it.
#[derive(Debug, Serialize)]
pub struct KustoError {
    code: &'static str,
    message: &'static str,
    #[serde(rename = "@type")]
    exception: &'static str,
    #[serde(rename = "@message")]
    detail: String,
    #[serde(rename = "@context")]
    context: KustoContext,
    #[serde(rename = "@permanent")]
    is_permanent: bool,
}

#[derive(Debug, Serialize)]
struct KustoContext {
    #[serde(rename = "activityId")]
    activity: String,
}

/// An error within its document; answers that were begun carry it as well.
#[derive(Debug, Serialize)]
pub struct KustoErrorDocument {
    error: KustoError,
}

impl KustoError {
    /// The document of the error that a problem is.
    pub fn document(problem: &Problem, request_id: &str) -> KustoErrorDocument {
        let (code, message, exception) = match problem.status().as_u16() {
            _ if problem.code == Some(NO_RESOURCE) => (
                "BadRequest_EntityNotFound",
                "Entity not found.",
                "Kusto.Data.Exceptions.EntityNotFoundException",
            ),
            401 | 403 => (
                "Unauthorized",
                "Caller is not authorized.",
                "Kusto.Data.Exceptions.KustoUnauthorizedException",
            ),
            429 => (
                "TooManyRequests",
                "The request was throttled.",
                "Kusto.Data.Exceptions.KustoServicePartialQueryFailureThrottledException",
            ),
            400..500 => (
                "General_BadRequest",
                "Request is invalid and cannot be executed.",
                "Kusto.Data.Exceptions.KustoBadRequestException",
            ),
            504 => (
                "General_RequestTimeout",
                "Request timed out.",
                "Kusto.Data.Exceptions.KustoServiceTimeoutException",
            ),
            _ => (
                "General_InternalServerError",
                "The service failed.",
                "Kusto.Data.Exceptions.KustoInternalServiceException",
            ),
        };
        let class = match problem.code {
            Some(SYNTAX) => "Syntax error: ",
            Some(SEMANTICS) => "Semantic error: ",
            Some(_) | None => "",
        };
        KustoErrorDocument {
            error: Self {
                code,
                message,
                exception,
                detail: format!("{class}{}", problem.detail),
                context: KustoContext { activity: request_id.to_owned() },
                is_permanent: !matches!(problem.status, 429 | 503 | 504),
            },
        }
    }
}

/// An error of the token endpoint. Source: RFC 6749, section 5.2.
#[derive(Debug, Serialize)]
struct SignInError {
    error: &'static str,
    error_description: String,
    correlation_id: String,
}

impl SignInError {
    fn new(problem: &Problem, request_id: &str) -> Self {
        let error = problem.code.unwrap_or(match problem.status().as_u16() {
            401 => "invalid_client",
            429 | 503 => "temporarily_unavailable",
            500.. => "server_error",
            _ => "invalid_request",
        });
        let (error_description, correlation_id) = (problem.detail.clone(), request_id.to_owned());
        Self { error, error_description, correlation_id }
    }
}

/// The published word for what is named and not there.
pub const NO_RESOURCE: &str = "ResourceNotFoundError";
/// The class of a query that cannot be read.
pub const SYNTAX: &str = "SyntaxError";
/// The class of a query that can be read and not run.
pub const SEMANTICS: &str = "SemanticError";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_belongs_to_one_interface() {
        for (path, surface) in [
            ("/", Surface::Page),
            ("/w/default/changes", Surface::Page),
            ("/api/v1/workspaces", Surface::Own),
            ("/agent/v1/batches", Surface::Own),
            ("/v1/workspaces/default/query", Surface::LogQueries),
            ("/v1/$batch", Surface::LogQueries),
            ("/v1/nowhere", Surface::LogQueries),
            ("/v1/rest/mgmt", Surface::Kusto),
            ("/v2/rest/query", Surface::Kusto),
            ("/dataCollectionRules/dcr-1/streams/Custom-x", Surface::Ingestion),
            ("/any/oauth2/v2.0/token", Surface::SignIn),
            ("/any/v2.0/.well-known/openid-configuration", Surface::SignIn),
        ] {
            assert_eq!(Surface::of(path), surface, "{path}");
        }
    }

    #[test]
    fn every_interface_says_when_to_come_back() {
        for surface in [
            Surface::Page,
            Surface::Own,
            Surface::LogQueries,
            Surface::Ingestion,
            Surface::Kusto,
            Surface::SignIn,
        ] {
            let problem = Problem::new(crate::problem::Kind::TooManyRequests, "full").retry_after(7);
            let answer = surface.render(problem, "r", true);
            assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS, "{surface:?}");
            assert_eq!(answer.headers()["retry-after"], "7", "{surface:?}");
        }
    }

    #[test]
    fn the_innermost_message_is_the_one_that_helps() {
        let mistake = Diagnostic {
            code: "KQL004".to_owned(),
            message: "x".to_owned(),
            line: 2,
            column: 7,
            end_line: 2,
            end_column: 8,
            expected: vec![],
            suggestion: None,
            field: None,
            text: None,
        };
        let problem = Problem::new(crate::problem::Kind::BadQuery, "line 2, column 7: x")
            .with_code(SYNTAX)
            .with_diagnostics(vec![mistake]);
        let document = serde_json::to_value(LogError::document(&problem, "r")).unwrap();
        assert_eq!(document["error"]["code"], "BadArgumentError");
        assert_eq!(document["error"]["innererror"]["code"], "SyntaxError");
        let place = &document["error"]["innererror"]["innererror"];
        assert_eq!((&place["line"], &place["pos"]), (&2.into(), &7.into()));
        assert_eq!(place["message"], "line 2, column 7: x");
    }
}
