//! Who may do what; pure.
//!
//! Every call of the API is one verb on one noun, and [`decide`] is the only place that says yes. Roles are those of
//! the published product: a workspace's owner enables, disables and sets; a reader sees.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use crate::shares::Holder;

/// What a grant lets its holder do.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Role {
    /// Everything.
    Owner,
    /// Seeing everything but secrets, the text of files, users and tokens.
    Reader,
    /// Sending records, and seeing none: what a program holds that only delivers.
    MetricsPublisher,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Owner, Self::Reader, Self::MetricsPublisher];

    /// The name that people and the API use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Reader => "reader",
            Self::MetricsPublisher => "metrics-publisher",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// There is no role of that name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no role \"{0}\"; the roles are owner, reader and metrics-publisher")]
pub struct UnknownRole(pub String);

/// Where a grant holds.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Scope {
    /// The whole server.
    Tenant,
    /// One workspace.
    Workspace(Uuid),
}

/// A role at a scope.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Grant {
    /// What it lets do.
    pub role: Role,
    /// Where.
    pub scope: Scope,
}

/// Who calls.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Actor {
    /// The name that the audit log has.
    pub name: String,
    /// How the caller proved who it is.
    pub proof: Proof,
    /// What the caller holds.
    pub grants: Vec<Grant>,
}

impl Actor {
    /// Whose places the caller's work takes.
    pub fn holder(&self) -> Holder {
        match &self.proof {
            Proof::Session { user } => Holder::User(*user),
            Proof::Token => Holder::Token(self.name.clone()),
        }
    }
}

/// How a caller proved who it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Proof {
    /// By a session's cookie, of the user with this id.
    Session {
        /// The user.
        user: Uuid,
    },
    /// By an API token.
    Token,
}

/// What is done.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Verb {
    /// Seeing it.
    View,
    /// Making one.
    Create,
    /// Making it different; enabling and disabling too.
    Edit,
    /// Taking it away.
    Delete,
}

impl Verb {
    /// The verb as a sentence has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::Create => "create",
            Self::Edit => "edit",
            Self::Delete => "delete",
        }
    }
}

/// What it is done to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Noun {
    /// A workspace, its summary and its figures.
    Workspace,
    /// File integrity monitoring: whether it is on.
    Fim,
    /// A monitored entity's setting.
    Rule,
    /// A machine.
    Machine,
    /// The records: changes, gaps, and answers to queries.
    Record,
    /// The text of files before and after changes.
    Content,
    /// What one machine enrols with.
    EnrollmentToken,
    /// What a program signs in with.
    ApiToken,
    /// What a browser signs in with once.
    SignInLink,
    /// What the server knows by itself: tables, capabilities, recommended items.
    Reference,
    /// The caller's own session and password.
    OwnSession,
}

impl Noun {
    /// One of them, with its article.
    pub fn one(self) -> String {
        let name = self.name();
        match self {
            Self::Fim | Self::Content => name.to_owned(),
            _ if name.starts_with(['a', 'e', 'i', 'o', 'u', 'A']) => format!("an {name}"),
            _ => format!("a {name}"),
        }
    }

    /// The noun as a sentence has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Fim => "file integrity monitoring",
            Self::Rule => "rule",
            Self::Machine => "machine",
            Self::Record => "record",
            Self::Content => "file content",
            Self::EnrollmentToken => "enrolment token",
            Self::ApiToken => "API token",
            Self::SignInLink => "sign-in link",
            Self::Reference => "reference",
            Self::OwnSession => "own session",
        }
    }
}

/// Where the thing is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// In no workspace.
    Tenant,
    /// In this workspace.
    Workspace(Uuid),
    /// In workspaces of which the answer shows only those that the caller may see.
    AnyOfTheirs,
}

/// Yes, or what would be needed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Decision {
    /// Yes.
    Allow,
    /// No: it takes this role there.
    Deny {
        /// The least role that may.
        needs: Role,
    },
}

/// Decides whether `actor` may do `verb` to a `noun` at `place`.
pub fn decide(actor: &Actor, verb: Verb, noun: Noun, place: Place) -> Decision {
    let Some(needs) = needed_role(verb, noun) else {
        return Decision::Allow;
    };
    let holds = actor.grants.iter().any(|grant| reaches(grant.scope, place) && includes(grant.role, needs));
    if holds { Decision::Allow } else { Decision::Deny { needs } }
}

