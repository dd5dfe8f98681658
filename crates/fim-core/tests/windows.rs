//! What Windows writes down, read from bytes.
#![allow(clippy::unwrap_used, reason = "a test stops where it fails")]

use fim_core::windows::{
    DescriptorError, Reliance, SecurityDescriptor, Sid, from_wide, is_link_tag, leads_elsewhere, link_target,
    native_path, to_wide, without_prefix,
};
use fim_core::{EntityPath, FileFlags, Timestamp, flags_text};
use proptest::prelude::*;

/// Bytes from hexadecimal digits; spaces and line ends are for the reader.
fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(u8::is_ascii_hexdigit).collect();
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
    digits.as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)).collect()
}

/// `BUILTIN\Administrators` and `NT AUTHORITY\SYSTEM`.
const ADMINISTRATORS: &str = "01 02 000000000005 20000000 20020000";
const SYSTEM: &str = "01 01 000000000005 12000000";

/// A descriptor whose list has these entries, owned by the administrators.
fn descriptor(control: &str, entries: &[&str]) -> Vec<u8> {
    let entries: Vec<Vec<u8>> = entries.iter().map(|entry| bytes(entry)).collect();
    let size = 8 + entries.iter().map(Vec::len).sum::<usize>() as u16;
    let mut all = bytes(&format!("01 00 {control} 14000000 24000000 00000000 34000000"));
    all.extend(bytes(ADMINISTRATORS).iter().chain(&bytes(ADMINISTRATORS)));
    all.extend([2, 0]);
    all.extend(size.to_le_bytes());
    all.extend((entries.len() as u16).to_le_bytes());
    all.extend([0, 0]);
    all.extend(entries.concat());
    all
}

fn dacl(control: &str, entries: &[&str]) -> String {
    SecurityDescriptor::parse(&descriptor(control, entries)).unwrap().dacl
}

#[test]
fn a_descriptor_is_told_as_the_system_tells_it() {
    let parsed = SecurityDescriptor::parse(&descriptor(
        "0494",
        &[
            &format!("00 03 1400 ff011f00 {SYSTEM}"),
            &format!("00 0b 1800 000000a0 {ADMINISTRATORS}"),
            "00 10 1800 a9001200 01 02 000000000005 20000000 21020000",
            "01 00 1400 00000100 01 01 000000000001 00000000",
            "00 00 2400 16011200 01 05 000000000005 15000000 01000000 02000000 03000000 f4010000",
        ],
    ))
    .unwrap();
    assert_eq!(
        parsed.dacl,
        "D:PAI(A;OICI;FA;;;SY)(A;OICIIO;GXGR;;;BA)(A;ID;0x1200a9;;;BU)(D;;SD;;;WD)\
         (A;;FW;;;S-1-5-21-1-2-3-500)"
    );
    let owner = parsed.owner.unwrap();
    assert_eq!((owner.as_str(), owner.name()), ("S-1-5-32-544", Some(r"BUILTIN\Administrators")));
    assert_eq!(parsed.group, Some(owner));
}

#[test]
fn a_descriptor_that_is_read_says_who_is_let_in() {
    let system = format!("00 03 1400 ff011f00 {SYSTEM}");
    let administrators = format!("00 03 1800 ff011f00 {ADMINISTRATORS}");
    let everybody = "00 00 1400 89001200 01 01 000000000001 00000000";
    let denied = "01 00 1400 00000100 01 01 000000000001 00000000";
    let unknown = format!("77 c0 1400 00000000 {SYSTEM}");
    let own = Sid::parse("S-1-5-18").unwrap();
    let is_ours = |control: &str, entries: &[&str]| {
        let read = SecurityDescriptor::parse(&descriptor(control, entries)).unwrap();
        read.distrust(Reliance::Own, &own).is_none()
    };
    assert!(is_ours("0490", &[&system, &administrators]));
    assert!(is_ours("0490", &[&system, denied]));
    assert!(is_ours("0490", &[]));
    assert!(!is_ours("0490", &[&system, everybody]));
    assert!(!is_ours("0490", &[&unknown]));
    // Without a list everybody may do everything.
    assert!(!is_ours("0080", &[&system]));
}

