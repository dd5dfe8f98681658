//! The steps between which a crash can come, told to whoever wants to know.

use std::fmt;
use std::sync::Arc;

/// A point of the way of a row to the disk that has just been reached.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Step {
    /// Records are durable in the ingest log; their rows are not visible yet, and nobody was answered.
    LogSynced,
    /// The buffers were set aside for a flush.
    BuffersFrozen,
    /// An empty table was made.
    TableCreated,
    /// A table's data files are durable, and not part of it yet.
    FilesWritten,
    /// They are part of it.
    TableCommitted,
    /// Readers see the files and no longer the buffer.
    TablePublished,
    /// All tables are done, and it is recorded up to where.
    PositionRecorded,
    /// Segments of the ingest log that are no longer needed are gone.
    SegmentsRemoved,
    /// Files that are to take the place of others are durable, and not part of the table yet.
    RewriteWritten,
    /// They are part of it, the others are not any more, and both is recorded; readers do not see it yet.
    RewriteCommitted,
    /// Readers see the new files.
    RewritePublished,
    /// Files that are in no table any more, and that nobody reads, are gone.
    DepartedRemoved,
}

/// Is called at every [`Step`], on the thread that takes it, which waits for the return. A test takes a picture of the
/// disk there; a server could feed a metric.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<dyn Fn(Step) + Send + Sync>>);

impl Observer {
    /// An observer that calls the function.
    pub fn new(function: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(function)))
    }

    pub(crate) fn reached(&self, step: Step) {
        if let Some(function) = &self.0 {
            function(step);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Observer").field(&self.0.is_some()).finish()
    }
}
