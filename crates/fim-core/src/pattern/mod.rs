//! The one matcher of paths: walker, watcher, preview and server all ask it.
//!
//! A pattern is a path in which any segment may hold wildcards:
//!
//! | Spelling | Means |
//! |---|---|
//! | `*` | any run of characters within one segment, a leading dot included |
//! | `?` | one character |
//! | `[a-z]`, `[!a-z]` | one character of, or not of, the class |
//! | `**` as a whole segment | any number of segments, none included |
//! | `\*` (Unix), `[*]` (both) | the character itself |
//! | `\xHH` (Unix), `<HH>` (Windows) | one byte, as [`EntityPath`] shows it |
//! | `$NAME`, `${NAME}` (Unix), `%NAME%` (Windows) | an environment variable, resolved late with [`Pattern::resolve`] |
//!
//! What names a file of Windows names its alternate data streams: `*.txt` names `a.txt:hidden` as well.
//!
//! Published rules write `/etc/.*.conf` where they mean `/etc/*.conf`, and `*.*` on Windows means every name; both are
//! understood so. Matching takes time proportional to the path's length times the pattern's: the segments run as a set
//! of states, and a segment's wildcards only ever go back to the last `*`.

mod error;
mod parse;
mod segment;

pub use error::{PatternError, ResolveError};
use parse::Parsed;
use segment::Segment;

use crate::path::without_stream;
use crate::{EntityPath, PathStyle};

/// A path in which any segment may hold wildcards.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Pattern {
    text: Box<str>,
    style: PathStyle,
    is_network: bool,
    segments: Box<[Segment]>,
    variables: Box<[Box<str>]>,
}

impl Pattern {
    /// The most segments that a pattern may have: its states fit one machine word.
    pub const MAX_SEGMENTS: usize = 60;
    /// The longest text of a pattern, in bytes: the longest path that Linux opens.
    pub const MAX_TEXT_BYTES: usize = 4096;

    /// The pattern that `text` spells.
    ///
    /// # Errors
    ///
    /// Says at which character the text is wrong, and what to write instead.
    pub fn parse(text: &str, style: PathStyle) -> Result<Self, PatternError> {
        Ok(Self::from_parsed(text, style, parse::parse(text, style, parse::Reading::AbsolutePath)?))
    }

    /// The pattern of what a rule leaves out: as [`Pattern::parse`], and a text without a separator, such as `*.log`,
    /// is a name at any depth.
    ///
    /// # Errors
    ///
    /// Says at which character the text is wrong, and what to write instead.
    pub fn parse_exclusion(text: &str, style: PathStyle) -> Result<Self, PatternError> {
        Ok(Self::from_parsed(text, style, parse::parse(text, style, parse::Reading::PathOrName)?))
    }

    /// The text of a pattern that matches `path` alone, whatever characters are in it.
    pub fn escape(path: &EntityPath) -> String {
        parse::escape(path)
    }

