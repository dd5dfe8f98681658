//! Keys and values of the registry of Windows: their names, what they hold, and which differences are changes.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

use fim_core::windows::{
    Hive, RegistryName, data_text, from_wide, key_segment, original, type_name, value_segment,
};
use fim_core::{
    Aspect, AspectSet, Digest, Entity, EntityDecision, EntityKey, EntityKind, EntityPath, FileAttributes,
    PathStyle, Pattern, RECOMMENDED_GROUP, RegistryAttributes, Rule, RuleSet, Timestamp, attributes_text,
    compare, recommended_registry, value_text,
};
use proptest::prelude::*;

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn path(text: &str) -> EntityPath {
    EntityPath::windows(text)
}

/// Bytes of a case: hexadecimal digits, or a text in quotes as UTF-16.
fn bytes(spelled: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (index, piece) in spelled.split('"').enumerate() {
        if index % 2 == 1 {
            bytes.extend(piece.encode_utf16().flat_map(u16::to_le_bytes));
        } else {
            let digits: Vec<u8> = piece.bytes().filter(u8::is_ascii_hexdigit).collect();
            let digit = |byte: u8| char::from(byte).to_digit(16).unwrap() as u8;
            bytes.extend(digits.as_chunks::<2>().0.iter().map(|[high, low]| digit(*high) << 4 | digit(*low)));
        }
    }
    bytes
}

#[test]
fn what_a_value_holds_is_told_as_the_cases_say() {
    let cases = include_str!("registry-data.txt");
    let mut count = 0;
    for case in cases.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let mut columns = case.split('|').map(str::trim);
        let mut column = || columns.next().unwrap_or_else(|| panic!("a column is missing: {case}"));
        let (value_type, data, name, text) = (column(), bytes(column()), column(), column());
        let value_type = value_type.parse().unwrap();
        assert_eq!(
            (type_name(value_type).as_str(), data_text(value_type, &data).as_str()),
            (name, text),
            "{case}"
        );
        count += 1;
    }
    assert!(count > 20, "{count}");
}

#[test]
fn names_of_keys_and_values_are_told_apart_and_had_back() {
    let key = path("HKEY_LOCAL_MACHINE").join(b"SOFTWARE").join(&key_segment(&units("USB:VID\0x")));
    let value = key.stream(&value_segment(&units(r"C:\Windows\a.dll")));
    let name = RegistryName::of(&key).unwrap();
    assert_eq!(name.key, r"HKEY_LOCAL_MACHINE\SOFTWARE\USB:VID<00>x");
    assert_eq!((name.hive, name.value), ("HKEY_LOCAL_MACHINE", None));
    let name = RegistryName::of(&value).unwrap();
    assert_eq!(name.value.as_deref(), Some(r"C:\Windows\a.dll"));
    assert_eq!(name.to_string(), r"HKEY_LOCAL_MACHINE\SOFTWARE\USB:VID<00>x\C:\Windows\a.dll");
    assert_eq!(value.parent(), key.parent(), "a value lies where its key does, as a stream does");
    assert!(value.is_stream() && value.is_within(&key) && !key.is_stream());
    let unnamed = RegistryName::of(&path(r"HKEY_USERS\x:")).unwrap();
    assert_eq!(
        (unnamed.value.as_deref(), unnamed.to_string().as_str()),
        (Some(""), r"HKEY_USERS\x\(Default)")
    );
    assert_eq!(RegistryName::of(&path(r"C:\HKEY_LOCAL_MACHINE\x")), None);
    assert_eq!(RegistryName::of(&path(r"\\HKLM\share\x")), None, "a server may be called so");
    assert_eq!(RegistryName::of(&EntityPath::unix("HKEY_LOCAL_MACHINE")), None);
}

#[test]
fn a_hive_is_named_as_people_do() {
    for (text, expected) in [
        (r"HKLM\SOFTWARE", Some("HKEY_LOCAL_MACHINE")),
        (r"hkey_local_machine\software", Some("HKEY_LOCAL_MACHINE")),
        (r"HKLM:\SOFTWARE", Some("HKEY_LOCAL_MACHINE")),
        ("HKU/S-1-5-18", Some("HKEY_USERS")),
        (r"HKCR\.exe", None),
        (r"HKLMX\SOFTWARE", None),
        (r"C:\HKLM", None),
        ("", None),
    ] {
        assert_eq!(Hive::in_text(text).map(|hive| hive.name), expected, "{text}");
    }
}

