//! Constants that are computed while binding, so that `ago(7d)` is a moment in the plan, by which files can be
//! left out, and `take 2 * 5` a number.

use crate::plan::{Arithmetic, Expr, ExprKind};
use crate::time::{DateTime, TimeSpan};
use crate::types::{ScalarType, Value};

/// A conversion, carried out if its input is a constant for which that is simple; otherwise as it was.
pub(super) fn convert(expr: Expr) -> Expr {
    let ExprKind::Convert(input) = &expr.kind else { return expr };
    let ExprKind::Literal(value) = &input.kind else { return expr };
    match constant(value, expr.ty) {
        Some(value) => Expr { kind: ExprKind::Literal(value), ..expr },
        None => expr,
    }
}

fn constant(value: &Value, ty: ScalarType) -> Option<Value> {
    match (value, ty) {
        (Value::Null, ScalarType::String) => Some(Value::String(String::new())),
        (Value::Null, _) => Some(Value::Null),
        (Value::Int(number), ScalarType::Long) => Some(Value::Long((*number).into())),
        (Value::Int(number), ScalarType::Real) => Some(Value::Real((*number).into())),
        (Value::Long(number), ScalarType::Real) => Some(Value::Real(*number as f64)),
        (Value::Long(number), ScalarType::Int) => {
            Some(i32::try_from(*number).map_or(Value::Null, Value::Int))
        }
        (value, ScalarType::Dynamic) => Some(Value::Dynamic(crate::json::of(value))),
        (Value::Bool(truth), ScalarType::Long) => Some(Value::Long((*truth).into())),
        (Value::String(text), ScalarType::DateTime) => {
            Some(crate::literal::date_time(text.trim()).map_or(Value::Null, Value::DateTime))
        }
        _ => None,
    }
}

/// A literal as a value of a `datatable` column, or none if the types do not fit.
pub(super) fn cell(value: &Value, ty: ScalarType) -> Option<Value> {
    match (value, ty) {
        (Value::Bool(_), ScalarType::Bool)
        | (Value::DateTime(_), ScalarType::DateTime)
        | (Value::Int(_), ScalarType::Int)
        | (Value::Long(_), ScalarType::Long)
        | (Value::Real(_), ScalarType::Real)
        | (Value::String(_), ScalarType::String)
        | (Value::TimeSpan(_), ScalarType::TimeSpan)
        | (Value::Guid(_), ScalarType::Guid)
        | (Value::Decimal(_), ScalarType::Decimal)
        | (Value::Dynamic(_), ScalarType::Dynamic) => Some(value.clone()),
        (value, ScalarType::Dynamic) => Some(Value::Dynamic(crate::json::of(value))),
        (value, ScalarType::String) => Some(Value::String(match value {
            Value::Null => String::new(),
            Value::Dynamic(json) => json.clone(),
            other => crate::json::plain(other),
        })),
        (Value::Null, _) => Some(Value::Null),
        (Value::Long(number), ScalarType::Decimal) => {
            Some(Value::Decimal(crate::types::Decimal { mantissa: (*number).into(), scale: 0 }))
        }
        (Value::Long(number), ScalarType::Bool) => Some(Value::Bool(*number != 0)),
        (Value::Real(number), ScalarType::Long) => Some(Value::Long(*number as i64)),
        (Value::Real(number), ScalarType::Int) => Some(Value::Int(*number as i32)),
        // A text is read as the literal of the column's type would be; what cannot be read is null.
        (Value::String(text), ty) => {
            let literal = crate::literal::typed(&format!("{ty}({text})"));
            Some(literal.and_then(|(_, value)| value).unwrap_or(Value::Null))
        }
        (value, ty) => constant(value, ty),
    }
}

