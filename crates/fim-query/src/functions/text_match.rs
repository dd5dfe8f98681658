//! How one text is found in another: by substring, by edge, by whole terms; with or without regard to case.
//!
//! The language compares *ordinally*: character by character, with the one-character case mapping of Unicode and
//! no linguistic rules ("ß" is not "SS"). A *term* is a maximal run of alphanumeric characters, so `has "passwd"`
//! finds "/etc/passwd" and does not find "/etc/passwd2".
//!
//! A needle is prepared once and then tried on many texts, therefore the work is in [`TextTest::new`].

use memchr::{memchr, memchr2, memmem};

/// Where in a text the needle must be found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Place {
    /// Anywhere.
    Anywhere,
    /// At the start of the text.
    Start,
    /// At the end of the text.
    End,
    /// As the whole text.
    Whole,
    /// Between the edges of terms.
    Term,
    /// From the start of a term.
    TermStart,
    /// Up to the end of a term.
    TermEnd,
}

/// Whether upper and lower case are different.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Case {
    /// They are.
    Sensitive,
    /// They are not.
    Insensitive,
}

/// A needle that is ready to be looked for in many texts.
#[derive(Debug)]
pub struct TextTest {
    place: Place,
    needle: Needle,
    /// Whether the needle begins and ends with an alphanumeric character: only such an edge must meet the edge of a term.
    begins_in_term: bool,
    ends_in_term: bool,
}

impl TextTest {
    /// Prepares `needle` to be looked for at `place`.
    pub fn new(place: Place, case: Case, needle: &str) -> Self {
        Self {
            place,
            needle: Needle::new(case, needle),
            begins_in_term: needle.chars().next().is_some_and(char::is_alphanumeric),
            ends_in_term: needle.chars().next_back().is_some_and(char::is_alphanumeric),
        }
    }

    /// Whether the needle is in `text`, at its place.
    pub fn matches(&self, text: &str) -> bool {
        match self.place {
            Place::Anywhere => self.needle.find(text, 0).is_some(),
            Place::Start => self.needle.match_at(text, 0).is_some(),
            Place::End => self.needle.is_end_of(text),
            Place::Whole => self.needle.match_at(text, 0) == Some(text.len()),
            Place::Term => self
                .any_match(text, |start, end| self.is_term_start(text, start) && self.is_term_end(text, end)),
            Place::TermStart => self.any_match(text, |start, _| self.is_term_start(text, start)),
            Place::TermEnd => self.any_match(text, |_, end| self.is_term_end(text, end)),
        }
    }

    /// Whether `accepts` one of the places, from start to end in bytes, at which the needle is in `text`.
    fn any_match(&self, text: &str, accepts: impl Fn(usize, usize) -> bool) -> bool {
        let mut from = 0;
        while let Some((start, end)) = self.needle.find(text, from) {
            if accepts(start, end) {
                return true;
            }
            // Matches may overlap, so the next one is looked for one character further, not after this one.
            let Some(character) = text[start..].chars().next() else { return false };
            from = start + character.len_utf8();
        }
        false
    }

    fn is_term_start(&self, text: &str, at: usize) -> bool {
        !self.begins_in_term || !text[..at].chars().next_back().is_some_and(char::is_alphanumeric)
    }

    fn is_term_end(&self, text: &str, at: usize) -> bool {
        !self.ends_in_term || !text[at..].chars().next().is_some_and(char::is_alphanumeric)
    }
}

/// The upper-case form of a text by the one-character mapping; equal for texts that differ only in case.
pub fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

