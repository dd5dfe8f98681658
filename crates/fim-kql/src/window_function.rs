//! The functions over rows in their order that a plan may call.

/// A function over rows in their order. The rows must have one: behind `sort`, `top`, `range` or `serialize`.
///
/// A last argument `restart` is a `bool` that starts over where it is true.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum WindowFunction {
    /// `next(x, long offset, x default) -> x`: the value so many rows further on, or the default.
    Next,
    /// `prev(x, long offset, x default) -> x`: the value so many rows before, or the default.
    Prev,
    /// `row_cumsum(x, bool restart) -> x`: the sum up to this row; of `int`, `long`, `real` or `timespan`.
    RowCumSum,
    /// `row_number(long first, bool restart) -> long`: counts rows from `first`.
    RowNumber,
    /// `row_rank_dense(x, bool restart) -> long`: counts the different values in a row, from 1.
    RowRankDense,
    /// `row_rank_min(x, bool restart) -> long`: the number of the first of the rows in a row that are equal, from 1.
    RowRankMin,
    /// `row_window_session(datetime, timespan longest, timespan gap, bool restart) -> datetime`: when the session of
    /// this row began. A row starts one if it is more than `longest` behind its begin or `gap` behind the row before.
    RowWindowSession,
}
