//! Whether bytes are text.

/// The bytes as text: UTF-8 without NUL, or UTF-16 that says so by its byte order mark, as Windows writes it. Nothing if
/// they are something else.
pub fn text_of(bytes: Vec<u8>) -> Option<String> {
    let units = |from: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes[2..].as_chunks::<2>();
        let text: Option<String> =
            char::decode_utf16(pairs.iter().map(|pair| from(*pair))).map(Result::ok).collect();
        text.filter(|text| rest.is_empty() && !text.contains('\0'))
    };
    match bytes.get(..2) {
        Some([0xff, 0xfe]) => units(u16::from_le_bytes),
        Some([0xfe, 0xff]) => units(u16::from_be_bytes),
        Some(_) | None => String::from_utf8(bytes).ok().filter(|text| !text.contains('\0')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_utf8_without_nul_or_marked_utf16() {
        let utf16: Vec<u8> = "\u{feff}pässword=x\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(text_of(utf16.clone()).as_deref(), Some("pässword=x\r\n"));
        let swapped: Vec<u8> = utf16.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
        assert_eq!(text_of(swapped).as_deref(), Some("pässword=x\r\n"));
        assert_eq!(text_of("ä\n".into()).as_deref(), Some("ä\n"));
        assert_eq!(text_of(Vec::new()).as_deref(), Some(""));
        for bytes in [
            b"a\0b".to_vec(),
            vec![0xe4, b'\n'],
            vec![0xff, 0xfe, 0x00],
            vec![0xff, 0xfe, 0x00, 0xd8],
            vec![0xff, 0xfe, 0, 0],
        ] {
            assert_eq!(text_of(bytes.clone()), None, "{bytes:?}");
        }
    }
}