/// The forms in which a needle is looked for; the cheapest that is right.
#[derive(Debug)]
enum Needle {
    Exact(Box<memmem::Finder<'static>>),
    /// An ASCII needle matches only ASCII bytes, whatever else is in the text, because [`fold`] leaves the few
    /// other characters alone whose upper case is ASCII. So bytes may be compared.
    Ascii {
        lower: Vec<u8>,
        rare_at: usize,
    },
    Folded(Vec<char>),
}

impl Needle {
    fn new(case: Case, needle: &str) -> Self {
        match case {
            Case::Sensitive => Self::Exact(Box::new(memmem::Finder::new(needle).into_owned())),
            Case::Insensitive if needle.is_ascii() => {
                let lower = needle.as_bytes().to_ascii_lowercase();
                let rare_at = (0..lower.len()).max_by_key(|&at| rarity(lower[at])).unwrap_or(0);
                Self::Ascii { lower, rare_at }
            }
            Case::Insensitive => Self::Folded(needle.chars().map(fold).collect()),
        }
    }

    /// The first match that starts at or after byte `from`, as its start and end.
    fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        match self {
            Self::Exact(finder) => {
                let start = from + finder.find(text.as_bytes().get(from..)?)?;
                Some((start, start + finder.needle().len()))
            }
            Self::Ascii { lower, rare_at } => {
                let start = find_ascii(text.as_bytes(), lower, *rare_at, from)?;
                Some((start, start + lower.len()))
            }
            Self::Folded(_) => text
                .get(from..)?
                .char_indices()
                .find_map(|(at, _)| self.match_at(text, from + at).map(|end| (from + at, end))),
        }
    }

    /// The end of the match that starts at byte `at`, if there is one.
    fn match_at(&self, text: &str, at: usize) -> Option<usize> {
        match self {
            Self::Exact(finder) => {
                text.as_bytes()[at..].starts_with(finder.needle()).then(|| at + finder.needle().len())
            }
            Self::Ascii { lower, .. } => {
                let end = at.checked_add(lower.len())?;
                text.as_bytes().get(at..end)?.eq_ignore_ascii_case(lower).then_some(end)
            }
            Self::Folded(needle) => {
                let mut rest = text[at..].chars();
                needle
                    .iter()
                    .all(|&wanted| rest.next().map(fold) == Some(wanted))
                    .then(|| text.len() - rest.as_str().len())
            }
        }
    }

    fn is_end_of(&self, text: &str) -> bool {
        match self {
            Self::Exact(finder) => text.as_bytes().ends_with(finder.needle()),
            Self::Ascii { lower, .. } => {
                let bytes = text.as_bytes();
                bytes.len() >= lower.len() && bytes[bytes.len() - lower.len()..].eq_ignore_ascii_case(lower)
            }
            Self::Folded(needle) => {
                let mut rest = text.chars().rev();
                needle.iter().rev().all(|&wanted| rest.next().map(fold) == Some(wanted))
            }
        }
    }
}

/// Looks for the rarest byte of the needle with vector instructions and compares the rest only where that is found.
fn find_ascii(text: &[u8], lower: &[u8], rare_at: usize, from: usize) -> Option<usize> {
    let Some(&rare) = lower.get(rare_at) else { return (from <= text.len()).then_some(from) };
    let upper = rare.to_ascii_uppercase();
    let mut at = from + rare_at;
    loop {
        let rest = text.get(at..)?;
        let found = at + if upper == rare { memchr(rare, rest)? } else { memchr2(rare, upper, rest)? };
        let start = found - rare_at;
        if text.get(start..start + lower.len())?.eq_ignore_ascii_case(lower) {
            return Some(start);
        }
        at = found + 1;
    }
}

/// How seldom a lower-case byte is in paths, keys and command lines; only the order matters, and only for speed.
fn rarity(byte: u8) -> usize {
    const COMMON_FIRST: &[u8] = b"/\\e.sitanrocl-m_udphfgbvkw 01x2y346578z9jq";
    COMMON_FIRST.iter().position(|&common| common == byte).unwrap_or(COMMON_FIRST.len())
}

