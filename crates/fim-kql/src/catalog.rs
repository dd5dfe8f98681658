//! The tables that a query may name.

use std::collections::BTreeSet;

use crate::lexer::{Token, TokenKind, tokenize};
use crate::literal;
use crate::types::Schema;

/// A table as a query names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TableName {
    /// The workspace that is named with it, as it is written; those that the query is asked of if there is none.
    pub workspace: Option<String>,
    /// The name as the catalog has it.
    pub table: String,
}

/// Knows the tables of a workspace. Names are case-sensitive, as everywhere in KQL.
pub trait Catalog {
    /// The columns of the table that is spelled exactly like this.
    fn table(&self, name: &str) -> Option<Schema>;

    /// The names of all tables, for "did you mean".
    fn table_names(&self) -> Vec<String>;

    /// Whether `workspace("…")` may stand before a table with this text. All workspaces have the same tables.
    fn has_workspace(&self, _name: &str) -> bool {
        false
    }
}

/// The workspaces that a query may name: the texts of each `workspace("…")` and `database("…")` in it.
///
/// Only words are looked at, so that this may be asked before it is known what the query means, and of any text.
pub fn named_workspaces(text: &str) -> BTreeSet<String> {
    let tokens: Vec<Token> = tokenize(text).into_iter().filter(|token| !token.kind.is_trivia()).collect();
    let of = |token: &Token| &text[token.span.start..token.span.end];
    let named = tokens.windows(3).filter_map(|window| match window {
        [place, open, name]
            if place.kind == TokenKind::Word
                && PLACES.contains(&of(place))
                && open.kind == TokenKind::OpenParen
                && name.kind == TokenKind::Text =>
        {
            literal::string(of(name))
        }
        _ => None,
    });
    named.collect()
}

/// What may stand before a table: a workspace is a database of the cluster that the server is.
pub(crate) const PLACES: [&str; 2] = ["workspace", "database"];

/// A catalog without tables, for queries that bring their own rows (`print`, `range`, `datatable`).
#[derive(Clone, Copy, Debug, Default)]
pub struct EmptyCatalog;

impl Catalog for EmptyCatalog {
    fn table(&self, _name: &str) -> Option<Schema> {
        None
    }

    fn table_names(&self) -> Vec<String> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workspaces_that_a_text_may_name_are_known_before_it_is_understood() {
        for (text, names) in [
            ("T | count", vec![]),
            ("union workspace('a').T, workspace( \"b\" ).T, database('a').T", vec!["a", "b"]),
            ("T | where x == \"workspace('a')\" // workspace('b')", vec![]),
            ("workspace('a", vec!["a"]),
            ("workspace(name).T | where workspace == 'a'", vec![]),
        ] {
            assert!(named_workspaces(text).iter().eq(&names), "{text}");
        }
    }
}
