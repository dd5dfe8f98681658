//! What of the language runs, for editors, the query API and the reference.

use crate::bind::call_arity;
use crate::operators;
use crate::registry::{AGGREGATES, FunctionEntry, Parameter, Shape, WINDOWS, functions};

/// The operators, functions and aggregates that run, each by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Capabilities {
    /// The tabular operators.
    pub operators: Vec<Capability>,
    /// The scalar functions.
    pub functions: Vec<Capability>,
    /// The functions over rows in their order.
    pub windows: Vec<Capability>,
    /// The aggregates.
    pub aggregates: Vec<Capability>,
}

/// One operator, function or aggregate.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Capability {
    /// The name as a query writes it.
    pub name: &'static str,
    /// How it is written, with what it takes and gives.
    pub signature: String,
    /// What it does, in one sentence.
    pub summary: &'static str,
}

/// Everything that runs.
pub fn capabilities() -> Capabilities {
    let operators = operators::ALL.iter().filter(|entry| entry.syntax.is_some());
    let operator = |entry: &operators::OperatorEntry| Capability {
        name: entry.name,
        signature: entry.usage.to_owned(),
        summary: entry.summary,
    };
    let function = |entry: &FunctionEntry| Capability {
        name: entry.name,
        signature: function_signature(entry),
        summary: entry.summary,
    };
    let mut functions: Vec<Capability> = functions().map(function).collect();
    functions.sort_by_key(|function| function.name);
    let described = |name, parameters: &[&str], required, result, summary| {
        let parameters = optional_behind(parameters.iter().map(|name| (*name).to_owned()), required);
        Capability { name, signature: format!("{name}({parameters}) → {result}"), summary }
    };
    let aggregates = AGGREGATES
        .iter()
        .map(|entry| described(entry.name, entry.parameters, entry.required, entry.result, entry.summary));
    let windows = WINDOWS
        .iter()
        .map(|entry| described(entry.name, entry.parameters, entry.required, entry.result, entry.summary));
    Capabilities {
        operators: operators.map(operator).collect(),
        functions,
        windows: windows.collect(),
        aggregates: aggregates.collect(),
    }
}

/// The parameters with commas, those from `required` on in brackets.
fn optional_behind(parameters: impl Iterator<Item = String>, required: usize) -> String {
    let mark =
        |(position, text): (usize, String)| if position < required { text } else { format!("[{text}]") };
    parameters.enumerate().map(mark).collect::<Vec<_>>().join(", ")
}

fn function_signature(entry: &FunctionEntry) -> String {
    let of = |parameters: &str, result: &str| format!("{}({parameters}) → {result}", entry.name);
    match entry.shape {
        Shape::Fixed { parameters, result, .. } => {
            let texts = parameters.iter().copied().map(parameter);
            of(&optional_behind(texts, call_arity(entry.shape).0), result.name())
        }
        Shape::Texts { fixed: 0, .. } => of("value: any, …", "string"),
        Shape::Texts { .. } => of("delimiter: string, value: any, …", "string"),
        Shape::Common { is_ordered: true, .. } => of("value: ordered, value, …", "as the values"),
        Shape::Common { is_ordered: false, .. } => of("value: any, value, …", "as the values"),
        Shape::Rounding { has_digits: true, .. } => of("x: a number, [digits: int or long]", "as x"),
        Shape::Rounding { has_digits: false, .. } => of("x: a number", "as x"),
        Shape::Magnitude => of("x: a number or timespan", "as x"),
        Shape::Bin => of("value: a number, datetime or timespan, size: a number or timespan", "as the value"),
        Shape::BinAt => of("value, size, fixed point", "as the value"),
        Shape::Convert(ty) => of("value: any", ty.name()),
        Shape::ParseJson => of("text: string or dynamic", "dynamic"),
        Shape::Typed { parameters, gives, .. } => {
            let written = parameters.iter().copied().map(parameter).chain(["[typeof(type)]".to_owned()]);
            of(&written.collect::<Vec<_>>().join(", "), &format!("{gives}, or the type"))
        }
        Shape::Variadic { fixed, rest, result, .. } => {
            let written = fixed.iter().copied().chain([rest]).map(parameter).chain(["…".to_owned()]);
            of(&written.collect::<Vec<_>>().join(", "), result.name())
        }
        Shape::ExtractAll => of("regex: string, [groups: dynamic], text: string", "dynamic"),
        Shape::Replace => of("regex: string, rewrite: string, text: string", "string"),
        Shape::ArraySort { .. } => of("array: dynamic, …, [nulls_last: bool]", "dynamic"),
        Shape::Pairs => of("name: string, value: any, …", "dynamic"),
        Shape::PackAll => of("[ignore_null_empty: bool]", "dynamic"),
        Shape::ColumnIfExists => of("name: string, value: any", "as the column or the value"),
        Shape::Range => of("start, stop, [step]", "dynamic"),
        Shape::Hash => of("value: string or datetime, [modulus: int or long]", "long"),
        Shape::Columns { columns, .. } => {
            let columns: Vec<String> = columns.iter().map(|(name, ty)| format!("{name}: {ty}")).collect();
            of("series: dynamic", &columns.join(", "))
        }
        Shape::Assert => of("condition: bool, message: string", "bool"),
        Shape::BinAuto => of("value: a number, datetime or timespan", "as the value"),
        Shape::ColumnNames => of("table", "dynamic"),
        Shape::DataSize => of("column: any, … | *", "long"),
        Shape::Iff => of("condition: bool, value, otherwise", "as the values"),
        Shape::Case => of("condition: bool, value, …, otherwise", "as the values"),
        Shape::Not => of("value: bool", "bool"),
        Shape::Now => of("[offset: timespan]", "datetime"),
        Shape::Ago => of("offset: timespan", "datetime"),
    }
}

fn parameter(parameter: Parameter) -> String {
    format!("{}: {}", parameter.name(), parameter.accepts())
}
