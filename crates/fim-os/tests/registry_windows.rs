//! The registry of the machine, walked as a tree. Under Wine this is Wine's own.

#![cfg(windows)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on says so by panicking")]
#![allow(unsafe_code, reason = "keys and values are made by calls of the system")]

use std::ptr::{null, null_mut};
use std::sync::Arc;

use fim_core::windows::RegistryName;
use fim_core::{
    Entity, EntityKey, EntityKind, EntityPath, Observation, RegistryAttributes, attributes_text, value_text,
};
use fim_os::LiveTree;
use fim_scan::{Scan, ScanOptions, digest_of};
use fim_testkit::Below;
use windows_sys::Wdk::System::Registry::{NtDeleteKey, NtSetValueKey};
use windows_sys::Win32::Foundation::UNICODE_STRING;
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_LOCAL_MACHINE, KEY_ALL_ACCESS, KEY_WOW64_32KEY, REG_LINK, REG_OPTION_CREATE_LINK,
    REG_OPTION_NON_VOLATILE, RegCloseKey, RegCreateKeyExW, RegDeleteTreeW, RegSetValueExW,
};

/// A key of a test's own, with all that is in it; gone with the value.
struct Key {
    name: String,
    handle: HKEY,
}

impl Key {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let unique = home.path().file_name().unwrap().to_string_lossy().into_owned();
        Self::named(&format!(r"SOFTWARE\Steadfast test {unique}"), REG_OPTION_NON_VOLATILE, 0, "")
    }

    fn named(name: &str, options: u32, view: u32, class: &str) -> Self {
        let mut handle = null_mut();
        let class = wide(class);
        // SAFETY: every text ends in 0, and the call writes a handle.
        let status = unsafe {
            RegCreateKeyExW(
                HKEY_LOCAL_MACHINE,
                wide(name).as_ptr(),
                0,
                class.as_ptr(),
                options,
                KEY_ALL_ACCESS | view,
                null(),
                &raw mut handle,
                null_mut(),
            )
        };
        assert_eq!(status, 0, "{name}");
        Self { name: name.to_owned(), handle }
    }

    fn key(&self, name: &str) -> Self {
        Self::named(&format!(r"{}\{name}", self.name), REG_OPTION_NON_VOLATILE, 0, "")
    }

    fn set(&self, name: &str, value_type: u32, data: &[u8]) {
        let length = data.len() as u32;
        let start = if data.is_empty() { null() } else { data.as_ptr() };
        // SAFETY: the name ends in 0, and the data has as many bytes as is said.
        let status =
            unsafe { RegSetValueExW(self.handle, wide(name).as_ptr(), 0, value_type, start, length) };
        assert_eq!(status, 0, "{name}");
    }

    /// Sets a value of any name, as the usual calls cannot.
    fn set_natively(&self, name: &[u16], value_type: u32, data: &[u8]) {
        let length = (name.len() * 2) as u16;
        let name = UNICODE_STRING { Length: length, MaximumLength: length, Buffer: name.as_ptr().cast_mut() };
        // SAFETY: name and data live until the call is over, and have as many bytes as is said.
        let status = unsafe {
            NtSetValueKey(
                self.handle,
                &raw const name,
                0,
                value_type,
                data.as_ptr().cast(),
                data.len() as u32,
            )
        };
        assert_eq!(status, 0);
    }

    fn path(&self) -> EntityPath {
        EntityPath::windows(format!(r"HKEY_LOCAL_MACHINE\{}", self.name))
    }

    fn observe(&self) -> Vec<Entity> {
        let plan = Arc::new(Below { root: self.path(), follows: true });
        let scan = Scan::start(Arc::new(LiveTree::new()), plan, ScanOptions::default(), Arc::default());
        let present = |observation| match observation {
            Observation::Present(entity) => *entity,
            other => panic!("{other:?}"),
        };
        scan.unwrap().map(present).collect()
    }

    /// What is in the key: names below it, with type and data of values.
    fn tell(&self) -> Vec<String> {
        let own = self.path().to_string().len();
        let tell = |entity: &Entity| {
            let name = RegistryName::of(entity.key.path()).unwrap().to_string();
            match value_text(entity) {
                Some((value_type, data)) => format!("{} {value_type} {data}", &name[own..]),
                None => name[own..].to_owned(),
            }
        };
        self.observe().iter().map(tell).collect()
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: the handle was opened here, and is closed once; the name ends in 0.
        unsafe {
            RegDeleteTreeW(self.handle, null());
            RegCloseKey(self.handle);
            if self.name.matches('\\').count() == 1 {
                RegDeleteTreeW(HKEY_LOCAL_MACHINE, wide(&self.name).as_ptr());
            }
        }
    }
}

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn values_of_every_type_are_told_with_all_their_bytes() {
    let key = Key::new();
    key.set("", 1, &utf16("unnamed\0"));
    key.set("Binary", 3, &[0, 1, 0xff]);
    key.set("Number", 4, &[42, 0, 0, 0]);
    key.set("Long", 11, &[1, 0, 0, 0, 0, 0, 0, 0x80]);
    key.set("Texts", 7, &utf16("one\0two\0\0"));
    key.set("Unknown", 0x1234, b"xy");
    key.set("Empty", 0, &[]);
    key.set(r"C:\Windows\a.dll", 1, &utf16("safe\0evil\0"));
    assert_eq!(
        key.tell(),
        [
            "",
            r"\(Default) REG_SZ unnamed",
            r"\Binary REG_BINARY 0001FF",
            r"\C:\Windows\a.dll REG_SZ safe<00>evil",
            r"\Empty REG_NONE ",
            r"\Long REG_QWORD 9223372036854775809",
            r"\Number REG_DWORD 42",
            r"\Texts REG_MULTI_SZ one;two",
            r"\Unknown 0x1234 7879",
        ]
    );
    let seen = key.observe();
    let digests: Vec<_> = seen.iter().map(|entity| entity.digest).collect();
    assert_eq!((digests[0], digests[2]), (None, Some(digest_of(&[0, 1, 0xff]))));
    assert_eq!(seen[2].attributes.size_bytes, Some(3));
    assert!(
        seen.iter().skip(1).all(|entity| entity.key.path().is_stream() && entity.kind == EntityKind::File)
    );
}

