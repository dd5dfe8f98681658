//! What a pipeline starts with.

use super::Parser;
use crate::ast::{ExprNode, SourceNode};
use crate::diagnostic::{Code, Problem};
use crate::lexer::TokenKind;
use crate::operators;
use crate::suggest::not_yet;

impl Parser<'_> {
    /// Whether the next word starts a source that is no expression.
    pub(crate) fn starts_source(&self) -> bool {
        let next = self.kind_ahead(1);
        match self.peek_text() {
            _ if !self.is_at(TokenKind::Word) => false,
            "print" => !matches!(
                next,
                TokenKind::Assign | TokenKind::Bar | TokenKind::Semicolon | TokenKind::End | TokenKind::Comma
            ),
            "range" => matches!(next, TokenKind::Word | TokenKind::OpenBracket),
            "datatable" => next == TokenKind::OpenParen,
            "externaldata" | "external_data" => next == TokenKind::OpenParen,
            "union" | "search" | "find" | "evaluate" => {
                matches!(next, TokenKind::Word | TokenKind::Text | TokenKind::OpenParen | TokenKind::Star)
                    || (next == TokenKind::OpenBracket && self.kind_ahead(2) == TokenKind::Text)
            }
            _ => false,
        }
    }

    pub(crate) fn source(&mut self) -> SourceNode {
        if self.starts_source() {
            return self.keyword_source();
        }
        if self.is_at(TokenKind::Bar) || self.is_at(TokenKind::End) || self.is_at(TokenKind::Semicolon) {
            self.expected("a table");
            return SourceNode::Invalid;
        }
        if self.is_operator_without_table() {
            let word = self.peek();
            let message = format!("'{}' needs a table before it: Table | {0} …", self.peek_text());
            self.problem(Problem::new(Code::Syntax, word.span, message).expecting(["a table"]));
            self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
            return SourceNode::Invalid;
        }
        let node = self.expression();
        SourceNode::of_expression(node)
    }

    /// Whether the text starts with an operator and its arguments, as in `where x == 1`.
    fn is_operator_without_table(&self) -> bool {
        let is_operator = self.is_at(TokenKind::Word) && operators::find(self.peek_text()).is_some();
        is_operator
            && matches!(
                self.kind_ahead(1),
                TokenKind::Word | TokenKind::Long | TokenKind::Text | TokenKind::OpenBracket
            )
    }

    fn keyword_source(&mut self) -> SourceNode {
        if matches!(self.peek_text(), "union" | "search" | "evaluate") {
            return SourceNode::Operator(Box::new(self.operator()));
        }
        let keyword = self.bump();
        match self.text_of(keyword.span) {
            "print" => SourceNode::Print(self.list(Self::named)),
            "range" => self.range(),
            "datatable" => self.data_table(),
            other => {
                let instead = operators::find(other).map_or("", |entry| entry.instead);
                let message = not_yet(&format!("'{other}'"), instead);
                let problem = Problem::new(Code::NotSupported, keyword.span, message);
                self.problem(problem);
                self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
                SourceNode::Invalid
            }
        }
    }

    fn range(&mut self) -> SourceNode {
        let name = self.name("the name of the column");
        self.expect_word("from");
        let from = self.expression();
        self.expect_word("to");
        let to = self.expression();
        self.expect_word("step");
        let step = self.expression();
        SourceNode::Range { name, from, to, step }
    }

    fn data_table(&mut self) -> SourceNode {
        self.bump();
        let columns = self.column_declarations(TokenKind::CloseParen);
        self.expect(TokenKind::CloseParen, ")");
        let open = self.peek().span;
        let mut values = Vec::new();
        if self.expect(TokenKind::OpenBracket, "[") {
            while !self.is_at(TokenKind::CloseBracket) && !self.is_at(TokenKind::End) {
                values.push(self.data_table_value());
                if self.take(TokenKind::Comma).is_none() {
                    break;
                }
            }
            if !self.expect(TokenKind::CloseBracket, "]") {
                self.skip_to(&[TokenKind::CloseBracket, TokenKind::Bar, TokenKind::Semicolon]);
                self.take(TokenKind::CloseBracket);
            }
        }
        let values_span = open.to(self.last_span());
        SourceNode::DataTable { columns, values, values_span }
    }

    /// A literal, with a sign or without.
    fn data_table_value(&mut self) -> ExprNode {
        match self.peek().kind {
            TokenKind::Comma | TokenKind::CloseBracket => self.missing("a value"),
            _ => self.signed(),
        }
    }
}
