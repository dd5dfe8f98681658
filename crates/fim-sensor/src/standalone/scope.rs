//! What a baseline covers.

use std::path::{Path, PathBuf};

use fim_core::{EntityKind, EntityPath, PathStyle, Pattern, PatternError};
use fim_scan::Plan;
use serde::{Deserialize, Serialize};

use crate::machine_path::machine_path;

/// Everything below some paths, without what some patterns name.
#[derive(Clone, Debug)]
pub struct Scope {
    roots: Vec<EntityPath>,
    /// The paths that a baseline is taken of, which are about what they lead to where they are links.
    followed: Vec<EntityPath>,
    exclude: Vec<Pattern>,
}

/// Why a scope is none.
#[derive(Debug, thiserror::Error)]
pub enum ScopeError {
    /// A pattern cannot be understood.
    #[error("cannot exclude {text:?}")]
    BadExclusion {
        /// The pattern.
        text: String,
        /// What is wrong with it.
        source: PatternError,
    },
    /// There would be nothing to look at.
    #[error("no path to look at; name at least one")]
    Empty,
}

impl Scope {
    /// Everything within `roots`, except what the patterns in `exclude` name and all below that.
    pub fn new(roots: Vec<EntityPath>, exclude: &[String]) -> Result<Self, ScopeError> {
        let style = roots.first().ok_or(ScopeError::Empty)?.style();
        let parse = |text: &String| {
            Pattern::parse_exclusion(text, style)
                .map_err(|source| ScopeError::BadExclusion { text: text.clone(), source })
        };
        let exclude = exclude.iter().map(parse).collect::<Result<_, _>>()?;
        Ok(Self { followed: roots.clone(), roots, exclude })
    }

    /// The paths that everything is looked at within.
    pub fn roots(&self) -> &[EntityPath] {
        &self.roots
    }

    /// True if the path is looked at.
    pub fn contains(&self, path: &EntityPath) -> bool {
        self.roots.iter().any(|root| path.is_within(root) && !self.is_excluded_below(root, path))
    }

    /// This scope without one more path.
    pub fn without(mut self, path: &EntityPath) -> Result<Self, ScopeError> {
        let text = Pattern::escape(path);
        let pattern = Pattern::parse_exclusion(&text, path.style());
        self.exclude.push(pattern.map_err(|source| ScopeError::BadExclusion { text, source })?);
        Ok(self)
    }

    /// The part of this scope that is within `paths`. The paths that it does not contain come back as the error.
    pub fn narrowed(&self, paths: Vec<EntityPath>) -> Result<Self, Vec<EntityPath>> {
        let (inside, outside): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| self.contains(path));
        if outside.is_empty() {
            Ok(Self { roots: inside, followed: self.followed.clone(), exclude: self.exclude.clone() })
        } else {
            Err(outside)
        }
    }

    /// The pattern by which a path within a root is left out, if it is.
    pub(super) fn exclusion_of(&self, path: &EntityPath) -> Option<&str> {
        self.roots
            .iter()
            .filter(|root| path.is_within(root))
            .find_map(|root| self.exclusion_below(root, path))
            .map(Pattern::text)
    }

    fn is_excluded_below(&self, root: &EntityPath, path: &EntityPath) -> bool {
        self.exclusion_below(root, path).is_some()
    }

    /// The pattern that names the path, or a directory above it up to the root.
    fn exclusion_below(&self, root: &EntityPath, path: &EntityPath) -> Option<&Pattern> {
        if self.exclude.is_empty() {
            return None;
        }
        let mut at = root.clone();
        let below: Vec<&[u8]> = path.segments().skip(root.segments().count()).collect();
        std::iter::once(None).chain(below.into_iter().map(Some)).find_map(|name| {
            if let Some(name) = name {
                at = at.join(name);
            }
            self.naming(&at)
        })
    }

    fn names(&self, path: &EntityPath) -> bool {
        self.naming(path).is_some()
    }

    fn naming(&self, path: &EntityPath) -> Option<&Pattern> {
        self.exclude.iter().find(|pattern| pattern.matches(path))
    }

    pub(super) fn to_stored(&self) -> StoredScope {
        StoredScope {
            style: match self.roots.first().map_or(PathStyle::Unix, EntityPath::style) {
                PathStyle::Unix => StoredStyle::Unix,
                PathStyle::Windows => StoredStyle::Windows,
            },
            roots: self.roots.iter().map(EntityPath::to_string).collect(),
            exclude: self.exclude.iter().map(|pattern| pattern.text().to_owned()).collect(),
        }
    }

    pub(super) fn from_stored(stored: &StoredScope) -> Option<Self> {
        let style = match stored.style {
            StoredStyle::Unix => PathStyle::Unix,
            StoredStyle::Windows => PathStyle::Windows,
        };
        let roots = stored.roots.iter().map(|text| EntityPath::parse_display(text, style).ok());
        Self::new(roots.collect::<Option<_>>()?, &stored.exclude).ok()
    }
}

/// A walk comes to an entity only through the directories above it, so that what lies below an exclusion is not asked
/// about.
impl Plan for Scope {
    fn roots(&self) -> Vec<EntityPath> {
        self.roots.clone()
    }

    fn watches(&self, path: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        !self.names(path)
    }

    fn descends(&self, path: &EntityPath) -> bool {
        !self.names(path)
    }

    fn may_follow(&self, link: &EntityPath) -> bool {
        self.followed.contains(link)
    }

    fn follows(&self, link: &EntityPath, _real: &EntityPath, _kind: EntityKind) -> bool {
        self.may_follow(link)
    }
}

/// A scope as the metadata of a state hold it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct StoredScope {
    style: StoredStyle,
    roots: Vec<String>,
    exclude: Vec<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum StoredStyle {
    Unix,
    Windows,
}

/// A path of this machine that a person gave, as an absolute entity path without `.` and `..`.
pub fn entity_path(path: &Path) -> std::io::Result<EntityPath> {
    let mut resolved = PathBuf::new();
    for part in std::path::absolute(path)?.components() {
        match part {
            // What is above a link is not what is written before it.
            std::path::Component::ParentDir => {
                resolved = resolved.canonicalize()?;
                resolved.pop();
            }
            std::path::Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    Ok(machine_path(&resolved))
}