#[test]
fn entries_of_every_shape_are_told_with_all_their_bytes() {
    let guid = "00112233 4455 6677 8899 aabbccddeeff";
    let plain = "05 00 2c00 00010000 01000000";
    let condition = "61727478 01";
    for (entry, expected) in [
        (
            format!("{plain} {guid} {SYSTEM} 00000000"),
            "OA;;CR;33221100-5544-7766-8899-aabbccddeeff;;SY;0x00000000",
        ),
        (
            format!("06 00 2800 00010000 02000000 {guid} {SYSTEM}"),
            "OD;;CR;;33221100-5544-7766-8899-aabbccddeeff;SY",
        ),
        (format!("09 00 1900 a0001200 {SYSTEM} {condition}"), "XA;;FX;;;SY;0x6172747801"),
        (format!("00 00 1400 00000000 {SYSTEM}"), "A;;0x0;;;SY"),
        (format!("00 00 1400 9d010200 {SYSTEM}"), "A;;CCLCSWRPLOCRRC;;;SY"),
        (format!("77 c0 1400 00000000 {SYSTEM}"), "0x77;SAFA;0x00000000010100000000000512000000"),
        ("00 00 0800 ffffffff".to_owned(), "0x00;;0xffffffff"),
    ] {
        assert_eq!(dacl("0480", &[&entry]), format!("D:({expected})"), "{entry}");
    }
}

#[test]
fn no_list_an_empty_list_and_one_that_allows_everything_differ() {
    assert_eq!(dacl("0080", &[]), "", "there is none");
    assert_eq!(dacl("0480", &[]), "D:", "nobody may do anything");
    let mut everybody = descriptor("0480", &[]);
    everybody[16..20].fill(0);
    let parsed = SecurityDescriptor::parse(&everybody).unwrap();
    assert_eq!(parsed.dacl, "D:NO_ACCESS_CONTROL");
}

#[test]
fn what_is_missing_in_a_descriptor_is_named() {
    let whole = descriptor("0480", &[&format!("00 00 1400 ff011f00 {SYSTEM}")]);
    assert_eq!(SecurityDescriptor::parse(&[]), Err(DescriptorError::NotSelfRelative));
    let part = |length: usize| SecurityDescriptor::parse(&whole[..length]).unwrap_err().to_string();
    assert_eq!(part(20), "the security descriptor has no owner at byte 20, where it says that it has");
    assert!(part(40).contains("no group at byte 36"));
    assert!(part(whole.len() - 1).contains("no access control list at byte 52"));
    let mut with_addresses = whole;
    with_addresses[3] = 0;
    assert_eq!(SecurityDescriptor::parse(&with_addresses), Err(DescriptorError::NotSelfRelative));
}

#[test]
fn identifiers_are_text_and_back() {
    for (hex, text) in [
        (SYSTEM, "S-1-5-18"),
        ("01 00 000000000005", "S-1-5"),
        ("01 01 123456789abc 01000000", "S-1-0x123456789abc-1"),
        ("01 02 00000000000f 02000000 ffffffff", "S-1-15-2-4294967295"),
    ] {
        let (sid, length) = Sid::take(&bytes(hex)).unwrap();
        assert_eq!((sid.as_str(), length), (text, bytes(hex).len()));
        assert_eq!(Sid::parse(text), Some(sid));
    }
    for bad in ["", "S-1-", "S-2-5-18", "S-1-5-", "S-1-05", "S-1-5-4294967296", "S-1-0x1-1", "S-1-5-18\n"] {
        assert_eq!(Sid::parse(bad), None, "{bad:?}");
    }
    assert_eq!(
        Sid::parse(&format!("S-1-5{}", "-1".repeat(16))),
        None,
        "more than an identifier has room for"
    );
}

/// Reparse data of a symbolic link or a junction, with a name that is followed and one that is shown.
fn link(tag: u32, followed: &str, shown: &str) -> Vec<u8> {
    let wide = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let (followed, shown) = (wide(followed), wide(shown));
    let mut body = Vec::new();
    for number in [shown.len(), followed.len(), 0, shown.len()] {
        body.extend((number as u16).to_le_bytes());
    }
    if tag == 0xa000_000c {
        body.extend([0; 4]);
    }
    body.extend(shown);
    body.extend(followed);
    let mut all = tag.to_le_bytes().to_vec();
    all.extend((body.len() as u16).to_le_bytes());
    all.extend([0, 0]);
    all.extend(body);
    all
}

#[test]
fn a_link_leads_where_the_system_goes_and_not_where_it_says() {
    for tag in [0xa000_000c, 0xa000_0003] {
        assert!(is_link_tag(tag));
        let target = link_target(&link(tag, r"\??\C:\evil", r"C:\Windows")).unwrap();
        assert_eq!(target, br"\??\C:\evil");
    }
    assert_eq!(link_target(&bytes("1d0000a0 0600 0000 02000000 2f78")).unwrap(), b"/x");
    assert_eq!(link_target(&bytes("190000a0 0200 0000 abcd")).unwrap(), b"0xa0000019:abcd");
    assert!(!is_link_tag(0x8000_0017), "a compressed file is no link");
    assert_eq!(link_target(&bytes("0c0000a0 ff00 0000")), None);
    assert_eq!(link_target(&[]), None);
}

