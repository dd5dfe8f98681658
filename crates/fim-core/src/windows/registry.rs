//! Keys and values of the registry as paths, and what values hold as text.
//!
//! A key is a place as a directory is, `HKEY_LOCAL_MACHINE\SOFTWARE\Vendor`, and a value belongs to its key as an
//! alternate data stream belongs to its directory: `HKEY_LOCAL_MACHINE\SOFTWARE\Vendor:Version`. So the walk, the state,
//! the rules and the gaps are those of files. Names in the registry may hold what paths are made of: a colon in the name
//! of a key and a backslash in the name of a value are kept as bytes that no text has.

use std::fmt::{self, Write as _};

use super::from_wide;
use crate::{EntityPath, PathStyle, is_hidden};

/// A part of the registry that keys are found in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Hive {
    /// The name in full, as paths and rows have it.
    pub name: &'static str,
    /// The name that people write.
    pub short: &'static str,
    /// How the system's own calls spell it.
    pub native: &'static str,
}

impl Hive {
    /// The hives that are monitored. The others are views of these.
    pub const ALL: [Self; 2] = [
        Self { name: "HKEY_LOCAL_MACHINE", short: "HKLM", native: r"\Registry\Machine" },
        Self { name: "HKEY_USERS", short: "HKU", native: r"\Registry\User" },
    ];

    /// The hive that is called so, in full or in short, in any case.
    pub fn named(name: &[u8]) -> Option<Self> {
        let is_named = |hive: &Self| {
            name.eq_ignore_ascii_case(hive.name.as_bytes())
                || name.eq_ignore_ascii_case(hive.short.as_bytes())
        };
        Self::ALL.into_iter().find(is_named)
    }

    /// The hive that a path begins with; nothing if it is one of files.
    pub fn of(path: &EntityPath) -> Option<Self> {
        match path.style() {
            PathStyle::Unix => None,
            PathStyle::Windows => {
                // The name of a server stands behind separators, and may be any.
                Self::named(path.as_bytes().split(|byte| matches!(byte, b'\\' | b':')).next()?)
            }
        }
    }

    /// The hive that the text of a rule begins with; nothing if it is about files. PowerShell writes a colon behind it.
    pub fn in_text(text: &str) -> Option<Self> {
        let first = text.split(['\\', '/']).next()?;
        Self::named(first.strip_suffix(':').unwrap_or(first).as_bytes())
    }
}

/// A key or a value, as rows tell it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RegistryName {
    /// The hive's name in full.
    pub hive: &'static str,
    /// The key with its hive: `HKEY_LOCAL_MACHINE\SOFTWARE\Vendor`.
    pub key: String,
    /// The value's name, empty for the one that has none; nothing for a key.
    pub value: Option<String>,
}

impl RegistryName {
    /// What a path names; nothing if it is one of files.
    pub fn of(path: &EntityPath) -> Option<Self> {
        let hive = Hive::of(path)?.name;
        let bytes = path.as_bytes();
        let (key, value) = match bytes.iter().position(|&byte| byte == b':') {
            Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
            None => (bytes, None),
        };
        let shown = |bytes: &[u8]| EntityPath::windows(original(bytes)).to_string();
        // A value's name is no path: separators at its end are part of it.
        let shown_value = |bytes: &[u8]| shown_text(&original(bytes));
        Some(Self { hive, key: shown(key), value: value.map(shown_value) })
    }
}

/// The key, and behind a backslash the value's name, which is `(Default)` where it has none.
impl fmt::Display for RegistryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.value.as_deref() {
            None => f.write_str(&self.key),
            Some("") => write!(f, "{}\\(Default)", self.key),
            Some(value) => write!(f, "{}\\{value}", self.key),
        }
    }
}

/// The name of a key as a segment of a path.
pub fn key_segment(name: &[u16]) -> Vec<u8> {
    replaced(from_wide(name.iter().copied()), b':', COLON)
}

/// The name of a value as it stands behind the colon in a path.
pub fn value_segment(name: &[u16]) -> Vec<u8> {
    replaced(from_wide(name.iter().copied()), b'\\', BACKSLASH)
}

/// The name that a segment of a path stands for, of a key or a value.
pub fn original(segment: &[u8]) -> Vec<u8> {
    replaced(replaced(segment.to_vec(), COLON, b':'), BACKSLASH, b'\\')
}