    /// This pattern with its variables replaced; their values are taken literally.
    ///
    /// # Errors
    ///
    /// Fails if `lookup` knows no value for a variable, or if the path is not one with the values in it.
    pub fn resolve(&self, lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ResolveError> {
        if self.variables.is_empty() {
            return Ok(self.clone());
        }
        let text = parse::substitute(&self.text, self.style, lookup)?;
        let parsed = parse::parse(&text, self.style, parse::Reading::Resolved)
            .map_err(|source| ResolveError::NotAPath { text: text.clone(), source })?;
        Ok(Self::from_parsed(&text, self.style, parsed))
    }

    fn from_parsed(text: &str, style: PathStyle, parsed: Parsed) -> Self {
        Self {
            text: text.into(),
            style,
            is_network: parsed.is_network,
            segments: parsed.segments.into(),
            variables: parsed.variables.into(),
        }
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The style of the paths that it matches.
    pub fn style(&self) -> PathStyle {
        self.style
    }

    /// The variables that are yet to be resolved; until then the pattern matches nothing.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(AsRef::as_ref)
    }

    /// True if no variable is left to be resolved.
    pub fn is_resolved(&self) -> bool {
        self.variables.is_empty()
    }

    /// True if no segment holds a wildcard.
    pub fn is_literal(&self) -> bool {
        self.segments.iter().all(Segment::is_literal)
    }

    /// True if the last segment holds no wildcard, so that a directory of that name stands for what it contains.
    pub fn ends_literally(&self) -> bool {
        self.segments.last().is_none_or(Segment::is_literal)
    }

    /// True if the pattern takes in so much that a person should be warned: `c:\*.*`, `/**`, `/**/*.conf`.
    pub fn is_general(&self) -> bool {
        let first_wild = self.segments.iter().position(|segment| !segment.is_literal());
        let root_segments = match self.style {
            PathStyle::Unix => 0,
            PathStyle::Windows => 1,
        };
        first_wild.is_some_and(|first| {
            first <= root_segments
                && (self.segments[first..].iter().all(Segment::matches_every_name)
                    || self.segments.contains(&Segment::AnyDepth))
        })
    }

    /// The longest path without a wildcard that everything matched is within: where a walk starts.
    pub fn root(&self) -> EntityPath {
        let literal = self.segments.iter().map_while(Segment::literal);
        let top = match (self.style, self.is_network) {
            (PathStyle::Unix, _) => EntityPath::unix("/"),
            (PathStyle::Windows, true) => EntityPath::windows("\\\\"),
            (PathStyle::Windows, false) => EntityPath::windows(""),
        };
        let is_drive = self.style == PathStyle::Windows && !self.is_network;
        literal.enumerate().fold(top, |path, (index, segment)| {
            if is_drive && index == 0 {
                EntityPath::windows([segment, b"\\"].concat())
            } else {
                path.join(segment)
            }
        })
    }

    /// True if the path is one that the pattern spells.
    pub fn matches(&self, path: &EntityPath) -> bool {
        self.progress(path).is_some_and(|progress| progress.is_match)
    }

    /// How far the pattern has come when it has read the path; nothing if it cannot match paths of that kind at all.
    pub(crate) fn progress(&self, path: &EntityPath) -> Option<Progress> {
        (self.style == path.style() && self.is_resolved())
            .then(|| path.segments().fold(self.start(), |progress, segment| self.step(progress, segment)))
    }

    /// The progress before the first segment of a path.
    pub(crate) fn start(&self) -> Progress {
        let states = self.with_skipped(1);
        Progress { states, is_match: self.accepts(states), parent_matches: false, one_above_matches: false }
    }

    /// The progress after one more segment.
    pub(crate) fn step(&self, progress: Progress, name: &[u8]) -> Progress {
        let mut next = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            if progress.states & 1 << index == 0 {
                continue;
            }
            if *segment == Segment::AnyDepth {
                next |= 1 << index;
            } else if segment.matches(name, self.style)
                // What names a file names its streams.
                || without_stream(self.style, name).is_some_and(|file| segment.matches(file, self.style))
            {
                next |= 1 << (index + 1);
            }
        }
        let states = self.with_skipped(next);
        Progress {
            states,
            is_match: self.accepts(states),
            parent_matches: progress.is_match,
            one_above_matches: progress.is_match || progress.one_above_matches,
        }
    }

    /// True if more segments could lead to a match.
    pub(crate) fn is_alive(&self, progress: Progress) -> bool {
        progress.states & !(1 << self.segments.len()) != 0
    }

    /// True if every name in a directory at that progress matches.
    pub(crate) fn matches_every_child(&self, progress: Progress) -> bool {
        self.segments.iter().enumerate().any(|(index, segment)| {
            progress.states & 1 << index != 0
                && segment.matches_every_name()
                && self.accepts(self.with_skipped(1 << (index + 1)))
        })
    }

    /// True if the path has only used segments without a wildcard so far: the user spelled it out.
    pub(crate) fn is_spelled_out(&self, progress: Progress) -> bool {
        let first_wild = self.segments.iter().position(|segment| !segment.is_literal());
        let wild_states = first_wild.map_or(0, |first| !0 << (first + 1));
        progress.states & !(1 << self.segments.len()) & !wild_states != 0
    }

    /// The pattern that also matches its last segment at any depth below where that segment stands.
    pub(crate) fn at_any_depth(&self) -> Self {
        let mut segments = self.segments.to_vec();
        let last = segments.len().saturating_sub(1);
        if !segments[..last].ends_with(&[Segment::AnyDepth]) {
            segments.insert(last, Segment::AnyDepth);
        }
        Self { segments: segments.into(), ..self.clone() }
    }

    /// The states with those added that are reached by letting `**` stand for nothing.
    fn with_skipped(&self, mut states: u64) -> u64 {
        for (index, segment) in self.segments.iter().enumerate() {
            if *segment == Segment::AnyDepth && states & 1 << index != 0 {
                states |= 1 << (index + 1);
            }
        }
        states
    }

    fn accepts(&self, states: u64) -> bool {
        states & 1 << self.segments.len() != 0
    }
}

/// How far a pattern has come in reading a path.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Progress {
    /// One bit for each number of segments of the pattern that may have been used up.
    states: u64,
    /// The path read so far matches.
    pub(crate) is_match: bool,
    /// The directory that contains the path read so far matches.
    pub(crate) parent_matches: bool,
    /// Some directory above the path read so far matches.
    pub(crate) one_above_matches: bool,
}
