//! Calls of scalar functions.

use datafusion::functions::core::expr_fn::{greatest, least};
use datafusion::logical_expr::{Expr as DfExpr, lit, not};
use fim_kql::{Expr, Function, ScalarType};

use super::direct::direct;
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
    if function == Function::Pi {
        return Ok(lit(std::f64::consts::PI));
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
        Function::GetType if first_type == ScalarType::Dynamic => call(&f::GET_TYPE, values),
        Function::GetType => text_literal(first_type.name()),
        Function::Range => call(range(first_type), values),
        Function::MaxOf => greatest(values),
        Function::MinOf => least(values),
        other => return Err(not_supported(format!("the function {other:?}"), expr.span)),
    })
}

/// What counts values of this type.
fn range(ty: ScalarType) -> &'static FunctionSpec {
    match ty {
        ScalarType::DateTime => &f::RANGE_MOMENTS,
        ScalarType::TimeSpan => &f::RANGE_SPANS,
        ScalarType::Real => &f::RANGE_REALS,
        _ => &f::RANGE_LONGS,
    }
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