/// The upper case of a character where that is one character.
///
/// The dotless "ı" and the long "ſ" stay as they are, as in the original: their upper case is an ASCII letter, and
/// a text without ASCII letters must not equal one that has them.
fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    if matches!(character, 'ı' | 'ſ') {
        return character;
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(only), None) => only,
        (_, _) => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(place: Place, text: &str, needle: &str, expected: bool) {
        let test = TextTest::new(place, Case::Insensitive, needle);
        assert_eq!(test.matches(text), expected, "{place:?} of {needle:?} in {text:?}");
    }

    #[test]
    fn a_term_ends_where_no_letter_or_digit_follows() {
        check(Place::Term, "/etc/passwd", "PASSWD", true);
        check(Place::Term, "/etc/passwd-", "passwd", true);
        check(Place::Term, "/etc/passwd2", "passwd", false);
        check(Place::Term, "/etc/passwd2 passwd", "passwd", true);
        check(Place::Term, "North America", "am", false);
        check(Place::Term, "größe", "gr", false);
        check(Place::Term, "größe", "GRÖßE", true);
        check(Place::Term, "a.b", "a.b", true);
        check(Place::Term, "xa.b", "a.b", false);
        check(Place::Term, "x/b", "/b", true);
        check(Place::Term, "aaa", "aa", false);
        check(Place::Term, "", "a", false);
        check(Place::Term, "abc", "", true);
    }

    #[test]
    fn a_term_may_be_found_by_its_start_or_its_end() {
        check(Place::TermStart, "north america", "AME", true);
        check(Place::TermStart, "north america", "rica", false);
        check(Place::TermEnd, "north america", "rth", true);
        check(Place::TermEnd, "north america", "nor", false);
    }

    #[test]
    fn case_is_ignored_character_by_character() {
        check(Place::Anywhere, "ÄÖÜ.conf", "äöü.CONF", true);
        check(Place::Anywhere, "straße", "STRASSE", false);
        check(Place::Anywhere, "ıſ", "is", false);
        check(Place::Whole, "/Etc/Shadow", "/etc/shadow", true);
        check(Place::Whole, "/etc/shadow-", "/etc/shadow", false);
        check(Place::Start, "/ETC/x", "/etc", true);
        check(Place::End, "x.SO", ".so", true);
        check(Place::End, "o", ".so", false);
        check(Place::End, "übermäßiÄ", "ä", true);
    }

    proptest! {
        #[test]
        fn every_place_agrees_with_the_plain_definition(text in "[aAbBéÉ ./1]{0,12}", needle in "[aAbBéÉ ./1]{0,3}") {
            let (upper_text, upper_needle) = (folded(&text), folded(&needle));
            let test = |place| TextTest::new(place, Case::Insensitive, &needle).matches(&text);
            prop_assert_eq!(test(Place::Anywhere), upper_text.contains(&upper_needle));
            prop_assert_eq!(test(Place::Start), upper_text.starts_with(&upper_needle));
            prop_assert_eq!(test(Place::End), upper_text.ends_with(&upper_needle));
            prop_assert_eq!(test(Place::Whole), upper_text == upper_needle);
            let exact = |place| TextTest::new(place, Case::Sensitive, &needle).matches(&text);
            prop_assert_eq!(exact(Place::Anywhere), text.contains(&needle));
            prop_assert_eq!(exact(Place::Whole), text == needle);
        }

        #[test]
        fn a_needle_of_letters_and_digits_is_a_term_if_a_split_at_all_else_contains_it(text in "[aAbé ./1]{0,12}", needle in "[aAbé1]{1,3}") {
            let found = text.split(|c: char| !c.is_alphanumeric()).any(|term| folded(term) == folded(&needle));
            prop_assert_eq!(TextTest::new(Place::Term, Case::Insensitive, &needle).matches(&text), found);
        }

        #[test]
        fn no_text_makes_the_search_panic(text in any::<String>(), needle in any::<String>()) {
            for place in [Place::Anywhere, Place::Start, Place::End, Place::Whole, Place::Term, Place::TermStart, Place::TermEnd] {
                for case in [Case::Sensitive, Case::Insensitive] {
                    TextTest::new(place, case, &needle).matches(&text);
                }
            }
        }
    }
}
