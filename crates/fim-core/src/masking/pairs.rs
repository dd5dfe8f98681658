//! Names with values: `password = …`, `"apiKey": "…"`, `<secret>…</secret>`, `Password=…;`.

use super::Spans;
use super::blocks::Block;
use super::keys::{is_name_byte, is_secret, is_value, names_another};

/// Finds the values of secrets; returns what of them goes on in the next lines. `is_named` says that the line before has
/// named what a `value` is of, and is set if this one does.
pub(super) fn find(line: &str, is_named: &mut bool, secrets: &mut Spans) -> Option<Block> {
    let names_one = Pairs::of(line).any(|pair| pair.names_secret());
    let mut has_value = false;
    let values_are_secret = names_one || *is_named;
    let mut block = None;
    let mut pairs = Pairs::of(line);
    while let Some(pair) = pairs.next() {
        let is_wanted = is_secret(pair.name) || values_are_secret && is_value(pair.name);
        if !is_wanted || pair.is_right_of_sudo() {
            continue;
        }
        has_value |= is_value(pair.name);
        let (end, goes_on) = pair.take_value(secrets);
        block = goes_on.or(block);
        pairs.at = pairs.at.max(end);
    }
    let by_attribute = |pair: Pair<'_>| pair.joint == Joint::Equals && pair.names_secret();
    if names_one
        && let Some(text) = text_of_element(line)
        && Pairs::of(line).any(by_attribute)
    {
        has_value = true;
        secrets.add(line, text);
    }
    *is_named = names_one && !has_value;
    block
}

/// True if the text is no secret, though one may stand there: nothing, a yes or no, or a name of where it is.
pub(super) fn is_open(value: &str) -> bool {
    let value = value.trim();
    let is_name = |name: &str| name.bytes().all(|byte| is_name_byte(byte) || byte == b' ' || byte == b'$');
    let between = |open: &str, close: &str| {
        value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)).is_some_and(is_name)
    };
    let is_word = OPEN_WORDS.iter().any(|word| value.eq_ignore_ascii_case(word));
    is_word || between("${", "}") || between("{{", "}}") || value.bytes().all(|byte| byte == b'*')
}

/// A name with a separator behind it.
#[derive(Debug)]
struct Pair<'a> {
    line: &'a str,
    name: &'a str,
    /// Where the name begins.
    start: usize,
    /// Where the value begins, or would.
    value: usize,
    joint: Joint,
    /// True if nothing of importance is before it.
    is_first: bool,
}

/// What joins a name and its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Joint {
    /// `=`, or one with more to it.
    Equals,
    Colon,
    /// `>` of an element that the name opens.
    Element,
    /// `,` within brackets: `define('NAME', 'value')`.
    Comma,
}

