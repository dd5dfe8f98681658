//! What a tracker is given at its next start, as a disk may have changed it.

#![no_main]

use fim_wire::{decode_memory, encode_memory};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(memory) = decode_memory(bytes) {
        assert_eq!(decode_memory(&encode_memory(&memory)).as_ref(), Ok(&memory));
    }
});
