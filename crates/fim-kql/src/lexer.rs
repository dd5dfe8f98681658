//! Text to tokens. Every byte of the text belongs to exactly one token, and no text is refused.

use crate::diagnostic::{Code, Problem, Span};

/// What a token is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TokenKind {
    /// Blanks and line ends.
    Whitespace,
    /// `// …` up to the end of the line.
    Comment,
    /// A name or keyword; which of them, only the parser can say. Also `in~`.
    Word,
    /// `!` and a word: `!has`, `!in~`, `!between`.
    BangWord,
    /// An integer, decimal or hexadecimal.
    Long,
    /// A number with a point or exponent.
    Real,
    /// A number with a unit of time: `1.5h`.
    TimeSpan,
    /// A text in any of its forms: `"…"`, `'…'`, `@"…"`, `h"…"`, ```` ```…``` ````.
    Text,
    /// A type with a literal in parentheses: `datetime(2026-11-22)`.
    Typed,
    /// `|`
    Bar,
    /// `(`
    OpenParen,
    /// `)`
    CloseParen,
    /// `[`
    OpenBracket,
    /// `]`
    CloseBracket,
    /// `{`
    OpenBrace,
    /// `}`
    CloseBrace,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// `:`
    Colon,
    /// `.`
    Dot,
    /// `..`
    DotDot,
    /// `=`
    Assign,
    /// `=>`
    Arrow,
    /// `==`
    Equal,
    /// `!=` and `<>`
    NotEqual,
    /// `=~`
    EqualTilde,
    /// `!~`
    NotEqualTilde,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Star,
    /// `/`
    Slash,
    /// `%`
    Percent,
    /// Characters that nothing starts with.
    Unknown,
    /// The place after the last character. It is empty and only the parser sees it.
    End,
}

impl TokenKind {
    /// Whether the parser passes over it.
    pub fn is_trivia(self) -> bool {
        matches!(self, TokenKind::Whitespace | TokenKind::Comment | TokenKind::Unknown)
    }
}

/// A piece of the text.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
}

/// Cuts `text` into tokens that cover it without a hole.
pub fn tokenize(text: &str) -> Vec<Token> {
    scan(text).0
}

/// The tokens, and what is wrong with them by themselves.
pub(crate) fn scan(text: &str) -> (Vec<Token>, Vec<Problem>) {
    let mut lexer = Lexer { text, at: 0, problems: Vec::new() };
    let mut tokens: Vec<Token> = Vec::new();
    while lexer.at < text.len() {
        let start = lexer.at;
        let kind = lexer.next_kind();
        let span = Span::new(start, lexer.at);
        match tokens.last_mut() {
            // A run of unknown characters is one mistake, not one for each of them.
            Some(last) if last.kind == TokenKind::Unknown && kind == TokenKind::Unknown => {
                last.span.end = span.end;
            }
            Some(_) | None => tokens.push(Token { kind, span }),
        }
    }
    for token in tokens.iter().filter(|token| token.kind == TokenKind::Unknown) {
        let message = format!("'{}' is not part of the language", &text[token.span.start..token.span.end]);
        lexer.problems.push(Problem::new(Code::UnexpectedCharacter, token.span, message));
    }
    (tokens, lexer.problems)
}

struct Lexer<'t> {
    text: &'t str,
    at: usize,
    problems: Vec<Problem>,
}

impl<'t> Lexer<'t> {
    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn take_while(&mut self, accepts: impl Fn(char) -> bool) {
        let rest = self.rest();
        self.at += rest.find(|c| !accepts(c)).unwrap_or(rest.len());
    }

