//! UTF-16 that need not be well formed, as Windows has it in names, and WTF-8, as we keep it.

/// The WTF-8 bytes of UTF-16 units: UTF-8, and three bytes for a surrogate that stands alone.
pub fn from_wide(units: impl IntoIterator<Item = u16>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(alone) => {
                let [high, low] = alone.unpaired_surrogate().to_be_bytes();
                // The three bytes that UTF-8 would have for the number if it were a character's.
                bytes.extend([0xe0 | high >> 4, 0x80 | (high & 0xf) << 2 | low >> 6, 0x80 | low & 0x3f]);
            }
        }
    }
    bytes
}

/// The UTF-16 units of WTF-8 bytes; nothing if the bytes are none.
pub fn to_wide(bytes: &[u8]) -> Option<Vec<u16>> {
    let mut units = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(chunk) = rest.utf8_chunks().next() {
        units.extend(chunk.valid().encode_utf16());
        rest = &rest[chunk.valid().len()..];
        match *rest {
            [] => break,
            [0xed, second @ 0xa0..=0xbf, third @ 0x80..=0xbf, ..] => {
                units.push(0xd000 | u16::from(second & 0x3f) << 6 | u16::from(third & 0x3f));
                rest = &rest[3..];
            }
            _ => return None,
        }
    }
    Some(units)
}
