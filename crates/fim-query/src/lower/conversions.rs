//! Conversions between types.

use datafusion::logical_expr::{Expr as DfExpr, cast};
use fim_kql::{ScalarType, Span};

use super::{Lowered, not_supported};
use crate::functions::{self as f, call};

/// The value of `expr` in another type.
pub(super) fn convert(expr: DfExpr, from: ScalarType, to: ScalarType, span: Span) -> Lowered<DfExpr> {
    use ScalarType::{Bool, DateTime, Decimal, Dynamic, Guid, Int, Long, Real, String, TimeSpan};
    let one = |spec| Ok(call(spec, vec![expr.clone()]));
    let to_real = |expr: DfExpr| cast(expr, arrow::datatypes::DataType::Float64);
    let to_long = |expr: DfExpr| cast(expr, arrow::datatypes::DataType::Int64);
    match (from, to) {
        (from, to) if from == to => Ok(expr),

        (Int, Long) | (Bool, Long) => Ok(to_long(expr)),
        (Int | Long, Real) => Ok(to_real(expr)),
        (Bool, Real) => Ok(to_real(cast(expr, arrow::datatypes::DataType::Int32))),
        (Bool, Int) => Ok(cast(expr, arrow::datatypes::DataType::Int32)),
        (Long, Int) => one(&f::LONG_TO_INT),
        (Real, Long) => one(&f::REAL_TO_LONG),
        (Real, Int) => Ok(call(&f::LONG_TO_INT, vec![call(&f::REAL_TO_LONG, vec![expr])])),
        (Int | Long, Bool) => Ok(call(&f::NUMBER_TO_BOOL, vec![to_real(expr)])),
        (Real, Bool) => one(&f::NUMBER_TO_BOOL),

        (String, Bool) => one(&f::TEXT_TO_BOOL),
        (String, Int) => one(&f::TEXT_TO_INT),
        (String, Long) => one(&f::TEXT_TO_LONG),
        (String, Real) => one(&f::TEXT_TO_REAL),
        (String, DateTime) => one(&f::TEXT_TO_DATETIME),
        (String, TimeSpan) => one(&f::TEXT_TO_TIMESPAN),
        (String, Guid) => one(&f::TEXT_TO_GUID),
        (String, Dynamic) => one(&f::TEXT_TO_DYNAMIC),

        (Bool | Int | Long | Real | DateTime | Guid, String) => one(&f::PLAIN_TO_TEXT),
        (TimeSpan, String) => one(&f::TIMESPAN_TO_TEXT),
        (Dynamic, String) => one(&f::DYNAMIC_TO_TEXT),

        // The number behind a moment or timespan is its ticks.
        (Long, DateTime) => one(&f::TICKS_TO_DATETIME),
        (Int, DateTime) => Ok(call(&f::TICKS_TO_DATETIME, vec![to_long(expr)])),
        (DateTime, Long) => one(&f::DATETIME_TO_TICKS),
        (Long, TimeSpan) | (TimeSpan, Long) => Ok(expr),
        (Int, TimeSpan) => Ok(to_long(expr)),

        (Dynamic, Bool) => one(&f::DYNAMIC_TO_BOOL),
        (Dynamic, Long) => one(&f::DYNAMIC_TO_LONG),
        (Dynamic, Int) => Ok(call(&f::LONG_TO_INT, vec![call(&f::DYNAMIC_TO_LONG, vec![expr])])),
        (Dynamic, Real) => one(&f::DYNAMIC_TO_REAL),
        (Dynamic, DateTime) => Ok(call(&f::TEXT_TO_DATETIME, vec![call(&f::DYNAMIC_TO_TEXT, vec![expr])])),
        (Dynamic, TimeSpan) => Ok(call(&f::TEXT_TO_TIMESPAN, vec![call(&f::DYNAMIC_TO_TEXT, vec![expr])])),
        (Dynamic, Guid) => Ok(call(&f::TEXT_TO_GUID, vec![call(&f::DYNAMIC_TO_TEXT, vec![expr])])),
        (Bool | Int | Long | Real | DateTime | Guid, Dynamic) => one(&f::PLAIN_TO_DYNAMIC),
        (TimeSpan, Dynamic) => one(&f::TIMESPAN_TO_DYNAMIC),

        (Decimal, _) | (_, Decimal) => Err(not_supported("the type decimal", span)),
        (from, to) => Err(not_supported(format!("a conversion from {from} to {to}"), span)),
    }
}
