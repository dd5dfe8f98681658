//! The memory of what functions make.
//!
//! A batch has thousands of rows and a function may make a megabyte in each, so what it makes is reserved in the
//! query's pool for as long as it lives: the reservation belongs to the buffers and goes with the last that shares
//! them. The pool comes to the functions with the configuration of the query that runs.

use std::any::Any;
use std::cell::Cell;
use std::sync::Arc;

use arrow::array::{ArrayRef, StringViewArray};
use arrow::buffer::{Buffer, ScalarBuffer};
use bytes::Bytes;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::{Result, exec_err};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryPool, MemoryReservation};

use super::arrays::MOST_ELEMENTS;
use crate::error::stopped;

/// Where the functions of one query get their memory from.
#[derive(Clone, Debug)]
pub(crate) enum QueryMemory {
    /// The query is planned: constants that are large are left to be computed when it runs, because a plan is copied.
    Planning,
    /// The query runs.
    Running(Arc<dyn MemoryPool>),
}

impl ConfigExtension for QueryMemory {
    const PREFIX: &'static str = "kql_memory";
}

impl ExtensionOptions for QueryMemory {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> Result<()> {
        exec_err!("{key} is no setting of a query")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// What one call has made so far.
pub(crate) struct Ledger<'a> {
    pool: Option<&'a Arc<dyn MemoryPool>>,
    reservation: Option<MemoryReservation>,
    used: usize,
}

impl<'a> Ledger<'a> {
    /// Nothing yet. Without a query that runs, nothing is reserved.
    pub fn new(memory: Option<&'a QueryMemory>) -> Self {
        let pool = match memory {
            Some(QueryMemory::Running(pool)) => Some(pool),
            Some(QueryMemory::Planning) | None => None,
        };
        Self { pool, reservation: None, used: 0 }
    }

    /// Counts bytes that are made next.
    ///
    /// # Errors
    ///
    /// Fails if the query has no more memory.
    pub fn add(&mut self, bytes: usize) -> Result<()> {
        self.used = self.used.saturating_add(bytes);
        let Some(pool) = self.pool.filter(|_| self.used > UNCOUNTED_BYTES) else { return Ok(()) };
        let reservation =
            self.reservation.get_or_insert_with(|| MemoryConsumer::new("values of functions").register(pool));
        if self.used > reservation.size() {
            let step = STEP_BYTES.max(self.used - reservation.size());
            reservation.try_grow(step)?;
        }
        Ok(())
    }

    /// The texts. Their memory is counted to the query until the last who holds them lets go.
    pub fn keep(self, texts: StringViewArray) -> Result<StringViewArray> {
        let Some(reservation) = self.reservation else { return Ok(texts) };
        reservation.try_resize(self.used)?;
        let reservation = Arc::new(reservation);
        let kept = |bytes: &Buffer| {
            let owner = Kept { bytes: bytes.clone(), _reservation: Arc::clone(&reservation) };
            Buffer::from(Bytes::from_owner(owner))
        };
        let (views, buffers, nulls) = texts.into_parts();
        let rows = views.len();
        let views = ScalarBuffer::new(kept(views.inner()), 0, rows);
        let buffers: Vec<Buffer> = buffers.iter().map(kept).collect();
        Ok(StringViewArray::try_new(views, buffers, nulls)?)
    }
}

/// Bytes together with their place in the query's memory.
struct Kept {
    bytes: Buffer,
    _reservation: Arc<MemoryReservation>,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.bytes.as_slice()
    }
}

/// Notices a value that is too large before it is made.
#[derive(Debug, Default)]
pub(crate) struct Room {
    refused: Cell<Option<Refused>>,
}

#[derive(Clone, Copy, Debug)]
enum Refused {
    Bytes(usize),
    Elements(usize),
}

impl Room {
    /// Whether a text may be so long; `None`, which the rest of the row then is, if it may not.
    pub fn of(&self, bytes: usize) -> Option<()> {
        if bytes <= MAX_TEXT_BYTES {
            return Some(());
        }
        self.refused.set(Some(Refused::Bytes(bytes)));
        None
    }

    /// Whether a text may be taken apart into so many; `None` if it may not.
    pub fn elements(&self, count: usize) -> Option<()> {
        if count <= MOST_ELEMENTS {
            return Some(());
        }
        self.refused.set(Some(Refused::Elements(count)));
        None
    }

    /// Fails if something was refused.
    pub fn check(&self) -> Result<()> {
        match self.refused.get() {
            None => Ok(()),
            Some(Refused::Bytes(bytes)) => Err(stopped(format!(
                "the query makes a text of up to {bytes} bytes, and one text may have {MAX_TEXT_BYTES}; \
                 repeat, join or replace less, or take a part of the text first"
            ))),
            Some(Refused::Elements(count)) => Err(stopped(format!(
                "the query takes a text apart into {count} parts, and there may be {MOST_ELEMENTS}; \
                 take a part of the text first"
            ))),
        }
    }
}

/// Whether a constant is so large that it is neither put into a plan nor copied for each row.
pub(crate) fn is_large(constant: &ArrayRef) -> bool {
    constant.get_array_memory_size() > LARGE_CONSTANT_BYTES
}

/// The longest text that a function makes, in bytes.
pub(crate) const MAX_TEXT_BYTES: usize = 16 << 20;
/// What a call makes without anybody counting it, in bytes: so much for a kilobyte in each row. A sort that keeps such
/// texts counts them itself, and can spill where a function could only fail.
const UNCOUNTED_BYTES: usize = 8 << 20;
/// How much is reserved at a time, in bytes.
const STEP_BYTES: usize = 4 << 20;
const LARGE_CONSTANT_BYTES: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use arrow::array::StringViewBuilder;
    use datafusion::execution::memory_pool::GreedyMemoryPool;

    use super::*;

    fn texts(rows: usize, ledger: &mut Ledger<'_>) -> Result<StringViewArray> {
        let text = "x".repeat(1 << 20);
        let mut builder = StringViewBuilder::new();
        for _ in 0..rows {
            ledger.add(text.len())?;
            builder.append_value(&text);
        }
        Ok(builder.finish())
    }

    #[test]
    fn texts_are_the_querys_as_long_as_anybody_has_one_of_them() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(64 << 20));
        let memory = QueryMemory::Running(Arc::clone(&pool));
        let mut ledger = Ledger::new(Some(&memory));
        let made = texts(20, &mut ledger).unwrap();
        let kept = ledger.keep(made).unwrap();
        assert_eq!(pool.reserved(), 20 << 20);
        let one = kept.slice(7, 1);
        drop(kept);
        assert_eq!(pool.reserved(), 20 << 20);
        assert_eq!(one.value(0).len(), 1 << 20);
        drop(one);
        assert_eq!(pool.reserved(), 0);
    }

    #[test]
    fn what_does_not_fit_is_refused_while_it_is_made_and_given_back() {
        let pool: Arc<dyn MemoryPool> = Arc::new(GreedyMemoryPool::new(16 << 20));
        let memory = QueryMemory::Running(Arc::clone(&pool));
        let mut ledger = Ledger::new(Some(&memory));
        let refused = texts(20, &mut ledger).unwrap_err();
        assert!(refused.to_string().contains("values of functions"), "{refused}");
        drop(ledger);
        assert_eq!(pool.reserved(), 0);
    }
}
