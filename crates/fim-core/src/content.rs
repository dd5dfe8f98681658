//! Why there is no text of a file's content.

/// Why the text of a file was not stored.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum NoText {
    /// The file is larger than what is stored of one.
    TooLarge,
    /// The content is no text.
    NotText,
    /// The file held something else by the time that it was read for this.
    ChangedWhileRead,
    /// The file could not be read for this.
    Unreadable,
    /// What the server keeps of a machine or a workspace is full.
    LimitReached,
}

impl NoText {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::TooLarge, Self::NotText, Self::ChangedWhileRead, Self::Unreadable, Self::LimitReached];

    /// The most bytes of a file whose text is stored, and of that text.
    pub const MOST_BYTES: usize = 5_000_000;

    /// The word for it, between agent and server and in the database.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::NotText => "not-text",
            Self::ChangedWhileRead => "changed-while-read",
            Self::Unreadable => "unreadable",
            Self::LimitReached => "limit-reached",
        }
    }

    /// The reason that the word stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|why| why.word() == word)
    }

    /// True if the same content will never have a text.
    pub const fn is_final(self) -> bool {
        match self {
            Self::TooLarge | Self::NotText => true,
            Self::ChangedWhileRead | Self::Unreadable | Self::LimitReached => false,
        }
    }
}
