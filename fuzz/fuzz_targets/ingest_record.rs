//! A record of the ingest log as a disk may have changed it.

#![no_main]
#![allow(clippy::expect_used, clippy::panic, reason = "a panic is how a target tells of a finding")]

use fim_store::IngestRecord;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = IngestRecord::decode(bytes) {
        let written = record.encode().expect("what was read can be written");
        assert_eq!(IngestRecord::decode(&written).ok().as_ref(), Some(&record));
    }
});