#[test]
fn a_path_has_one_spelling_for_people_and_one_for_the_system() {
    for (usual, verbatim, native) in [
        (r"C:\a", r"\\?\C:\a", r"\??\C:\a"),
        (r"C:\", r"\\?\C:\", r"\??\C:\"),
        (r"c:\a. ", r"\??\c:\a. ", r"\??\c:\a. "),
        (r"\\server\share\a", r"\\?\UNC\server\share\a", r"\??\UNC\server\share\a"),
        (r"\\?\Volume{0}\a", r"\\?\Volume{0}\a", r"\??\Volume{0}\a"),
    ] {
        assert_eq!(without_prefix(verbatim.as_bytes()), usual.as_bytes(), "{verbatim}");
        assert_eq!(without_prefix(usual.as_bytes()), usual.as_bytes());
        assert_eq!(native_path(&EntityPath::windows(usual)), Some(native.as_bytes().to_vec()), "{usual}");
    }
    assert_eq!(native_path(&EntityPath::windows("C:")), Some(br"\??\C:\".to_vec()));
    for nowhere in ["a", r"\a", "", "1:", r"CD:\a"] {
        assert_eq!(native_path(&EntityPath::windows(nowhere)), None, "{nowhere}");
    }
    assert_eq!(native_path(&EntityPath::unix("/etc")), None);
    assert!(leads_elsewhere(br"\??\UNC\server\share") && leads_elsewhere(br"\\server\share"));
    assert!(!leads_elsewhere(br"\??\C:\a") && !leads_elsewhere(br"..\a"));
    assert!(!leads_elsewhere(br"\??\Volume{0}\"), "a volume without a letter");
}

#[test]
fn times_and_marks_of_windows_are_ours() {
    assert_eq!(Timestamp::from_windows(0), None, "no time");
    assert_eq!(Timestamp::from_windows(116_444_736_000_000_001), Some(Timestamp(100)));
    assert_eq!(Timestamp::from_windows(1), Some(Timestamp(i64::MIN)), "before what can be written");
    assert_eq!(Timestamp::from_windows(i64::MAX), Some(Timestamp(i64::MAX)));
    let text = |attributes| flags_text(FileFlags::from_windows(attributes));
    assert_eq!(text(0x1 | 0x2 | 0x4), "SHR");
    assert_eq!(text(0x20 | 0x80 | 0x400), "", "archive, normal and reparse point are no marks");
    assert_eq!(text(0x800 | 0x2000 | 0x4000 | 0x8000 | 0x2_0000), "cEIXV");
}

/// Units of UTF-16, some of them surrogates that belong to no pair.
fn units() -> impl Strategy<Value = Vec<u16>> {
    prop::collection::vec(prop_oneof![any::<u16>(), 0xd7ff_u16..=0xe000], 0..20)
}

proptest! {
    #[test]
    fn names_of_any_units_can_be_had_back(units in units()) {
        let bytes = from_wide(units.iter().copied());
        prop_assert_eq!(to_wide(&bytes), Some(units.clone()));
        if let Ok(text) = String::from_utf16(&units) {
            prop_assert_eq!(&bytes, text.as_bytes());
        }
    }

    #[test]
    fn any_bytes_are_a_name_or_none(bytes: Vec<u8>) {
        if let Some(units) = to_wide(&bytes) {
            // Two surrogates that stand alone in a row make a pair, which has another spelling.
            prop_assert_eq!(to_wide(&from_wide(units.iter().copied())), Some(units));
        }
    }

    #[test]
    fn any_bytes_are_a_descriptor_or_an_error(
        bytes: Vec<u8>, at in 0_usize..200, to: u8, cut in 0_usize..200,
    ) {
        let _ = SecurityDescriptor::parse(&bytes);
        let _ = link_target(&bytes);
        let _ = Sid::take(&bytes);
        let entry = format!("05 00 2c00 00010000 03000000 {}", "00".repeat(32));
        let mut near = descriptor("0484", &[&entry, &format!("00 03 1400 ff011f00 {SYSTEM}")]);
        let length = near.len();
        near[at % length] = to;
        near.truncate(length - cut % length);
        let _ = SecurityDescriptor::parse(&near);
        let mut near = link(0xa000_000c, r"\??\C:\a", "a");
        let length = near.len();
        near[at % length] = to;
        let _ = link_target(&near);
    }

    #[test]
    fn any_identifier_can_be_had_back_from_its_text(authority: [u8; 6], parts in prop::collection::vec(any::<u32>(), 0..=15)) {
        let mut bytes = vec![1, parts.len() as u8];
        bytes.extend(authority);
        parts.iter().for_each(|part| bytes.extend(part.to_le_bytes()));
        let (sid, length) = Sid::take(&bytes).unwrap();
        prop_assert_eq!(length, bytes.len());
        prop_assert_eq!(Sid::parse(sid.as_str()), Some(sid));
    }
}
