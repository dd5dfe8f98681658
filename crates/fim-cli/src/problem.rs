//! The server's problem documents (RFC 9457) as a person reads them.

use std::fmt;

use serde::Deserialize;

/// What the server says went wrong.
#[derive(Debug, Default, Deserialize)]
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
#[derive(Debug, Default, Deserialize)]
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
    write!(f, "{} at line {}, column {}: {}", mistake.code, mistake.line, mistake.column, mistake.message)?;
    let line = text.and_then(|text| text.lines().nth(mistake.line.saturating_sub(1)));
    if let Some(line) = line {
        let width = if mistake.end_line == mistake.line {
            mistake.end_column.saturating_sub(mistake.column).max(1)
        } else {
            line.chars().count().saturating_sub(mistake.column - 1).max(1)
        };
        write!(f, "\n  | {line}\n  | {}{}", " ".repeat(mistake.column.saturating_sub(1)), "^".repeat(width))?;
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
            }],
            ..Problem::default()
        };
        assert_eq!(
            problem.to_string(),
            "KQL201 at line 2, column 9: unknown column 'Compter'\n  | | where Compter == 'x'\n  |         ^^^^^^^\
             \n  did you mean 'Computer'?"
        );
    }
}
