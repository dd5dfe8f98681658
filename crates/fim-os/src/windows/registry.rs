//! Single values of the machine's registry.
#![expect(unsafe_code, reason = "the registry is read by calls of the system")]

use std::ptr::null_mut;

use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_ROUTINE_FLAGS, RRF_RT_REG_DWORD, RRF_RT_REG_SZ, RegGetValueW,
};

/// The text of a value below `HKEY_LOCAL_MACHINE`; nothing if there is no such value, or it is none.
pub(super) fn text(key: &str, name: &str) -> Option<String> {
    let mut buffer = [0_u8; MOST_TEXT_BYTES];
    let bytes = read(key, name, RRF_RT_REG_SZ, &mut buffer)?;
    let units = bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit));
    let text: String = char::decode_utf16(units.take_while(|unit| *unit != 0))
        .map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    (!text.is_empty()).then_some(text)
}

/// The number of a value below `HKEY_LOCAL_MACHINE`; nothing if there is no such value, or it is none.
pub(super) fn number(key: &str, name: &str) -> Option<u32> {
    let mut buffer = [0_u8; 4];
    let bytes = read(key, name, RRF_RT_REG_DWORD, &mut buffer)?;
    bytes.first_chunk().map(|bytes| u32::from_le_bytes(*bytes))
}

fn read<'b>(key: &str, name: &str, kinds: REG_ROUTINE_FLAGS, buffer: &'b mut [u8]) -> Option<&'b [u8]> {
    let (key, name) = (null_terminated(key), null_terminated(name));
    let mut length = u32::try_from(buffer.len()).ok()?;
    // SAFETY: both texts end in 0; the call writes at most as many bytes as the buffer has, and how many it were.
    let status = unsafe {
        RegGetValueW(
            HKEY_LOCAL_MACHINE,
            key.as_ptr(),
            name.as_ptr(),
            kinds,
            null_mut(),
            buffer.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if status == 0 { buffer.get(..length as usize) } else { None }
}

fn null_terminated(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

/// Names and versions are far shorter.
const MOST_TEXT_BYTES: usize = 1024;
