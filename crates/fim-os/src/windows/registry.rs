//! Single values of the machine's registry.
#![expect(unsafe_code, reason = "the registry is read and written by calls of the system")]

use std::ptr::null_mut;

use windows_sys::Win32::System::Registry::{
    HKEY_LOCAL_MACHINE, REG_DWORD, REG_ROUTINE_FLAGS, REG_SZ, REG_VALUE_TYPE, RRF_RT_REG_DWORD,
    RRF_RT_REG_SZ, RegDeleteKeyW, RegGetValueW, RegSetKeyValueW,
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

/// Sets a value below `HKEY_LOCAL_MACHINE` to a text, and makes its key if that is missing; false if the system refuses.
pub(super) fn set_text(key: &str, name: &str, text: &str) -> bool {
    let text: Vec<u8> = null_terminated(text).into_iter().flat_map(u16::to_le_bytes).collect();
    set(key, name, REG_SZ, &text)
}

/// As [`set_text`], to a number.
pub(super) fn set_number(key: &str, name: &str, number: u32) -> bool {
    set(key, name, REG_DWORD, &number.to_le_bytes())
}

/// Removes a key below `HKEY_LOCAL_MACHINE` with its values; false if the system refuses, or there is none.
pub(super) fn remove(key: &str) -> bool {
    let key = null_terminated(key);
    // SAFETY: the text ends in 0.
    unsafe { RegDeleteKeyW(HKEY_LOCAL_MACHINE, key.as_ptr()) == 0 }
}

fn set(key: &str, name: &str, kind: REG_VALUE_TYPE, data: &[u8]) -> bool {
    let (key, name) = (null_terminated(key), null_terminated(name));
    let Ok(length) = u32::try_from(data.len()) else { return false };
    // SAFETY: both texts end in 0, and the call reads as many bytes as the data has.
    let status = unsafe {
        RegSetKeyValueW(HKEY_LOCAL_MACHINE, key.as_ptr(), name.as_ptr(), kind, data.as_ptr().cast(), length)
    };
    status == 0
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
