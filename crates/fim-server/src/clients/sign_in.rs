//! OAuth 2.0 for programs: an API token is exchanged for an access token by the client credentials grant.
//!
//! The path's first word names a tenant, as clients want it; there is one tenant here, and any word will do.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Extension, State};
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_TYPE, HOST};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::ToSchema;

use crate::app::{App, AppState};
use crate::clock::seconds_to_nanos;
use crate::connection::{Peer, Transport};
use crate::control::{Exchanged, Secret, digest_of};
use crate::problem::{ItemName, Kind, Problem};

/// The form of a client that asks for an access token.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct TokenForm {
    /// `client_credentials`.
    grant_type: String,
    /// The API token's id or name.
    client_id: String,
    /// The API token.
    client_secret: String,
}

/// An access token, seen this one time. Source: RFC 6749, section 5.1.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessToken {
    /// `Bearer`.
    token_type: &'static str,
    /// Seconds until it is good no more.
    expires_in: u64,
    /// The same; some clients look here.
    ext_expires_in: u64,
    /// The token: `Authorization: Bearer …`.
    access_token: String,
}

/// Where a client finds what. Source: OpenID Connect Discovery 1.0, section 3.
#[derive(Debug, Serialize, ToSchema)]
pub struct Discovery {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    token_endpoint_auth_methods_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 1],
    response_types_supported: [&'static str; 1],
    subject_types_supported: [&'static str; 1],
}

/// Where the clients of the Kusto interface sign in.
#[derive(Debug, Serialize, ToSchema)]
pub struct KustoSignIn {
    #[serde(rename = "AzureAD")]
    directory: KustoDirectory,
}

/// The directory that is asked for tokens.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct KustoDirectory {
    login_endpoint: String,
    login_mfa_required: bool,
    kusto_client_app_id: &'static str,
    kusto_client_redirect_uri: &'static str,
    kusto_service_resource_id: String,
    first_party_authority_url: String,
}

/// Exchanges an API token for an access token.
#[utoipa::path(
    post, path = "/{tenant}/oauth2/v2.0/token", tag = "published",
    params(("tenant" = String, Path, description = "Any word.")),
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, description = "The access token, seen this one time.", body = AccessToken))
)]
pub async fn exchange_token(
    State(app): State<AppState>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<AccessToken>, Problem> {
    let form = read_form(&headers, &body)?;
    if form.grant_type != "client_credentials" {
        return Err(Problem::new(
            Kind::BadRequest,
            format!(
                "the grant type \"{}\" is not one of this server's; use client_credentials",
                form.grant_type
            ),
        )
        .with_code("unsupported_grant_type"));
    }
    let internal = |error: &dyn std::error::Error| Problem::internal("exchanging the token", error);
    let secret = Secret::generate("sta_").map_err(|error| internal(&error))?;
    let now = app.clock.now();
    let until = now.plus_nanos(seconds_to_nanos(ACCESS_SECONDS));
    let exchanged = app
        .control
        .exchange(&form.client_id, digest_of(&form.client_secret), secret.digest(), until, now)
        .await
        .map_err(|error| internal(&error))?;
    let seconds =
        |time: fim_core::Timestamp| u64::try_from(time.nanos_since(now) / 1_000_000_000).unwrap_or(0);
    match exchanged {
        Exchanged::Until(until) => Ok(Json(AccessToken {
            token_type: "Bearer",
            expires_in: seconds(until),
            ext_expires_in: seconds(until),
            access_token: secret.expose().to_owned(),
        })),
        Exchanged::Unknown => Err(Problem::new(
            Kind::NotSignedIn,
            "no API token has this client_id (its id or name) and this client_secret (the token), or it was deleted or has \
             expired; `steadfast token create` makes one",
        )),
        Exchanged::TooMany(first_end) => Err(Problem::new(
            Kind::TooManyRequests,
            "the API token has as many access tokens as it may have at a time; keep the one you get until it expires",
        )
        .retry_after(seconds(first_end))),
    }
}

/// Tells a client where it gets tokens.
#[utoipa::path(
    get, path = "/{tenant}/v2.0/.well-known/openid-configuration", tag = "published",
    params(("tenant" = String, Path, description = "Any word.")),
    responses((status = 200, description = "Where a client finds what.", body = Discovery))
)]
pub async fn discover(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
    ItemName(tenant): ItemName,
) -> Json<Discovery> {
    let tenant: String = form_urlencoded::byte_serialize(tenant.as_bytes()).collect();
    let base = format!("{}/{tenant}", base_url(&app, peer, &headers));
    Json(Discovery {
        issuer: format!("{base}/v2.0"),
        authorization_endpoint: format!("{base}/oauth2/v2.0/authorize"),
        token_endpoint: format!("{base}/oauth2/v2.0/token"),
        token_endpoint_auth_methods_supported: ["client_secret_post"],
        grant_types_supported: ["client_credentials"],
        response_types_supported: ["token"],
        subject_types_supported: ["public"],
    })
}

/// Tells a client of the Kusto interface where it gets tokens, and for what.
#[utoipa::path(
    get, path = "/v1/rest/auth/metadata", tag = "published",
    responses((status = 200, description = "Where the client signs in.", body = KustoSignIn))
)]
pub async fn discover_for_kusto(
    State(app): State<AppState>,
    Extension(peer): Extension<Peer>,
    headers: HeaderMap,
) -> Json<KustoSignIn> {
    let base = base_url(&app, peer, &headers);
    Json(KustoSignIn {
        directory: KustoDirectory {
            first_party_authority_url: format!("{base}/steadfast"),
            kusto_service_resource_id: base.clone(),
            login_endpoint: base,
            login_mfa_required: false,
            kusto_client_app_id: "steadfast",
            kusto_client_redirect_uri: "http://localhost",
        },
    })
}

/// The server's address as the caller calls it: whatever name it has there, what the caller is told has it too.
fn base_url(app: &App, peer: Peer, headers: &HeaderMap) -> String {
    let scheme = match peer.transport {
        Transport::Tls => "https",
        Transport::Loopback => "http",
    };
    match headers.get(HOST).and_then(|host| host.to_str().ok()) {
        Some(host) => format!("{scheme}://{host}"),
        None => app.public_url.clone(),
    }
}

fn read_form(headers: &HeaderMap, body: &[u8]) -> Result<TokenForm, Problem> {
    let media_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    if !media_type.eq_ignore_ascii_case(FORM) {
        return Err(Problem::new(Kind::BadRequest, format!("send a form, `Content-Type: {FORM}`")));
    }
    let mut form = TokenForm::default();
    for (name, value) in form_urlencoded::parse(body) {
        match name.as_ref() {
            "grant_type" => form.grant_type = value.into_owned(),
            "client_id" => form.client_id = value.into_owned(),
            "client_secret" => form.client_secret = value.into_owned(),
            // A scope has no meaning here: a token is good for what its role and workspace are.
            _ => {}
        }
    }
    for (name, value) in [
        ("grant_type", &form.grant_type),
        ("client_id", &form.client_id),
        ("client_secret", &form.client_secret),
    ] {
        if value.is_empty() {
            return Err(Problem::new(Kind::BadRequest, format!("the form has no {name}")));
        }
    }
    Ok(form)
}

/// An hour, as clients expect it.
const ACCESS_SECONDS: u64 = 3600;
const FORM: &str = "application/x-www-form-urlencoded";
