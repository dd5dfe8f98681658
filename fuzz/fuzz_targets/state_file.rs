//! A baseline or state file from anywhere: it is read in order, or refused.

#![no_main]

use std::path::Path;

use fim_sensor::state_file::StateReader;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(reader) = StateReader::new(bytes, Path::new("fuzz")) else { return };
    let mut last = None;
    for entity in reader {
        let Ok(entity) = entity else { return };
        assert!(last.as_ref() < Some(&entity.key), "paths come in order");
        last = Some(entity.key);
    }
});
