//! Paths as the observed system spells them.

use std::cmp::Ordering;
use std::fmt;

use thiserror::Error;

/// How the observed system writes paths.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum PathStyle {
    /// Segments between `/`; bytes other than `/` and NUL are free and case matters.
    #[default]
    Unix,
    /// Segments between `\`; text is UTF-16 kept as WTF-8 bytes and case does not matter.
    Windows,
}

impl PathStyle {
    /// The byte between two segments.
    pub const fn separator(self) -> u8 {
        match self {
            Self::Unix => b'/',
            Self::Windows => b'\\',
        }
    }
}

/// A path as the observed system spells it, whatever machine we run on.
///
/// Repeated and trailing separators carry no meaning and are dropped, so that one place has one path. Paths order by
/// segments, so that a directory comes right before what it contains: `/a`, `/a/b`, `/a.b`. On Windows a file or directory
/// may have alternate data streams, whose names follow its own behind a colon; they come right after it: `C:\a`, `C:\a:s`,
/// `C:\a\b`, `C:\a.b`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EntityPath {
    style: PathStyle,
    bytes: Box<[u8]>,
}

impl EntityPath {
    /// A path of a Unix system.
    pub fn unix(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(PathStyle::Unix, bytes.into())
    }

    /// A path of a Windows system as WTF-8 bytes.
    pub fn windows(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(PathStyle::Windows, bytes.into())
    }

    /// A path of a system that writes paths in `style`.
    pub fn new(style: PathStyle, bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        drop_idle_separators(style, &mut bytes);
        Self { style, bytes: bytes.into_boxed_slice() }
    }

    /// The path that [`Display`](fmt::Display) shows as `text`.
    ///
    /// # Errors
    ///
    /// Fails if an escape in the text is not one that `Display` writes; the error says where.
    pub fn parse_display(text: &str, style: PathStyle) -> Result<Self, ParsePathError> {
        let mut bytes = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let at_byte = text.len() - rest.len();
            let escape = match (style, character) {
                (PathStyle::Unix, '\\') => parse_unix_escape(rest),
                (PathStyle::Windows, '<') => parse_windows_escape(rest),
                (PathStyle::Unix | PathStyle::Windows, _) => {
                    bytes.extend_from_slice(&rest.as_bytes()[..character.len_utf8()]);
                    rest = &rest[character.len_utf8()..];
                    continue;
                }
            };
            let (byte, length) = escape.ok_or(ParsePathError::BadEscape { at_byte })?;
            bytes.push(byte);
            rest = &rest[length..];
        }
        Ok(Self::new(style, bytes))
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
        self.style.separator()
    }

    /// The path of `name` in this directory.
    pub fn join(&self, name: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 1 + name.len());
        bytes.extend_from_slice(&self.bytes);
        if bytes.last() != Some(&self.separator()) {
            bytes.push(self.separator());
        }
        bytes.extend_from_slice(name);
        Self::new(self.style, bytes)
    }

    /// The segments, without the empty one before a leading separator.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &[u8]> {
        let separator = self.separator();
        self.bytes.split(move |&byte| byte == separator).filter(|segment| !segment.is_empty())
    }

    /// The last segment, or nothing for a root.
    pub fn file_name(&self) -> Option<&[u8]> {
        // Only roots end in a separator: `/`, `C:\`.
        if self.bytes.last() == Some(&self.separator()) {
            return None;
        }
        self.segments().next_back()
    }

    /// The directory that contains this path, or nothing for a root.
    pub fn parent(&self) -> Option<Self> {
        let name = self.file_name()?;
        let above = &self.bytes[..self.bytes.len() - name.len()];
        if above.is_empty() { None } else { Some(Self::new(self.style, above)) }
    }

    /// The path of an alternate data stream of this file or directory.
    pub fn stream(&self, name: &[u8]) -> Self {
        Self::new(self.style, [&self.bytes, &b":"[..], name].concat())
    }

    /// True if this is the path of an alternate data stream.
    pub fn is_stream(&self) -> bool {
        // The colon behind the letter of a drive is in the first segment.
        self.parent().is_some()
            && self.file_name().is_some_and(|name| without_stream(self.style, name).is_some())
    }

    /// True if this is `ancestor`, lies below it, or is a stream of it.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        if self.style != ancestor.style || !self.bytes.starts_with(&ancestor.bytes) {
            return false;
        }
        let separator = self.separator();
        let next = self.bytes.get(ancestor.bytes.len());
        ancestor.bytes.last() == Some(&separator)
            || next.is_none_or(|&next| next == separator || is_stream_mark(self.style, next))
    }
}

