//! The gate before every handler: who calls, from where, and whether they may.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{Extension, RawPathParams, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Redirect, Response};
use fim_core::Timestamp;
use subtle::ConstantTimeEq;
use uuid::Uuid;

use crate::app::{App, AppState};
use crate::authz::{Actor, Decision, Noun, Place, Proof, Verb, decide};
use crate::clock::seconds_to_nanos;
use crate::connection::{ConnectionPlace, Peer, Transport};
use crate::control::{SessionRecord, WorkspaceRecord, digest_of};
use crate::problem::{Kind, Problem};

/// What a route does to what; each route of the API has one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Access {
    /// Anyone may: signing in.
    Public,
    /// Whoever [`decide`] lets, in the workspace that the path names if it names one.
    Needs(Verb, Noun),
    /// Whoever [`decide`] lets, in each workspace that the body names: the handler asks by [`Caller::workspace`].
    NeedsNamed(Verb, Noun),
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Public => f.write_str("public"),
            Self::Needs(verb, noun) => write!(f, "{} {}", verb.name(), noun.name()),
            Self::NeedsNamed(verb, noun) => {
                write!(f, "{} {} of each workspace named", verb.name(), noun.name())
            }
        }
    }
}

/// The session that a call came with.
#[derive(Clone, Copy, Debug)]
pub struct CallSession {
    /// The digest by which it is kept.
    pub digest: [u8; 32],
}

/// What a caller proves who it is with, by the digest under which it is kept.
#[derive(Clone, Copy, Debug)]
enum Credential {
    Token([u8; 32]),
    Session(SessionProof),
}

/// What a call by session brings. A browser sends the id to every port of the machine, since cookies know no ports;
/// the key it gives to the page that signed in alone.
#[derive(Clone, Copy, Debug)]
struct SessionProof {
    /// The digest of the id, which is in a cookie.
    id: [u8; 32],
    /// The digest of the key, which is in a header.
    key: [u8; 32],
    transport: Transport,
}

impl SessionProof {
    fn is_of(&self, session: &SessionRecord) -> bool {
        self.transport == session.transport && bool::from(self.key.ct_eq(&session.key_digest))
    }
}

/// What a call was let through with, so that an answer that goes on can ask whether it still may.
#[derive(Clone, Copy, Debug)]
pub struct Pass {
    credential: Credential,
    verb: Verb,
    noun: Noun,
    place: Place,
}

impl Pass {
    /// True if the same call would be let through now. What cannot be asked is a no: the caller comes back.
    pub async fn is_good(&self, app: &App) -> bool {
        let caller = identify(app, self.credential, app.clock.now()).await;
        let is_there = match self.place {
            Place::Workspace(id) => {
                workspace(app, &id.to_string()).await.is_ok_and(|workspace| workspace.is_some())
            }
            Place::Tenant | Place::AnyOfTheirs => true,
        };
        let may = |actor: &Actor| decide(actor, self.verb, self.noun, self.place) == Decision::Allow;
        is_there && matches!(caller, Ok(Some((actor, _))) if may(&actor))
    }
}

/// Who called, and what for, so that a handler whose body names workspaces can ask for each.
#[derive(Clone, Debug)]
pub struct Caller {
    actor: Actor,
    verb: Verb,
    noun: Noun,
}

impl Caller {
    /// Who it is.
    pub fn actor(&self) -> &Actor {
        &self.actor
    }

    /// The workspace of that id or name, if the caller may do there what the route does.
    pub async fn workspace(&self, app: &App, name: &str) -> Result<WorkspaceRecord, Problem> {
        let found = workspace(app, name).await?;
        let place = place_of(found.as_ref());
        allow(&self.actor, self.verb, self.noun, place)?;
        found.ok_or_else(|| Problem::not_found("workspace", name))
    }