impl Pair<'_> {
    /// True if the value is the name of a secret, whose value stands beside or below.
    fn names_secret(&self) -> bool {
        if !names_another(self.name) {
            return false;
        }
        let value = &self.line.as_bytes()[self.value..];
        let skipped = value.iter().take_while(|byte| b"\"'\\".contains(byte)).count();
        let start = self.value + skipped;
        let length = value[skipped..].iter().take_while(|byte| is_name_byte(**byte)).count();
        is_secret(&self.line[start..start + length])
    }

    /// True if this is `PASSWD:` of a line of sudo, which says that a password is asked for.
    fn is_right_of_sudo(&self) -> bool {
        self.name == "PASSWD"
            && self.joint == Joint::Colon
            && !self.is_first
            && self.line[..self.start].contains('=')
    }

    /// Takes the value out; returns where it ends, and what goes on below.
    fn take_value(&self, secrets: &mut Spans) -> (usize, Option<Block>) {
        let bytes = self.line.as_bytes();
        let end = self.line.len();
        if self.joint == Joint::Element {
            return self.take_element(secrets);
        }
        let rest = &bytes[self.value..];
        match rest.first() {
            None if self.joint == Joint::Colon || self.joint == Joint::Equals => {
                (end, Some(Block::Below { indent: indent(self.line) }))
            }
            None => (end, None),
            Some(b'|' | b'>') if self.joint == Joint::Colon && rest.len() <= 3 => {
                (end, Some(Block::Deeper { indent: indent(self.line) }))
            }
            // What is in it has names of its own.
            Some(b'{') if rest.get(1) != Some(&b'{') && (rest.len() == 1 || rest.contains(&b':')) => {
                (self.value + 1, None)
            }
            Some(b'[') => match rest.iter().position(|&byte| byte == b']') {
                Some(close) => self.take(self.value + 1..self.value + close, secrets),
                None => (self.take(self.value + 1..end, secrets).0, Some(Block::List)),
            },
            Some(b'"' | b'\'' | b'`') => self.take(self.quoted(self.value, 1), secrets),
            Some(b'\\') if matches!(rest.get(1), Some(b'"' | b'\'')) => {
                self.take(self.quoted(self.value + 1, 2), secrets)
            }
            Some(_) => self.take(self.value..self.bare_end(), secrets),
        }
    }

    fn take(&self, range: std::ops::Range<usize>, secrets: &mut Spans) -> (usize, Option<Block>) {
        let end = range.end;
        let value = &self.line[range.clone()];
        // The sources of accounts (nsswitch.conf) stand under the name of what has passwords.
        let is_source = self.name == "passwd"
            && value.split_ascii_whitespace().all(|word| word.starts_with('[') || SOURCES.contains(&word));
        if !is_open(value.trim_end_matches([',', ';'])) && !is_source {
            secrets.add(self.line, range);
        }
        (end, None)
    }

    /// What is between the quote at `open` and the next of its kind; `width` is 2 if a backslash is before each.
    fn quoted(&self, open: usize, width: usize) -> std::ops::Range<usize> {
        let bytes = self.line.as_bytes();
        let quote = bytes[open];
        let is_triple = width == 1 && bytes[open..].starts_with(&[quote; 3]);
        let start = open + if is_triple { 3 } else { 1 };
        let mut at = start;
        while at < bytes.len() {
            match bytes[at] {
                // Within escaped quotes a backslash ends the value; what it escapes has three.
                b'\\' if width == 2 && bytes.get(at + 1) == Some(&quote) => return start..at,
                b'\\' => at += if width == 2 { 4 } else { 2 },
                byte if byte == quote && (!is_triple || bytes[at..].starts_with(&[quote; 3])) => {
                    return start..at;
                }
                _ => at += 1,
            }
        }
        start..bytes.len()
    }

    /// Where a value without quotes ends. One that begins the line has all of it, with whatever signs it has.
    fn bare_end(&self) -> usize {
        let bytes = self.line.as_bytes();
        let rest = &bytes[self.value..];
        let before = self.start.checked_sub(1).map(|at| bytes[at]);
        let is_end = |byte: u8| match before {
            Some(quote @ (b'"' | b'\'')) => byte == quote,
            _ if self.is_first => byte == b'<',
            _ => byte.is_ascii_whitespace() || b";&\"'<>".contains(&byte),
        };
        rest.iter().position(|&byte| is_end(byte)).map_or(bytes.len(), |length| self.value + length)
    }

    /// The text of the element that the name opens, with that of elements in it.
    fn take_element(&self, secrets: &mut Spans) -> (usize, Option<Block>) {
        let close = find_close(&self.line[self.value..], self.name);
        let end = close.map_or(self.line.len(), |close| self.value + close);
        outside_tags(self.line, self.value..end, secrets);
        let block = close.is_none().then(|| Block::Element { name: self.name.to_owned() });
        (end, block)
    }
}

/// The pairs of a line.
#[derive(Debug)]
struct Pairs<'a> {
    line: &'a str,
    at: usize,
    is_first: bool,
}

impl<'a> Pairs<'a> {
    fn of(line: &'a str) -> Self {
        Self { line, at: 0, is_first: true }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = Pair<'a>;

    fn next(&mut self) -> Option<Pair<'a>> {
        let bytes = self.line.as_bytes();
        while self.at < bytes.len() {
            let start = self.at;
            if !is_name_byte(bytes[start]) {
                self.is_first &= is_before_first(bytes[start]);
                self.at += 1;
                continue;
            }
            let length = bytes[start..].iter().position(|byte| !is_name_byte(*byte));
            self.at = length.map_or(bytes.len(), |length| start + length);
            let name = &self.line[start..self.at];
            let is_first = self.is_first;
            self.is_first &= LEADING_WORDS.contains(&name) || name.bytes().all(|byte| byte == b'-');
            if let Some((joint, value)) = joint(bytes, start, self.at) {
                let name = name.trim_matches('-');
                return Some(Pair { line: self.line, name, start, value, joint, is_first });
            }
        }
        None
    }
}