#[test]
fn a_rule_for_a_key_names_its_values_and_which_keys_are_in_it() {
    let names = |rule: Rule, text: &str, kind: EntityKind| {
        let plan = RuleSet::new(vec![rule], PathStyle::Windows).unwrap().scan_plan();
        plan.entity(&path(text), kind) != EntityDecision::Ignore
    };
    let run = Rule::new("run", "Custom", r"hklm\SOFTWARE\Run");
    let (key, value) = (EntityKind::Directory, EntityKind::File);
    for (text, kind, flat, deep) in [
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Run", key, true, true),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Run:evil", value, true, true),
        (r"HKEY_LOCAL_MACHINE\software\RUN:", value, true, true),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Run\Sub", key, true, true),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Run\Sub:x", value, false, true),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\Run\Sub\Sub", key, false, true),
        (r"HKEY_LOCAL_MACHINE\SOFTWARE\RunOnce", key, false, false),
        (r"HKEY_USERS\SOFTWARE\Run", key, false, false),
    ] {
        assert_eq!(names(run.clone(), text, kind), flat, "{text}");
        assert_eq!(names(Rule { recurse: true, ..run.clone() }, text, kind), deep, "{text}");
    }
    let one = Rule::new("one", "Custom", r"HKLM\SYSTEM\Parameters:MaximumPasswordAge");
    assert!(names(one.clone(), r"HKEY_LOCAL_MACHINE\SYSTEM\Parameters:MaximumPasswordAge", value));
    assert!(!names(one.clone(), r"HKEY_LOCAL_MACHINE\SYSTEM\Parameters:Other", value));
    assert!(!names(one, r"HKEY_LOCAL_MACHINE\SYSTEM\Parameters", key));
    let root = Pattern::parse(r"HKLM:\SOFTWARE\*", PathStyle::Windows).unwrap().root();
    assert_eq!(root, path(r"HKEY_LOCAL_MACHINE\SOFTWARE"), "a walk starts where the system has it");
}

#[test]
fn a_rule_for_a_whole_hive_is_warned_of() {
    let is_warned = |text: &str, recurse| {
        let rule = Rule { recurse, ..Rule::new("r", "Custom", text) };
        !rule.warnings(PathStyle::Windows).unwrap().is_empty()
    };
    assert!(is_warned(r"HKLM\SOFTWARE", true) && is_warned("HKLM", true) && is_warned(r"HKLM\**", false));
    assert!(
        !is_warned(r"HKLM\SOFTWARE\Vendor", true) && !is_warned(r"HKLM\SYSTEM\Setup:OsLoaderPath", false)
    );
}

