//! What is told to the log that the system keeps for everybody.

/// Who tells it, by the name that the system's log knows.
pub const EVENT_SOURCE: &str = "Steadfast Agent";

/// A message for the system's log. Its number and what it says never change; what it says is in the program's messages,
/// with a place for one text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event<'t> {
    /// The service is at work.
    Started {
        /// The version of the program.
        version: &'t str,
    },
    /// The service has stopped, as it was told to.
    Stopped {
        /// What told it.
        asked_by: &'t str,
    },
    /// The service has failed, or could not be made one.
    Failed {
        /// Why.
        why: &'t str,
    },
    /// The machine was not enrolled.
    EnrollmentFailed {
        /// Why not.
        why: &'t str,
    },
}

/// How much a message matters.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Severity {
    /// All is as it should be.
    Information,
    /// Somebody has to do something.
    Error,
}

impl Event<'_> {
    /// The number of the message.
    pub fn id(&self) -> u32 {
        match self {
            Self::Started { .. } => 1,
            Self::Stopped { .. } => 2,
            Self::Failed { .. } => 3,
            Self::EnrollmentFailed { .. } => 4,
        }
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        match self {
            Self::Started { .. } | Self::Stopped { .. } => Severity::Information,
            Self::Failed { .. } | Self::EnrollmentFailed { .. } => Severity::Error,
        }
    }

    /// The text for the place in the message: no longer than the log takes, and without what it would take for the end or
    /// for a place for something else.
    pub fn text(&self) -> String {
        let (Self::Started { version: text }
        | Self::Stopped { asked_by: text }
        | Self::Failed { why: text }
        | Self::EnrollmentFailed { why: text }) = self;
        let told = text.chars().take(LONGEST_TEXT);
        told.map(|character| match character {
            '\0' => char::REPLACEMENT_CHARACTER,
            '%' => '\u{ff05}',
            other => other,
        })
        .collect()
    }
}

/// A quarter of what the log takes (31,839 units), so that no character needs more.
const LONGEST_TEXT: usize = 7_900;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_a_number_of_its_own_and_a_text_that_the_log_takes() {
        let events = [
            Event::Started { version: "1.0" },
            Event::Stopped { asked_by: "1.0" },
            Event::Failed { why: "1.0" },
            Event::EnrollmentFailed { why: "1.0" },
        ];
        assert_eq!(events.map(|event| event.id()), [1, 2, 3, 4]);
        assert_eq!(
            events.map(|event| event.severity()),
            [Severity::Information, Severity::Information, Severity::Error, Severity::Error]
        );
        assert_eq!(events.map(|event| event.text()), ["1.0"; 4]);
        assert_eq!(Event::Failed { why: "50%1 \0of" }.text(), "50\u{ff05}1 \u{fffd}of");
        let long = "\u{1f600}".repeat(100_000);
        assert!(Event::Failed { why: &long }.text().encode_utf16().count() < 31_839);
    }
}