/// Arithmetic over two constants; none if it is left to the engine.
pub(super) fn arithmetic(operator: Arithmetic, left: &Value, right: &Value) -> Option<Value> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Some(Value::Null),
        (Value::Long(a), Value::Long(b)) => Some(whole(operator, *a, *b)),
        (Value::Real(a), Value::Real(b)) => match operator {
            Arithmetic::Add => Some(Value::Real(a + b)),
            Arithmetic::Subtract => Some(Value::Real(a - b)),
            Arithmetic::Multiply => Some(Value::Real(a * b)),
            Arithmetic::Divide => Some(Value::Real(a / b)),
            Arithmetic::Remainder => None,
        },
        (Value::DateTime(DateTime(a)), Value::TimeSpan(TimeSpan(b))) => match operator {
            Arithmetic::Add => Some(moment(a.checked_add(*b))),
            Arithmetic::Subtract => Some(moment(a.checked_sub(*b))),
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => None,
        },
        (Value::DateTime(DateTime(a)), Value::DateTime(DateTime(b))) if operator == Arithmetic::Subtract => {
            Some(Value::TimeSpan(TimeSpan(a.wrapping_sub(*b))))
        }
        (Value::TimeSpan(TimeSpan(a)), Value::TimeSpan(TimeSpan(b))) => match operator {
            Arithmetic::Add => Some(Value::TimeSpan(TimeSpan(a.wrapping_add(*b)))),
            Arithmetic::Subtract => Some(Value::TimeSpan(TimeSpan(a.wrapping_sub(*b)))),
            Arithmetic::Multiply | Arithmetic::Divide | Arithmetic::Remainder => None,
        },
        (Value::TimeSpan(TimeSpan(a)), Value::Long(b)) if operator == Arithmetic::Multiply => {
            Some(Value::TimeSpan(TimeSpan(a.wrapping_mul(*b))))
        }
        _ => None,
    }
}

/// The order of two constants of one type; none if one is null, or they have none.
pub(super) fn order(left: &Value, right: &Value) -> Option<std::cmp::Ordering> {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(b)),
        (Value::Long(a), Value::Long(b)) => Some(a.cmp(b)),
        (Value::Real(a), Value::Real(b)) => a.partial_cmp(b),
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::DateTime(a), Value::DateTime(b)) => Some(a.cmp(b)),
        (Value::TimeSpan(a), Value::TimeSpan(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Guid(a), Value::Guid(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

/// The negative of a constant; none if it is left to the engine.
pub(super) fn negate(value: &Value) -> Option<Value> {
    match value {
        Value::Null => Some(Value::Null),
        Value::Int(number) => Some(Value::Int(number.wrapping_neg())),
        Value::Long(number) => Some(Value::Long(number.wrapping_neg())),
        Value::Real(number) => Some(Value::Real(-number)),
        Value::TimeSpan(TimeSpan(ticks)) => Some(Value::TimeSpan(TimeSpan(ticks.wrapping_neg()))),
        Value::Decimal(number) => {
            let mantissa = number.mantissa.wrapping_neg();
            Some(Value::Decimal(crate::types::Decimal { mantissa, ..*number }))
        }
        Value::Bool(_) | Value::DateTime(_) | Value::String(_) | Value::Guid(_) | Value::Dynamic(_) => None,
    }
}

fn whole(operator: Arithmetic, a: i64, b: i64) -> Value {
    match operator {
        Arithmetic::Add => Value::Long(a.wrapping_add(b)),
        Arithmetic::Subtract => Value::Long(a.wrapping_sub(b)),
        Arithmetic::Multiply => Value::Long(a.wrapping_mul(b)),
        Arithmetic::Divide | Arithmetic::Remainder if b == 0 => Value::Null,
        Arithmetic::Divide => Value::Long(a.wrapping_div(b)),
        // Never negative for a positive divisor, unlike the remainder of the processor.
        Arithmetic::Remainder => Value::Long(a.wrapping_rem_euclid(b)),
    }
}

fn moment(ticks: Option<i64>) -> Value {
    ticks.and_then(|ticks| DateTime(ticks).in_range()).map_or(Value::Null, Value::DateTime)
}
