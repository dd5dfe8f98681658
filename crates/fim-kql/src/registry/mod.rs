//! The functions and aggregates of the language by name: what they take, what they give, and what they become in
//! a plan. To add one, add a row to `table.rs` and its meaning to [`Function`] or [`Aggregate`].

mod table;
mod windows;

use crate::function::{Aggregate, Function, WindowFunction};
use crate::types::ScalarType;

pub(crate) use table::{AGGREGATES, FUNCTIONS};
pub(crate) use windows::WINDOWS;

/// A function by name.
#[derive(Debug)]
pub(crate) struct FunctionEntry {
    pub(crate) name: &'static str,
    pub(crate) shape: Shape,
    pub(crate) naming: Naming,
    /// What it does, for the reference and the editor.
    pub(crate) summary: &'static str,
}

/// How a call is checked and what it becomes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// So many parameters of these types, of which the last ones may be absent.
    Fixed { function: Function, parameters: &'static [Parameter], required: usize, result: ScalarType },
    /// From one to 64 texts after the fixed parameters; any type is taken as text.
    Texts { function: Function, fixed: usize },
    /// From two to 64 values of one type.
    Common { function: Function, is_ordered: bool },
    /// A number, rounded; with a second parameter for the digits.
    Rounding { function: Function, has_digits: bool },
    /// The magnitude of a number or timespan.
    Magnitude,
    /// `bin` and `floor`.
    Bin,
    /// `bin_at`.
    BinAt,
    /// A conversion to this type.
    Convert(ScalarType),
    /// `parse_json`: a text is parsed, a dynamic value stays.
    ParseJson,
    /// `extract`, whose fourth argument is a type.
    Extract,
    /// `iff`.
    Iff,
    /// `case`.
    Case,
    /// `not`.
    Not,
    /// `now`.
    Now,
    /// `ago`.
    Ago,
}

/// What a parameter accepts. The binder converts the argument to the type that [`Function`] promises.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Parameter {
    /// Any type, left as it is.
    Any(&'static str),
    /// Any type, converted to text.
    AnyAsText(&'static str),
    /// A text.
    Text(&'static str),
    /// A text, or a dynamic value taken as one.
    TextOrDynamic(&'static str),
    /// A constant text that is one of these, in any case.
    OneOf(&'static str, &'static [&'static str]),
    /// An integer, as `long`.
    Whole(&'static str),
    /// A number, as `real`.
    Number(&'static str),
    /// A moment.
    Moment(&'static str),
    /// A timespan.
    Length(&'static str),
}

impl Parameter {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Parameter::Any(name)
            | Parameter::AnyAsText(name)
            | Parameter::Text(name)
            | Parameter::TextOrDynamic(name)
            | Parameter::OneOf(name, _)
            | Parameter::Whole(name)
            | Parameter::Number(name)
            | Parameter::Moment(name)
            | Parameter::Length(name) => name,
        }
    }

    /// The accepted types in words.
    pub(crate) fn accepts(self) -> &'static str {
        match self {
            Parameter::Any(_) | Parameter::AnyAsText(_) => "any",
            Parameter::Text(_) | Parameter::OneOf(..) => "string",
            Parameter::TextOrDynamic(_) => "string or dynamic",
            Parameter::Whole(_) => "int or long",
            Parameter::Number(_) => "a number",
            Parameter::Moment(_) => "datetime",
            Parameter::Length(_) => "timespan",
        }
    }
}

/// How a column is called that holds a call and was given no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Naming {
    /// By its position: `Column1`.
    Position,
    /// As the first argument is called.
    FirstArgument,
    /// The function, `_`, and what the first argument is called.
    FunctionAndArgument,
}

/// An aggregate by name.
#[derive(Debug)]
pub(crate) struct AggregateEntry {
    pub(crate) name: &'static str,
    pub(crate) aggregate: Aggregate,
    /// The parameters in words, for the reference and the editor.
    pub(crate) parameters: &'static [&'static str],
    /// How many of them must be there.
    pub(crate) required: usize,
    /// The result in words.
    pub(crate) result: &'static str,
    /// What it computes, for the reference and the editor.
    pub(crate) summary: &'static str,
}

/// A function over rows in their order, by name.
#[derive(Debug)]
pub(crate) struct WindowEntry {
    pub(crate) name: &'static str,
    pub(crate) function: WindowFunction,
    /// The parameters in words, for the reference and the editor.
    pub(crate) parameters: &'static [&'static str],
    /// How many of them must be there.
    pub(crate) required: usize,
    /// The result in words.
    pub(crate) result: &'static str,
    /// What it computes, for the reference and the editor.
    pub(crate) summary: &'static str,
}

/// The function over rows of this name. Names are case-sensitive.
pub(crate) fn window(name: &str) -> Option<&'static WindowEntry> {
    WINDOWS.iter().find(|entry| entry.name == name)
}

/// The function of this name. Names are case-sensitive.
pub(crate) fn function(name: &str) -> Option<&'static FunctionEntry> {
    FUNCTIONS.iter().find(|entry| entry.name == name)
}

/// The aggregate of this name. Names are case-sensitive.
pub(crate) fn aggregate(name: &str) -> Option<&'static AggregateEntry> {
    AGGREGATES.iter().find(|entry| entry.name == name)
}

/// Whether the language has a function or aggregate of this name that does not run yet.
pub(crate) fn is_known(name: &str) -> bool {
    table::NOT_YET.split_ascii_whitespace().any(|known| known == name)
}
