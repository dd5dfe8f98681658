//! Text to segments.

use super::segment::{Segment, Token, fold, units};
use super::{Pattern, PatternError, ResolveError};
use crate::path::{parse_unix_escape, parse_windows_escape};
use crate::windows::Hive;
use crate::{EntityPath, PathStyle};

/// What the parser makes of a text.
pub(super) struct Parsed {
    pub(super) segments: Vec<Segment>,
    pub(super) variables: Vec<Box<str>>,
    /// A Windows path that starts with a server's name.
    pub(super) is_network: bool,
}

/// How a text is to be read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reading {
    /// An absolute path, which may have variables.
    AbsolutePath,
    /// As that, or a name at any depth.
    PathOrName,
    /// An absolute path in which variables have been replaced: `$` and `%` mean themselves.
    Resolved,
}

pub(super) fn parse(text: &str, style: PathStyle, reading: Reading) -> Result<Parsed, PatternError> {
    if text.is_empty() {
        return Err(PatternError::Empty { example: example(style) });
    }
    if text.len() > Pattern::MAX_TEXT_BYTES {
        return Err(PatternError::TooLong { length: text.len() });
    }
    let mut parser = Parser { text, style, reading, at: 0, variables: Vec::new() };
    let is_network = style == PathStyle::Windows && (text.starts_with("\\\\") || text.starts_with("//"));
    let hive = match style {
        PathStyle::Unix => None,
        PathStyle::Windows => Hive::in_text(text),
    };
    let is_absolute = match style {
        PathStyle::Unix => text.starts_with('/'),
        PathStyle::Windows => is_network || hive.is_some() || starts_with_drive(text),
    };
    let has_separator = text.contains(|character| is_separator(character, style));
    let mut segments = Vec::new();
    let starts_at_root = is_absolute || parser.variable_length()?.is_some();
    if !starts_at_root && reading == Reading::PathOrName && !has_separator {
        segments.push(Segment::AnyDepth);
    } else if !starts_at_root {
        return Err(PatternError::NotAbsolute { example: example(style) });
    }
    while parser.at < text.len() {
        let start = parser.at;
        let Some(segment) = parser.segment()? else { continue };
        // Two in a row match what one does.
        if segment == Segment::AnyDepth && segments.last() == Some(&Segment::AnyDepth) {
            continue;
        }
        if segments.len() == Pattern::MAX_SEGMENTS {
            return Err(PatternError::TooManySegments { at: parser.position(start) });
        }
        segments.push(segment);
    }
    if let (Some(hive), Some(first)) = (hive, segments.first_mut()) {
        *first = Segment::Literal(hive.name.as_bytes().into());
    }
    Ok(Parsed { segments, variables: parser.variables, is_network })
}

/// The text with each variable replaced by its value, in which nothing is a wildcard.
pub(super) fn substitute(
    text: &str,
    style: PathStyle,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, ResolveError> {
    let mut parser = Parser { text, style, reading: Reading::AbsolutePath, at: 0, variables: Vec::new() };
    let mut out = String::with_capacity(text.len());
    while parser.at < text.len() {
        // The text has been parsed before, so that its variables are known to be spelled well.
        if let Ok(Some((name, length))) = parser.variable_length() {
            let value = lookup(name).ok_or_else(|| ResolveError::Unknown { name: name.to_owned() })?;
            out.extend(value.chars().map(|character| escape_character(character, style)));
            parser.at += length;
            continue;
        }
        let character = parser.peek().unwrap_or_default();
        let escaped = style == PathStyle::Unix && character == '\\';
        let length = character.len_utf8() + if escaped { parser.next_length() } else { 0 };
        out.push_str(&text[parser.at..(parser.at + length).min(text.len())]);
        parser.at += length;
    }
    Ok(out)
}

pub(super) fn escape(path: &EntityPath) -> String {
    let shown = path.to_string();
    let style = path.style();
    match style {
        // What `Display` escapes is spelled alike in a pattern.
        PathStyle::Unix => shown
            .chars()
            .map(|character| match character {
                '*' | '?' | '[' | '$' => format!("\\{character}"),
                plain => plain.to_string(),
            })
            .collect(),
        PathStyle::Windows => shown.chars().map(|character| escape_character(character, style)).collect(),
    }
}

fn escape_character(character: char, style: PathStyle) -> String {
    match (style, character) {
        (_, '*' | '?' | '[') => format!("[{character}]"),
        (PathStyle::Unix, '\\') => "\\\\".to_owned(),
        (PathStyle::Windows, '%') => "<25>".to_owned(),
        (PathStyle::Unix | PathStyle::Windows, plain) => plain.to_string(),
    }
}

struct Parser<'a> {
    text: &'a str,
    style: PathStyle,
    reading: Reading,
    /// The byte that is read next.
    at: usize,
    variables: Vec<Box<str>>,
}

