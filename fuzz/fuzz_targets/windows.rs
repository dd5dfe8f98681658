//! What Windows stores of files: any bytes are a security descriptor, a link or a name, or none; an identifier and a name
//! can be had back from what they are told as.

#![no_main]

use fim_core::windows::{SecurityDescriptor, Sid, from_wide, link_target, to_wide, without_prefix};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = SecurityDescriptor::parse(bytes);
    let _ = link_target(bytes);
    let _ = without_prefix(bytes);
    if let Some((sid, length)) = Sid::take(bytes) {
        assert!(length <= bytes.len());
        assert_eq!(Sid::parse(sid.as_str()), Some(sid));
    }
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    assert_eq!(to_wide(&from_wide(units.iter().copied())), Some(units));
    let _ = to_wide(bytes);
});
