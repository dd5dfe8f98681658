//! What is wrong with a query, where, and what to write instead.

use std::fmt;

/// A stretch of the query text in bytes: `start..end`, always on character boundaries.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// The stretch from `start` up to `end`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// The smallest stretch that holds both.
    pub fn to(self, other: Self) -> Self {
        Self { start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// The kinds of mistake; the code of each is stable and documented, because people search for it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Code {
    /// A character that no token of the language starts with.
    UnexpectedCharacter,
    /// A string literal that is not closed on its line, or a multi-line one that is never closed.
    UnterminatedString,
    /// A number, date, timespan or other literal that cannot be read.
    InvalidLiteral,
    /// Something else was expected here.
    Syntax,
    /// Parentheses or operators nest deeper than is accepted.
    TooDeep,
    /// The query is longer, or unfolds to more expressions, than is accepted.
    TooLarge,
    /// There is no query in the text.
    EmptyQuery,
    /// The name of an operator that KQL does not have.
    UnknownOperator,
    /// Valid KQL that this version does not run.
    NotSupported,
    /// No such table.
    UnknownTable,
    /// No such column or `let` name.
    UnknownName,
    /// No such function.
    UnknownFunction,
    /// A name that is declared twice.
    DuplicateName,
    /// Too few or too many arguments.
    ArgumentCount,
    /// A value of the wrong type.
    TypeMismatch,
    /// A constant was expected, or one with another value.
    InvalidConstant,
    /// An aggregate where none can be, or a column that is neither aggregated nor grouped by.
    Aggregation,
    /// `datatable` values that do not fill its rows.
    RowShape,
    /// A function over rows in order where they have none.
    NotSerialized,
}

impl Code {
    /// Every code, in the order of its number.
    pub const ALL: [Code; 19] = [
        Code::UnexpectedCharacter,
        Code::UnterminatedString,
        Code::InvalidLiteral,
        Code::Syntax,
        Code::TooDeep,
        Code::TooLarge,
        Code::EmptyQuery,
        Code::UnknownOperator,
        Code::NotSupported,
        Code::UnknownTable,
        Code::UnknownName,
        Code::UnknownFunction,
        Code::DuplicateName,
        Code::ArgumentCount,
        Code::TypeMismatch,
        Code::InvalidConstant,
        Code::Aggregation,
        Code::RowShape,
        Code::NotSerialized,
    ];

    /// The stable code, as `KQL104`: below 100 the text, from 100 the names, from 200 the types.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::UnexpectedCharacter => "KQL001",
            Code::UnterminatedString => "KQL002",
            Code::InvalidLiteral => "KQL003",
            Code::Syntax => "KQL010",
            Code::TooDeep => "KQL020",
            Code::TooLarge => "KQL021",
            Code::EmptyQuery => "KQL022",
            Code::UnknownOperator => "KQL030",
            Code::NotSupported => "KQL031",
            Code::UnknownTable => "KQL100",
            Code::UnknownName => "KQL101",
            Code::UnknownFunction => "KQL102",
            Code::DuplicateName => "KQL103",
            Code::ArgumentCount => "KQL200",
            Code::TypeMismatch => "KQL201",
            Code::InvalidConstant => "KQL202",
            Code::Aggregation => "KQL203",
            Code::RowShape => "KQL204",
            Code::NotSerialized => "KQL205",
        }
    }

    /// One sentence for the reference.
    pub fn summary(self) -> &'static str {
        match self {
            Code::UnexpectedCharacter => "A character that no part of the language starts with.",
            Code::UnterminatedString => "A string that is never closed.",
            Code::InvalidLiteral => "A number, date, timespan, guid or dynamic value that cannot be read.",
            Code::Syntax => "Something else was expected here.",
            Code::TooDeep => "The query nests deeper than is accepted.",
            Code::TooLarge => "The query is larger than is accepted.",
            Code::EmptyQuery => "The text holds no query.",
            Code::UnknownOperator => "KQL has no operator of this name.",
            Code::NotSupported => "Valid KQL that this version does not run yet.",
            Code::UnknownTable => "No table has this name.",
            Code::UnknownName => "No column or `let` name is spelled like this.",
            Code::UnknownFunction => "No function has this name.",
            Code::DuplicateName => "The name is declared twice.",
            Code::ArgumentCount => "Too few or too many arguments.",
            Code::TypeMismatch => "The value has the wrong type.",
            Code::InvalidConstant => "The value must be a constant, or another one.",
            Code::Aggregation => {
                "An aggregate where none can be, or a column that is neither aggregated nor grouped by."
            }
            Code::RowShape => "The values of a `datatable` do not fill its rows.",
            Code::NotSerialized => "The function reads rows in their order, and they have none here.",
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A mistake before its place is known in lines and columns.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) expected: Vec<String>,
    pub(crate) suggestion: Option<String>,
}

