//! Errors as the API tells them: RFC 9457, each with the id that the log has too.

use axum::Json;
use axum::extract::rejection::{BytesRejection, JsonRejection, QueryRejection};
use axum::extract::{
    DefaultBodyLimit, Extension, FromRequest, FromRequestParts, Query, RawPathParams, Request,
};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use fim_core::error_chain;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::model::Diagnostic;
use crate::nearest::nearest;
use crate::surface::NO_RESOURCE;

/// What went wrong, as `application/problem+json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// A URN that names the kind of problem; stays the same from version to version.
    #[serde(rename = "type")]
    pub problem_type: String,
    /// The kind of problem in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened, to what, and what to do.
    pub detail: String,
    /// What finds this call in the server's log.
    pub request_id: String,
    /// The mistakes in a text that was sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
    /// When to try again.
    #[serde(skip)]
    pub retry_after_seconds: Option<u32>,
    /// The word by which clients of a published interface know it, where that interface has one of its own.
    #[serde(skip)]
    pub code: Option<&'static str>,
}

/// The kinds of problems that there are.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// The request is not understood.
    BadRequest,
    /// The query has mistakes.
    BadQuery,
    /// A path pattern has mistakes.
    BadPattern,
    /// Nobody is signed in.
    NotSignedIn,
    /// Name, password or code are wrong.
    SignInFailed,
    /// The enrolment token is not one of ours.
    TokenUnknown,
    /// The enrolment token was used before.
    TokenUsed,
    /// The enrolment token is too old.
    TokenExpired,
    /// The caller may not do that.
    Forbidden,
    /// A browser says that the call comes from another page.
    ForeignPage,
    /// The machine has been removed, or the batch is another machine's.
    MachineForbidden,
    /// There is no such thing.
    NotFound,
    /// The thing cannot be used that way.
    MethodNotAllowed,
    /// There is one of that name, or it has changed meanwhile.
    Conflict,
    /// The body is too large.
    TooLarge,
    /// The body is not of a type that is read here.
    UnsupportedMediaType,
    /// The body is JSON, but not what is wanted.
    Unprocessable,
    /// The host name is not one of ours.
    Misdirected,
    /// Too many attempts or calls.
    TooManyRequests,
    /// The query took too long.
    TimedOut,
    /// Something broke here.
    Internal,
    /// The server cannot do it at the moment.
    Unavailable,
}

impl Kind {
    /// The status, the last word of the URN, and the title.
    fn parts(self) -> (StatusCode, &'static str, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "bad-request", "The request is not understood"),
            Self::BadQuery => (StatusCode::BAD_REQUEST, "bad-query", "The query has mistakes"),
            Self::BadPattern => (StatusCode::BAD_REQUEST, "bad-pattern", "The path pattern has a mistake"),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, "not-signed-in", "Sign in first"),
            Self::SignInFailed => (StatusCode::UNAUTHORIZED, "sign-in-failed", "The sign-in failed"),
            Self::TokenUnknown => {
                (StatusCode::UNAUTHORIZED, "token-unknown", "The enrolment token is unknown")
            }
            Self::TokenUsed => (StatusCode::UNAUTHORIZED, "token-used", "The enrolment token has been used"),
            Self::TokenExpired => {
                (StatusCode::UNAUTHORIZED, "token-expired", "The enrolment token has expired")
            }
            Self::Forbidden => (StatusCode::FORBIDDEN, "forbidden", "You may not do that"),
            Self::ForeignPage => {
                (StatusCode::FORBIDDEN, "foreign-page", "The call does not come from this page")
            }
            Self::MachineForbidden => {
                (StatusCode::FORBIDDEN, "machine-forbidden", "The machine may not do that")
            }
            Self::NotFound => (StatusCode::NOT_FOUND, "not-found", "There is no such thing"),
            Self::MethodNotAllowed => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "That cannot be done with this")
            }
            Self::Conflict => (StatusCode::CONFLICT, "conflict", "That does not fit what is there"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body's type is not read here",
            ),
            Self::Unprocessable => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unprocessable", "The body is not what is wanted")
            }
            Self::Misdirected => {
                (StatusCode::MISDIRECTED_REQUEST, "misdirected", "The host name is not this server's")
            }
            Self::TooManyRequests => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-requests", "Too many attempts")
            }
            Self::TimedOut => (StatusCode::GATEWAY_TIMEOUT, "timed-out", "It took too long"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something broke here"),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The server cannot do that now")
            }
        }
    }
}

