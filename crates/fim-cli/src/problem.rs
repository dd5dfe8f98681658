//! The server's problem documents (RFC 9457) as a person reads them.

use std::fmt;

use serde::Deserialize;

/// What the server says went wrong.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Problem {
    /// In short.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened to what, and what to do.
    pub detail: String,
    /// What to quote when asking for help.
    pub request_id: String,
    /// The mistakes in a query or a pattern.
    pub diagnostics: Vec<Diagnostic>,
    /// What was sent, if it is short text, to show the mistakes in.
    #[serde(skip)]
    pub text: Option<String>,
}

/// One mistake in a query or a pattern.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Diagnostic {
    /// The stable code.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The line where the mistake ends.
    pub end_line: usize,
    /// The column after its last character.
    pub end_column: usize,
    /// What could have stood there.
    pub expected: Option<Vec<String>>,
    /// The nearest name.
    pub suggestion: Option<String>,
    /// Which of the things that were sent has the mistake, where there are several.
    pub field: Option<String>,
    /// The text that has it, where that is not all that was sent.
    pub text: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.diagnostics.is_empty() {
            let text = if self.detail.is_empty() { &self.title } else { &self.detail };
            write!(f, "{text}")?;
            if self.status >= 500 && !self.request_id.is_empty() {
                write!(f, " (request {})", self.request_id)?;
            }
            return Ok(());
        }
        for (index, diagnostic) in self.diagnostics.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write_diagnostic(f, diagnostic, self.text.as_deref())?;
        }
        Ok(())
    }
}

/// Writes the mistake with its line of the text and a mark below it.
fn write_diagnostic(f: &mut fmt::Formatter<'_>, mistake: &Diagnostic, text: Option<&str>) -> fmt::Result {
    match &mistake.field {
        // What is on one line has columns only.
        Some(field) => write!(f, "{field} at column {}: {}", mistake.column, mistake.message)?,
        None => write!(
            f,
            "{} at line {}, column {}: {}",
            mistake.code, mistake.line, mistake.column, mistake.message
        )?,
    }
    let text = mistake.text.as_deref().or(text);
    let line = text.and_then(|text| text.lines().nth(mistake.line.saturating_sub(1)));
    if let Some(line) = line {
        write_line(f, mistake, line)?;
    }
    let expected = mistake.expected.as_deref().unwrap_or_default();
    if !expected.is_empty() {
        write!(f, "\n  expected: {}", expected.join(", "))?;
    }
    if let Some(suggestion) = &mistake.suggestion {
        write!(f, "\n  did you mean '{suggestion}'?")?;
    }
    Ok(())
}

/// Writes the line, or what of it is near the mistake, with a mark below that.
fn write_line(f: &mut fmt::Formatter<'_>, mistake: &Diagnostic, line: &str) -> fmt::Result {
    let (length, start) = (line.chars().count(), mistake.column.saturating_sub(1));
    let end = if mistake.end_line == mistake.line { mistake.end_column.saturating_sub(1) } else { length };
    let from = if length <= LONGEST_LINE { 0 } else { start.saturating_sub(LONGEST_LINE / 2) };
    let shown: String = line.chars().skip(from).take(LONGEST_LINE).collect();
    let [before, after] =
        [from > 0, from + LONGEST_LINE < length].map(|is_cut| if is_cut { "…" } else { "" });
    let indent = start - from + before.chars().count();
    let width = end.min(from + LONGEST_LINE).saturating_sub(start).max(1);
    write!(f, "\n  | {before}{shown}{after}\n  | {}{}", " ".repeat(indent), "^".repeat(width))
}

/// Characters of a line that are shown.
const LONGEST_LINE: usize = 120;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_in_a_query_is_shown_below_its_line() {
        let problem = Problem {
            text: Some("ConfigurationChange\n| where Compter == 'x'".to_owned()),
            diagnostics: vec![Diagnostic {
                code: "KQL201".to_owned(),
                message: "unknown column 'Compter'".to_owned(),
                line: 2,
                column: 9,
                end_line: 2,
                end_column: 16,
                expected: None,
                suggestion: Some("Computer".to_owned()),
                ..Diagnostic::default()
            }],
            ..Problem::default()
        };
        assert_eq!(
            problem.to_string(),
            "KQL201 at line 2, column 9: unknown column 'Compter'\n  | | where Compter == 'x'\n  |         ^^^^^^^\
             \n  did you mean 'Computer'?"
        );
    }

    #[test]
    fn a_mistake_in_one_of_several_texts_is_shown_in_that_one() {
        let problem = Problem {
            diagnostics: vec![Diagnostic {
                message: "`[` opens no set".to_owned(),
                line: 1,
                column: 2,
                end_line: 1,
                end_column: 3,
                field: Some("--exclude".to_owned()),
                text: Some("*[".to_owned()),
                ..Diagnostic::default()
            }],
            text: Some("/etc".to_owned()),
            ..Problem::default()
        };
        assert_eq!(problem.to_string(), "--exclude at column 2: `[` opens no set\n  | *[\n  |  ^");
    }

    #[test]
    fn of_a_long_line_what_is_near_the_mistake_is_shown() {
        let (before, after) = ("x".repeat(500), "y".repeat(500));
        let text = format!("{before}[{after}");
        let mistake =
            Diagnostic { line: 1, column: 501, end_line: 1, end_column: 502, ..Diagnostic::default() };
        let shown =
            Problem { text: Some(text), diagnostics: vec![mistake], ..Problem::default() }.to_string();
        let lines: Vec<&str> = shown.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() < 130), "{shown}");
        let mark = lines[2].chars().position(|c| c == '^').unwrap();
        assert_eq!(lines[1].chars().nth(mark), Some('['), "{shown}");
    }
}