    /// Every workspace in which the caller may do what the route does, by name.
    pub async fn workspaces(&self, app: &App) -> Result<Vec<WorkspaceRecord>, Problem> {
        let all = app.control.workspaces().await;
        let all = all.map_err(|error| Problem::internal("reading the workspaces", &error))?;
        let may = |workspace: &WorkspaceRecord| {
            decide(&self.actor, self.verb, self.noun, Place::Workspace(workspace.id)) == Decision::Allow
        };
        Ok(all.into_iter().filter(may).collect())
    }
}

/// Lets a call through to its handler, or answers why not.
///
/// The handler finds the [`Actor`], the [`Caller`], the [`Pass`], the [`CallSession`] if there is one, and the
/// [`WorkspaceRecord`] that the path names, in the request's extensions.
pub async fn gate(
    State(access): State<Access>,
    Extension(app): Extension<AppState>,
    Extension(peer): Extension<Peer>,
    Extension(connection): Extension<Arc<ConnectionPlace>>,
    parameters: RawPathParams,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    check_origin(request.method(), request.headers())?;
    let (verb, noun) = match access {
        Access::Public => return Ok(next.run(request).await),
        Access::Needs(verb, noun) | Access::NeedsNamed(verb, noun) => (verb, noun),
    };
    let credential = credential(peer.transport, request.headers())?;
    let actor = authenticate(&app, credential).await?;
    let named = parameters.iter().find_map(|(parameter, value)| named_workspace(parameter, value));
    let found = match &named {
        Some(named) => workspace(&app, &named.name).await?,
        None => None,
    };
    let place = match &named {
        Some(_) => place_of(found.as_ref()),
        None if access == Access::NeedsNamed(verb, noun) => Place::AnyOfTheirs,
        None if verb == Verb::View && noun == Noun::Workspace => Place::AnyOfTheirs,
        None => Place::Tenant,
    };
    if let Err(problem) = allow(&actor, verb, noun, place) {
        tracing::info!(actor = %actor.name, address = %peer.address, verb = verb.name(), noun = noun.name(), "refused");
        return Err(problem);
    }
    if let Some(named) = named {
        let workspace = found.ok_or_else(|| named.missing())?;
        request.extensions_mut().insert(workspace);
    }
    if let Credential::Session(proof) = credential {
        request.extensions_mut().insert(CallSession { digest: proof.id });
    }
    request.extensions_mut().insert(Caller { actor: actor.clone(), verb, noun });
    request.extensions_mut().insert(Pass { credential, verb, noun, place });
    let holder = actor.holder();
    connection.authorised(&holder);
    request.extensions_mut().insert(actor);
    Ok(holder.answer(next.run(request)).await)
}

/// Who calls with credentials that are good, whatever they are good for.
pub async fn known_caller(app: &App, transport: Transport, headers: &HeaderMap) -> Result<Actor, Problem> {
    authenticate(app, credential(transport, headers)?).await
}

/// On plain loopback only the address that is listened on is ours. A page elsewhere that makes its own name point here is
/// kept out, and whoever asks for `localhost` is led to the address: that name stands for two, and another user of the
/// machine may listen on the other one, to whom a browser would give all that it keeps for the name.
pub async fn check_host(
    Extension(peer): Extension<Peer>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let asked = match peer.transport {
        Transport::Tls => Asked::Address,
        Transport::Loopback => asked_for(host, peer.address.ip()),
    };
    match asked {
        Asked::Address => Ok(next.run(request).await),
        Asked::Localhost { address } if is_safe(request.method()) => {
            let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
            Ok(Redirect::temporary(&format!("http://{address}{path}")).into_response())
        }
        Asked::Localhost { address } | Asked::Another { address } => Err(Problem::new(
            Kind::Misdirected,
            format!("this port is for the browser on the server's own machine; open it as http://{address}"),
        )),
    }
}

/// The session's cookie. `None` takes it away.
pub fn session_cookie(peer: Peer, session_id: Option<&str>) -> String {
    let secure = match peer.transport {
        Transport::Tls => "; Secure",
        Transport::Loopback => "",
    };
    let name = cookie_name(peer.transport);
    let (value, age) = session_id.map_or(("", 0), |id| (id, SESSION_SECONDS));
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={age}{secure}")
}

