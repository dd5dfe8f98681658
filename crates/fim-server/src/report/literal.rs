//! Values as KQL literals.

use std::fmt::Write as _;

use fim_core::Timestamp;

use crate::clock::Moment;

/// The text as a KQL string literal, whatever is in it.
pub fn text(text: &str) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for character in text.chars() {
        match character {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            // The separators too: some readers take them for the end of a line, and a literal ends with its line.
            other if other.is_control() || matches!(other, '\u{2028}' | '\u{2029}') => {
                let mut units = [0; 2];
                for unit in other.encode_utf16(&mut units) {
                    let _ = write!(literal, "\\u{unit:04x}");
                }
            }
            other => literal.push(other),
        }
    }
    literal.push('"');
    literal
}

/// The moment as a KQL literal.
pub fn moment(time: Timestamp) -> String {
    format!("datetime({})", Moment(time))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_backslashes_and_line_ends_cannot_leave_the_literal() {
        assert_eq!(text(r#"a" | take 1 // \"#), r#""a\" | take 1 // \\""#);
        assert_eq!(text("a\nb\u{0}\u{2028}"), r#""a\nb\u0000\u2028""#);
    }

    #[test]
    fn a_moment_is_told_to_the_tick() {
        assert_eq!(moment(Timestamp(1_000)), "datetime(1970-01-01T00:00:00.0000010Z)");
    }

    proptest! {
        /// Inside, every quote and backslash is escaped, and no line ends.
        #[test]
        fn a_literal_is_one_token_whatever_the_text(input in any::<String>()) {
            let literal = text(&input);
            let inner = literal.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
            let mut characters = inner.chars();
            while let Some(character) = characters.next() {
                prop_assert!(character != '"' && !character.is_control());
                if character == '\\' {
                    prop_assert!(matches!(characters.next(), Some('"' | '\\' | 'n' | 'r' | 't' | 'u')));
                }
            }
        }
    }
}
