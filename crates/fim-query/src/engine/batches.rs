//! How many rows a query works on at a time, so that what its functions make of them stays within its memory.
//!
//! A batch of thousands of rows is fast where rows are small. Where functions make large texts of small ones, a batch
//! of as many rows would take gigabytes, so that it has fewer. The sizes are estimated from the plan alone; what is
//! larger than estimated is reserved as it is made, and refused when the query has no more memory.

use std::collections::HashMap;

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::{Expr, LogicalPlan, ScalarUDF};

use crate::functions::{MAX_TEXT_BYTES, is_of_ours};

/// The most rows of a batch, for a query with so much memory for each of its threads.
pub(super) fn batch_rows(plan: &LogicalPlan, memory_bytes: usize) -> usize {
    let mut estimate = Estimate { made: 0 };
    estimate.of_plan(plan);
    let room = (memory_bytes / PLACES_OF_BATCHES) as u64;
    let rows = room / estimate.made.max(1);
    usize::try_from(rows).unwrap_or(usize::MAX).clamp(FEWEST_ROWS, MOST_ROWS)
}

/// The widths of the text columns of a node, in bytes, by name.
type Widths = HashMap<String, u64>;

/// What is known of the rows of a node.
struct Rows {
    widths: Widths,
    /// One row only, whatever is made of it.
    is_one: bool,
}

struct Estimate {
    /// What the functions of the plan make of one row, in bytes.
    made: u64,
}

impl Estimate {
    fn of_plan(&mut self, plan: &LogicalPlan) -> Rows {
        let inputs: Vec<Rows> = plan.inputs().into_iter().map(|input| self.of_plan(input)).collect();
        let is_one = match plan {
            LogicalPlan::EmptyRelation(rows) => rows.produce_one_row,
            LogicalPlan::Projection(_) | LogicalPlan::Filter(_) | LogicalPlan::SubqueryAlias(_) => {
                inputs.iter().all(|input| input.is_one)
            }
            _ => false,
        };
        let known = merged(inputs);
        let before = self.made;
        let expressions = plan.expressions();
        let computed: Vec<u64> = expressions.iter().map(|expr| self.of_expr(expr, &known)).collect();
        if is_one {
            self.made = before;
        }
        let text_columns = plan.schema().fields().iter().enumerate();
        let text_columns = text_columns.filter(|(_, field)| has_texts(field.data_type()));
        let is_element = |name: &str| match plan {
            LogicalPlan::Unnest(unnest) => unnest.exec_columns.iter().any(|column| column.name == name),
            _ => false,
        };
        let defines_columns = matches!(plan, LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_));
        let widths = text_columns.map(|(position, field)| {
            let own = computed.get(position).filter(|_| defines_columns).copied();
            let width = own.or_else(|| known.get(field.name()).copied()).unwrap_or(COLUMN_BYTES);
            // The elements of an array are together no longer than it.
            (field.name().clone(), if is_element(field.name()) { width.min(COLUMN_BYTES) } else { width })
        });
        Rows { widths: widths.collect(), is_one }
    }

    /// The width of an expression; what its functions make is added up.
    fn of_expr(&mut self, expr: &Expr, known: &Widths) -> u64 {
        match expr {
            Expr::Column(column) => known.get(&column.name).copied().unwrap_or(NUMBER_BYTES),
            Expr::Literal(value, _) => {
                value.try_as_str().flatten().map_or(NUMBER_BYTES, |text| text.len() as u64)
            }
            Expr::ScalarFunction(call) => {
                let widths: Vec<u64> =
                    call.args.iter().map(|argument| self.of_expr(argument, known)).collect();
                self.of_call(&call.func, &call.args, &widths)
            }
            Expr::AggregateFunction(call) => {
                let widest = self.widest(expr, known);
                if COLLECTING.contains(&call.func.name()) { MAX_TEXT_BYTES as u64 } else { widest }
            }
            other => self.widest(other, known),
        }
    }

    fn widest(&mut self, expr: &Expr, known: &Widths) -> u64 {
        let mut widest = NUMBER_BYTES;
        // The closure does not fail.
        let _ = expr.apply_children(|child| {
            widest = widest.max(self.of_expr(child, known));
            Ok(TreeNodeRecursion::Continue)
        });
        widest
    }

    fn of_call(&mut self, function: &ScalarUDF, arguments: &[Expr], widths: &[u64]) -> u64 {
        let widest = widths.iter().copied().max().unwrap_or(NUMBER_BYTES);
        if !is_of_ours(function) || function.name() == "kql_text" {
            return widest;
        }
        let types = vec![DataType::Null; arguments.len()];
        if !function.return_type(&types).is_ok_and(|ty| has_texts(&ty)) {
            return NUMBER_BYTES;
        }
        let width = match function.name() {
            // A view of each element, which may be a byte of the array with its comma.
            "kql_expand_bags" | "kql_expand_pairs" => widest.saturating_mul(8),
            name => grown(name, arguments, widths).min(MAX_TEXT_BYTES as u64),
        };
        // What is the same for all rows is made once.
        if !arguments.iter().all(|argument| matches!(argument, Expr::Literal(..))) {
            self.made = self.made.saturating_add(width);
        }
        width
    }
}

