//! The functions over rows in their order.

use super::WindowEntry;
use crate::window_function::WindowFunction;

const fn windows(
    name: &'static str,
    function: WindowFunction,
    parameters: &'static [&'static str],
    required: usize,
    result: &'static str,
    summary: &'static str,
) -> WindowEntry {
    WindowEntry { name, function, parameters, required, result, summary }
}

/// Every function over rows that runs, by name.
#[rustfmt::skip]
pub(crate) const WINDOWS: &[WindowEntry] = &[
    windows("next", WindowFunction::Next, &["value: any", "offset: int or long", "default: as the value"], 1, "as the value", "The value some rows further on."),
    windows("prev", WindowFunction::Prev, &["value: any", "offset: int or long", "default: as the value"], 1, "as the value", "The value some rows before."),
    windows("row_cumsum", WindowFunction::RowCumSum, &["value: number or timespan", "restart: bool"], 1, "as the value", "The sum up to this row."),
    windows("row_number", WindowFunction::RowNumber, &["first: int or long", "restart: bool"], 0, "long", "The number of the row."),
    windows("row_rank_dense", WindowFunction::RowRankDense, &["value: any", "restart: bool"], 1, "long", "The number of the value among the different values in a row."),
    windows("row_rank_min", WindowFunction::RowRankMin, &["value: any", "restart: bool"], 1, "long", "The number of the first row in a row that has the value."),
    windows("row_window_session", WindowFunction::RowWindowSession, &["moment: datetime", "longest: timespan", "gap: timespan", "restart: bool"], 3, "datetime", "When the session of the row began."),
];
