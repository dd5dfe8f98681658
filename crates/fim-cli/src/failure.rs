//! What can go wrong in a command, and the exit code that tells a script which it was.

use thiserror::Error;

use crate::problem::Problem;

/// A command that did not do what it was asked.
#[derive(Debug, Error)]
pub enum Failure {
    /// The server understood and refused: a mistake in the query, an unknown rule, a name that exists.
    #[error("{0}")]
    Refused(Box<Problem>),
    /// The arguments make no sense together.
    #[error("{0}")]
    Usage(String),
    /// The server could not be reached, or could not prove who it is.
    #[error("cannot reach {server}: {reason}")]
    Unreachable {
        /// The server's address.
        server: String,
        /// What happened, and what to do.
        reason: String,
        /// True if it was there and ended the connection.
        is_cut: bool,
    },
    /// The server does not know the caller, or the caller may not do this.
    #[error("{0}")]
    NotAllowed(Box<Problem>),
    /// Something on this machine is in the way: a port in use, a folder that cannot be written.
    #[error("{0}")]
    Local(String),
}

impl Failure {
    /// The failure with its mistakes shown in the text that was sent: a query, or a pattern.
    #[must_use]
    pub fn shown_in(self, text: &str) -> Self {
        match self {
            Self::Refused(mut problem) => {
                problem.text = Some(text.to_owned());
                Self::Refused(problem)
            }
            other => other,
        }
    }

    /// The failure with the options that a person typed in the place of the fields that were sent.
    #[must_use]
    pub fn with_options(self, options: &[(&str, &str)]) -> Self {
        let Self::Refused(mut problem) = self else { return self };
        for diagnostic in &mut problem.diagnostics {
            let field = diagnostic.field.as_deref();
            let option = options.iter().find(|(name, _)| field == Some(*name));
            diagnostic.field = option.map(|(_, option)| (*option).to_owned());
        }
        Self::Refused(problem)
    }

    /// The exit code, as `--help` documents it.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Refused(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable { .. } => 3,
            Self::NotAllowed(_) => 4,
            Self::Local(_) => 5,
        }
    }
}

/// What `--help` says of the exit codes.
pub const EXIT_CODES: &str = "Exit codes: 0 done, 1 the server refused the request, 2 usage, 3 the server cannot \
    be reached or trusted, 4 not signed in or not allowed, 5 something on this machine is in the way.";