impl Problem {
    /// A problem of that kind; `detail` says what happened, to what, and what to do.
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let (status, word, title) = kind.parts();
        Self {
            problem_type: format!("urn:steadfast:problem:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: String::new(),
            diagnostics: Vec::new(),
            retry_after_seconds: None,
            code: None,
        }
    }

    /// Something broke here: the cause goes to the log, not to the caller.
    pub fn internal(doing: &str, error: &dyn std::error::Error) -> Self {
        tracing::error!(error = %error_chain(error), doing, "a request failed");
        Self::new(
            Kind::Internal,
            format!("{doing} failed; the server's log has the cause under this request's id"),
        )
    }

    /// There is no such thing; what shows which there are.
    pub fn not_found(what: &str, name: &str) -> Self {
        let list = match what {
            "workspace" => "; `steadfast workspace list` shows the workspaces",
            "machine" => "; `steadfast machine list` shows the machines",
            "rule" => "; `steadfast rule list` shows the rules",
            "API token" => "; `steadfast token list` shows the tokens",
            "data collection rule" => "; `steadfast workspace list --json` shows the rules' immutable ids",
            _ => "",
        };
        Self::new(Kind::NotFound, format!("there is no {what} \"{name}\"{list}")).with_code(NO_RESOURCE)
    }

    /// There is no such thing; perhaps one of those is meant whose name is nearly the same, in any case.
    pub fn not_found_among<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let mut problem = Self::not_found(what, name);
        if let Some(known) = nearest(name, known) {
            problem.detail.push_str(&format!("; did you mean \"{known}\"?"));
        }
        problem
    }

    /// With the mistakes in the text that was sent.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    /// With the word by which clients of a published interface know it.
    #[must_use]
    pub fn with_code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    /// With the time to wait before the next attempt.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_seconds = Some(u32::try_from(seconds.max(1)).unwrap_or(u32::MAX));
        self
    }

    /// A problem for an answer that has only a status.
    pub fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            401 => Self::new(Kind::NotSignedIn, "sign in, or send `Authorization: Bearer TOKEN`"),
            403 => Self::new(Kind::Forbidden, "you may not do that"),
            404 => Self::new(Kind::NotFound, "nothing is served at this path"),
            405 => Self::new(
                Kind::MethodNotAllowed,
                "this path does not take that method; see the `Allow` header",
            ),
            408 => Self {
                status: 408,
                ..Self::new(Kind::TimedOut, "the request did not arrive in time; send it again")
            },
            413 => {
                Self::new(Kind::TooLarge, "the body is larger than this server takes; send less at a time")
            }
            415 => Self::new(Kind::UnsupportedMediaType, "the body's type is not read here"),
            422 => Self::new(Kind::Unprocessable, "the body is not what is wanted here"),
            429 => Self::new(Kind::TooManyRequests, "wait a little and try again"),
            503 => Self::new(Kind::Unavailable, "try again in a moment"),
            other => {
                let kind = if status.is_client_error() { Kind::BadRequest } else { Kind::Internal };
                Self { status: other, ..Self::new(kind, "the request could not be answered") }
            }
        }
    }

    /// The status of the answer.
    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// The answer with the request's id in it.
    pub fn render(mut self, request_id: &str) -> Response {
        request_id.clone_into(&mut self.request_id);
        let mut response = (self.status(), Json(&self)).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        self.tell_when_to_come_back(&mut response);
        response
    }

    /// The answer whose document is one of a published interface.
    pub fn render_as(&self, document: &impl Serialize) -> Response {
        let mut response = (self.status(), Json(document)).into_response();
        self.tell_when_to_come_back(&mut response);
        response
    }

    fn tell_when_to_come_back(&self, response: &mut Response) {
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
    }
}

