//! Signing in and out.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse};
use fim_core::Timestamp;
use zeroize::Zeroizing;

use super::model::{NewPassword, OneTimeSignIn, Session, SessionUser, SignIn, SignInLink, SignedIn};
use crate::app::{App, AppState};
use crate::auth::{CallSession, SESSION_SECONDS, locked, session_cookie};
use crate::authz::{Actor, Grant, Proof};
use crate::clock::{Moment, seconds_to_nanos};
use crate::connection::Peer;
use crate::control::{By, NewSession, Secret, SessionRecord, SignedInBy, UserRecord, digest_of};
use crate::problem::{ApiJson, Kind, Problem};
use crate::throttle::Attempt;

/// Signs in by name and password.
#[utoipa::path(
    post, path = "/api/v1/session", tag = "session", request_body = SignIn, security(()),
    responses((status = 200, description = "Signed in; the session is in a cookie, and its key in the answer.", body = SignedIn))
)]
pub async fn sign_in(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    ApiJson(request): ApiJson<SignIn>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.clock.now();
    let password = Zeroizing::new(request.password);
    let name = request.name.trim().to_lowercase();
    // A name that no user can have is not worth a place in the table of attempts.
    let is_possible =
        name.chars().count() <= MOST_NAME_CHARACTERS && password.chars().count() <= MOST_PASSWORD_CHARACTERS;
    let attempt = begin_attempt(&app, is_possible.then_some(name.as_str()), peer, now)?;
    if !is_possible {
        return Err(refuse(&app, peer));
    }
    match judge(&app, &name, password).await {
        Ok(Some(user)) => {
            locked(&app.sign_ins).succeeded(attempt, now);
            start_session(&app, peer, &user, SignedInBy::Password, now).await
        }
        Ok(None) => Err(refuse(&app, peer)),
        Err(problem) => {
            locked(&app.sign_ins).withdraw(attempt);
            Err(problem)
        }
    }
}

/// Signs in by the code of a sign-in link, which is good once.
#[utoipa::path(
    post, path = "/api/v1/session/one-time", tag = "session", request_body = OneTimeSignIn, security(()),
    responses((status = 200, description = "Signed in; the session is in a cookie, and its key in the answer.", body = SignedIn))
)]
pub async fn sign_in_once(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    ApiJson(request): ApiJson<OneTimeSignIn>,
) -> Result<impl IntoResponse, Problem> {
    let now = app.clock.now();
    let attempt = begin_attempt(&app, None, peer, now)?;
    let user = app.control.take_sign_in_code(digest_of(request.code.trim()), now).await;
    // Only a code that is none was a guess.
    if !matches!(user, Ok(None)) {
        locked(&app.sign_ins).withdraw(attempt);
    }
    match user.map_err(|error| Problem::internal("using the sign-in code", &error))? {
        None => {
            app.metrics.sign_ins_failed.increment();
            Err(Problem::new(
                Kind::SignInFailed,
                "the sign-in link has been used or is older than ten minutes; `steadfast sign-in` on the server's machine prints a new one",
            ))
        }
        Some(user) => start_session(&app, peer, &user, SignedInBy::Link, now).await,
    }
}

/// Makes a link by which one browser signs in as `admin`, once and within ten minutes.
#[utoipa::path(
    post, path = "/api/v1/sign-in-links", tag = "session",
    responses((status = 201, description = "The link; it is not shown again.", body = SignInLink))
)]
pub async fn create_sign_in_link(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
) -> Result<(StatusCode, Json<SignInLink>), Problem> {
    let by = By { actor: &actor.name, at: app.clock.now() };
    make_sign_in_link(&app, by).await.map(|link| (StatusCode::CREATED, Json(link)))
}

