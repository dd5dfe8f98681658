//! What `;` separates: declarations and queries.

use super::{MAX_DEPTH, Parser};
use crate::ast::{ColumnNode, FunctionNode, Name, ParameterKind, ParameterNode, Statement};
use crate::diagnostic::{Code, Problem, Span};
use crate::lexer::TokenKind;
use crate::suggest::not_yet;
use crate::types::ScalarType;

impl Parser<'_> {
    /// The statements up to `end`, which is the brace that closes a function or the end of the text.
    pub(super) fn statements(&mut self, end: TokenKind) -> Vec<Statement> {
        let mut statements = Vec::new();
        loop {
            while self.take(TokenKind::Semicolon).is_some() {}
            if self.is_at(end) || self.is_at(TokenKind::End) {
                break;
            }
            let before = self.at;
            statements.push(self.statement());
            if !self.is_at(TokenKind::Semicolon) && !self.is_at(end) && !self.is_at(TokenKind::End) {
                self.leftover(end);
            }
            if self.at == before {
                self.bump();
            }
        }
        statements
    }

    /// Says that what follows belongs to nothing, and passes over it.
    fn leftover(&mut self, end: TokenKind) {
        let span = self.peek().span;
        let found = self.text_of(span);
        let message = match found {
            "=" => "'=' names a column; to compare, write '=='".to_owned(),
            _ => format!("'{found}' does not fit here"),
        };
        let is_operator = crate::operators::find(found).is_some();
        let expected = if is_operator { vec!["|"] } else { vec!["|", ";"] };
        self.problem(Problem::new(Code::Syntax, span, message).expecting(expected));
        self.skip_to(&[TokenKind::Semicolon, end]);
    }

    fn statement(&mut self) -> Statement {
        let start = self.peek().span;
        if self.is_word("let") && !matches!(self.kind_ahead(1), TokenKind::Bar | TokenKind::End) {
            self.bump();
            return self.let_statement();
        }
        if self.is_word("declare") && self.text_ahead(1) == "query_parameters" {
            self.bump();
            self.bump();
            return Statement::Parameters(self.parameters());
        }
        if self.is_word("set") && self.kind_ahead(1) == TokenKind::Word {
            self.bump();
            let name = self.name("the name of an option");
            let value = self.take(TokenKind::Assign).is_some().then(|| self.signed());
            return Statement::Setting { name, value };
        }
        for word in ["declare", "alias", "restrict"] {
            if self.is_word(word) && self.kind_ahead(1) == TokenKind::Word {
                return self.refused_statement(
                    start,
                    not_yet(&format!("'{word}'"), "declare values and functions by let"),
                );
            }
        }
        if self.is_at(TokenKind::Dot) && self.kind_ahead(1) == TokenKind::Word {
            let message = "management commands (they start with '.') are not supported";
            return self.refused_statement(start, message.to_owned());
        }
        Statement::Query(self.pipeline())
    }

    fn refused_statement(&mut self, span: Span, message: String) -> Statement {
        self.problem(Problem::new(Code::NotSupported, span, message));
        self.skip_to(&[TokenKind::Semicolon]);
        Statement::NotSupported(span)
    }

    fn let_statement(&mut self) -> Statement {
        let name = self.name("a name");
        self.expect(TokenKind::Assign, "=");
        let is_view = self.is_word("view") && self.kind_ahead(1) == TokenKind::OpenParen;
        if is_view || (self.is_at(TokenKind::OpenParen) && self.is_function_definition()) {
            return self.function(name);
        }
        Statement::Let { name, value: self.pipeline() }
    }

    /// Whether `(…) {` follows, which starts a function.
    fn is_function_definition(&self) -> bool {
        let mut open = 0_usize;
        for (position, token) in self.tokens.iter().enumerate().skip(self.at) {
            match token.kind {
                TokenKind::OpenParen => open += 1,
                TokenKind::CloseParen if open == 1 => {
                    return self
                        .tokens
                        .get(position + 1)
                        .is_some_and(|next| next.kind == TokenKind::OpenBrace);
                }
                TokenKind::CloseParen => open -= 1,
                TokenKind::Semicolon | TokenKind::Bar | TokenKind::End => return false,
                _ => {}
            }
        }
        false
    }

    /// `[view] (parameters) { statements }`
    fn function(&mut self, name: Name) -> Statement {
        let start = self.peek().span;
        let is_view = self.take_word("view");
        let parameters = self.parameters();
        if self.depth >= MAX_DEPTH {
            self.give_up(start);
            return Statement::NotSupported(start);
        }
        let mut body = Vec::new();
        if self.expect(TokenKind::OpenBrace, "{") {
            self.depth += 1;
            body = self.statements(TokenKind::CloseBrace);
            self.depth -= 1;
            self.expect(TokenKind::CloseBrace, "}");
        }
        let span = start.to(self.last_span());
        Statement::Function(FunctionNode { name, is_view, parameters, body, span })
    }

    /// `(name: type = default, table: (column: type, …), …)`
    fn parameters(&mut self) -> Vec<ParameterNode> {
        let mut parameters = Vec::new();
        if !self.expect(TokenKind::OpenParen, "(") {
            return parameters;
        }
        while !self.is_at(TokenKind::CloseParen) && !self.is_at(TokenKind::End) {
            parameters.push(self.parameter());
            if self.take(TokenKind::Comma).is_none() {
                break;
            }
        }
        if !self.expect(TokenKind::CloseParen, ")") {
            self.skip_to(&[TokenKind::OpenBrace, TokenKind::Semicolon]);
        }
        parameters
    }

    fn parameter(&mut self) -> ParameterNode {
        let name = self.name("the name of a parameter");
        self.expect(TokenKind::Colon, ":");
        if self.take(TokenKind::OpenParen).is_some() {
            let columns = match self.take(TokenKind::Star) {
                Some(_) => Vec::new(),
                None => self.column_declarations(TokenKind::CloseParen),
            };
            self.expect(TokenKind::CloseParen, ")");
            return ParameterNode { name, kind: ParameterKind::Table(columns), default: None };
        }
        let ty = self.declared_type("the type of the parameter");
        let default = self.take(TokenKind::Assign).is_some().then(|| self.expression());
        ParameterNode { name, kind: ParameterKind::Scalar(ty), default }
    }

    /// `name: type, …` up to `end`.
    pub(super) fn column_declarations(&mut self, end: TokenKind) -> Vec<ColumnNode> {
        let mut columns = Vec::new();
        while !self.is_at(end) {
            let name = self.name("the name of a column");
            self.expect(TokenKind::Colon, ":");
            let ty = self.declared_type("the type of the column");
            columns.push((name, ty));
            if self.take(TokenKind::Comma).is_none() {
                break;
            }
        }
        columns
    }

    /// The name of a type; none if there is no such type, which is told.
    fn declared_type(&mut self, expected: &str) -> Option<ScalarType> {
        let name = self.name(expected);
        let ty = ScalarType::from_name(&name.text);
        if ty.is_none() && !name.text.is_empty() {
            self.unknown_type(&name);
        }
        ty
    }
}
