//! One module a command; each asks the server and prints the answer.

pub mod changes;
pub mod fim;
pub mod machine;
pub mod query;
pub mod rule;
pub mod server;
pub mod sign_in;
pub mod token;
pub mod up;
pub mod workspace;

use serde_json::Value;

use crate::out;
use crate::table;

/// Prints a document for programs.
fn print_json(value: &Value) {
    out::line(table::plain_json(&format!("{value:#}")));
}

/// Prints the named fields of each object of a list below their headings.
fn print_list(items: &[Value], columns: &[(&str, &str)]) {
    let headings: Vec<&str> = columns.iter().map(|(heading, _)| *heading).collect();
    let rows: Vec<Vec<Value>> =
        items.iter().map(|item| columns.iter().map(|(_, field)| item[*field].clone()).collect()).collect();
    table::print(&headings, &rows);
}
