//! Tokens to a tree. The parser never fails: where something is wrong it says so, leaves a gap and goes on at the
//! next `,`, `|` or `;`.

mod expression;
mod groups;
mod operator;
mod shape;
mod source;
mod statement;
mod table;

pub(crate) use expression::search_match;
pub(crate) use table::JOIN_KINDS;

use crate::ast::{Ast, ExprNode, Name, NamedNode, Pipeline, SourceNode};
use crate::diagnostic::{Code, Diagnostic, Problem, Span, locate};
use crate::lexer::{Token, TokenKind, scan};
use crate::literal;

/// Parses `text`. There is always a tree; what is wrong with it is in the diagnostics, in the order of the text.
pub fn parse(text: &str) -> (Ast, Vec<Diagnostic>) {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the query has {} bytes; the most is {MAX_TEXT_BYTES}", text.len());
        let problem = Problem::new(Code::TooLarge, Span::default(), message);
        return (Ast { text: String::new(), statements: Vec::new() }, locate("", vec![problem]));
    }
    let (tokens, problems) = scan(text);
    let end = Token { kind: TokenKind::End, span: Span::new(text.len(), text.len()) };
    let tokens = tokens.into_iter().filter(|token| !token.kind.is_trivia()).chain([end]).collect();
    let mut parser = Parser { text, tokens, at: 0, depth: 0, is_in_search: false, gave_up: false, problems };
    let statements = parser.statements(TokenKind::End);
    (Ast { text: text.to_owned(), statements }, locate(text, parser.problems))
}

/// The longest text that is parsed, in bytes.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// How deep expressions and parentheses may nest. It keeps recursion over the tree within a small stack.
pub const MAX_DEPTH: u16 = 100;

pub(crate) struct Parser<'t> {
    text: &'t str,
    /// Without trivia; the last is [`TokenKind::End`].
    tokens: Vec<Token>,
    at: usize,
    depth: u16,
    /// Whether the predicate of a `search` is being read, where `Column: "text"` is an operator.
    is_in_search: bool,
    /// Set when the text nests too deep: the rest is not looked at, and nothing more is said.
    gave_up: bool,
    problems: Vec<Problem>,
}

impl<'t> Parser<'t> {
    pub(crate) fn pipeline(&mut self) -> Pipeline {
        let start = self.peek().span;
        self.pipeline_behind(None, start)
    }

    /// The source, unless it was read already, and the operators behind it.
    pub(crate) fn pipeline_behind(&mut self, source: Option<SourceNode>, start: Span) -> Pipeline {
        let source = match source {
            Some(source) => source,
            None => self.source(),
        };
        let mut operators = Vec::new();
        while self.take(TokenKind::Bar).is_some() {
            operators.push(self.operator());
        }
        Pipeline { source, operators, span: start.to(self.last_span()) }
    }

    /// `name`, `['a name']`, or a keyword where only a name can stand.
    pub(crate) fn name(&mut self, expected: &str) -> Name {
        if let Some(name) = self.take_name() {
            return name;
        }
        self.expected(expected);
        Name { text: String::new(), span: self.gap() }
    }

    pub(crate) fn take_name(&mut self) -> Option<Name> {
        let token = self.peek();
        match token.kind {
            TokenKind::Word => {
                self.bump();
                Some(Name { text: self.text_of(token.span).to_owned(), span: token.span })
            }
            TokenKind::OpenBracket => self.bracketed_name(),
            _ => None,
        }
    }

    fn bracketed_name(&mut self) -> Option<Name> {
        if self.kind_ahead(1) != TokenKind::Text || self.kind_ahead(2) != TokenKind::CloseBracket {
            return None;
        }
        let open = self.bump();
        let text = self.bump();
        let close = self.bump();
        let text = literal::string(self.text_of(text.span)).unwrap_or_default();
        Some(Name { text, span: open.span.to(close.span) })
    }

    /// `x = expression`, `(x, y) = expression` or an expression.
    pub(crate) fn named(&mut self) -> NamedNode {
        let names = self.names_before_assign();
        NamedNode { names, expr: self.expression() }
    }

    pub(super) fn names_before_assign(&mut self) -> Vec<Name> {
        let name_length = match self.peek().kind {
            TokenKind::Word => 1,
            TokenKind::OpenBracket => 3,
            TokenKind::OpenParen => return self.name_list_before_assign(),
            _ => return Vec::new(),
        };
        if self.kind_ahead(name_length) != TokenKind::Assign {
            return Vec::new();
        }
        let Some(name) = self.take_name() else { return Vec::new() };
        self.bump();
        vec![name]
    }

    fn name_list_before_assign(&mut self) -> Vec<Name> {
        let start = self.at;
        self.bump();
        let mut names = Vec::new();
        while let Some(name) = self.take_name() {
            names.push(name);
            if self.take(TokenKind::Comma).is_none() {
                break;
            }
        }
        if self.take(TokenKind::CloseParen).is_some() && self.take(TokenKind::Assign).is_some() {
            return names;
        }
        self.at = start;
        Vec::new()
    }

