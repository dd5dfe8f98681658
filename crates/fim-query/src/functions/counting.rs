//! Arrays that count: `range`.

use arrow::array::{Array, ArrayRef, PrimitiveArray};
use arrow::datatypes::Int64Type;
use datafusion::common::Result;
use fim_kql::{DateTime, TimeSpan};

use super::arrays::MOST_ELEMENTS;
use super::convert::quoted;
use super::json_text::{array, of_real};
use super::moments::ticks;
use super::{Call, FunctionSpec, Returns};

pub(super) static COUNTING: &[&FunctionSpec] = &[&RANGE_LONGS, &RANGE_MOMENTS, &RANGE_REALS, &RANGE_SPANS];

macro_rules! spec {
    ($name:ident, $text:literal, $returns:ident, $evaluate:expr) => {
        #[doc = concat!("`", $text, "`")]
        pub(crate) static $name: FunctionSpec =
            FunctionSpec { name: $text, returns: Returns::$returns, evaluate: $evaluate };
    };
}

// Each is `f(start, stop, step)`; null if the step does not lead anywhere.
spec!(RANGE_LONGS, "kql_range_longs", Text, |call| {
    counted(call, &call.longs(0)?, &call.longs(1)?, |number| number.to_string())
});
spec!(RANGE_SPANS, "kql_range_spans", Text, |call| {
    counted(call, &call.longs(0)?, &call.longs(1)?, |span| quoted(&TimeSpan(span).to_string()))
});
spec!(RANGE_MOMENTS, "kql_range_moments", Text, |call| {
    let in_ticks =
        |at| Ok::<_, datafusion::error::DataFusionError>(call.moments(at)?.unary(|moment| ticks(moment).0));
    counted(call, &in_ticks(0)?, &in_ticks(1)?, |moment| quoted(&DateTime(moment).to_string()))
});
spec!(RANGE_REALS, "kql_range_reals", Text, |call| {
    let (starts, stops, steps) = (call.reals(0)?, call.reals(1)?, call.reals(2)?);
    call.collect(starts.iter().zip(&stops).zip(&steps).map(|((start, stop), step)| {
        let (start, stop, step) = (start?, stop?, step?);
        let steps = (stop - start) / step;
        let leads_there = step != 0.0 && steps.is_finite();
        let count =
            if steps < 0.0 { 0 } else { (steps.floor() as usize).saturating_add(1).min(MOST_ELEMENTS) };
        leads_there.then(|| array((0..count).map(|at| of_real(start + at as f64 * step))))
    }))
});

fn counted(
    call: &Call<'_>,
    starts: &PrimitiveArray<Int64Type>,
    stops: &PrimitiveArray<Int64Type>,
    text: fn(i64) -> String,
) -> Result<ArrayRef> {
    let steps = call.longs(2)?;
    call.collect((0..call.rows).map(|row| {
        if starts.is_null(row) || stops.is_null(row) || steps.is_null(row) || steps.value(row) == 0 {
            return None;
        }
        let (stop, step) = (stops.value(row), steps.value(row));
        let mut numbers = Vec::new();
        let mut next = Some(starts.value(row));
        while let Some(number) =
            next.filter(|number| if step > 0 { *number <= stop } else { *number >= stop })
        {
            if numbers.len() == MOST_ELEMENTS {
                break;
            }
            numbers.push(text(number));
            next = number.checked_add(step);
        }
        Some(array(numbers.iter()))
    }))
}
