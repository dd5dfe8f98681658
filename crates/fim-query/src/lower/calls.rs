//! Calls of scalar functions.

use datafusion::functions::core::expr_fn::{greatest, least};
use datafusion::logical_expr::{Expr as DfExpr, lit, not};
use fim_kql::{Expr, Function, ScalarType};

use super::expressions::{Expressions, first_not_null, text_literal};
use super::{Lowered, not_supported};
use crate::functions::{self as f, FunctionSpec, call};

/// The call of `function`; `expr` is the whole call, with its type and place.
pub(super) fn lower_call(
    expressions: &Expressions<'_>,
    function: Function,
    arguments: &[Expr],
    expr: &Expr,
) -> Lowered<DfExpr> {
    if let Some(decimal) = arguments.iter().find(|argument| argument.ty == ScalarType::Decimal) {
        return Err(not_supported("the type decimal", decimal.span));
    }
    let Some(first_type) = arguments.first().map(|argument| argument.ty) else {
        return Err(not_supported(format!("{function:?} without arguments"), expr.span));
    };
    let values = expressions.values(arguments)?;
    if let Some(spec) = direct(function) {
        return Ok(call(spec, values));
    }
    Ok(match function {
        Function::Bin | Function::BinAt => bin(values, first_type),
        Function::Coalesce if first_type == ScalarType::String => call(&f::FIRST_TEXT, values),
        Function::Coalesce => first_not_null(values),
        Function::IsNull => is_null(values, first_type),
        Function::IsNotNull => not(is_null(values, first_type)),
        Function::IsEmpty => is_empty(values, first_type),
        Function::IsNotEmpty => not(is_empty(values, first_type)),
        Function::MaxOf => greatest(values),
        Function::MinOf => least(values),
        other => return Err(not_supported(format!("the function {other:?}"), expr.span)),
    })
}

/// The function that takes the arguments as they are.
fn direct(function: Function) -> Option<&'static FunctionSpec> {
    Some(match function {
        Function::Bin
        | Function::BinAt
        | Function::Coalesce
        | Function::IsNull
        | Function::IsNotNull
        | Function::IsEmpty
        | Function::IsNotEmpty
        | Function::MaxOf
        | Function::MinOf => return None,
        Function::Abs => &f::ABS,
        Function::Ceiling => &f::CEILING,
        Function::DateTimeAdd => &f::DATETIME_ADD,
        Function::DateTimeDiff => &f::DATETIME_DIFF,
        Function::DateTimePart => &f::DATETIME_PART,
        Function::DayOfMonth => &f::DAY_OF_MONTH,
        Function::DayOfWeek => &f::DAY_OF_WEEK,
        Function::DayOfYear => &f::DAY_OF_YEAR,
        Function::EndOfDay => &f::END_OF_DAY,
        Function::EndOfMonth => &f::END_OF_MONTH,
        Function::EndOfWeek => &f::END_OF_WEEK,
        Function::EndOfYear => &f::END_OF_YEAR,
        Function::Exp => &f::EXP,
        Function::Exp10 => &f::EXP10,
        Function::Exp2 => &f::EXP2,
        Function::Extract => &f::EXTRACT,
        Function::FormatDateTime => &f::FORMAT_DATETIME,
        Function::FormatTimeSpan => &f::FORMAT_TIMESPAN,
        Function::GetYear => &f::YEAR,
        Function::HourOfDay => &f::HOUR_OF_DAY,
        Function::IndexOf => &f::INDEX_OF,
        Function::IsFinite => &f::IS_FINITE,
        Function::IsInf => &f::IS_INF,
        Function::IsNan => &f::IS_NAN,
        Function::Log => &f::LOG,
        Function::Log10 => &f::LOG10,
        Function::Log2 => &f::LOG2,
        Function::MonthOfYear => &f::MONTH_OF_YEAR,
        Function::ParseJson => &f::PARSE_JSON,
        Function::Pow => &f::POW,
        Function::ReplaceRegex => &f::REPLACE_REGEX,
        Function::ReplaceString => &f::REPLACE_STRING,
        Function::Round => &f::ROUND,
        Function::Sign => &f::SIGN,
        Function::Split => &f::SPLIT,
        Function::Sqrt => &f::SQRT,
        Function::StartOfDay => &f::START_OF_DAY,
        Function::StartOfMonth => &f::START_OF_MONTH,
        Function::StartOfWeek => &f::START_OF_WEEK,
        Function::StartOfYear => &f::START_OF_YEAR,
        Function::Strcat => &f::STRCAT,
        Function::StrcatDelim => &f::STRCAT_DELIM,
        Function::Strlen => &f::STRLEN,
        Function::Substring => &f::SUBSTRING,
        Function::ToLower => &f::TO_LOWER,
        Function::ToUpper => &f::TO_UPPER,
        Function::Trim => &f::TRIM,
        Function::TrimEnd => &f::TRIM_END,
        Function::TrimStart => &f::TRIM_START,
    })
}

/// Bins have an origin: zero, or the one that `bin_at` gives.
fn bin(mut values: Vec<DfExpr>, ty: ScalarType) -> DfExpr {
    match ty {
        ScalarType::DateTime => return call(&f::MOMENT_BIN, values),
        ScalarType::Real if values.len() < 3 => values.push(lit(0.0_f64)),
        _ if values.len() < 3 => values.push(lit(0_i64)),
        _ => {}
    }
    call(&f::BIN, values)
}

fn is_null(mut values: Vec<DfExpr>, ty: ScalarType) -> DfExpr {
    if ty == ScalarType::String {
        return lit(false);
    }
    values.swap_remove(0).is_null()
}

fn is_empty(mut values: Vec<DfExpr>, ty: ScalarType) -> DfExpr {
    match ty {
        ScalarType::String => values.swap_remove(0).eq(text_literal("")),
        ScalarType::Dynamic => call(&f::DYNAMIC_IS_EMPTY, values),
        _ => values.swap_remove(0).is_null(),
    }
}