    /// At least one item, with commas between them. A missing comma is told and the list goes on.
    pub(crate) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        loop {
            let before = self.at;
            items.push(item(self));
            if self.take(TokenKind::Comma).is_some() {
                continue;
            }
            // An item that takes nothing would be asked for again without end.
            if self.at == before || !self.recover_missing_comma() {
                return items;
            }
        }
    }

    fn recover_missing_comma(&mut self) -> bool {
        let starts_item = match self.peek().kind {
            TokenKind::Word => !CLAUSE_WORDS.contains(&self.peek_text()),
            TokenKind::Text | TokenKind::Long | TokenKind::Real | TokenKind::TimeSpan | TokenKind::Typed => {
                true
            }
            _ => false,
        };
        if starts_item {
            self.expected(",");
        }
        starts_item && !self.gave_up
    }

    // What follows reads and moves over tokens.

    pub(crate) fn peek(&self) -> Token {
        self.tokens[self.at]
    }

    pub(crate) fn peek_text(&self) -> &'t str {
        self.text_of(self.peek().span)
    }

    pub(crate) fn text_of(&self, span: Span) -> &'t str {
        &self.text[span.start..span.end]
    }

    pub(crate) fn kind_ahead(&self, count: usize) -> TokenKind {
        self.tokens.get(self.at + count).map_or(TokenKind::End, |token| token.kind)
    }

    /// The text of the token so many places on; empty behind the last.
    pub(crate) fn text_ahead(&self, count: usize) -> &'t str {
        self.tokens.get(self.at + count).map_or("", |token| self.text_of(token.span))
    }

    pub(crate) fn is_at(&self, kind: TokenKind) -> bool {
        self.peek().kind == kind
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.is_at(TokenKind::Word) && self.peek_text() == word
    }

    pub(crate) fn bump(&mut self) -> Token {
        let token = self.peek();
        if token.kind != TokenKind::End {
            self.at += 1;
        }
        token
    }

    pub(crate) fn take(&mut self, kind: TokenKind) -> Option<Token> {
        self.is_at(kind).then(|| self.bump())
    }

    pub(crate) fn take_word(&mut self, word: &str) -> bool {
        let is_word = self.is_word(word);
        if is_word {
            self.bump();
        }
        is_word
    }

    pub(crate) fn expect(&mut self, kind: TokenKind, spelling: &str) -> bool {
        let found = self.take(kind).is_some();
        if !found {
            self.expected(spelling);
        }
        found
    }

    pub(crate) fn expect_word(&mut self, word: &str) {
        if !self.take_word(word) {
            self.expected(word);
        }
    }

    /// The span of the token before the current one.
    pub(crate) fn last_span(&self) -> Span {
        match self.at.checked_sub(1) {
            Some(before) => self.tokens[before].span,
            None => Span::default(),
        }
    }

    /// The empty place before the current token.
    pub(crate) fn gap(&self) -> Span {
        let at = self.peek().span.start;
        Span::new(at, at)
    }

    pub(crate) fn missing(&mut self, expected: &str) -> ExprNode {
        self.expected(expected);
        ExprNode::missing(self.gap())
    }

    pub(crate) fn expected(&mut self, what: &str) {
        let token = self.peek();
        let message = match token.kind {
            TokenKind::End => format!("the query ends where {what} is needed"),
            _ => format!("'{}' stands where {what} is needed", self.text_of(token.span)),
        };
        self.problem(Problem::new(Code::Syntax, token.span, message).expecting([what]));
    }

    pub(crate) fn problem(&mut self, problem: Problem) {
        if !self.gave_up {
            self.problems.push(problem);
        }
    }

    /// Stops: everything after is taken as read, so that hostile text costs no stack and no flood of messages.
    pub(crate) fn give_up(&mut self, span: Span) {
        let message = format!("the query nests deeper than {MAX_DEPTH} levels");
        self.problem(Problem::new(Code::TooDeep, span, message));
        self.gave_up = true;
        self.at = self.tokens.len() - 1;
    }

    /// Moves to the first token outside of brackets that is one of `stops`, `|`, or closes an outer bracket.
    pub(crate) fn skip_to(&mut self, stops: &[TokenKind]) {
        let mut open = 0_usize;
        loop {
            let kind = self.peek().kind;
            match kind {
                TokenKind::End => return,
                _ if open == 0 && stops.contains(&kind) => return,
                TokenKind::OpenParen | TokenKind::OpenBracket | TokenKind::OpenBrace => open += 1,
                TokenKind::CloseParen | TokenKind::CloseBracket | TokenKind::CloseBrace => {
                    if open == 0 && stops.contains(&TokenKind::Bar) {
                        return;
                    }
                    open = open.saturating_sub(1);
                }
                _ => {}
            }
            self.bump();
        }
    }
}

/// Words that follow a list, so that one of them is not taken for an item whose comma was forgotten.
const CLAUSE_WORDS: [&str; 15] = [
    "limit", "by", "asc", "desc", "nulls", "on", "of", "with", "step", "to", "from", "as", "and", "or",
    "granny",
];
