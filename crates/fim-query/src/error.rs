//! Why a query has no rows to show.

use std::time::Duration;

use datafusion::error::DataFusionError;
use fim_kql::Diagnostic;
use fim_store::SnapshotError;
use thiserror::Error;

/// Why a query has no rows to show.
#[derive(Debug, Error)]
pub enum QueryError {
    /// The text is no query that can be run; each diagnostic says where and why.
    #[error("{}", first_message(.0))]
    Language(Vec<Diagnostic>),
    /// The query took longer than it may.
    #[error(
        "the query was stopped after {} s, which is its limit; \
         narrow the time range, filter earlier, or raise the time limit",
        .limit.as_secs_f64()
    )]
    Deadline {
        /// How long it may take.
        limit: Duration,
    },
    /// The query needed more memory than it may have.
    #[error(
        "the query needs more than the {limit} bytes of memory that one query may use; \
         filter earlier, group by fewer values, project fewer columns, or raise the memory limit"
    )]
    Memory {
        /// How much memory it may use, in bytes.
        limit: usize,
    },
    /// As many queries run as may at the same time, and none ended soon enough.
    #[error("{running} queries are running, as many as may at the same time; try again shortly")]
    Busy {
        /// How many.
        running: usize,
    },
    /// There is no place for the query among those that run; the text says whose places are taken.
    #[error("the query has no place: {why}; try again shortly")]
    NoPlace {
        /// What keeps it out.
        why: String,
    },
    /// The rows show that the query cannot be computed; the text says why and what to do.
    #[error("{0}")]
    Stopped(String),
    /// The tables cannot be read.
    #[error("the tables of the query cannot be read")]
    Store(#[from] SnapshotError),
    /// A data file cannot be read.
    #[error("a data file of the query cannot be read: {0}")]
    Data(String),
    /// A mistake of ours, not of the query.
    #[error("the query failed, which is an error of the server: {0}")]
    Internal(String),
}

impl QueryError {
    /// Sorts an error of the engine by what its reader can do about it.
    pub(crate) fn from_engine(error: &DataFusionError, memory_limit: usize) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::Memory { limit: memory_limit },
            DataFusionError::ObjectStore(cause) => Self::Data(cause.to_string()),
            DataFusionError::ParquetError(cause) => Self::Data(cause.to_string()),
            DataFusionError::IoError(cause) => Self::Data(cause.to_string()),
            DataFusionError::External(cause) => match cause.downcast_ref::<Stopped>() {
                Some(Stopped(message)) => Self::Stopped(message.clone()),
                None => Self::Internal(error.to_string()),
            },
            _ => Self::Internal(error.to_string()),
        }
    }
}

/// A mistake in a query that only its rows show.
#[derive(Debug, Error)]
#[error("{0}")]
struct Stopped(String);

/// The error of a function that cannot go on because of the query; see [`QueryError::Stopped`].
pub(crate) fn stopped(message: impl Into<String>) -> DataFusionError {
    DataFusionError::External(Box::new(Stopped(message.into())))
}

fn first_message(diagnostics: &[Diagnostic]) -> String {
    match diagnostics {
        [] => "the query cannot be read".to_owned(),
        [only] => only.to_string(),
        [first, rest @ ..] => format!("{first} (and {} more)", rest.len()),
    }
}
