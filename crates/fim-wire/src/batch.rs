//! Reports on their way from a sensor to the server.

use fim_core::Timestamp;
use minicbor::decode::Decoder;
use minicbor::{Decode, Encode};

use crate::error::{from_bytes, to_bytes};
use crate::report::ReportRecord;
use crate::{Report, WireError};

/// The version of batches that this crate writes, and the newest that it reads.
pub const BATCH_VERSION: u32 = 1;

/// Reports on their way from a sensor to the server. Delivered twice, it is stored once: sensor, epoch and sequence
/// tell which one it is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Batch {
    /// The id of the machine that reports.
    pub sensor: [u8; 16],
    /// Which spool the sequence counts in: random, made with the spool.
    pub epoch: [u8; 16],
    /// The spool's number of the last report in the batch.
    pub sequence: u64,
    /// When the batch was made, by the sensor's clock.
    pub sent: Timestamp,
    /// The reports in the order of the spool.
    pub events: Vec<Report>,
}

/// How much a reader takes at once. What is read takes up to about ten times the bytes that it is read from, and a
/// kilobyte for each report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// The most bytes of a batch, after it has been decompressed.
    pub batch_bytes: usize,
    /// The most reports in a batch.
    pub reports: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch_bytes: 8 << 20, reports: 10_000 }
    }
}

/// The bytes of a batch.
pub fn encode_batch(batch: &Batch) -> Vec<u8> {
    to_bytes(&BatchRecord {
        version: BATCH_VERSION,
        sensor: &batch.sensor,
        epoch: &batch.epoch,
        sequence: batch.sequence,
        sent: batch.sent.0,
        events: batch.events.iter().map(Into::into).collect(),
    })
}

/// The batch in the bytes, within limits.
///
/// # Errors
///
/// Says what is wrong with the bytes and where, which limit they pass, or that the writer's version is newer.
pub fn decode_batch(bytes: &[u8], limits: &Limits) -> Result<Batch, WireError> {
    if bytes.len() > limits.batch_bytes {
        return Err(WireError::TooLarge { what: WHAT, size: bytes.len(), limit: limits.batch_bytes });
    }
    // A newer version may have changed whatever it likes but this number.
    let VersionRecord { version } = from_bytes(WHAT, bytes)?;
    if version > BATCH_VERSION {
        return Err(WireError::NewerVersion { version, supported: BATCH_VERSION });
    }
    let header: CountRecord = from_bytes(WHAT, bytes)?;
    if header.reports.0 > limits.reports {
        return Err(WireError::TooMany { what: WHAT, parts: "reports", limit: limits.reports });
    }
    let record: ReceivedRecord<'_> = from_bytes(WHAT, bytes)?;
    let id = |bytes: &[u8]| {
        bytes
            .try_into()
            .map_err(|_| WireError::Contradiction { what: WHAT, problem: "an id has not 16 bytes" })
    };
    Ok(Batch {
        sensor: id(record.sensor)?,
        epoch: id(record.epoch)?,
        sequence: record.sequence,
        sent: Timestamp(record.sent),
        events: record.events,
    })
}

/// A batch as it is written.
#[derive(Encode)]
#[cbor(map)]
struct BatchRecord<'b> {
    #[n(0)]
    version: u32,
    #[cbor(n(1), with = "minicbor::bytes")]
    sensor: &'b [u8],
    #[cbor(n(2), with = "minicbor::bytes")]
    epoch: &'b [u8],
    #[n(3)]
    sequence: u64,
    #[n(4)]
    sent: i64,
    #[b(5)]
    events: Vec<ReportRecord<'b>>,
}

/// A batch as it is read: each report is made of its record at once, so that not all the records are held as well.
#[derive(Decode)]
#[cbor(map)]
struct ReceivedRecord<'b> {
    #[cbor(n(1), with = "minicbor::bytes")]
    sensor: &'b [u8],
    #[cbor(n(2), with = "minicbor::bytes")]
    epoch: &'b [u8],
    #[n(3)]
    sequence: u64,
    #[n(4)]
    sent: i64,
    #[cbor(n(5), decode_with = "decode_events")]
    events: Vec<Report>,
}

/// What is looked at before anything else.
#[derive(Decode)]
#[cbor(map)]
struct VersionRecord {
    #[n(0)]
    version: u32,
}

/// What is looked at before the rest is given memory.
#[derive(Decode)]
#[cbor(map)]
struct CountRecord {
    #[cbor(n(5), decode_with = "count_items", default)]
    reports: Count,
}

fn decode_events<'b, Ctx>(
    decoder: &mut Decoder<'b>,
    _: &mut Ctx,
) -> Result<Vec<Report>, minicbor::decode::Error> {
    let convert = |record: Result<ReportRecord<'b>, _>| {
        Report::try_from(record?).map_err(minicbor::decode::Error::custom)
    };
    decoder.array_iter::<ReportRecord<'b>>()?.map(convert).collect()
}

#[derive(Default)]
struct Count(usize);

/// Counts the items of a list without keeping any.
fn count_items<'b, Ctx>(decoder: &mut Decoder<'b>, _: &mut Ctx) -> Result<Count, minicbor::decode::Error> {
    let mut count = 0;
    match decoder.array()? {
        Some(length) => {
            for _ in 0..length {
                decoder.skip()?;
                count += 1;
            }
        }
        None => {
            while decoder.datatype()? != minicbor::data::Type::Break {
                decoder.skip()?;
                count += 1;
            }
            decoder.skip()?;
        }
    }
    Ok(Count(count))
}

const WHAT: &str = "batch";