/// The width of a text that a function makes of arguments with these widths.
fn grown(name: &str, arguments: &[Expr], widths: &[u64]) -> u64 {
    let width = |position: usize| widths.get(position).copied().unwrap_or(0);
    let count = |position: usize| integer(arguments.get(position)?);
    let all = widths.iter().fold(NUMBER_BYTES, |all, width| all.saturating_add(*width));
    let most = MAX_TEXT_BYTES as u64;
    match name {
        "kql_strrep" => {
            let times = count(1).map_or(MOST_REPETITIONS, |times| times.clamp(0, MOST_REPETITIONS));
            width(0).saturating_add(width(2)).saturating_mul(times.unsigned_abs())
        }
        "kql_repeat" => match count(1) {
            Some(count) => (width(0) + 1).saturating_mul(count.max(0).unsigned_abs()),
            None => most,
        },
        "kql_range_longs" => match (count(0), count(1), count(2)) {
            (Some(start), Some(stop), Some(step)) if step != 0 => {
                let elements = (i128::from(stop) - i128::from(start)) / i128::from(step);
                u64::try_from(elements.max(0)).unwrap_or(most).saturating_add(1).saturating_mul(NUMBER_BYTES)
            }
            _ => most,
        },
        "kql_replace_string" => {
            let needle = arguments.get(1).and_then(text).map_or(1, |needle| needle.len().max(1) as u64);
            width(0).saturating_add((width(0) / needle).saturating_mul(width(2)))
        }
        "kql_replace_regex" => width(0).saturating_mul(width(2) + 1),
        "kql_strcat_array" => width(0).saturating_add((width(0) / 2).saturating_mul(width(1))),
        "kql_array_iff" => (width(0) / 2).saturating_mul(width(1).max(width(2))),
        "kql_array_shift_left" | "kql_array_shift_right" => all.saturating_add((width(0) / 2) * width(2)),
        "kql_extract_all" => all.saturating_mul(8),
        "kql_range_moments"
        | "kql_range_reals"
        | "kql_range_spans"
        | "kql_replace_strings"
        | "kql_gzip_decompress_from_base64_string"
        | "kql_zlib_decompress_from_base64_string" => most,
        _ => all,
    }
}

/// The widths of columns of several inputs; of two with one name the greater.
fn merged(inputs: Vec<Rows>) -> Widths {
    let mut widths = Widths::new();
    for (name, width) in inputs.into_iter().flat_map(|input| input.widths) {
        let known = widths.entry(name).or_default();
        *known = width.max(*known);
    }
    widths
}

fn has_texts(ty: &DataType) -> bool {
    match ty {
        DataType::Utf8View | DataType::Utf8 | DataType::LargeUtf8 => true,
        DataType::Dictionary(_, values) => has_texts(values),
        DataType::List(field) => has_texts(field.data_type()),
        _ => false,
    }
}

fn integer(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        Expr::Literal(ScalarValue::Int32(value), _) => value.map(i64::from),
        _ => None,
    }
}

fn text(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(value, _) => value.try_as_str().flatten(),
        _ => None,
    }
}

/// What makes one value of those of many rows.
const COLLECTING: [&str; 5] =
    ["kql_make_list", "kql_make_list_with_nulls", "kql_make_set", "kql_make_bag", "kql_series_of_steps"];
/// How wide a column of a table is taken to be; most are less.
const COLUMN_BYTES: u64 = 256;
const NUMBER_BYTES: u64 = 8;
/// How often `strrep` repeats at most.
const MOST_REPETITIONS: i64 = 1024;
/// Batches that a thread has in its hands at the same time, those that wait between its steps among them.
const PLACES_OF_BATCHES: usize = 4;
const FEWEST_ROWS: usize = 16;
const MOST_ROWS: usize = 8192;