impl IntoResponse for Problem {
    /// The problem travels beside the answer; the outermost layer writes it out with the request's id.
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A JSON body of a known shape; what does not fit is a problem that says where.
pub struct ApiJson<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for ApiJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = request.extensions().get::<BodyLimit>().copied();
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(rejection) => Err(too_large(json_problem(&rejection), most)),
        }
    }
}

/// The problem; of a body that is too large with how large it may be.
fn too_large(problem: Problem, most: Option<BodyLimit>) -> Problem {
    match most.filter(|_| problem.status() == StatusCode::PAYLOAD_TOO_LARGE) {
        None => problem,
        Some(BodyLimit(most)) => Problem::new(
            Kind::TooLarge,
            format!("the body is larger than the {most} bytes that are taken here; send less at a time"),
        ),
    }
}

/// How many bytes a body may have.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(usize);

/// Refuses larger bodies, and has the refusal say how large they may be.
pub fn body_limit(most: usize) -> (DefaultBodyLimit, Extension<BodyLimit>) {
    (DefaultBodyLimit::max(most), Extension(BodyLimit(most)))
}

/// A JSON body that may be left out.
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default, S: Send + Sync> FromRequest<S> for OptionalJson<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let most = request.extensions().get::<BodyLimit>().copied();
        let bytes = axum::body::Bytes::from_request(request, state)
            .await
            .map_err(|rejection| too_large(body_problem(&rejection), most))?;
        if bytes.trim_ascii().is_empty() {
            return Ok(Self(T::default()));
        }
        serde_json::from_slice(&bytes).map(Self).map_err(|error| {
            let kind = if error.is_data() { Kind::Unprocessable } else { Kind::BadRequest };
            Problem::new(kind, format!("the body is not the JSON that is wanted: {error}"))
        })
    }
}

/// Parameters after `?`; what does not fit is a problem.
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for ApiQuery<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(QueryRejection::FailedToDeserializeQueryString(error)) => Err(Problem::new(
                Kind::BadRequest,
                format!("the address's parameters do not fit: {}", error_chain(&error)),
            )),
            Err(other) => Err(Problem::new(Kind::BadRequest, other.body_text())),
        }
    }
}

/// What the path names last: a rule, a machine, a change.
pub struct ItemName(pub String);

impl<S: Send + Sync> FromRequestParts<S> for ItemName {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let bad = || Problem::new(Kind::BadRequest, "the path is not UTF-8 after decoding its `%` escapes");
        let parameters = RawPathParams::from_request_parts(parts, state).await.map_err(|_| bad())?;
        let last = parameters.iter().last().map(|(_, value)| value.to_owned());
        last.map(Self).ok_or_else(bad)
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::JsonDataError(error) => Problem::new(
            Kind::Unprocessable,
            format!("the body is JSON, but not what is wanted: {}", error_chain(error)),
        ),
        JsonRejection::JsonSyntaxError(error) => {
            Problem::new(Kind::BadRequest, format!("the body is not JSON: {}", error_chain(error)))
        }
        JsonRejection::MissingJsonContentType(_) => Problem::new(
            Kind::UnsupportedMediaType,
            "send JSON, and say so with `Content-Type: application/json`",
        ),
        JsonRejection::BytesRejection(error) => body_problem(error),
        other => Problem::new(Kind::BadRequest, other.body_text()),
    }
}

/// A body that could not be read.
pub fn body_problem(rejection: &BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of_status(StatusCode::PAYLOAD_TOO_LARGE),
        _ => Problem::new(Kind::BadRequest, format!("the body could not be read: {}", rejection.body_text())),
    }
}
