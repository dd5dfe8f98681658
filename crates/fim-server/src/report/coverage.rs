//! Stretches that were not watched.

use super::literal;
use super::table::{ReportError, Table};
use super::timespan::Range;
use crate::api::model::Gap;

/// The query of [`read`]: the stretches that touch the period. Those that go on come first, so that none of them is left
/// out where there are more than `most`.
pub fn query(range: Range, most: usize) -> String {
    format!(
        "Coverage\n\
         | where StartTime < {to} and (isnull(EndTime) or EndTime >= {from})\n\
         | extend IsOpen = isnull(EndTime)\n\
         | order by IsOpen desc, StartTime desc\n\
         | take {most}\n",
        from = literal::moment(range.from),
        to = literal::moment(range.to),
    )
}

/// The stretches in the answer.
pub fn read(table: &Table) -> Result<Vec<Gap>, ReportError> {
    table
        .rows()
        .map(|row| {
            Ok(Gap {
                machine: row.text("Computer")?.to_owned(),
                scope: row.text("Scope")?.to_owned(),
                change_type: row.text("ConfigChangeType")?.to_owned(),
                start: row.time("StartTime")?,
                end: row.moment("EndTime")?,
                cause: row.text("Cause")?.to_owned(),
                detail: row.text("Detail")?.to_owned(),
                provider: row.text("Provider")?.to_owned(),
            })
        })
        .collect()
}
