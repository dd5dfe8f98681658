//! The log store: tables, ingest buffer, commit.
//!
//! # The way of a row
//!
//! ```text
//! ingest ─ encode ─▶ ingest log ─ one sync for all who wait ─▶ buffer ─▶ "accepted"
//!                                                               │ every 30 s, 64 MiB, and on closing
//!                                                               ▼
//!          sort ─▶ data files ─▶ commit to the table ─▶ swap ─▶ record the position ─▶ remove log segments
//! ```
//!
//! A row that was accepted is durable, and every later snapshot has it, once. A snapshot is what is in memory and what
//! is in data files at one moment; the swap moves rows from the one to the other in one step.
//!
//! # The order on disk
//!
//! Every arrow waits until what is before it is durable. So a crash between two of them leaves one of these, and the
//! next opening knows which:
//!
//! | The crash came after | On disk is | The opening |
//! |---|---|---|
//! | the log's sync | a record that no table has | reads it back into the buffer |
//! | the data files | files that are not part of the table | does not see them; reads the record back |
//! | the commit | a table whose transaction says the log's position | passes over the table's rows in records up to it |
//! | the position | `flushed.json` | passes over records up to it |
//! | some segments' removal | fewer segments | the same |
//! | a merge's files, before its commit | files that are not part of the table | removes them |
//! | a merge's commit | files that have left the table | removes them when their time has come |
//!
//! Which batches were delivered is remembered twice: in `flushed.json` for what is in tables, in the log's records for
//! the rest. So a batch that is delivered again is known, whether it comes after a crash, after a flush, or both.
//!
//! # The directory
//!
//! ```text
//! lock             held while the store is open; has the process's number
//! format.json      the format's number, and the log's id: the application id of the tables' transactions
//! flushed.json     up to where the log is in tables, what was delivered and metered until then, dropped workspaces, and
//!                  losses that are not told yet
//! log/             the ingest log's segments
//! staging/         files that are being written; cleared at the opening
//! tables/WORKSPACE/TABLE/                       a Delta Lake table
//!     _delta_log/00000000000000000000.json …    its commits
//!     day=2026-11-22/part-….zstd.parquet        its rows, sorted by (Computer, TimeGenerated)
//! ```
//!
//! Other programs may read the tables at any time. Only the store writes to them.
//!
//! # In the background
//!
//! A third thread merges small files into large ones, a few at a time, and lets go the days that are older than the
//! table's retention. Readers see the one set of files or the other; files that left stay on the disk until no snapshot
//! names them, and an hour longer for other programs.
//!
//! # What a change costs
//!
//! Measured with changes of files that fill 26 columns, two of them checksums: in memory 1.1 kB a row; in the ingest
//! log 1.5 kB if it comes alone, 190 B among 20, 120 B among 1,000; in a data file 95 B, more than half of it what does not
//! compress (two checksums and an id).

mod clock;
mod commit;
mod data_file;
mod delta;
mod directory;
mod durable;
mod flush;
mod held;
mod ingest_log;
mod lease;
mod loss;
mod maintain;
mod marks;
mod meter;
mod options;
mod progress;
mod record;
mod recover;
mod rows;
pub mod schema;
mod snapshot;
mod snapshot_files;
mod state;
mod step;
mod store;

pub use clock::Clock;
pub use data_file::EncodeFileError;
pub use delta::{DataFile, TableError};
pub use directory::OpenDirectoryError;
pub use flush::{DropWorkspaceError, FlushError};
pub use ingest_log::{Appended, IngestLog, OpenIngestLogError, Replay};
pub use loss::{Loss, LostRows};
pub use maintain::Retention;
pub use marks::{Marks, Origin};
pub use meter::Metered;
pub use options::StoreOptions;
pub use progress::{Job, JobFailure, JobKind, Maintenance};
pub use record::{DecodeRecordError, EncodeRecordError, IngestRecord};
pub use recover::{OpenStoreError, Recovery};
pub use rows::{BuildError, RowBuilder, TableBuilder, Value};
pub use snapshot::{SnapshotError, TableInfo, TableSnapshot};
pub use step::{Observer, Step};
pub use store::{Accepted, IngestError, Store};