/// Who is signed in.
#[utoipa::path(
    get, path = "/api/v1/session", tag = "session",
    responses((status = 200, description = "Who is signed in.", body = Session))
)]
pub async fn show_session(
    State(app): State<AppState>,
    Extension(actor): Extension<Actor>,
    session: Option<Extension<CallSession>>,
) -> Result<Json<Session>, Problem> {
    let mut answer = Session {
        user: SessionUser { name: actor.name },
        roles: role_names(&actor.grants),
        must_set_password: false,
        asks_current_password: false,
    };
    // A token has no password.
    if let Some(Extension(CallSession { digest })) = session {
        let now = app.clock.now();
        let record = app.control.session(digest, now).await;
        let record = record.map_err(|error| Problem::internal("reading the session", &error))?;
        let has_password = record.as_ref().is_some_and(|record| record.user.password_hash.is_some());
        answer.must_set_password = !has_password;
        answer.asks_current_password =
            has_password && record.is_some_and(|record| !may_set_password_unasked(&record, now));
    }
    Ok(Json(answer))
}

/// Signs out.
#[utoipa::path(
    delete, path = "/api/v1/session", tag = "session",
    responses((status = 204, description = "The session has ended."))
)]
pub async fn sign_out(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    session: Option<Extension<CallSession>>,
) -> Result<impl IntoResponse, Problem> {
    if let Some(Extension(session)) = session {
        app.control
            .end_session(session.digest)
            .await
            .map_err(|error| Problem::internal("ending the session", &error))?;
    }
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(SET_COOKIE, session_cookie(peer, None))])))
}

