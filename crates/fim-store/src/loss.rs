//! What was acknowledged and is there no more.

use std::ops::RangeInclusive;

use fim_core::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Rows that were acknowledged and are lost.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Loss {
    /// Which rows.
    pub rows: LostRows,
    /// Whose they were; `None` if that cannot be read any more.
    pub workspace: Option<Uuid>,
    /// The stretch that they are of begins here; `None` if that is not known. For rows of the ingest log it is the newest
    /// row that was accepted before them; otherwise none of them has an earlier `TimeGenerated`.
    #[serde(with = "nanos")]
    pub after: Option<Timestamp>,
    /// The stretch that they are of ends here; `None` if that is not known. For rows of the ingest log it is the newest row
    /// that was accepted in the first call after them; otherwise none of them has a later `TimeGenerated`.
    #[serde(with = "nanos")]
    pub before: Option<Timestamp>,
}

/// Which rows are lost.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum LostRows {
    /// Those of accepted calls at these positions of the ingest log, which cannot be read any more.
    Calls(RangeInclusive<u64>),
    /// Those that were in the ingest log only, which has fewer records than were once in it.
    Log,
    /// All rows of a table: its directory or its Delta log is gone.
    Table(String),
    /// Those of a table's newest commits: its Delta log is older than it was.
    Commits(String),
    /// Those of a data file that is gone or has not its size any more.
    File {
        /// The table.
        table: String,
        /// How many rows it had.
        rows: u64,
    },
}

impl Loss {
    /// True if the next opening finds it by itself as long as it is not mended.
    fn is_seen_again(&self) -> bool {
        match self.rows {
            LostRows::File { .. } => true,
            LostRows::Calls(_) | LostRows::Log | LostRows::Table(_) | LostRows::Commits(_) => false,
        }
    }
}

/// What an earlier opening has found and what this one has, each once.
pub(crate) fn all(untold: &[Loss], found: Vec<Loss>) -> Vec<Loss> {
    let is_known = |loss: &Loss| {
        let same = |known: &Loss| known.rows == loss.rows && known.workspace == loss.workspace;
        !loss.is_seen_again() && untold.iter().any(same)
    };
    let new = found.into_iter().filter(|loss| !is_known(loss));
    untold.iter().cloned().chain(new).collect()
}

/// Those that would be forgotten if they were not written down before they are told.
pub(crate) fn to_remember(losses: &[Loss]) -> Vec<Loss> {
    losses.iter().filter(|loss| !loss.is_seen_again()).cloned().collect()
}

/// A moment as nanoseconds since the Unix epoch.
mod nanos {
    use fim_core::Timestamp;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.0).serialize(to)
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Option::<i64>::deserialize(from).map(|time| time.map(Timestamp))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loss(rows: LostRows) -> Loss {
        Loss { rows, workspace: Some(Uuid::nil()), after: None, before: Some(Timestamp(1)) }
    }

    #[test]
    fn what_is_found_again_before_it_was_told_is_told_once() {
        let file = || LostRows::File { table: "Usage".to_owned(), rows: 3 };
        let calls = |first| LostRows::Calls(first..=9);
        // Only what is not seen again is written down before it is told.
        let untold = to_remember(&[loss(calls(1)), loss(file())]);
        assert_eq!(untold, [loss(calls(1))]);
        let found = vec![loss(calls(1)), loss(calls(5)), loss(file()), loss(file())];
        // Two files that are gone may be alike.
        assert_eq!(all(&untold, found), [loss(calls(1)), loss(calls(5)), loss(file()), loss(file())]);
    }

    #[test]
    fn what_is_found_again_keeps_the_stretch_that_was_known_first() {
        let later = Loss { before: Some(Timestamp(2)), ..loss(LostRows::Log) };
        assert_eq!(all(&[loss(LostRows::Log)], vec![later]), [loss(LostRows::Log)]);
    }
}
