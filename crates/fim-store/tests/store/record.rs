//! Log records.

use fim_store::schema::{self, TIME_GENERATED};
use fim_store::{DecodeRecordError, IngestRecord};
use proptest::prelude::*;

use crate::support::{CHANGES, COVERAGE, WORKSPACE, changes, gaps, origin};

fn record(batch: u64, rows: u64) -> IngestRecord {
    IngestRecord {
        workspace: WORKSPACE,
        origin: Some(origin(batch)),
        tables: vec![
            (schema::table(CHANGES).unwrap(), changes(batch, rows)),
            (schema::table(COVERAGE).unwrap(), gaps(batch, rows)),
        ],
    }
}

#[test]
fn decode_after_encode_is_identity() {
    let own = IngestRecord { workspace: WORKSPACE, origin: None, tables: Vec::new() };
    for record in [record(1, 1), record(9, 300), own] {
        assert_eq!(IngestRecord::decode(&record.encode().unwrap()).unwrap(), record);
    }
}

#[test]
fn blank_columns_take_no_room() {
    let bytes = record(1, 100).encode().unwrap().len();
    // Two hundred rows of a hundred and twenty columns.
    assert!(bytes < 4_000, "{bytes}");
}

#[test]
fn a_record_of_a_newer_version_is_not_guessed_at() {
    let mut bytes = record(1, 1).encode().unwrap();
    bytes[0] = 2;
    assert!(matches!(IngestRecord::decode(&bytes), Err(DecodeRecordError::Version { found: 2 })));
}

#[test]
fn a_record_that_ends_early_is_malformed() {
    let bytes = record(1, 1).encode().unwrap();
    for len in [0, 1, 2, 17, 40, 60, bytes.len() - 1] {
        assert!(IngestRecord::decode(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn every_column_of_a_decoded_record_is_there() {
    let decoded = IngestRecord::decode(&record(1, 1).encode().unwrap()).unwrap();
    for (table, rows) in decoded.tables {
        assert_eq!(rows.schema(), table.arrow_schema());
        assert_eq!(rows.column_by_name(TIME_GENERATED).unwrap().null_count(), 0);
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = IngestRecord::decode(&bytes);
    }

    #[test]
    fn a_header_with_any_body_is_a_record_or_an_error(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        len in 0u32..1_000_000,
    ) {
        let mut bytes = vec![1, 0];
        bytes.extend_from_slice(WORKSPACE.as_bytes());
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&body);
        let _ = IngestRecord::decode(&bytes);
    }

    #[test]
    fn a_changed_byte_never_panics(at in 0usize..600, with in 1u8..) {
        let mut bytes = record(3, 2).encode().unwrap();
        let at = at % bytes.len();
        bytes[at] ^= with;
        let _ = IngestRecord::decode(&bytes);
    }
}