#[test]
fn a_key_is_told_with_class_owner_rights_and_the_time_it_was_written() {
    let parent = Key::new();
    let name = format!(r"{}\classy", parent.name);
    let key = Key::named(&name, REG_OPTION_NON_VOLATILE, 0, "Shell");
    let seen = key.observe();
    let attributes = &seen[0].attributes;
    assert_eq!(seen[0].kind, EntityKind::Directory);
    assert!(
        attributes_text(&seen[0]).starts_with("Type=RegistryKey; Owner="),
        "{}",
        attributes_text(&seen[0])
    );
    assert!(attributes.acl.as_ref().is_some_and(|acl| acl.0.starts_with("D:")), "{attributes:?}");
    // Wine keeps classes as Windows does.
    assert_eq!(attributes.registry, Some(RegistryAttributes::Key { class: "Shell".to_owned() }));
    let before = attributes.modified.unwrap();
    key.set("x", 4, &[1, 0, 0, 0]);
    assert!(key.observe()[0].attributes.modified.unwrap() >= before);
}

#[test]
fn keys_and_values_that_usual_programs_cannot_name_are_seen() {
    let key = Key::new();
    key.set_natively(&"evil\0hidden".encode_utf16().collect::<Vec<_>>(), 4, &[1, 0, 0, 0]);
    key.set_natively(&"evil".encode_utf16().collect::<Vec<_>>(), 4, &[2, 0, 0, 0]);
    let _odd = key.key("a:b/c. ");
    let told = key.tell();
    assert!(told.contains(&r"\evil<00>hidden REG_DWORD 1".to_owned()), "{told:?}");
    assert!(told.contains(&r"\evil REG_DWORD 2".to_owned()), "{told:?}");
    assert!(told.contains(&r"\a:b/c. ".to_owned()), "{told:?}");
}

#[test]
fn a_key_and_a_value_of_one_name_are_two_and_come_in_order() {
    let key = Key::new();
    let sub = key.key("same");
    key.set("same", 4, &[1, 0, 0, 0]);
    sub.set("inner", 4, &[2, 0, 0, 0]);
    assert_eq!(key.tell(), ["", r"\same REG_DWORD 1", r"\same", r"\same\inner REG_DWORD 2"]);
    let paths: Vec<_> = key.observe().into_iter().map(|entity| entity.key).collect();
    assert!(paths.is_sorted(), "{paths:?}");
    let EntityKey::File(value) = &paths[1];
    assert_ne!(paths[1], paths[2]);
    assert!(value.is_within(&key.path()));
}

#[test]
fn both_views_are_seen_and_nothing_twice() {
    let key = Key::new();
    key.set("wide", 4, &[1, 0, 0, 0]);
    // What a program of 32 bits writes to the same place lies elsewhere.
    let narrow = Key::named(&key.name, REG_OPTION_NON_VOLATILE, KEY_WOW64_32KEY, "");
    narrow.set("narrow", 4, &[2, 0, 0, 0]);
    assert_eq!(key.tell(), ["", r"\wide REG_DWORD 1"]);
    let other = key.name.replacen("SOFTWARE", r"SOFTWARE\WOW6432Node", 1);
    let seen = Key::named(&other, REG_OPTION_NON_VOLATILE, 0, "");
    assert_eq!(seen.tell(), ["", r"\narrow REG_DWORD 2"]);
    // SAFETY: the name ends in 0.
    unsafe { RegDeleteTreeW(HKEY_LOCAL_MACHINE, wide(&other).as_ptr()) };
}

#[test]
fn a_link_is_told_with_where_it_leads_and_not_followed() {
    let key = Key::new();
    let target = key.key("target");
    target.set("x", 4, &[1, 0, 0, 0]);
    let name = format!(r"{}\link", key.name);
    let link = Key::named(&name, REG_OPTION_NON_VOLATILE | REG_OPTION_CREATE_LINK, 0, "");
    let to = format!(r"\Registry\Machine\{}\target", key.name);
    link.set_natively(&"SymbolicLinkValue".encode_utf16().collect::<Vec<_>>(), REG_LINK, &utf16(&to));
    let seen = key.observe();
    let told: Vec<_> = seen.iter().map(|entity| entity.kind).collect();
    assert_eq!(told, [EntityKind::Directory, EntityKind::Symlink, EntityKind::Directory, EntityKind::File]);
    assert_eq!(seen[1].attributes.target.as_deref(), Some(to.as_bytes()));
    assert!(attributes_text(&seen[1]).starts_with("Type=RegistryLink"));
    // SAFETY: the handle is open. A link goes by itself; by its name, what it leads to would.
    unsafe { NtDeleteKey(link.handle) };
}

#[test]
fn a_key_that_is_not_there_is_told_so() {
    let key = Key::new();
    let plan = Arc::new(Below { root: key.path().join(b"missing"), follows: true });
    let scan = Scan::start(Arc::new(LiveTree::new()), plan, ScanOptions::default(), Arc::default());
    let seen: Vec<_> = scan.unwrap().collect();
    assert!(matches!(&seen[..], [Observation::Absent(_)]), "{seen:?}");
}