#[test]
fn the_recommended_keys_are_those_of_the_published_list() {
    let rules = recommended_registry();
    assert_eq!(rules.len(), 29);
    assert!(rules.iter().all(|rule| rule.group == RECOMMENDED_GROUP && rule.enabled && rule.recurse));
    let set = RuleSet::new(rules, PathStyle::Windows).unwrap();
    for (text, expected) in [
        (r"SOFTWARE\Microsoft\Windows\CurrentVersion\Run:evil", true),
        (r"SOFTWARE\WOW6432Node\Microsoft\Windows\CurrentVersion\Run:evil", true),
        (r"SYSTEM\CurrentControlSet\Control\Session Manager\KnownDlls:x", true),
        (r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon\Notify\a\b:c", true),
        (
            r"SOFTWARE\Microsoft\Cryptography\OID\EncodingType 0\CryptSIPDllRemoveSignedDataMsg\{C689AAB8-8E78-11D0-8C47-00C04FC295EE}:Dll",
            true,
        ),
        (
            r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\StandardProfile:EnableFirewall",
            true,
        ),
        (r"SYSTEM\CurrentControlSet\Services\Netlogon\Parameters:MaximumPasswordAge", false),
        (r"SOFTWARE\Microsoft", false),
    ] {
        let key = EntityKey::File(path(r"HKEY_LOCAL_MACHINE").join(text.as_bytes()));
        assert_eq!(set.rule_for(&key).is_some(), expected, "{text}");
    }
}

fn value(value_type: u32, data: &[u8], digest: u8) -> Entity {
    Entity {
        key: EntityKey::File(path(r"HKEY_LOCAL_MACHINE\SOFTWARE\V:name")),
        kind: EntityKind::File,
        attributes: FileAttributes {
            size_bytes: Some(data.len() as u64),
            registry: Some(RegistryAttributes::Value { value_type, data: Some(data.to_vec()) }),
            ..FileAttributes::default()
        },
        digest: Some(Digest([digest; 32])),
    }
}

#[test]
fn type_and_data_are_differences_of_a_value_and_the_time_of_a_key_is_none() {
    let differ = |before: &Entity, after: &Entity| {
        compare(before, after, AspectSet::WATCHED_BY_DEFAULT).iter().collect::<Vec<_>>()
    };
    let one = value(4, &[1, 0, 0, 0], 1);
    assert_eq!(differ(&one, &one), []);
    assert_eq!(differ(&one, &value(4, &[2, 0, 0, 0], 2)), [Aspect::ValueData]);
    assert_eq!(differ(&one, &value(3, &[1, 0, 0, 0], 1)), [Aspect::ValueType]);
    assert_eq!(differ(&one, &value(1, b"a\0b\0", 3)), [Aspect::ValueType, Aspect::ValueData]);
    let key = |seconds: i64| Entity {
        key: EntityKey::File(path(r"HKEY_LOCAL_MACHINE\SOFTWARE\V")),
        kind: EntityKind::Directory,
        attributes: FileAttributes {
            modified: Some(Timestamp(seconds)),
            registry: Some(RegistryAttributes::Key { class: "Shell".to_owned() }),
            ..FileAttributes::default()
        },
        digest: None,
    };
    assert_eq!(differ(&key(1), &key(2)), []);
    assert_eq!(attributes_text(&key(1)), "Type=RegistryKey; Class=Shell");
    assert_eq!(attributes_text(&one), "Type=RegistryValue");
    assert_eq!(value_text(&one), Some(("REG_DWORD".to_owned(), "1".to_owned())));
    let mut long = one;
    long.attributes.size_bytes = Some(1 << 20);
    long.attributes.registry = Some(RegistryAttributes::Value { value_type: 3, data: None });
    assert_eq!(value_text(&long), Some(("REG_BINARY".to_owned(), "(1048576 bytes)".to_owned())));
}

proptest! {
    #[test]
    fn any_names_and_data_are_told_without_harm(
        name in prop::collection::vec(any::<u16>(), 0..20),
        data in prop::collection::vec(any::<u8>(), 0..40),
        value_type in prop_oneof![0_u32..13, any::<u32>()],
    ) {
        let told = data_text(value_type, &data);
        prop_assert!(!told.chars().any(fim_core::is_hidden), "{told}");
        prop_assert_eq!(original(&key_segment(&name)), from_wide(name.iter().copied()));
        prop_assert_eq!(original(&value_segment(&name)), from_wide(name.iter().copied()));
        let key = EntityPath::windows(r"HKEY_LOCAL_MACHINE\x").join(b"y");
        let told = RegistryName::of(&key.stream(&value_segment(&name))).unwrap();
        prop_assert_eq!(told.key, r"HKEY_LOCAL_MACHINE\x\y");
        prop_assert!(!told.value.unwrap().chars().any(fim_core::is_hidden));
    }

    #[test]
    fn any_bytes_are_a_place_in_the_registry_or_none(bytes in prop::collection::vec(any::<u8>(), 0..30)) {
        let name = RegistryName::of(&EntityPath::windows([b"HKEY_USERS", &bytes[..]].concat()));
        prop_assert!(name.is_none_or(|name| name.hive == "HKEY_USERS"));
        let _ = RegistryName::of(&EntityPath::windows(bytes));
    }
}