/// What kind of data a value holds, by the name that the system's headers have for it; a number for others.
pub fn type_name(value_type: u32) -> String {
    let known = TYPES.get(usize::try_from(value_type).unwrap_or(usize::MAX));
    known.map_or_else(|| format!("{value_type:#x}"), |name| (*name).to_owned())
}

/// What a value holds, for a reader: text as it is, with what would not be seen as `<HH>`, the texts of a list between
/// semicolons, numbers in decimal digits, and everything else, whatever it is called, as hexadecimal digits.
pub fn data_text(value_type: u32, data: &[u8]) -> String {
    match value_type {
        TEXT | EXPANDED_TEXT | LINK => wide_text(data),
        NUMBER => data.try_into().map(u32::from_le_bytes).map(|number| number.to_string()).ok(),
        BIG_ENDIAN_NUMBER => data.try_into().map(u32::from_be_bytes).map(|number| number.to_string()).ok(),
        LONG_NUMBER => data.try_into().map(u64::from_le_bytes).map(|number| number.to_string()).ok(),
        TEXTS => texts(data),
        _ => None,
    }
    .unwrap_or_else(|| hex(data))
}

/// Text without the one 0 at its end; whatever else is there is shown.
fn wide_text(data: &[u8]) -> Option<String> {
    let units = units(data)?;
    let text = units.strip_suffix(&[0]).unwrap_or(&units);
    Some(shown_text(&from_wide(text.iter().copied())))
}

/// Texts that each end in a 0, with another behind the last.
fn texts(data: &[u8]) -> Option<String> {
    let units = units(data)?;
    let list = units.strip_suffix(&[0]).unwrap_or(&units);
    let list = list.strip_suffix(&[0]).unwrap_or(list);
    if list.is_empty() {
        return Some(String::new());
    }
    let texts = list.split(|&unit| unit == 0).map(|text| shown_text(&from_wide(text.iter().copied())));
    Some(texts.collect::<Vec<_>>().join(";"))
}

/// The UTF-16 units of data; nothing if half of one is left.
fn units(data: &[u8]) -> Option<Vec<u16>> {
    let (units, rest) = data.as_chunks::<2>();
    rest.is_empty().then(|| units.iter().map(|unit| u16::from_le_bytes(*unit)).collect())
}

/// WTF-8 on one line; what is no text or would not be seen is `<HH>`.
fn shown_text(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    let escape = |text: &mut String, bytes: &[u8]| {
        for byte in bytes {
            // Writing to a string cannot fail.
            let _ = write!(text, "<{byte:02x}>");
        }
    };
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            let mut buffer = [0; 4];
            match character {
                hidden if is_hidden(hidden) => escape(&mut text, hidden.encode_utf8(&mut buffer).as_bytes()),
                plain => text.push(plain),
            }
        }
        escape(&mut text, chunk.invalid());
    }
    text
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

fn replaced(mut bytes: Vec<u8>, from: u8, to: u8) -> Vec<u8> {
    bytes.iter_mut().filter(|byte| **byte == from).for_each(|byte| *byte = to);
    bytes
}

/// What stands for a colon in the name of a key. No UTF-8 has the byte, nor WTF-8.
const COLON: u8 = 0xfe;
/// What stands for a backslash in the name of a value.
const BACKSLASH: u8 = 0xff;

const TEXT: u32 = 1;
const EXPANDED_TEXT: u32 = 2;
const NUMBER: u32 = 4;
const BIG_ENDIAN_NUMBER: u32 = 5;
const LINK: u32 = 6;
const TEXTS: u32 = 7;
const LONG_NUMBER: u32 = 11;

/// The kinds of data by their numbers (`winnt.h`).
const TYPES: [&str; 12] = [
    "REG_NONE",
    "REG_SZ",
    "REG_EXPAND_SZ",
    "REG_BINARY",
    "REG_DWORD",
    "REG_DWORD_BIG_ENDIAN",
    "REG_LINK",
    "REG_MULTI_SZ",
    "REG_RESOURCE_LIST",
    "REG_FULL_RESOURCE_DESCRIPTOR",
    "REG_RESOURCE_REQUIREMENTS_LIST",
    "REG_QWORD",
];
