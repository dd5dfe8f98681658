//! Use without a server: take a baseline into a file, and check against it later.
//!
//! Everything below each path is compared with every aspect. Links are entities and not followed, except where a path
//! itself is one.

mod baseline;
mod check;
mod report;
mod scope;

// What the signatures here are made of, so that the program needs no other crate for them.
pub use fim_core::{EntityPath, Timestamp};
pub use fim_scan::ScanOptions;

pub use baseline::{BaselineError, BaselineSummary, baseline};
pub use check::{CheckError, CheckSummary, Finding, check};
pub use report::{Report, ReportFormat};
pub use scope::{Scope, ScopeError, entity_path};

/// What a scan could not see, and why.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Unseen {
    /// The place; nothing below it was seen either.
    pub path: EntityPath,
    /// Why, for a person.
    pub why: String,
}

#[cfg(test)]
mod tests;
