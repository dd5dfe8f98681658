//! What Windows stores of files: any bytes are a security descriptor, a link or a name, or none; an identifier and a name
//! can be had back from what they are told as.

#![no_main]

use fim_core::EntityPath;
use fim_core::windows::{
    RegistryName, Reliance, SecurityDescriptor, Sid, data_text, folder_notices, from_wide, link_target,
    original, to_wide, value_segment, without_prefix,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let (Ok(descriptor), Some(own)) = (SecurityDescriptor::parse(bytes), Sid::parse("S-1-5-18")) {
        let _ = descriptor.distrust(Reliance::Own, &own).map(|why| why.to_string());
    }
    let _ = link_target(bytes);
    let _ = folder_notices(bytes);
    let _ = without_prefix(bytes);
    if let Some((sid, length)) = Sid::take(bytes) {
        assert!(length <= bytes.len());
        assert_eq!(Sid::parse(sid.as_str()), Some(sid));
    }
    let units: Vec<u16> = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
    assert_eq!(original(&value_segment(&units)), from_wide(units.iter().copied()));
    assert_eq!(to_wide(&from_wide(units.iter().copied())), Some(units));
    if let Some((value_type, data)) = bytes.split_first() {
        let _ = data_text((*value_type).into(), data);
    }
    let _ = RegistryName::of(&EntityPath::windows([b"HKEY_USERS\\", bytes].concat()));
    let _ = to_wide(bytes);
});
