//! Log records.

use fim_store::schema::{self, TIME_GENERATED};
use fim_store::{DecodeRecordError, IngestRecord};

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
