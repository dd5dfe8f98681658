//! What is wrong with a rule.

use thiserror::Error;

use super::Rule;
use crate::PatternError;

/// Why a rule cannot be used: which one, and what is wrong with it.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("rule `{rule}`")]
pub struct RuleError {
    /// The rule's name.
    pub rule: String,
    /// What is wrong.
    #[source]
    pub invalid: InvalidRule,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum InvalidRule {
    /// It has no name.
    #[error("the name is empty: give the rule a name")]
    NoName,
    /// Its name cannot be shown on one line.
    #[error(
        "the name has a control character or more than {} characters: choose another",
        Rule::MAX_NAME_CHARACTERS
    )]
    BadName,
    /// Another rule has that name.
    #[error("another rule has that name: choose another")]
    NameTaken,
    /// Its path is not a pattern.
    #[error("the path `{path}`")]
    Path {
        /// The path as written.
        path: String,
        /// What is wrong with it.
        source: PatternError,
    },
    /// One of its exclusions is not a pattern.
    #[error("the exclusion `{exclusion}`")]
    Exclusion {
        /// The exclusion as written.
        exclusion: String,
        /// What is wrong with it.
        source: PatternError,
    },
    /// It has more exclusions than a matcher should ask for each path.
    #[error("there are {count} exclusions: at most {} are allowed, use wildcards", Rule::MAX_EXCLUSIONS)]
    TooManyExclusions {
        /// How many there are.
        count: usize,
    },
    /// It watches no aspect, so that it could never report a change.
    #[error("no aspect is watched: watch at least one, or disable the rule")]
    NothingWatched,
}