    fn next_kind(&mut self) -> TokenKind {
        let rest = self.rest();
        let first = rest.chars().next().unwrap_or(' ');
        if is_blank(first) {
            self.take_while(is_blank);
            return TokenKind::Whitespace;
        }
        if rest.starts_with("//") {
            self.take_while(|c| !matches!(c, '\n' | '\r' | '\u{2028}' | '\u{2029}'));
            return TokenKind::Comment;
        }
        if let Some(kind) = self.text_literal() {
            return kind;
        }
        if first.is_ascii_digit() {
            return self.number();
        }
        if is_word_start(first) {
            return self.word();
        }
        if first == '!' && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            self.at += 1;
            self.take_while(is_word_part);
            self.take_tilde_of_in();
            return TokenKind::BangWord;
        }
        self.punctuation(first)
    }

    fn punctuation(&mut self, first: char) -> TokenKind {
        let rest = self.rest();
        if let Some((symbol, kind)) = PUNCTUATION.iter().find(|(symbol, _)| rest.starts_with(symbol)) {
            self.at += symbol.len();
            return *kind;
        }
        self.at += first.len_utf8();
        TokenKind::Unknown
    }

    /// A name, or a typed literal if the name is a type and a literal follows in parentheses.
    fn word(&mut self) -> TokenKind {
        let start = self.at;
        self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        self.take_while(is_word_part);
        let word = &self.text[start..self.at];
        if TYPED_LITERALS.contains(&word)
            && let Some(length) = typed_literal_length(self.rest())
        {
            self.at += length;
            return TokenKind::Typed;
        }
        if word == "in" {
            self.take_tilde_of_in();
        }
        TokenKind::Word
    }

    fn take_tilde_of_in(&mut self) {
        let before = &self.text[..self.at];
        let is_in = before.ends_with("in") && !before[..before.len() - 2].ends_with(is_word_part);
        if is_in && self.rest().starts_with('~') {
            self.at += 1;
        }
    }

    fn number(&mut self) -> TokenKind {
        if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            let digits = self.rest()[2..].chars().take_while(char::is_ascii_hexdigit).count();
            let after = self.rest()[2 + digits..].chars().next();
            if digits > 0 && !after.is_some_and(is_word_part) {
                self.at += 2 + digits;
                return TokenKind::Long;
            }
        }
        self.take_while(|c| c.is_ascii_digit());
        let integer_end = self.at;
        // In `1..10` the number ends before the two points.
        let has_point = self.rest().starts_with('.') && !self.rest().starts_with("..");
        if has_point {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let mantissa_end = self.at;
        self.take_while(is_word_part);
        let unit = &self.text[mantissa_end..self.at];
        if unit.is_empty() {
            return if has_point { TokenKind::Real } else { TokenKind::Long };
        }
        if crate::literal::unit_ticks(unit).is_some() {
            return TokenKind::TimeSpan;
        }
        if let Some(length) = exponent_length(&self.text[mantissa_end..]) {
            self.at = mantissa_end + length;
            if !self.rest().starts_with(is_word_part) {
                return TokenKind::Real;
            }
        }
        if has_point {
            self.at = mantissa_end;
            return TokenKind::Real;
        }
        // A name may start with digits, as `4688_events`.
        self.at = integer_end;
        self.take_while(is_word_part);
        TokenKind::Word
    }

    /// A text in any of its forms, or none if none starts here.
    fn text_literal(&mut self) -> Option<TokenKind> {
        let start = self.at;
        let rest = self.rest();
        let body = rest.strip_prefix(['h', 'H']).unwrap_or(rest);
        let prefix = rest.len() - body.len();
        for fence in ["```", "~~~"] {
            if let Some(inner) = body.strip_prefix(fence) {
                self.at += prefix + 3;
                match inner.find(fence) {
                    Some(length) => self.at += length + 3,
                    None => {
                        self.at = self.text.len();
                        self.unterminated(start, fence);
                    }
                }
                return Some(TokenKind::Text);
            }
        }
        let is_verbatim = body.starts_with('@');
        let quoted = if is_verbatim { &body[1..] } else { body };
        let quote = quoted.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        self.at += prefix + usize::from(is_verbatim) + 1;
        if !self.take_quoted(quote, is_verbatim) {
            self.unterminated(start, if quote == '"' { "\"" } else { "'" });
        }
        Some(TokenKind::Text)
    }

    /// Takes up to and including the closing quote, or to the end of the line and gives false.
    fn take_quoted(&mut self, quote: char, is_verbatim: bool) -> bool {
        while let Some(c) = self.rest().chars().next() {
            if matches!(c, '\n' | '\r') {
                return false;
            }
            self.at += c.len_utf8();
            if c == '\\' && !is_verbatim {
                if let Some(escaped) = self.rest().chars().next().filter(|c| !matches!(c, '\n' | '\r')) {
                    self.at += escaped.len_utf8();
                }
            } else if c == quote {
                if is_verbatim && self.rest().starts_with(quote) {
                    self.at += 1;
                } else {
                    return true;
                }
            }
        }
        false
    }

    fn unterminated(&mut self, start: usize, closing: &str) {
        let message = format!("this text is not closed; write {closing} at its end");
        let problem = Problem::new(Code::UnterminatedString, Span::new(start, self.at), message);
        self.problems.push(problem.expecting([closing]));
    }
}