/// Why a text is not one that a path is shown as.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ParsePathError {
    /// An escape that `Display` never writes.
    #[error("byte {at_byte} of the path starts an escape that is not one: write two hexadecimal digits")]
    BadEscape {
        /// Where the escape starts, from 0.
        at_byte: usize,
    },
}

/// Compares as if the separator were the lowest byte, which is the order of the segments; on Windows as if a colon were
/// lower still.
impl Ord for EntityPath {
    fn cmp(&self, other: &Self) -> Ordering {
        let separator = self.separator();
        let rank = |byte: Option<&u8>| {
            byte.map(|&byte| match byte {
                byte if is_stream_mark(self.style, byte) => 0,
                byte if byte == separator => 1,
                byte => u16::from(byte) + 2,
            })
        };
        self.style.cmp(&other.style).then_with(|| {
            let at = common_prefix(&self.bytes, &other.bytes);
            rank(self.bytes.get(at)).cmp(&rank(other.bytes.get(at)))
        })
    }
}

impl PartialOrd for EntityPath {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Shows the path as text from which the bytes can be had back with [`EntityPath::parse_display`].
///
/// What is not UTF-8 or would not be seen (control characters, marks that turn the direction of text) becomes `\xHH`
/// on Unix, where a backslash becomes `\\`, and `<HH>` on Windows, where `<` becomes `<3c>`.
impl fmt::Display for EntityPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes.utf8_chunks() {
            for character in chunk.valid().chars() {
                match (self.style, character) {
                    (PathStyle::Unix, '\\') => f.write_str("\\\\")?,
                    (PathStyle::Windows, '<') => f.write_str("<3c>")?,
                    (style, hidden) if is_hidden(hidden) => {
                        let mut buffer = [0; 4];
                        write_escaped(f, style, hidden.encode_utf8(&mut buffer).as_bytes())?;
                    }
                    (_, plain) => write!(f, "{plain}")?,
                }
            }
            write_escaped(f, self.style, chunk.invalid())?;
        }
        Ok(())
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, style: PathStyle, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| match style {
        PathStyle::Unix => write!(f, "\\x{byte:02x}"),
        PathStyle::Windows => write!(f, "<{byte:02x}>"),
    })
}

/// True for characters that a reader would not see, or that change how the ones around them are seen: control
/// characters, breaks, marks without width, and marks that turn the direction of text. Names have none of them, and
/// every output shows them escaped.
pub fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// The name of the file that a stream belongs to, by the stream's last segment; nothing if it is none.
pub(crate) fn without_stream(style: PathStyle, name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().position(|&byte| is_stream_mark(style, byte))?;
    Some(&name[..at])
}

fn is_stream_mark(style: PathStyle, byte: u8) -> bool {
    style == PathStyle::Windows && byte == b':'
}

/// The byte that an escape at the start of `text` stands for, and the escape's length.
pub(crate) fn parse_unix_escape(text: &str) -> Option<(u8, usize)> {
    match text.as_bytes() {
        [b'\\', b'\\', ..] => Some((b'\\', 2)),
        [b'\\', b'x', high, low, ..] => Some((hex_byte(*high, *low)?, 4)),
        _ => None,
    }
}

/// The byte that an escape at the start of `text` stands for, and the escape's length.
pub(crate) fn parse_windows_escape(text: &str) -> Option<(u8, usize)> {
    match text.as_bytes() {
        [b'<', high, low, b'>', ..] => Some((hex_byte(*high, *low)?, 4)),
        _ => None,
    }
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}

/// How many bytes the two have in common at their start.
fn common_prefix(left: &[u8], right: &[u8]) -> usize {
    const STRIDE: usize = 16;
    let whole = left
        .chunks_exact(STRIDE)
        .zip(right.chunks_exact(STRIDE))
        .take_while(|(left, right)| left == right)
        .count()
        * STRIDE;
    whole + left[whole..].iter().zip(&right[whole..]).take_while(|(left, right)| left == right).count()
}

fn drop_idle_separators(style: PathStyle, bytes: &mut Vec<u8>) {
    let separator = style.separator();
    // The two separators before a server's name are part of a Windows path.
    let kept = usize::from(style == PathStyle::Windows && bytes.starts_with(b"\\\\"));
    let mut index = 0;
    let mut before_is_separator = false;
    bytes.retain(|&byte| {
        let is_idle = byte == separator && before_is_separator && index > kept;
        before_is_separator = byte == separator;
        index += 1;
        !is_idle
    });
    let is_drive_root = style == PathStyle::Windows && bytes.len() == 3 && bytes[1] == b':';
    if bytes.len() > 1 + kept && bytes.last() == Some(&separator) && !is_drive_root {
        bytes.pop();
    }
}
