//! What is wrong with a pattern, where, and what to write instead.

use thiserror::Error;

use super::Pattern;

/// Why a text is not a pattern. Positions count characters from 1.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum PatternError {
    /// There is no text.
    #[error("the path is empty: write an absolute path such as {example}")]
    Empty {
        /// A path that would do.
        example: &'static str,
    },
    /// The text is longer than any path can be.
    #[error("the path has {length} bytes: at most {} are allowed", Pattern::MAX_TEXT_BYTES)]
    TooLong {
        /// Its length in bytes.
        length: usize,
    },
    /// There are more segments than the matcher keeps states for.
    #[error("character {at} starts segment {}: at most {} segments are allowed, use ** for the rest", Pattern::MAX_SEGMENTS + 1, Pattern::MAX_SEGMENTS)]
    TooManySegments {
        /// Where the first segment too many starts.
        at: usize,
    },
    /// The path does not start at a root.
    #[error("the path does not start at a root (character 1): write an absolute path such as {example}")]
    NotAbsolute {
        /// A path that would do.
        example: &'static str,
    },
    /// No path has a NUL character.
    #[error("character {at} is NUL, which no path can have: remove it")]
    Nul {
        /// Where it is.
        at: usize,
    },
    /// `.` and `..` depend on where one stands.
    #[error("character {at} starts the segment `{segment}`: write the path without it")]
    RelativeSegment {
        /// Where it starts.
        at: usize,
        /// `.` or `..`.
        segment: &'static str,
    },
    /// A `[` without its `]` in the same segment.
    #[error(
        "the class opened by `[` at character {at} is not closed: add `]`, or write `[[]` for the character itself"
    )]
    UnclosedClass {
        /// Where it is opened.
        at: usize,
    },
    /// A class such as `[z-a]`, which nothing is in.
    #[error("the range `{first}-{last}` at character {at} is reversed: write `{last}-{first}`")]
    ReversedRange {
        /// Where it starts.
        at: usize,
        /// Its first character as written.
        first: char,
        /// Its last character as written.
        last: char,
    },
    /// A `\` that escapes nothing.
    #[error(
        "the escape at character {at} is not complete: write `\\\\` for a backslash, `\\*` for a star, `\\xHH` for a byte"
    )]
    BadEscape {
        /// Where it starts.
        at: usize,
    },
    /// A `${` without its `}`, or with something that is not a name between them.
    #[error(
        "the variable at character {at} has no proper name: write `${{NAME}}`, or `\\$` for the character itself"
    )]
    BadVariable {
        /// Where it starts.
        at: usize,
    },
}

impl PatternError {
    /// The character at which the text is wrong, from 1; nothing if it is wrong as a whole.
    pub fn position(&self) -> Option<usize> {
        match self {
            Self::Empty { .. } | Self::TooLong { .. } => None,
            Self::NotAbsolute { .. } => Some(1),
            Self::TooManySegments { at }
            | Self::Nul { at }
            | Self::RelativeSegment { at, .. }
            | Self::UnclosedClass { at }
            | Self::ReversedRange { at, .. }
            | Self::BadEscape { at }
            | Self::BadVariable { at } => Some(*at),
        }
    }
}

/// Why a pattern's variables cannot be resolved on this machine.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum ResolveError {
    /// The machine has no such variable.
    #[error(
        "the variable `{name}` has no value on this machine: set it for the agent, or write the path itself"
    )]
    Unknown {
        /// The variable's name.
        name: String,
    },
    /// The path is wrong with the variables' values in it.
    #[error("`{text}` is what the variables make of it")]
    NotAPath {
        /// The text with the values in it.
        text: String,
        /// What is wrong with it.
        source: PatternError,
    },
}
