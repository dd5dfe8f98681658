//! `tdigest` and `tdigest_merge`: a digest of the numbers of a group.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Field, FieldRef, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDFImpl, Signature, Volatility};

use crate::digest::Digest;

/// `kql_tdigest(value, is_whole, weight)` over reals, or `kql_tdigest_merge(digest)`.
#[derive(Debug, Eq, Hash, PartialEq)]
pub(super) struct TDigest {
    is_merge: bool,
    signature: Signature,
}

impl TDigest {
    pub fn new(is_merge: bool) -> Self {
        let arguments = if is_merge { 1 } else { 3 };
        Self { is_merge, signature: Signature::any(arguments, Volatility::Immutable) }
    }

    pub fn function_name(is_merge: bool) -> &'static str {
        if is_merge { "kql_tdigest_merge" } else { "kql_tdigest" }
    }
}

impl AggregateUDFImpl for TDigest {
    fn name(&self) -> &str {
        Self::function_name(self.is_merge)
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[digest]", args.name), DataType::Utf8View, true))])
    }

    fn accumulator(&self, _: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(Numbers { is_merge: self.is_merge, digest: Digest::default() }))
    }
}

#[derive(Debug)]
struct Numbers {
    is_merge: bool,
    digest: Digest,
}

fn foreign() -> datafusion::error::DataFusionError {
    exec_datafusion_err!("a digest was given values of another type: the plan and the function disagree")
}

impl Accumulator for Numbers {
    fn update_batch(&mut self, columns: &[ArrayRef]) -> Result<()> {
        if self.is_merge {
            return self.merge_batch(columns);
        }
        let [values, is_whole, weights] = columns else { return Err(foreign()) };
        let values = values.as_primitive_opt::<Float64Type>().ok_or_else(foreign)?;
        let is_whole = is_whole.as_boolean_opt().ok_or_else(foreign)?;
        let weights = weights.as_primitive_opt::<Int64Type>().ok_or_else(foreign)?;
        for row in (0..values.len()).filter(|row| values.is_valid(*row) && weights.is_valid(*row)) {
            self.digest.is_whole = is_whole.value(row);
            self.digest.add(values.value(row), weights.value(row) as f64);
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Utf8View(Some(self.digest.json())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.digest.size()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let [digests] = states else { return Err(foreign()) };
        let digests = digests.as_string_view_opt().ok_or_else(foreign)?;
        digests
            .iter()
            .flatten()
            .filter_map(Digest::from_json)
            .for_each(|digest| self.digest.add_all(&digest));
        Ok(())
    }
}