impl<'a> Parser<'a> {
    /// Reads up to and including the next separator. Nothing if the segment is empty.
    fn segment(&mut self) -> Result<Option<Segment>, PatternError> {
        let start = self.at;
        let mut parts = Parts::default();
        while let Some(character) = self.peek() {
            if is_separator(character, self.style) {
                self.at += character.len_utf8();
                break;
            }
            self.part(character, &mut parts)?;
        }
        let spelled =
            self.text[start..self.at].trim_end_matches(|character| is_separator(character, self.style));
        for segment in [".", ".."] {
            if spelled == segment {
                return Err(PatternError::RelativeSegment { at: self.position(start), segment });
            }
        }
        Ok(parts.into_segment(spelled, self.style))
    }

    fn part(&mut self, character: char, parts: &mut Parts) -> Result<(), PatternError> {
        if let Some((name, length)) = self.variable_length()? {
            self.variables.push(name.into());
            self.at += length;
            // Stands for a value that is not known yet; until it is, the pattern is not asked.
            parts.push_byte(b'$');
            return Ok(());
        }
        match (self.style, character) {
            (_, '\0') => return Err(PatternError::Nul { at: self.position(self.at) }),
            (_, '*') => parts.push(Token::AnyRun, self.style),
            (_, '?') => parts.push(Token::AnyOne, self.style),
            (_, '[') => {
                let class = self.class()?;
                parts.push(class, self.style);
                return Ok(());
            }
            (PathStyle::Unix, '\\') => return self.escape(parts),
            (PathStyle::Windows, '<') => {
                if let Some((byte, length)) = parse_windows_escape(&self.text[self.at..]) {
                    parts.push_byte(byte);
                    self.at += length;
                    return Ok(());
                }
                parts.push_byte(b'<');
            }
            (PathStyle::Unix | PathStyle::Windows, plain) => {
                let mut buffer = [0; 4];
                plain.encode_utf8(&mut buffer).bytes().for_each(|byte| parts.push_byte(byte));
            }
        }
        self.at += character.len_utf8();
        Ok(())
    }

    fn escape(&mut self, parts: &mut Parts) -> Result<(), PatternError> {
        let rest = &self.text[self.at..];
        let bad = PatternError::BadEscape { at: self.position(self.at) };
        if let Some((byte, length)) = parse_unix_escape(rest) {
            parts.push_byte(byte);
            self.at += length;
            return Ok(());
        }
        match rest.chars().nth(1) {
            None | Some('/' | '\0' | 'x') => Err(bad),
            Some(character) => {
                let mut buffer = [0; 4];
                character.encode_utf8(&mut buffer).bytes().for_each(|byte| parts.push_byte(byte));
                self.at += 1 + character.len_utf8();
                Ok(())
            }
        }
    }

    /// Reads a class; `]` right after its opening is a member, as in the shell.
    fn class(&mut self) -> Result<Token, PatternError> {
        let opened = self.at;
        let unclosed = PatternError::UnclosedClass { at: self.position(opened) };
        self.at += 1;
        let is_negated = matches!(self.peek(), Some('!' | '^'));
        self.at += usize::from(is_negated);
        let mut ranges = Vec::new();
        loop {
            let start = self.at;
            let Some(first) = self.peek().filter(|&character| !is_separator(character, self.style)) else {
                return Err(unclosed);
            };
            self.at += first.len_utf8();
            if first == ']' && !ranges.is_empty() {
                return Ok(Token::Class { is_negated, ranges: ranges.into() });
            }
            let last = self.range_end().unwrap_or(first);
            if last < first {
                return Err(PatternError::ReversedRange { at: self.position(start), first, last });
            }
            ranges.push((first.into(), last.into()));
        }
    }

