//! KQL text to diagnostics and a typed plan; pure.
//!
//! ```text
//! text → tokens → AST → plan
//!        lexer    parser  binder
//! ```
//!
//! Nothing here reads a file, a clock or the environment, so that it also runs in a browser. Neither lexer nor
//! parser fails: they give a tree and diagnostics, so that an editor can work with half a query.

mod diagnostic;

pub mod lexer;
mod literal;

pub mod ast;
mod json;
mod operators;
mod parser;
mod print;
mod suggest;

mod aggregate;
mod bind;
mod capabilities;
mod catalog;
mod function;
mod plan;
mod reference;
mod registry;
mod time;
mod types;
mod window_function;

pub use aggregate::Aggregate;
pub use ast::Ast;
pub use bind::{BindOptions, Bound, bind, compile, compile_with};
pub use capabilities::{Capabilities, Capability, capabilities};
pub use catalog::{Catalog, EmptyCatalog, TableName, named_workspaces};
pub use diagnostic::{Code, Diagnostic, Span};
pub use function::{Function, Quantity};
pub use literal::value_from_text;
pub use parser::{MAX_DEPTH, MAX_TEXT_BYTES, parse};
pub use plan::{
    AggregateCall, Arithmetic, Comparison, Constant, Expand, Expr, ExprKind, Join, JoinKey, JoinKind,
    NamedExpr, Operator, Plan, Query, Render, SortKey, Source, Step, TextMatch, WindowCall,
};
pub use reference::{aggregate_names, function_names, operator_names};
pub use time::{Date, DateTime, TICKS_PER_DAY, TICKS_PER_SECOND, TimeSpan, days_in_month};
pub use types::{Column, Decimal, ScalarType, Schema, Value};
pub use window_function::WindowFunction;
