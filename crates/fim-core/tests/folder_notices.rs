//! What the system of Windows tells of a folder that it watches.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use fim_core::windows::{FolderAct, FolderNotice, folder_notices};
use proptest::prelude::*;

/// The bytes of notices, each at a border of four bytes as the system puts them.
fn bytes(notices: &[(u32, &str)]) -> Vec<u8> {
    let mut all = Vec::new();
    for (position, (act, name)) in notices.iter().enumerate() {
        let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let length = (12 + name.len()).next_multiple_of(4);
        let next = if position + 1 == notices.len() { 0 } else { length as u32 };
        let begin = all.len();
        all.extend([next, *act, name.len() as u32].into_iter().flat_map(u32::to_le_bytes));
        all.extend(name);
        all.resize(begin + length, 0);
    }
    all
}

#[test]
fn notices_of_a_folder_are_told_with_what_happened_to_which_name() {
    use FolderAct::{BecameAnother, Came, Changed, Stream, WasAnother, Went};
    let told = [
        (1, r"a\new.txt", Came),
        (3, "ä.txt", Changed),
        (4, "old", BecameAnother),
        (5, "new", WasAnother),
        (2, "gone", Went),
        (6, "a:b", Stream),
        (8, "a:b", Stream),
    ];
    let read = folder_notices(&bytes(&told.map(|(number, name, _)| (number, name))));
    let expected = told.map(|(_, name, act)| FolderNotice { act, name: name.as_bytes().to_vec() });
    assert_eq!(read.unwrap(), expected);
}

#[test]
fn what_is_not_understood_of_notices_may_be_of_anything() {
    let whole = bytes(&[(1, "abc"), (2, "de")]);
    assert!(folder_notices(&whole).is_some());
    for cut in 0..whole.len() - 4 {
        assert_eq!(folder_notices(&whole[..cut]), None, "{cut}");
    }
    assert_eq!(folder_notices(&bytes(&[(9, "abc")])), None);
}

proptest! {
    #[test]
    fn any_bytes_are_notices_or_none(bytes in prop::collection::vec(prop_oneof![Just(0_u8), any::<u8>()], 0..80)) {
        let notices = folder_notices(&bytes).unwrap_or_default();
        prop_assert!(notices.len() * 12 <= bytes.len());
    }
}
