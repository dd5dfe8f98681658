//! KQL text to diagnostics and a typed plan; pure.
//!
//! ```text
//! text → tokens → AST → plan
//!        lexer    parser  binder
//! ```
//!
//! Nothing here reads a file, a clock or the environment, so that it also runs in a browser. Neither lexer nor
//! parser fails: they give a tree and diagnostics, so that an editor can work with half a query.

mod catalog;
mod diagnostic;
mod function;
mod plan;
mod time;
mod types;

pub use catalog::{Catalog, EmptyCatalog};
pub use diagnostic::{Code, Diagnostic, Span};
pub use function::{Aggregate, Function};
pub use plan::{
    AggregateCall, Arithmetic, Comparison, Expr, ExprKind, NamedExpr, Operator, Plan, SortKey, Source, Step,
    TextMatch,
};
pub use time::{Date, DateTime, TICKS_PER_DAY, TICKS_PER_SECOND, TimeSpan, days_in_month};
pub use types::{Column, Decimal, ScalarType, Schema, Value};