/// What joins the name between `start` and `end` to a value, and where that begins.
fn joint(bytes: &[u8], start: usize, end: usize) -> Option<(Joint, usize)> {
    let before = start.checked_sub(1).map(|at| bytes[at]);
    let skip = |mut at: usize, signs: &[u8]| {
        while bytes.get(at).is_some_and(|byte| signs.contains(byte)) {
            at += 1;
        }
        at
    };
    if before == Some(b'/') && start > 1 && bytes[start - 2] == b'<' {
        return None;
    }
    if before == Some(b'<') {
        // The end of the tag; attributes are pairs of their own.
        let close = match bytes.get(end) {
            Some(b'>') => Some(end),
            Some(byte) if byte.is_ascii_whitespace() => {
                let tag = bytes[end..].iter().take(LONGEST_TAG);
                tag.enumerate().find(|(_, byte)| **byte == b'>').map(|(length, _)| end + length)
            }
            Some(_) | None => None,
        };
        let close = close.filter(|&close| bytes[close - 1] != b'/')?;
        return Some((Joint::Element, skip(close + 1, b" \t")));
    }
    let closed = skip(end, b"\"'\\]");
    let at = skip(closed, b" \t");
    let spaced = |at: usize| skip(at, b" \t");
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b':'), Some(b':')) => None,
        (Some(b':'), Some(b'=')) | (Some(b'='), Some(b'>' | b'=')) => Some((Joint::Equals, spaced(at + 2))),
        (Some(b':'), _) => Some((Joint::Colon, spaced(at + 1))),
        (Some(b'='), _) => Some((Joint::Equals, spaced(at + 1))),
        (Some(b','), _) if closed > end && start > 1 && bytes[start - 2] == b'(' => {
            Some((Joint::Comma, spaced(at + 1)))
        }
        (Some(_), _) | (None, _) => None,
    }
}

/// The text of the first element of a line: `<property name="password">TEXT</property>`, `<string>TEXT</string>`.
fn text_of_element(line: &str) -> Option<std::ops::Range<usize>> {
    let open = line.find('<')?;
    let start = open + line[open..].find('>')? + 1;
    let length = line[start..].find('<')?;
    Some(start..start + length)
}

/// Takes out what is between tags.
pub(super) fn outside_tags(line: &str, range: std::ops::Range<usize>, secrets: &mut Spans) {
    let mut start = range.start;
    while start < range.end {
        let text_end = line[start..range.end].find('<').map_or(range.end, |length| start + length);
        secrets.add(line, start..text_end);
        start = line[text_end..range.end].find('>').map_or(range.end, |length| text_end + length + 1);
    }
}

/// Where the tag begins that closes the element of that name.
pub(super) fn find_close(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let rest = &text.as_bytes()[at + 2..];
        rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && rest.get(name.len()).is_none_or(|byte| !is_name_byte(*byte))
    })
}

/// How many spaces a line begins with; the dash of a list is one.
pub(super) fn indent(line: &str) -> usize {
    line.bytes().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn is_before_first(byte: u8) -> bool {
    byte.is_ascii_whitespace() || b"\"'{#;/*+!$[(&@,".contains(&byte)
}

/// Words before the name that the line is about.
const LEADING_WORDS: [&str; 16] = [
    "export", "set", "setx", "env", "ENV", "ARG", "SetEnv", "setenv", "declare", "local", "readonly", "let",
    "const", "var", "define", "global",
];

const OPEN_WORDS: [&str; 14] = [
    "",
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "null",
    "nil",
    "none",
    "~",
    "x",
    "prohibit-password",
    "!",
];

/// Where accounts are looked up (`nsswitch.conf(5)`).
const SOURCES: [&str; 12] = [
    "files",
    "systemd",
    "compat",
    "sss",
    "ldap",
    "nis",
    "nisplus",
    "winbind",
    "db",
    "dns",
    "extrausers",
    "hesiod",
];

const LONGEST_TAG: usize = 256;