/// The least role that may; `None` if whoever is signed in may.
fn needed_role(verb: Verb, noun: Noun) -> Option<Role> {
    match (noun, verb) {
        (Noun::OwnSession | Noun::Reference, Verb::View) => None,
        (Noun::OwnSession, Verb::Edit | Verb::Delete) => None,
        (Noun::OwnSession, Verb::Create) | (Noun::Reference, Verb::Create | Verb::Edit | Verb::Delete) => {
            Some(Role::Owner)
        }
        (Noun::Workspace | Noun::Fim | Noun::Rule | Noun::Machine | Noun::Record, Verb::View) => {
            Some(Role::Reader)
        }
        (Noun::Record, Verb::Create) => Some(Role::MetricsPublisher),
        (Noun::Record, Verb::Edit | Verb::Delete)
        | (
            Noun::Workspace | Noun::Fim | Noun::Rule | Noun::Machine,
            Verb::Create | Verb::Edit | Verb::Delete,
        ) => Some(Role::Owner),
        (
            Noun::Content | Noun::EnrollmentToken | Noun::ApiToken | Noun::SignInLink,
            Verb::View | Verb::Create | Verb::Edit | Verb::Delete,
        ) => Some(Role::Owner),
    }
}

fn includes(held: Role, needed: Role) -> bool {
    match (held, needed) {
        (Role::Owner, Role::Owner | Role::Reader | Role::MetricsPublisher)
        | (Role::Reader, Role::Reader)
        | (Role::MetricsPublisher, Role::MetricsPublisher) => true,
        (Role::Reader, Role::Owner | Role::MetricsPublisher)
        | (Role::MetricsPublisher, Role::Owner | Role::Reader) => false,
    }
}

fn reaches(scope: Scope, place: Place) -> bool {
    match (scope, place) {
        (Scope::Tenant, Place::Tenant | Place::Workspace(_) | Place::AnyOfTheirs) => true,
        (Scope::Workspace(granted), Place::Workspace(asked)) => granted == asked,
        (Scope::Workspace(_), Place::AnyOfTheirs) => true,
        (Scope::Workspace(_), Place::Tenant) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    const VERBS: [Verb; 4] = [Verb::View, Verb::Create, Verb::Edit, Verb::Delete];
    const NOUNS: [Noun; 11] = [
        Noun::Workspace,
        Noun::Fim,
        Noun::Rule,
        Noun::Machine,
        Noun::Record,
        Noun::Content,
        Noun::EnrollmentToken,
        Noun::ApiToken,
        Noun::SignInLink,
        Noun::Reference,
        Noun::OwnSession,
    ];

    /// One line for each role, scope, noun and verb; a changed line is a changed promise.
    #[test]
    fn the_matrix_of_roles_verbs_and_nouns_is_the_reviewed_one() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/authorisation.txt");
        let matrix = matrix();
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(path, &matrix).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            matrix == golden,
            "{path} is not what `decide` says; read the difference, then run with UPDATE=1"
        );
    }

    #[test]
    fn who_holds_nothing_may_only_see_reference_and_keep_the_own_session() {
        let nobody = actor(vec![]);
        for noun in NOUNS {
            for verb in VERBS {
                let free = matches!(
                    (noun, verb),
                    (Noun::Reference | Noun::OwnSession, Verb::View)
                        | (Noun::OwnSession, Verb::Edit | Verb::Delete)
                );
                assert_eq!(
                    decide(&nobody, verb, noun, Place::Tenant) == Decision::Allow,
                    free,
                    "{verb:?} {noun:?}"
                );
            }
        }
    }

    #[test]
    fn a_grant_for_one_workspace_says_nothing_of_another() {
        let here = Uuid::from_u128(1);
        let owner = actor(vec![Grant { role: Role::Owner, scope: Scope::Workspace(here) }]);
        let ask = |place| decide(&owner, Verb::Edit, Noun::Rule, place);
        assert_eq!(ask(Place::Workspace(here)), Decision::Allow);
        assert_eq!(ask(Place::Workspace(Uuid::from_u128(2))), Decision::Deny { needs: Role::Owner });
        assert_eq!(ask(Place::Tenant), Decision::Deny { needs: Role::Owner });
    }

    fn actor(grants: Vec<Grant>) -> Actor {
        Actor { name: "test".to_owned(), proof: Proof::Token, grants }
    }

    fn matrix() -> String {
        let here = Uuid::from_u128(1);
        let there = Uuid::from_u128(2);
        let mut text = String::from(
            "# role @ scope: what it may do to what is in the tenant, in its workspace, in another, in any that it may see\n",
        );
        for role in Role::ALL {
            for (scope_name, scope) in [("tenant", Scope::Tenant), ("workspace", Scope::Workspace(here))] {
                writeln!(text, "\n{role} @ {scope_name}").unwrap();
                let actor = actor(vec![Grant { role, scope }]);
                for noun in NOUNS {
                    for verb in VERBS {
                        let word = |place| match decide(&actor, verb, noun, place) {
                            Decision::Allow => "allow".to_owned(),
                            Decision::Deny { needs } => format!("needs {needs}"),
                        };
                        writeln!(
                            text,
                            "  {:<26} {:<7} {:<13} {:<13} {:<13} {}",
                            noun.name(),
                            verb.name(),
                            word(Place::Tenant),
                            word(Place::Workspace(here)),
                            word(Place::Workspace(there)),
                            word(Place::AnyOfTheirs),
                        )
                        .unwrap();
                    }
                }
            }
        }
        text
    }
}
