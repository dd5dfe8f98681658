//! What an agent sends: any bytes are a batch or an error, and a batch that was read is written as one that reads equal.

#![no_main]

use fim_wire::{
    Limits, decode_batch, decode_entity, decode_report, encode_batch, encode_entity, encode_report,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(batch) = decode_batch(bytes, &Limits::default()) {
        assert_eq!(decode_batch(&encode_batch(&batch), &Limits::default()).as_ref(), Ok(&batch));
    }
    if let Ok(report) = decode_report(bytes) {
        assert_eq!(decode_report(&encode_report(&report)).as_ref(), Ok(&report));
    }
    if let Ok(entity) = decode_entity(bytes) {
        assert_eq!(decode_entity(&encode_entity(&entity)).as_ref(), Ok(&entity));
    }
});
