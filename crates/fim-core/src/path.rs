//! Paths as the observed system spells them.

use std::fmt;

/// How the observed system writes paths.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PathStyle {
    /// Segments between `/`; bytes other than `/` and NUL are free and case matters.
    Unix,
    /// Segments between `\`; text is UTF-16 kept as WTF-8 bytes and case does not matter.
    Windows,
}

/// A path as the observed system spells it, whatever machine we run on.
///
/// Paths order by segments, so that a directory comes right before what it contains: `/a`, `/a/b`, `/a.b`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EntityPath {
    style: PathStyle,
    bytes: Box<[u8]>,
}

impl EntityPath {
    /// A path of a Unix system, taken as it is.
    pub fn unix(bytes: impl Into<Vec<u8>>) -> Self {
        Self { style: PathStyle::Unix, bytes: bytes.into().into_boxed_slice() }
    }

    /// A path of a Windows system as WTF-8 bytes, taken as it is.
    pub fn windows(bytes: impl Into<Vec<u8>>) -> Self {
        Self { style: PathStyle::Windows, bytes: bytes.into().into_boxed_slice() }
    }

    /// The style of the system that the path comes from.
    pub fn style(&self) -> PathStyle {
        self.style
    }

    /// The bytes as the observed system spells them.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The byte between two segments.
    pub fn separator(&self) -> u8 {
        match self.style {
            PathStyle::Unix => b'/',
            PathStyle::Windows => b'\\',
        }
    }

    /// The path of `name` in this directory.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1 + name.len());
        bytes.extend_from_slice(&self.bytes);
        if bytes.last() != Some(&self.separator()) {
            bytes.push(self.separator());
        }
        bytes.extend_from_slice(name);
        Self { style: self.style, bytes: bytes.into_boxed_slice() }
    }

    /// The segments, without the empty one before a leading separator.
    pub fn segments(&self) -> impl Iterator<Item = &[u8]> {
        let separator = self.separator();
        self.bytes.split(move |&byte| byte == separator).filter(|segment| !segment.is_empty())
    }

    /// The last segment, or nothing for a root.
    pub fn file_name(&self) -> Option<&[u8]> {
        self.segments().last()
    }

    /// True if this is `ancestor` or lies below it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        if self.style != ancestor.style {
            return false;
        }
        let mut own = self.segments();
        ancestor.segments().all(|segment| own.next() == Some(segment))
    }
}

impl Ord for EntityPath {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.style
            .cmp(&other.style)
            .then_with(|| self.segments().cmp(other.segments()))
            .then_with(|| self.bytes.cmp(&other.bytes))
    }
}

impl PartialOrd for EntityPath {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Shows the path as text from which the bytes can be had back: what is not printable UTF-8 becomes `\xHH`, and on
/// Unix a backslash becomes `\\`.
impl fmt::Display for EntityPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match (self.style, character) {
                    (PathStyle::Unix, '\\') => f.write_str("\\\\")?,
                    (_, control) if control.is_control() => {
                        let mut buffer = [0; 4];
                        for byte in control.encode_utf8(&mut buffer).bytes() {
                            write!(f, "\\x{byte:02x}")?;
                        }
                    }
                    (_, plain) => write!(f, "{plain}")?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}