/// Sets the own password and ends every other session. A session that came by a sign-in link may do so once, in its first
/// ten minutes, without the current password: such links are made for owners of everything only, and for whoever has
/// forgotten it.
#[utoipa::path(
    put, path = "/api/v1/users/me/password", tag = "session", request_body = NewPassword,
    responses((status = 204, description = "The password is set."))
)]
pub async fn set_password(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    Extension(actor): Extension<Actor>,
    session: Option<Extension<CallSession>>,
    ApiJson(request): ApiJson<NewPassword>,
) -> Result<StatusCode, Problem> {
    let (Proof::Session { user: id }, Some(Extension(session))) = (&actor.proof, session) else {
        return Err(Problem::new(Kind::BadRequest, "an API token has no password; sign in as a user"));
    };
    let current = request.current_password.map(Zeroizing::new);
    let fresh = Zeroizing::new(request.new_password);
    let now = app.clock.now();
    let record = app
        .control
        .session(session.digest, now)
        .await
        .map_err(|error| Problem::internal("reading the session", &error))?
        .ok_or_else(|| Problem::new(Kind::NotSignedIn, "the session has ended; sign in again"))?;
    if !may_set_password_unasked(&record, now) {
        let (Some(current), Some(kept)) = (current, record.user.password_hash) else {
            return Err(Problem::new(Kind::Forbidden, NEEDS_CURRENT_PASSWORD));
        };
        let attempt = begin_attempt(&app, Some(&actor.name.to_lowercase()), peer, now)?;
        match app.passwords.verify(current, Some(kept)).await {
            Ok(true) => locked(&app.sign_ins).succeeded(attempt, now),
            Ok(false) => {
                return Err(Problem::new(Kind::Forbidden, "currentPassword is not the password so far"));
            }
            Err(error) => {
                locked(&app.sign_ins).withdraw(attempt);
                return Err(Problem::internal("checking the password", &error));
            }
        }
    }
    let length = fresh.chars().count();
    if !(LEAST_PASSWORD_CHARACTERS..=MOST_PASSWORD_CHARACTERS).contains(&length) {
        return Err(Problem::new(
            Kind::BadRequest,
            format!(
                "newPassword has {length} characters; it takes {LEAST_PASSWORD_CHARACTERS} to {MOST_PASSWORD_CHARACTERS}"
            ),
        ));
    }
    let hash =
        app.passwords.hash(fresh).await.map_err(|error| Problem::internal("hashing the password", &error))?;
    app.control
        .set_password(*id, &hash, session.digest, By { actor: &actor.name, at: now })
        .await
        .map_err(|error| Problem::internal("setting the password", &error))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Makes and keeps a link by which one browser signs in as `admin`, who is made if there is none.
pub async fn make_sign_in_link(app: &App, by: By<'_>) -> Result<SignInLink, Problem> {
    let failed = |error| Problem::internal("keeping the sign-in link", &error);
    let user = app.control.ensure_owner(ADMIN, by).await.map_err(failed)?;
    let secret = Secret::generate("").map_err(|error| Problem::internal("making a sign-in link", &error))?;
    let expires_at = by.at.plus_nanos(seconds_to_nanos(SIGN_IN_LINK_SECONDS));
    app.control.add_sign_in_code(secret.digest(), user, expires_at, by).await.map_err(failed)?;
    let path = format!("/login#code={}", secret.expose());
    Ok(SignInLink { path, local_page: app.local_page.clone(), expires_at: Moment(expires_at) })
}

async fn start_session(
    app: &App,
    peer: Peer,
    user: &UserRecord,
    how: SignedInBy,
    now: Timestamp,
) -> Result<impl IntoResponse + use<>, Problem> {
    let failed = |error| Problem::internal("making a session", &error);
    let id = Secret::generate("").map_err(failed)?;
    let key = Secret::generate("").map_err(failed)?;
    let kept = NewSession {
        digest: id.digest(),
        key_digest: key.digest(),
        user: user.id,
        transport: peer.transport,
        how,
        expires_at: now.plus_nanos(seconds_to_nanos(SESSION_SECONDS)),
    };
    app.control
        .add_session(kept, By { actor: &user.name, at: now })
        .await
        .map_err(|error| Problem::internal("keeping the session", &error))?;
    tracing::info!(user = %user.name, address = %peer.address, how = how.name(), "signed in");
    let session = Session {
        user: SessionUser { name: user.name.clone() },
        roles: role_names(&user.grants),
        must_set_password: user.password_hash.is_none(),
        asks_current_password: user.password_hash.is_some() && how != SignedInBy::Link,
    };
    let cookie = session_cookie(peer, Some(id.expose()));
    let answer = SignedIn { session_key: key.expose().to_owned(), session };
    Ok((AppendHeaders([(SET_COOKIE, cookie)]), Json(answer)))
}

/// Whether the session was made by a sign-in link so short a time ago that its holder is who was given the link.
fn may_set_password_unasked(session: &SessionRecord, now: Timestamp) -> bool {
    session.by_link && now.nanos_since(session.created_at) < seconds_to_nanos(SIGN_IN_LINK_SECONDS)
}

/// Begins an attempt, or says how long to wait. It counts as a failure until it is handed back, so that attempts at the
/// same time are no more than attempts one after the other.
pub fn begin_attempt(app: &App, name: Option<&str>, peer: Peer, now: Timestamp) -> Result<Attempt, Problem> {
    locked(&app.sign_ins).begin(name, peer.address.ip(), now).map_err(|seconds| {
        Problem::new(Kind::TooManyRequests, format!("too many attempts; try again in {seconds} s"))
            .retry_after(seconds)
    })
}

/// The user whose password it is. One who does not exist takes as long, and gets the same answer.
async fn judge(app: &App, name: &str, password: Zeroizing<String>) -> Result<Option<UserRecord>, Problem> {
    let user = app.control.user(name).await.map_err(|error| Problem::internal("reading the user", &error))?;
    let kept = user.as_ref().and_then(|user| user.password_hash.clone());
    let is_right = app.passwords.verify(password, kept).await;
    let is_right = is_right.map_err(|error| Problem::internal("checking the password", &error))?;
    Ok(user.filter(|_| is_right))
}

fn refuse(app: &App, peer: Peer) -> Problem {
    app.metrics.sign_ins_failed.increment();
    tracing::warn!(address = %peer.address, "a sign-in failed");
    Problem::new(Kind::SignInFailed, "the name or the password is wrong")
}

fn role_names(grants: &[Grant]) -> Vec<String> {
    let mut names: Vec<String> = grants.iter().map(|grant| grant.role.to_string()).collect();
    names.sort();
    names.dedup();
    names
}

/// The user of the first start.
pub const ADMIN: &str = "admin";
/// How long a sign-in link is good, and how long a session that came by one may set a password without the one so far.
const SIGN_IN_LINK_SECONDS: u64 = 600;
const NEEDS_CURRENT_PASSWORD: &str = "currentPassword is missing: a password is set without the one so far only within ten minutes of signing in by a \
     link; `steadfast sign-in` on the server's machine prints a new one";
const MOST_NAME_CHARACTERS: usize = 100;
const LEAST_PASSWORD_CHARACTERS: usize = 10;
const MOST_PASSWORD_CHARACTERS: usize = 1000;
