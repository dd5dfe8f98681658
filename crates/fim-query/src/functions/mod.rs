//! The scalar functions of the language, where those of SQL mean something else or do not exist.
//!
//! Each is a [`FunctionSpec`]: a name, the type of its result, and a kernel over whole columns. The binder has
//! converted the arguments, so that a kernel meets exactly the types that it expects and nothing is coerced here.
//! All functions are registered by name in one place ([`registry`]), so that a plan that was sent to another
//! process finds them there.

mod address;
mod arguments;
mod arrays;
mod bags;
mod calendar;
mod compare;
mod convert;
mod counting;
mod digests;
mod distributions;
mod dynamic;
mod encodings;
mod format;
mod json_path;
mod json_text;
mod making_times;
mod maths;
mod memory;
mod moments;
mod networks;
mod numbers;
mod parsers;
mod pattern_parts;
mod patterns;
mod punycode;
mod series;
mod shapes;
mod structures;
mod text_match;
mod texts;
mod units;

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

pub(crate) use arguments::Call;
pub(crate) use json_text::{
    array as array_of, bag as bag_of, canonical as canonical_json, elements as json_elements,
    members as json_members,
};
pub(crate) use memory::{MAX_TEXT_BYTES, QueryMemory};
pub(crate) use {
    arrays::*, bags::*, compare::*, convert::*, counting::*, digests::*, distributions::*, dynamic::*,
    encodings::*, making_times::*, maths::*, moments::*, networks::*, numbers::*, parsers::*, patterns::*,
    series::*, shapes::*, texts::*, units::*,
};

use memory::Room;

use crate::values::moment_type;

/// What DataFusion must know of a function to plan and run it.
pub(crate) struct FunctionSpec {
    /// The unique name, `kql_…`.
    pub name: &'static str,
    /// The type of the result.
    pub returns: Returns,
    /// Computes the result for as many rows as [`Call::rows`] says.
    pub evaluate: fn(&Call<'_>) -> Result<ArrayRef>,
}

/// The types that functions return.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Returns {
    Bool,
    Int,
    Long,
    Real,
    Text,
    Moment,
    /// Lists of texts.
    Texts,
    /// Lists of `long` values.
    Longs,
    /// The type of the first argument.
    First,
}

/// The expression that calls a function.
pub(crate) fn call(spec: &'static FunctionSpec, arguments: Vec<Expr>) -> Expr {
    let function = registry().get(spec.name).cloned().unwrap_or_else(|| Arc::new(udf(spec)));
    Expr::ScalarFunction(ScalarFunction::new_udf(function, arguments))
}

/// Whether a function is one of those here.
pub(crate) fn is_of_ours(function: &ScalarUDF) -> bool {
    function.inner().is::<KqlFunction>()
}

/// Every scalar function, by name.
pub fn registry() -> &'static HashMap<&'static str, Arc<ScalarUDF>> {
    static REGISTRY: OnceLock<HashMap<&'static str, Arc<ScalarUDF>>> = OnceLock::new();
    REGISTRY.get_or_init(|| all_specs().map(|spec| (spec.name, Arc::new(udf(spec)))).collect())
}

fn all_specs() -> impl Iterator<Item = &'static FunctionSpec> {
    let groups = [
        ARRAYS,
        BAGS,
        COMPARISONS,
        CONVERSIONS,
        COUNTING,
        DIGESTS,
        DISTRIBUTIONS,
        DYNAMICS,
        ENCODINGS,
        MAKING_TIMES,
        MATHS,
        MOMENTS,
        NETWORKS,
        NUMBERS,
        PARSERS,
        PATTERNS,
        SERIES,
        SHAPES,
        TEXTS,
        UNITS,
    ];
    groups.into_iter().flatten().copied()
}

fn udf(spec: &'static FunctionSpec) -> ScalarUDF {
    ScalarUDF::new_from_impl(KqlFunction { spec, signature: Signature::user_defined(Volatility::Immutable) })
}

struct KqlFunction {
    spec: &'static FunctionSpec,
    signature: Signature,
}

impl std::fmt::Debug for KqlFunction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.spec.name)
    }
}

impl PartialEq for KqlFunction {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for KqlFunction {}

impl Hash for KqlFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl ScalarUDFImpl for KqlFunction {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, argument_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(argument_types.to_vec())
    }

    fn return_type(&self, argument_types: &[DataType]) -> Result<DataType> {
        Ok(match self.spec.returns {
            Returns::Bool => DataType::Boolean,
            Returns::Int => DataType::Int32,
            Returns::Long => DataType::Int64,
            Returns::Real => DataType::Float64,
            Returns::Text => DataType::Utf8View,
            Returns::Moment => moment_type(),
            Returns::Texts => lists_of(DataType::Utf8View),
            Returns::Longs => lists_of(DataType::Int64),
            Returns::First => argument_types.first().cloned().unwrap_or(DataType::Null),
        })
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let memory = args.config_options.extensions.get::<QueryMemory>();
        let compute = |rows| {
            let call = Call { arguments: &args.args, rows, memory, room: Room::default() };
            (self.spec.evaluate)(&call)
        };
        if !args.args.iter().all(|argument| matches!(argument, ColumnarValue::Scalar(_))) {
            return Ok(ColumnarValue::Array(compute(args.number_rows)?));
        }
        // A call of constants is computed once and stays a constant, so that it can be folded into the plan.
        let result = compute(1)?;
        if !memory::is_large(&result) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?));
        }
        match memory {
            Some(QueryMemory::Planning) => {
                exec_err!("{} of constants is left to be computed", self.spec.name)
            }
            // The rows of a text share its memory, those of a list would not.
            _ if result.as_string_view_opt().is_some() => {
                let first = UInt32Array::from(vec![0; args.number_rows]);
                Ok(ColumnarValue::Array(take(&result, &first, None)?))
            }
            _ => Ok(ColumnarValue::Array(compute(args.number_rows)?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_functions_share_a_name() {
        assert_eq!(registry().len(), all_specs().count());
        assert!(all_specs().all(|spec| spec.name.starts_with("kql_")));
    }
}
