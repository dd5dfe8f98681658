//! One segment of a pattern against one name.

use crate::PathStyle;

/// One segment of a pattern.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Segment {
    /// `**`: any number of segments.
    AnyDepth,
    /// A name without wildcards.
    Literal(Box<[u8]>),
    /// A name with wildcards.
    Glob(Box<[Token]>),
}

/// A part of a segment.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Token {
    /// This unit, folded as the style folds.
    Unit(u32),
    /// Any one unit.
    AnyOne,
    /// Any run of units.
    AnyRun,
    /// One unit of these ranges, or of none of them.
    Class { is_negated: bool, ranges: Box<[(u32, u32)]> },
}

impl Segment {
    pub(super) fn is_literal(&self) -> bool {
        self.literal().is_some()
    }

    pub(super) fn literal(&self) -> Option<&[u8]> {
        match self {
            Self::Literal(name) => Some(name),
            Self::AnyDepth | Self::Glob(_) => None,
        }
    }

    pub(super) fn matches_every_name(&self) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::Literal(_) => false,
            Self::Glob(tokens) => tokens.iter().all(|token| *token == Token::AnyRun),
        }
    }

    /// True if the name is one that the segment spells; `**` spells every name.
    pub(super) fn matches(&self, name: &[u8], style: PathStyle) -> bool {
        match (self, style) {
            (Self::AnyDepth, _) => true,
            (Self::Literal(own), PathStyle::Unix) => **own == *name,
            (Self::Literal(own), PathStyle::Windows) => units(own, style).eq(units(name, style)),
            (Self::Glob(tokens), _) => glob_matches(tokens, name, style),
        }
    }
}

/// Goes back to the last run only: what an earlier run took cannot help a later part to match. So the time is at most
/// the number of tokens times the length of the name.
fn glob_matches(tokens: &[Token], name: &[u8], style: PathStyle) -> bool {
    let (mut token, mut rest) = (0, name);
    let mut last_run: Option<(usize, &[u8])> = None;
    while let Some((unit, length)) = first_unit(rest, style) {
        let is_step = match tokens.get(token) {
            Some(Token::AnyRun) => {
                token += 1;
                last_run = Some((token, rest));
                continue;
            }
            Some(Token::AnyOne) => true,
            Some(Token::Unit(own)) => *own == unit,
            Some(Token::Class { is_negated, ranges }) => {
                ranges.iter().any(|&(first, last)| class_holds(first, last, unit, style)) != *is_negated
            }
            None => false,
        };
        if is_step {
            token += 1;
            rest = &rest[length..];
        } else if let Some((after_run, taken)) = last_run {
            let taken = &taken[first_unit(taken, style).map_or(1, |(_, length)| length)..];
            last_run = Some((after_run, taken));
            (token, rest) = (after_run, taken);
        } else {
            return false;
        }
    }
    tokens[token..].iter().all(|token| *token == Token::AnyRun)
}

/// Windows folds the unit to upper case; a class of lower case letters means the upper case ones as well.
fn class_holds(first: u32, last: u32, unit: u32, style: PathStyle) -> bool {
    let holds = |unit| first <= unit && unit <= last;
    match style {
        PathStyle::Unix => holds(unit),
        PathStyle::Windows => holds(unit) || lower(unit).is_some_and(holds),
    }
}

/// The units of a text: its characters, and each byte that is not part of one.
pub(super) fn units(bytes: &[u8], style: PathStyle) -> impl Iterator<Item = u32> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (unit, length) = first_unit(rest, style)?;
        rest = &rest[length..];
        Some(unit)
    })
}

/// The first unit and how many bytes it takes.
fn first_unit(bytes: &[u8], style: PathStyle) -> Option<(u32, usize)> {
    let &first = bytes.first()?;
    if first.is_ascii() {
        let folded = match style {
            PathStyle::Unix => first,
            PathStyle::Windows => first.to_ascii_uppercase(),
        };
        return Some((u32::from(folded), 1));
    }
    let start = &bytes[..bytes.len().min(4)];
    let character = start.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    Some(match character {
        Some(character) => (fold(character, style), character.len_utf8()),
        None => (NOT_A_CHARACTER + u32::from(first), 1),
    })
}

/// As NTFS compares names: by the upper case that is a single character.
pub(super) fn fold(character: char, style: PathStyle) -> u32 {
    let single = |mut characters: std::char::ToUppercase| match (characters.next(), characters.next()) {
        (Some(upper), None) => Some(upper),
        (Some(_) | None, Some(_) | None) => None,
    };
    match style {
        PathStyle::Unix => character.into(),
        PathStyle::Windows => single(character.to_uppercase()).unwrap_or(character).into(),
    }
}

fn lower(unit: u32) -> Option<u32> {
    char::from_u32(unit).and_then(|character| character.to_lowercase().next()).map(u32::from)
}

/// Above every character: where bytes that are not part of one are put.
const NOT_A_CHARACTER: u32 = 0x11_0000;