fn is_blank(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{180e}' | '\u{200b}' | '\u{feff}')
}

fn is_word_start(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | '$')
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The length of `e5`, `E-3` … at the start of `text`.
fn exponent_length(text: &str) -> Option<usize> {
    let digits = text.strip_prefix(['e', 'E'])?;
    let unsigned = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    let count = unsigned.chars().take_while(char::is_ascii_digit).count();
    (count > 0).then_some(text.len() - unsigned.len() + count)
}

/// The length of `(…)` after a type's name if what is inside can be a literal: a quoted text, or anything
/// without parentheses and quotes on one line.
fn typed_literal_length(text: &str) -> Option<usize> {
    let open = text.find(|c| !matches!(c, ' ' | '\t'))?;
    let inside = text[open..].strip_prefix('(')?;
    let mut quote = None;
    for (position, c) in inside.char_indices() {
        match (c, quote) {
            ('\n' | '\r', _) => return None,
            (c, Some(open_quote)) if c == open_quote => quote = None,
            (_, Some(_)) => {}
            ('"' | '\'', None) => quote = Some(c),
            ('(', None) => return None,
            (')', None) => return Some(open + 1 + position + 1),
            (_, None) => {}
        }
    }
    None
}

/// The types whose literals are written `type(…)`. `dynamic(…)` holds a value with a grammar of its own.
const TYPED_LITERALS: [&str; 16] = [
    "bool", "boolean", "date", "datetime", "decimal", "double", "guid", "int", "int32", "int64", "long",
    "real", "time", "timespan", "uniqueid", "uuid",
];

/// Longest first, so that the first that fits is right.
const PUNCTUATION: [(&str, TokenKind); 28] = [
    ("==", TokenKind::Equal),
    ("=~", TokenKind::EqualTilde),
    ("=>", TokenKind::Arrow),
    ("!=", TokenKind::NotEqual),
    ("!~", TokenKind::NotEqualTilde),
    ("<>", TokenKind::NotEqual),
    ("<=", TokenKind::LessOrEqual),
    (">=", TokenKind::GreaterOrEqual),
    ("..", TokenKind::DotDot),
    ("=", TokenKind::Assign),
    ("<", TokenKind::Less),
    (">", TokenKind::Greater),
    ("|", TokenKind::Bar),
    ("(", TokenKind::OpenParen),
    (")", TokenKind::CloseParen),
    ("[", TokenKind::OpenBracket),
    ("]", TokenKind::CloseBracket),
    ("{", TokenKind::OpenBrace),
    ("}", TokenKind::CloseBrace),
    (",", TokenKind::Comma),
    (";", TokenKind::Semicolon),
    (":", TokenKind::Colon),
    (".", TokenKind::Dot),
    ("+", TokenKind::Plus),
    ("-", TokenKind::Minus),
    ("*", TokenKind::Star),
    ("/", TokenKind::Slash),
    ("%", TokenKind::Percent),
];