/// The session id of the call's cookie.
fn session_id(headers: &HeaderMap, transport: Transport) -> Option<&str> {
    let ours = cookie_name(transport);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == ours).map(|(_, value)| value)
}

/// Each transport has a name of its own: a browser does not let plain HTTP replace a cookie of TLS, so that with one
/// name signing in on one port would keep a person out of the other.
fn cookie_name(transport: Transport) -> &'static str {
    match transport {
        Transport::Tls => COOKIE_NAME,
        Transport::Loopback => PLAIN_COOKIE_NAME,
    }
}

/// The lock's content, also if a holder panicked: the tables behind it are whole after every statement.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A workspace as a path names it.
struct Named<'a> {
    /// What the path has.
    said: &'a str,
    /// The workspace's id or name.
    name: String,
    /// What the path's word is the name of.
    noun: &'static str,
}

impl Named<'_> {
    fn missing(&self) -> Problem {
        Problem::not_found(self.noun, self.said)
    }
}

/// The workspace that a parameter of the path names, if it is one that does: the workspace itself, or the data
/// collection rule that every workspace has for records that are sent directly.
fn named_workspace<'a>(parameter: &str, value: &'a str) -> Option<Named<'a>> {
    match parameter {
        "ws" => Some(Named { said: value, name: value.to_owned(), noun: "workspace" }),
        "dcr" => {
            let id = value.strip_prefix(WorkspaceRecord::DCR_PREFIX).unwrap_or_default();
            // No workspace is called "", so that what is no rule's id names none.
            let name = Uuid::try_parse(id).map(|id| id.to_string()).unwrap_or_default();
            Some(Named { said: value, name, noun: "data collection rule" })
        }
        _ => None,
    }
}

/// Where what is in this workspace is. Whoever may not see every workspace gets, of one that is not there, the answer
/// that one of somebody else's gives, and does not learn which names there are.
fn place_of(found: Option<&WorkspaceRecord>) -> Place {
    Place::Workspace(found.map_or(Uuid::nil(), |workspace| workspace.id))
}

fn allow(actor: &Actor, verb: Verb, noun: Noun, place: Place) -> Result<(), Problem> {
    match decide(actor, verb, noun, place) {
        Decision::Allow => Ok(()),
        Decision::Deny { needs } => Err(Problem::new(
            Kind::Forbidden,
            format!("to {} {} takes the role {needs} here; ask an owner for it", verb.name(), noun.one()),
        )),
    }
}

async fn workspace(app: &App, name: &str) -> Result<Option<WorkspaceRecord>, Problem> {
    let found = app.control.workspace(name).await;
    found.map_err(|error| Problem::internal("reading the workspace", &error))
}

/// What the call brings with it, not yet looked up.
fn credential(transport: Transport, headers: &HeaderMap) -> Result<Credential, Problem> {
    if let Some(value) = headers.get(AUTHORIZATION) {
        let token = value.to_str().ok().and_then(|text| text.split_once(' '));
        let token =
            token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
        let Some(token) = token else {
            return Err(Problem::new(Kind::NotSignedIn, "send `Authorization: Bearer TOKEN`"));
        };
        return Ok(Credential::Token(digest_of(token)));
    }
    let Some(id) = session_id(headers, transport) else {
        return Err(Problem::new(Kind::NotSignedIn, "sign in, or send `Authorization: Bearer TOKEN`"));
    };
    let Some(key) = headers.get(SESSION_KEY_HEADER).map(HeaderValue::to_str).and_then(Result::ok) else {
        return Err(Problem::new(
            Kind::NotSignedIn,
            "a call by cookie must send the `sessionKey` of the answer to signing in as `Steadfast-Session-Key`; sign in \
             again, or send `Authorization: Bearer TOKEN`",
        ));
    };
    Ok(Credential::Session(SessionProof { id: digest_of(id), key: digest_of(key), transport }))
}

