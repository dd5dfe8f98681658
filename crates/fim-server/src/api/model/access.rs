//! What is said about who may come in: passwords, sessions, tokens.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::clock::Moment;

/// A name and a password.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// The user's name.
    pub name: String,
    /// The password.
    pub password: String,
}

/// A sign-in code that is good once.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OneTimeSignIn {
    /// The code of the link.
    pub code: String,
}

/// A link by which one browser signs in as `admin`, once.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignInLink {
    /// The link's path and fragment, behind any address of the page. It is not shown again.
    pub path: String,
    /// The address of the page without TLS, which the server's own machine reaches; `null` if it is not served.
    pub local_page: Option<String>,
    /// When it ends, if it is not used before.
    pub expires_at: Moment,
}

/// Who is signed in.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The user.
    pub user: SessionUser,
    /// The roles held, for any scope.
    pub roles: Vec<String>,
    /// True until the user has set a password.
    pub must_set_password: bool,
    /// True if setting a password asks for the current one: there is one, and the session did not come by a sign-in link
    /// in the last ten minutes, or has set one since.
    pub asks_current_password: bool,
}

/// A session that was just made.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    /// What every call by the cookie sends as `Steadfast-Session-Key`. It is not shown again.
    pub session_key: String,
    /// Who is signed in.
    #[serde(flatten)]
    pub session: Session,
}

/// The user of a session.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct SessionUser {
    /// The name.
    pub name: String,
}

/// A new password.
#[derive(Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewPassword {
    /// The password so far; not needed in the first ten minutes of a session by a sign-in link, which may do without once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_password: Option<String>,
    /// The new one: 10 to 1,000 characters.
    pub new_password: String,
}

/// What a new API token is made from.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewApiToken {
    /// A name to know it by, unique.
    pub name: String,
    /// `owner`, `reader` or `metrics-publisher`.
    pub role: String,
    /// The workspace (id or name) that it is limited to; everything if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Seconds from now until it is good no more; without end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in_seconds: Option<u64>,
}

/// An API token as lists show it: never the token itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ApiToken {
    /// The name.
    pub name: String,
    /// What OAuth 2.0 calls the client's id; the token is the client's secret.
    pub client_id: String,
    /// The role.
    pub role: String,
    /// The workspace's id that it is limited to.
    #[schema(required)]
    pub scope: Option<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Moment,
    /// When it is good no more.
    #[schema(required)]
    pub expires_at: Option<Moment>,
}

/// A new API token, seen this one time.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize, ToSchema)]
pub struct CreatedApiToken {
    /// The token: `Authorization: Bearer …`.
    pub token: String,
    /// What lists will show.
    #[serde(flatten)]
    pub details: ApiToken,
}
