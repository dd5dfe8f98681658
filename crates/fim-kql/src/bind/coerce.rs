//! Which types go together.

use crate::plan::Arithmetic;
use crate::types::ScalarType;

/// The widest of several numeric types; none if one is no number.
pub(super) fn widest(types: &[ScalarType]) -> Option<ScalarType> {
    let widths: Option<Vec<(u8, ScalarType)>> =
        types.iter().map(|ty| ty.number_width().map(|width| (width, *ty))).collect();
    widths?.into_iter().max_by_key(|(width, _)| *width).map(|(_, ty)| ty)
}

/// Whether values of this type have an order.
pub(super) fn is_ordered(ty: ScalarType) -> bool {
    match ty {
        ScalarType::Guid | ScalarType::Dynamic => false,
        ScalarType::Bool
        | ScalarType::DateTime
        | ScalarType::Int
        | ScalarType::Long
        | ScalarType::Real
        | ScalarType::String
        | ScalarType::TimeSpan
        | ScalarType::Decimal => true,
    }
}

/// The type in which two values are compared for equality. A dynamic value is taken as what it is compared with,
/// a truth value as the number 0 or 1.
pub(super) fn equatable(left: ScalarType, right: ScalarType) -> Option<ScalarType> {
    match (left, right) {
        (a, b) if a == b => Some(a),
        (ScalarType::Dynamic, other) | (other, ScalarType::Dynamic) => Some(other),
        (ScalarType::Bool, number) | (number, ScalarType::Bool) if number.is_number() => Some(number),
        (a, b) => widest(&[a, b]),
    }
}

/// The type in which two values are compared by order; none for texts, which KQL does not order in expressions.
pub(super) fn comparable(left: ScalarType, right: ScalarType) -> Option<ScalarType> {
    match (left, right) {
        (ScalarType::Bool, ScalarType::Bool) => Some(ScalarType::Long),
        (ScalarType::Dynamic, ScalarType::Dynamic) => Some(ScalarType::Real),
        (ScalarType::DateTime, ScalarType::DateTime) | (ScalarType::TimeSpan, ScalarType::TimeSpan) => {
            Some(left)
        }
        (ScalarType::Dynamic | ScalarType::Bool, number)
        | (number, ScalarType::Dynamic | ScalarType::Bool) => number.is_number().then_some(number),
        (a, b) => widest(&[a, b]),
    }
}

/// The type of a choice between values: their own, the widest number, the one beside dynamic, or dynamic.
pub(super) fn choice(types: &[ScalarType]) -> ScalarType {
    let typed: Vec<ScalarType> = types.iter().copied().filter(|ty| *ty != ScalarType::Dynamic).collect();
    match typed.as_slice() {
        [] => ScalarType::Dynamic,
        [first, rest @ ..] if rest.iter().all(|ty| ty == first) => *first,
        several => widest(several).unwrap_or(ScalarType::Dynamic),
    }
}

/// How the operands of an arithmetic operator are converted, and what comes out.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operands {
    pub(super) left: ScalarType,
    pub(super) right: ScalarType,
    pub(super) result: ScalarType,
    /// Whether left and right change places, so that there are fewer combinations to run.
    pub(super) is_swapped: bool,
}

/// The operand types of an arithmetic operator; none if it is not defined for them.
pub(super) fn arithmetic(operator: Arithmetic, left: ScalarType, right: ScalarType) -> Option<Operands> {
    use ScalarType::{DateTime, Dynamic, Long, Real, TimeSpan};
    let of = |left, right, result| Some(Operands { left, right, result, is_swapped: false });
    let same = |ty| of(ty, ty, ty);
    if let Some(widest) = widest(&[left, right, Long]) {
        return same(widest);
    }
    if left == Dynamic && right == Dynamic {
        return same(Dynamic);
    }
    if let (Dynamic, number) | (number, Dynamic) = (left, right)
        && let Some(widest) = widest(&[number, Long])
    {
        return same(widest);
    }
    // A timespan is multiplied by whole numbers exactly, by all others as a real.
    let factor = |ty: ScalarType| ty.is_number().then(|| if ty.is_integer() { Long } else { Real });
    match (operator, left, right) {
        (Arithmetic::Add | Arithmetic::Subtract | Arithmetic::Remainder, TimeSpan, TimeSpan) => {
            same(TimeSpan)
        }
        (Arithmetic::Add | Arithmetic::Subtract, TimeSpan, Dynamic) => same(TimeSpan),
        (Arithmetic::Add | Arithmetic::Subtract, Dynamic, TimeSpan) => same(TimeSpan),
        (Arithmetic::Add, DateTime, TimeSpan | Dynamic) => of(DateTime, TimeSpan, DateTime),
        (Arithmetic::Add, TimeSpan | Dynamic, DateTime) => {
            Some(Operands { left: DateTime, right: TimeSpan, result: DateTime, is_swapped: true })
        }
        (Arithmetic::Subtract, DateTime, TimeSpan) => of(DateTime, TimeSpan, DateTime),
        (Arithmetic::Subtract, DateTime | Dynamic, DateTime) => of(DateTime, DateTime, TimeSpan),
        (Arithmetic::Subtract, DateTime, Dynamic) => of(DateTime, DateTime, TimeSpan),
        (Arithmetic::Remainder, DateTime, TimeSpan) => of(DateTime, TimeSpan, TimeSpan),
        (Arithmetic::Divide, TimeSpan, TimeSpan) => of(TimeSpan, TimeSpan, Real),
        (Arithmetic::Multiply | Arithmetic::Divide, TimeSpan, number) => {
            factor(number).and_then(|factor| of(TimeSpan, factor, TimeSpan))
        }
        (Arithmetic::Multiply, number, TimeSpan) => factor(number).map(|factor| Operands {
            left: TimeSpan,
            right: factor,
            result: TimeSpan,
            is_swapped: true,
        }),
        (
            Arithmetic::Add
            | Arithmetic::Subtract
            | Arithmetic::Multiply
            | Arithmetic::Divide
            | Arithmetic::Remainder,
            _,
            _,
        ) => None,
    }
}
