//! Stretches that were not watched.

use super::table::{ReportError, Table};
use super::timespan::Range;
use crate::api::model::Gap;

/// The query of [`read`]. A gap has a row when it opens and one when it ends; the two are one stretch.
pub fn query(most: usize) -> String {
    format!(
        "Coverage\n\
         | summarize EndTime = max(EndTime), arg_max(TimeGenerated, ConfigChangeType, Detail, Provider) \
           by Computer, Scope, Cause, StartTime\n\
         | order by StartTime desc\n\
         | take {most}\n"
    )
}

/// The stretches that touch the period, the newest first.
pub fn read(table: &Table, range: Range) -> Result<Vec<Gap>, ReportError> {
    let mut gaps = Vec::new();
    for row in table.rows() {
        let gap = Gap {
            machine: row.text("Computer")?.to_owned(),
            scope: row.text("Scope")?.to_owned(),
            change_type: row.text("ConfigChangeType")?.to_owned(),
            start: row.time("StartTime")?,
            end: row.moment("EndTime")?,
            cause: row.text("Cause")?.to_owned(),
            detail: row.text("Detail")?.to_owned(),
            provider: row.text("Provider")?.to_owned(),
        };
        if gap.start.0 < range.to && gap.end.is_none_or(|end| end.0 >= range.from) {
            gaps.push(gap);
        }
    }
    Ok(gaps)
}