/// Whose credential it is, and the end that the session has when it is used now, if that is to be kept; `None` if the
/// credential is good no more.
async fn identify(
    app: &App,
    credential: Credential,
    now: Timestamp,
) -> Result<Option<(Actor, Option<Timestamp>)>, Problem> {
    match credential {
        Credential::Token(digest) => {
            let record = app.control.token(digest, now).await;
            let record = record.map_err(|error| Problem::internal("reading the API token", &error))?;
            Ok(record.map(|record| {
                let name = format!("token:{}", record.name);
                (Actor { name, proof: Proof::Token, grants: vec![record.grant] }, None)
            }))
        }
        Credential::Session(proof) => {
            let record = app.control.session(proof.id, now).await;
            let record = record.map_err(|error| Problem::internal("reading the session", &error))?;
            Ok(record.filter(|record| proof.is_of(record)).map(|record| {
                let proof = Proof::Session { user: record.user.id };
                let later = later_end(record.created_at, record.expires_at, now);
                (Actor { name: record.user.name, proof, grants: record.user.grants }, later)
            }))
        }
    }
}

/// Who calls. A session that is used lives on.
async fn authenticate(app: &App, credential: Credential) -> Result<Actor, Problem> {
    let now = app.clock.now();
    let Some((actor, later_end)) = identify(app, credential, now).await? else {
        return Err(Problem::new(
            Kind::NotSignedIn,
            match credential {
                Credential::Token(_) => {
                    "the API token is unknown, deleted or expired; an owner makes another with `steadfast token create`, \
                     and without STEADFAST_TOKEN the command line uses its profile's"
                }
                Credential::Session(_) => "the session has ended; sign in again",
            },
        ));
    };
    if let Credential::Session(proof) = credential
        && let Some(expires_at) = later_end
    {
        app.control
            .extend_session(proof.id, expires_at)
            .await
            .map_err(|error| Problem::internal("extending the session", &error))?;
    }
    Ok(actor)
}

/// The end of a session that is used now, if it is another one: the row is written once an hour, not at every call. No
/// use puts the end off for ever: who took a session from its user does not keep it.
fn later_end(created_at: Timestamp, ends: Timestamp, now: Timestamp) -> Option<Timestamp> {
    let last = created_at.plus_nanos(seconds_to_nanos(LONGEST_SESSION_SECONDS));
    let later = now.plus_nanos(seconds_to_nanos(SESSION_SECONDS)).min(last);
    let is_worth_it = later == last || later.nanos_since(ends) > seconds_to_nanos(3600);
    (later > ends && is_worth_it).then_some(later)
}

/// A browser says where a call comes from; what comes from another page may change nothing.
fn check_origin(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if is_safe(method) || headers.contains_key(AUTHORIZATION) {
        return Ok(());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text(HOST.as_str()).unwrap_or_default();
    let is_foreign = match (text(ORIGIN.as_str()), text("sec-fetch-site")) {
        (Some(origin), _) => {
            origin.split_once("://").is_none_or(|(_, authority)| !authority.eq_ignore_ascii_case(host))
        }
        (None, Some(site)) => !matches!(site, "same-origin" | "none"),
        (None, None) => false,
    };
    if is_foreign {
        return Err(Problem::new(Kind::ForeignPage, "the call comes from another site's page"));
    }
    Ok(())
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// What a call on plain loopback asks for; `address` is the server's, with the port that was asked for.
#[derive(Debug, Eq, PartialEq)]
enum Asked {
    Address,
    Localhost { address: String },
    Another { address: String },
}

/// What the `Host` of a call from `caller` asks for: both ends of a connection on loopback are of one family.
fn asked_for(host: &str, caller: IpAddr) -> Asked {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (name, format!(":{port}"))
        }
        _ => (host, String::new()),
    };
    let own = if caller.is_ipv6() { "[::1]" } else { "127.0.0.1" };
    let address = format!("{own}{port}");
    match name.to_ascii_lowercase().as_str() {
        name if name == own => Asked::Address,
        "localhost" => Asked::Localhost { address },
        _ => Asked::Another { address },
    }
}

