//! One module a command; each asks the server and prints the answer.

pub mod changes;
pub mod diff;
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