    /// The last character of a range whose first has just been read.
    fn range_end(&mut self) -> Option<char> {
        let mut ahead = self.text[self.at..].chars();
        let (dash, last) = (ahead.next()?, ahead.next()?);
        if dash != '-' || last == ']' || is_separator(last, self.style) {
            return None;
        }
        self.at += 1 + last.len_utf8();
        Some(last)
    }

    /// The name of the variable that starts here, and how many bytes its spelling takes.
    fn variable_length(&self) -> Result<Option<(&'a str, usize)>, PatternError> {
        let rest = &self.text[self.at..];
        if self.reading == Reading::Resolved {
            return Ok(None);
        }
        let name_length = |text: &str| {
            text.bytes().take_while(|&byte| byte.is_ascii_alphanumeric() || byte == b'_').count()
        };
        match self.style {
            PathStyle::Windows => {
                let Some(inner) = rest.strip_prefix('%') else { return Ok(None) };
                // A percent sign alone is legal in a name.
                let end = inner.find(|character| character == '%' || is_separator(character, self.style));
                Ok(end
                    .filter(|&end| end > 0 && inner[end..].starts_with('%'))
                    .map(|end| (&inner[..end], end + 2)))
            }
            PathStyle::Unix => {
                let Some(inner) = rest.strip_prefix('$') else { return Ok(None) };
                if let Some(braced) = inner.strip_prefix('{') {
                    let length = name_length(braced);
                    if length == 0 || !braced[length..].starts_with('}') {
                        return Err(PatternError::BadVariable { at: self.position(self.at) });
                    }
                    return Ok(Some((&braced[..length], length + 3)));
                }
                let length = name_length(inner);
                let is_name = length > 0 && !inner.starts_with(|character: char| character.is_ascii_digit());
                Ok(is_name.then(|| (&inner[..length], length + 1)))
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// The length of the character after the one that is read next.
    fn next_length(&self) -> usize {
        self.text[self.at..].chars().nth(1).map_or(0, char::len_utf8)
    }

    /// The number of a byte's character, from 1.
    fn position(&self, byte: usize) -> usize {
        self.text[..byte].chars().count() + 1
    }
}

/// A segment while it is read: literal bytes are kept until a wildcard shows that units are needed.
#[derive(Default)]
struct Parts {
    tokens: Vec<Token>,
    literal: Vec<u8>,
}

impl Parts {
    fn push_byte(&mut self, byte: u8) {
        self.literal.push(byte);
    }

    fn push(&mut self, token: Token, style: PathStyle) {
        self.flush(style);
        // Two runs in a row match what one does.
        if token != Token::AnyRun || self.tokens.last() != Some(&Token::AnyRun) {
            self.tokens.push(token);
        }
    }

    fn flush(&mut self, style: PathStyle) {
        self.tokens.extend(units(&self.literal, style).map(Token::Unit));
        self.literal.clear();
    }

    fn into_segment(mut self, spelled: &str, style: PathStyle) -> Option<Segment> {
        if spelled == "**" {
            return Some(Segment::AnyDepth);
        }
        if self.tokens.is_empty() {
            return (!self.literal.is_empty()).then(|| Segment::Literal(self.literal.into()));
        }
        self.flush(style);
        let dot = Token::Unit(fold('.', style));
        let tokens = match (style, self.tokens.as_slice()) {
            // Published rules spell `*.conf` as the regular expression `.*.conf`.
            (PathStyle::Unix, [first, Token::AnyRun, third, ..]) if *first == dot && *third == dot => {
                self.tokens[1..].into()
            }
            // On Windows `*.*` has always meant every name, those without a dot included.
            (PathStyle::Windows, [Token::AnyRun, middle, Token::AnyRun]) if *middle == dot => {
                [Token::AnyRun].into()
            }
            (PathStyle::Unix | PathStyle::Windows, tokens) => tokens.into(),
        };
        Some(Segment::Glob(tokens))
    }
}

fn is_separator(character: char, style: PathStyle) -> bool {
    match style {
        PathStyle::Unix => character == '/',
        PathStyle::Windows => matches!(character, '\\' | '/'),
    }
}

fn starts_with_drive(text: &str) -> bool {
    matches!(text.as_bytes(), [letter, b':'] | [letter, b':', b'\\' | b'/', ..] if letter.is_ascii_alphabetic())
}

fn example(style: PathStyle) -> &'static str {
    match style {
        PathStyle::Unix => "/etc/*.conf",
        PathStyle::Windows => "C:\\Windows\\*.ini",
    }
}