/// The cookie's name over TLS. A browser takes a cookie with this prefix only from this host, over TLS, for all of it.
pub const COOKIE_NAME: &str = "__Host-steadfast_session";
/// The cookie's name over plain HTTP on loopback, where no prefix may be used.
const PLAIN_COOKIE_NAME: &str = "steadfast_session";
/// The header in which a call by cookie sends the session's key.
pub const SESSION_KEY_HEADER: &str = "Steadfast-Session-Key";
/// How long a session lives without being used: 12 hours.
pub const SESSION_SECONDS: u64 = 12 * 3600;
/// How long a session lives however it is used: 7 days.
const LONGEST_SESSION_SECONDS: u64 = 7 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_address_that_is_listened_on_is_ours_and_localhost_leads_there() {
        let (four, six) = (IpAddr::from([127, 0, 0, 1]), IpAddr::from(std::net::Ipv6Addr::LOCALHOST));
        for (host, caller) in
            [("127.0.0.1:80", four), ("127.0.0.1", four), ("[::1]:8080", six), ("[::1]", six)]
        {
            assert_eq!(asked_for(host, caller), Asked::Address, "{host}");
        }
        for (host, caller, address) in [
            ("localhost", four, "127.0.0.1"),
            ("LOCALHOST:8080", four, "127.0.0.1:8080"),
            ("localhost:8080", six, "[::1]:8080"),
        ] {
            assert_eq!(asked_for(host, caller), Asked::Localhost { address: address.to_owned() }, "{host}");
        }
        for host in [
            "",
            "evil.example:8080",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "10.0.0.1",
            "[::1]:8080",
        ] {
            assert!(matches!(asked_for(host, four), Asked::Another { .. }), "{host}");
        }
        assert!(matches!(asked_for("127.0.0.1:8080", six), Asked::Another { .. }));
    }

    #[test]
    fn a_session_lives_on_while_it_is_used_and_ends_in_a_week() {
        let hours = |number: i64| Timestamp(number * 3_600_000_000_000);
        let mut ends = hours(12);
        let mut written = 0;
        for minute in 0.. {
            let now = Timestamp(minute * 60_000_000_000);
            if now >= ends {
                break;
            }
            if let Some(later) = later_end(hours(0), ends, now) {
                assert!(later > ends);
                ends = later;
                written += 1;
            }
        }
        assert_eq!(ends, hours(7 * 24));
        assert!(written <= 7 * 24, "{written}");
    }

    #[test]
    fn a_call_of_another_page_changes_nothing() {
        let call = |pairs: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static("fim.example:8443"));
            headers.extend(pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_static(value))
            }));
            (check_origin(&Method::POST, &headers).is_ok(), check_origin(&Method::GET, &headers).is_ok())
        };
        assert_eq!(call(&[]), (true, true));
        assert_eq!(call(&[("origin", "https://fim.example:8443")]), (true, true));
        assert_eq!(call(&[("origin", "https://evil.example")]), (false, true));
        assert_eq!(call(&[("origin", "null")]), (false, true));
        assert_eq!(call(&[("sec-fetch-site", "cross-site")]), (false, true));
        assert_eq!(call(&[("origin", "https://evil.example"), ("authorization", "Bearer x")]), (true, true));
    }

    #[test]
    fn the_session_is_found_among_other_cookies_and_each_transport_has_its_own() {
        let mut headers = HeaderMap::new();
        headers.append(
            COOKIE,
            HeaderValue::from_static("a=b; __Host-steadfast_session=s1; steadfast_session=s2"),
        );
        assert_eq!(session_id(&headers, Transport::Tls), Some("s1"));
        assert_eq!(session_id(&headers, Transport::Loopback), Some("s2"));
    }
}