impl Problem {
    pub(crate) fn new(code: Code, span: Span, message: impl Into<String>) -> Self {
        Self { code, span, message: message.into(), expected: Vec::new(), suggestion: None }
    }

    pub(crate) fn expecting<T: Into<String>>(mut self, expected: impl IntoIterator<Item = T>) -> Self {
        self.expected = expected.into_iter().map(Into::into).collect();
        self
    }

    pub(crate) fn suggesting(mut self, suggestion: Option<String>) -> Self {
        self.suggestion = suggestion;
        self
    }
}

/// Gives each problem its line and column, in the order of the text and at most [`MAX_DIAGNOSTICS`].
pub(crate) fn locate(text: &str, mut problems: Vec<Problem>) -> Vec<Diagnostic> {
    problems.sort_by_key(|problem| (problem.span.start, problem.span.end));
    problems.dedup_by(|later, earlier| later.span == earlier.span && later.code == earlier.code);
    problems.truncate(MAX_DIAGNOSTICS);
    let lines = Lines::of(text);
    let place = |problem: Problem| {
        let (line, column) = lines.position(text, problem.span.start);
        let (end_line, end_column) = lines.position(text, problem.span.end);
        let Problem { code, span, message, expected, suggestion } = problem;
        Diagnostic { code, message, span, line, column, end_line, end_column, expected, suggestion }
    };
    problems.into_iter().map(place).collect()
}

/// Where each line of a text starts, in bytes.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        Self(std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect())
    }

    fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let line = self.0.partition_point(|start| *start <= at);
        let start = self.0[line - 1];
        (line, text[start..at].chars().count() + 1)
    }
}

/// After so many mistakes the rest is noise, and a hostile text must not make the answer large.
const MAX_DIAGNOSTICS: usize = 50;

/// One mistake in a query, told so that its author can mend it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Diagnostic {
    /// What kind of mistake this is.
    pub code: Code,
    /// What is wrong, as one sentence without a full stop.
    pub message: String,
    /// Where, in bytes of the query text.
    pub span: Span,
    /// Line of the first character, from 1.
    pub line: usize,
    /// Column of the first character, from 1, counted in characters.
    pub column: usize,
    /// Line of the place after the last character, from 1.
    pub end_line: usize,
    /// Column of the place after the last character, from 1, counted in characters.
    pub end_column: usize,
    /// What could stand here instead, if that is a short list.
    pub expected: Vec<String>,
    /// The nearest name that exists, if one is near.
    pub suggestion: Option<String>,
}

impl Diagnostic {
    /// A mistake in a stretch of `text` that only the runner of a plan can find.
    pub fn at(text: &str, code: Code, span: Span, message: impl Into<String>) -> Self {
        let lines = Lines::of(text);
        let (line, column) = lines.position(text, span.start);
        let (end_line, end_column) = lines.position(text, span.end);
        let (expected, suggestion) = (Vec::new(), None);
        Self { code, message: message.into(), span, line, column, end_line, end_column, expected, suggestion }
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}: {}", self.line, self.column, self.code, self.message)?;
        if !self.expected.is_empty() {
            write!(formatter, "; expected {}", self.expected.join(", "))?;
        }
        match &self.suggestion {
            Some(name) => write!(formatter, "; did you mean '{name}'?"),
            None => Ok(()),
        }
    }
}
