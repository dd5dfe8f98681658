//! What digests of numbers tell; what is no digest gives null.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Float64Array};
use datafusion::common::Result;

use super::json_text::of_real;
use super::{Call, FunctionSpec, Returns};
use crate::digest::Digest;

pub(super) static DIGESTS: &[&FunctionSpec] = &[&MERGE_TDIGEST, &PERCENTILE_TDIGEST, &RANK_TDIGEST];

/// `kql_merge_tdigest(digest, …)`
pub(crate) static MERGE_TDIGEST: FunctionSpec = FunctionSpec {
    name: "kql_merge_tdigest",
    returns: Returns::Text,
    evaluate: |call| {
        let columns = (0..call.len()).map(|at| call.nullable_texts(at)).collect::<Result<Vec<_>>>()?;
        call.collect((0..call.rows).map(|row| {
            let mut merged = Digest::default();
            for column in &columns {
                merged.add_all(&Digest::from_json(column.is_valid(row).then(|| column.value(row))?)?);
            }
            Some(merged.json())
        }))
    },
};
/// `kql_percentile_tdigest(digest, percentage)`
pub(crate) static PERCENTILE_TDIGEST: FunctionSpec = FunctionSpec {
    name: "kql_percentile_tdigest",
    returns: Returns::Text,
    evaluate: |call| {
        let percentages = call.reals(1)?;
        let digests = each(call)?;
        call.collect(digests.into_iter().zip(&percentages).map(|(digest, percentage)| {
            let mut digest = digest?;
            let number = digest.percentile(percentage?)?;
            Some(if digest.is_whole { (number.round() as i64).to_string() } else { of_real(number) })
        }))
    },
};
/// `kql_rank_tdigest(digest, value)`
pub(crate) static RANK_TDIGEST: FunctionSpec = FunctionSpec {
    name: "kql_rank_tdigest",
    returns: Returns::Real,
    evaluate: |call| {
        let values = call.reals(1)?;
        let ranks = each(call)?.into_iter().zip(&values).map(|(digest, value)| Some(digest?.rank(value?)));
        Ok(Arc::new(ranks.collect::<Float64Array>()) as ArrayRef)
    },
};

fn each(call: &Call<'_>) -> Result<Vec<Option<Digest>>> {
    Ok(call.nullable_texts(0)?.iter().map(|text| Digest::from_json(text?)).collect())
}
