//! The functions and aggregates of the language by name: what they take, what they give, and what they become in
//! a plan. To add one, add a row to the table of its kind and its meaning to [`Function`] or [`Aggregate`].

mod aggregates;
mod arrays;
mod bags;
mod maths;
mod networks;
mod series;
mod table;
mod texts;
mod times;
mod units;
mod windows;

use crate::aggregate::Aggregate;
use crate::function::Function;
use crate::types::ScalarType;
use crate::window_function::WindowFunction;

pub(crate) use aggregates::AGGREGATES;
pub(crate) use windows::WINDOWS;

/// Every function that runs.
pub(crate) fn functions() -> impl Iterator<Item = &'static FunctionEntry> {
    let tables = [
        table::FUNCTIONS,
        arrays::FUNCTIONS,
        bags::FUNCTIONS,
        maths::FUNCTIONS,
        networks::FUNCTIONS,
        series::FUNCTIONS,
        texts::FUNCTIONS,
        times::FUNCTIONS,
        units::FUNCTIONS,
    ];
    tables.into_iter().flatten()
}

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
    /// So many parameters of these types that give a value, and maybe the type that it is converted to.
    Typed { function: Function, parameters: &'static [Parameter], gives: ScalarType },
    /// A dynamic value whose bag becomes columns: the members, and their types.
    Columns { function: Function, columns: &'static [(&'static str, ScalarType)] },
    /// `assert`: a condition that must be known before there are rows, and what is said if it is false.
    Assert,
    /// `bin_auto`: `bin` or `bin_at` with what the query has set.
    BinAuto,
    /// `column_names_of`: the names of a table's columns.
    ColumnNames,
    /// `estimate_data_size`: the bytes of some columns.
    DataSize,
    /// Fixed parameters, then any number of one more kind, at least so many in all.
    Variadic {
        function: Function,
        fixed: &'static [Parameter],
        rest: Parameter,
        required: usize,
        result: ScalarType,
    },
    /// `extract_all`, whose groups may stand between regex and text.
    ExtractAll,
    /// `replace`, an older spelling of `replace_regex` in another order.
    Replace,
    /// `array_sort_asc` and `array_sort_desc`: arrays, and whether nulls are last.
    ArraySort { is_descending: bool },
    /// `bag_pack`: names and values in turn.
    Pairs,
    /// `pack_all`: a bag of all columns.
    PackAll,
    /// `column_ifexists`: a column, or a value if there is none of this name.
    ColumnIfExists,
    /// `range`: an array that counts.
    Range,
    /// `hash`: of a text or a moment.
    Hash,
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
    /// A text, or a dynamic value taken as one.
    Text(&'static str),
    /// A regular expression: a text, or a dynamic value taken as one. A constant one is checked.
    Regex,
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
    /// A dynamic value.
    Dynamic(&'static str),
    /// Any type, converted to a dynamic value.
    AnyAsDynamic(&'static str),
    /// A guid.
    Guid(&'static str),
}

impl Parameter {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Parameter::Regex => "regex",
            Parameter::Any(name)
            | Parameter::AnyAsText(name)
            | Parameter::Text(name)
            | Parameter::OneOf(name, _)
            | Parameter::Whole(name)
            | Parameter::Number(name)
            | Parameter::Moment(name)
            | Parameter::Length(name)
            | Parameter::Dynamic(name)
            | Parameter::AnyAsDynamic(name)
            | Parameter::Guid(name) => name,
        }
    }

    /// The accepted types in words.
    pub(crate) fn accepts(self) -> &'static str {
        match self {
            Parameter::Any(_) | Parameter::AnyAsText(_) | Parameter::AnyAsDynamic(_) => "any",
            Parameter::OneOf(..) => "string",
            Parameter::Text(_) | Parameter::Regex => "string or dynamic",
            Parameter::Whole(_) => "int or long",
            Parameter::Number(_) => "a number",
            Parameter::Moment(_) => "datetime",
            Parameter::Length(_) => "timespan",
            Parameter::Dynamic(_) => "dynamic",
            Parameter::Guid(_) => "guid",
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
    /// This, `_`, and what the first argument is called.
    Prefixed(&'static str),
    /// Always like this.
    Always(&'static str),
}

/// An aggregate by name.
#[derive(Debug)]
pub(crate) struct AggregateEntry {
    pub(crate) name: &'static str,
    pub(crate) aggregate: Aggregate,
    /// Whether its last parameter that must be there is a predicate: only rows that fulfil it are taken.
    pub(crate) has_condition: bool,
    pub(crate) naming: AggregateNaming,
    /// The parameters in words, for the reference and the editor.
    pub(crate) parameters: &'static [&'static str],
    /// How many of them must be there.
    pub(crate) required: usize,
    /// The result in words.
    pub(crate) result: &'static str,
    /// What it computes, for the reference and the editor.
    pub(crate) summary: &'static str,
}

/// How a column is called that holds an aggregate and was given no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum AggregateNaming {
    /// This, `_`, and what the first argument is called.
    Prefixed(&'static str),
    /// The aggregate, `_`, and what the two first arguments are called with `_` between.
    TwoArguments,
    /// As the first argument is called.
    FirstArgument,
    /// `percentile_`, what the first argument is called, `_`, and the percentage.
    Percentage,
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
    functions().find(|entry| entry.name == name)
}

/// The aggregate of this name. Names are case-sensitive.
pub(crate) fn aggregate(name: &str) -> Option<&'static AggregateEntry> {
    AGGREGATES.iter().find(|entry| entry.name == name)
}

/// Whether the language has a function or aggregate of this name that does not run yet.
pub(crate) fn is_known(name: &str) -> bool {
    table::NOT_YET.split_ascii_whitespace().any(|known| known == name)
}
