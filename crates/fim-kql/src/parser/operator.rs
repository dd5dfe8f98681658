//! What stands between two `|`.

use super::Parser;
use crate::ast::{ColumnPattern, Name, NamedNode, OperatorKind, OperatorNode, OrderedNode, Reorder};
use crate::diagnostic::{Code, Problem, Span};
use crate::lexer::TokenKind;
use crate::operators::{self, OperatorEntry, Syntax};
use crate::suggest::{OPERATORS_ELSEWHERE, nearest, not_yet, there_is_instead};

impl Parser<'_> {
    pub(crate) fn operator(&mut self) -> OperatorNode {
        let start = self.peek().span;
        if !self.is_at(TokenKind::Word) {
            self.expected("an operator");
            self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
            return OperatorNode { kind: OperatorKind::Invalid, span: start };
        }
        let name_span = self.hyphenated_word();
        let name = self.text_of(name_span);
        let kind = match operators::find(name) {
            Some(OperatorEntry { syntax: Some(syntax), .. }) => {
                self.skip_hints();
                self.known_operator(*syntax)
            }
            Some(OperatorEntry { syntax: None, instead, .. }) => {
                self.refuse(Code::NotSupported, name_span, not_yet(&format!("'{name}'"), instead), None)
            }
            None => {
                let names =
                    operators::ALL.iter().filter(|entry| entry.syntax.is_some()).map(|entry| entry.name);
                let suggestion = nearest(name, operators::ALL.iter().map(|entry| entry.name));
                let instead = match suggestion {
                    Some(_) => String::new(),
                    None => there_is_instead(name, OPERATORS_ELSEWHERE, names),
                };
                let message = format!("there is no operator '{name}'{instead}");
                self.refuse(Code::UnknownOperator, name_span, message, suggestion)
            }
        };
        if !self.is_at_end_of_operator() {
            self.leftover_in_operator();
        }
        OperatorNode { kind, span: start.to(self.last_span()) }
    }

    /// A word, or several that are joined by `-` without blanks: `project-away`.
    pub(super) fn hyphenated_word(&mut self) -> Span {
        let mut span = self.bump().span;
        while self.is_at(TokenKind::Minus)
            && self.kind_ahead(1) == TokenKind::Word
            && self.peek().span.start == span.end
            && self.tokens[self.at + 1].span.start == self.peek().span.end
        {
            self.bump();
            span = span.to(self.bump().span);
        }
        span
    }

    fn refuse(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        suggestion: Option<String>,
    ) -> OperatorKind {
        self.problem(Problem::new(code, span, message).suggesting(suggestion));
        self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
        OperatorKind::Invalid
    }

    pub(super) fn is_at_end_of_operator(&self) -> bool {
        matches!(
            self.peek().kind,
            TokenKind::Bar
                | TokenKind::Semicolon
                | TokenKind::End
                | TokenKind::CloseParen
                | TokenKind::CloseBracket
                | TokenKind::CloseBrace
        )
    }

    fn leftover_in_operator(&mut self) {
        let token = self.peek();
        let found = self.text_of(token.span);
        let message = match token.kind {
            TokenKind::Assign => "'=' names a column; to compare, write '=='".to_owned(),
            _ => format!("'{found}' does not fit here"),
        };
        let mut problem = Problem::new(Code::Syntax, token.span, message).expecting(["|", ";"]);
        if token.kind == TokenKind::Assign {
            problem = problem.expecting(["=="]);
        }
        self.problem(problem);
        self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
    }

    /// Hints tell an engine how to run an operator, never what it gives, so that they are passed over.
    pub(super) fn skip_hints(&mut self) {
        while self.is_word("hint") && self.kind_ahead(1) == TokenKind::Dot {
            for _ in 0..3 {
                self.bump();
            }
            if self.take(TokenKind::Assign).is_some() {
                self.bump();
            }
        }
    }

    fn known_operator(&mut self, syntax: Syntax) -> OperatorKind {
        match syntax {
            Syntax::Where => OperatorKind::Where(self.expression()),
            Syntax::Project => OperatorKind::Project(self.optional_list(Self::named)),
            Syntax::Extend => OperatorKind::Extend(self.list(Self::named)),
            Syntax::ProjectAway => OperatorKind::ProjectAway(self.list(Self::column_pattern)),
            Syntax::ProjectKeep => OperatorKind::ProjectKeep(self.list(Self::column_pattern)),
            Syntax::ProjectRename => OperatorKind::ProjectRename(self.list(Self::rename)),
            Syntax::ProjectReorder => OperatorKind::ProjectReorder(self.list(Self::reorder)),
            Syntax::Summarize => self.summarize(),
            Syntax::Sort => {
                self.expect_word("by");
                OperatorKind::Sort(self.list(Self::ordered))
            }
            Syntax::Take => OperatorKind::Take(self.expression()),
            Syntax::Top => {
                let count = self.expression();
                self.expect_word("by");
                OperatorKind::Top { count, key: self.ordered() }
            }
            Syntax::Distinct => OperatorKind::Distinct(self.list(Self::named)),
            Syntax::Count => {
                let name = self.take_word("as").then(|| self.name("the name of the column"));
                OperatorKind::Count(name)
            }
            Syntax::As => OperatorKind::As(self.name("a name for the rows")),
            Syntax::Join => self.join(false),
            Syntax::Lookup => self.join(true),
            Syntax::Union => self.union(),
            Syntax::Sample => OperatorKind::Sample(self.expression()),
            Syntax::SampleDistinct => {
                let count = self.expression();
                self.expect_word("of");
                OperatorKind::SampleDistinct { count, of: self.named() }
            }
            Syntax::Search => self.search(),
            Syntax::Serialize => OperatorKind::Serialize(self.optional_list(Self::named)),
            Syntax::GetSchema => OperatorKind::GetSchema,
            Syntax::Invoke => OperatorKind::Invoke(self.expression()),
            Syntax::Evaluate => self.evaluate(),
            Syntax::Render => self.render(),
            Syntax::Parse => self.parse_text(false),
            Syntax::ParseWhere => self.parse_text(true),
            Syntax::Expand => self.expand(false),
            Syntax::OldExpand => self.expand(true),
            Syntax::Apply => self.apply(),
            Syntax::Partition => self.partition(),
            Syntax::Series => self.series(),
            Syntax::TopNested => self.top_nested(),
        }
    }

    fn optional_list<T>(&mut self, item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        if self.is_at_end_of_operator() { Vec::new() } else { self.list(item) }
    }

    fn summarize(&mut self) -> OperatorKind {
        let aggregates: Vec<NamedNode> =
            if self.is_word("by") { Vec::new() } else { self.optional_list(Self::named) };
        let keys = if self.take_word("by") { self.list(Self::named) } else { Vec::new() };
        OperatorKind::Summarize { aggregates, keys }
    }

    fn ordered(&mut self) -> OrderedNode {
        let expr = self.named();
        let ascending = match () {
            () if self.take_word("asc") => Some(true),
            () if self.take_word("desc") => Some(false),
            () => None,
        };
        let mut nulls_first = None;
        if self.take_word("nulls") {
            nulls_first = match () {
                () if self.take_word("first") => Some(true),
                () if self.take_word("last") => Some(false),
                () => {
                    self.expected("first or last");
                    None
                }
            };
        }
        OrderedNode { expr, ascending, nulls_first }
    }

    fn rename(&mut self) -> (Name, Name) {
        let new = self.name("the new name of a column");
        self.expect(TokenKind::Assign, "=");
        (new, self.name("the name of a column"))
    }

    fn reorder(&mut self) -> (ColumnPattern, Option<Reorder>) {
        let pattern = self.column_pattern();
        if !self.is_at(TokenKind::Word) {
            return (pattern, None);
        }
        let start = self.at;
        let span = self.hyphenated_word();
        let order = match self.text_of(span) {
            "asc" => Some(Reorder::Ascending),
            "desc" => Some(Reorder::Descending),
            "granny-asc" => Some(Reorder::GrannyAscending),
            "granny-desc" => Some(Reorder::GrannyDescending),
            _ => {
                self.at = start;
                None
            }
        };
        (pattern, order)
    }

    /// A column name, or one with `*` in it: words, numbers and stars without blanks between them.
    pub(super) fn column_pattern(&mut self) -> ColumnPattern {
        if self.is_at(TokenKind::OpenBracket) {
            return ColumnPattern { name: self.name("the name of a column"), is_wildcard: false };
        }
        let mut span = self.peek().span;
        let mut is_wildcard = false;
        let start = self.at;
        while matches!(self.peek().kind, TokenKind::Word | TokenKind::Star | TokenKind::Long) {
            if self.at > start && self.peek().span.start != span.end {
                break;
            }
            is_wildcard |= self.is_at(TokenKind::Star);
            span = span.to(self.bump().span);
        }
        if self.at == start {
            return ColumnPattern { name: self.name("the name of a column"), is_wildcard: false };
        }
        ColumnPattern { name: Name { text: self.text_of(span).to_owned(), span }, is_wildcard }
    }
}
