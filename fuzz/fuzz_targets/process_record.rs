//! What the kernel program tells of a process, and the bytes that hold it.

#![no_main]

use fim_bpf::{FileRecord, ProcessRecord, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    FileRecord::parse(bytes);
    let Some(record) = ProcessRecord::parse(bytes) else { return };
    assert!(record.name.len() < 17, "{record:?}");
    match record.step {
        Step::Executed { program, arguments, group, .. } => {
            let length =
                program.map_or(0, |path| path.len()) + arguments.map_or(0, <[u8]>::len) + group.len();
            assert!(length <= bytes.len() + 64, "{length} bytes out of {}", bytes.len());
        }
        Step::Forked { .. } | Step::Ended => {}
    }
});
