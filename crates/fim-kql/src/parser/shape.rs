//! Operators that take a value apart: `parse` and `mv-expand`.

use super::Parser;
use crate::ast::{ExpandNode, OperatorKind, ParseKind, ParseNode, ParsePart};
use crate::diagnostic::{Code, Problem};
use crate::lexer::TokenKind;
use crate::types::ScalarType;

impl Parser<'_> {
    /// `kind=regex flags=i text with * "a" b: long *`
    pub(super) fn parse_text(&mut self, is_where: bool) -> OperatorKind {
        let mut kind = ParseKind::Simple;
        if let Some(word) = self.option("kind") {
            kind = match word.as_str() {
                "simple" => ParseKind::Simple,
                "relaxed" => ParseKind::Relaxed,
                "regex" => ParseKind::Regex,
                _ => {
                    let message = format!("there is no kind '{word}' of parse");
                    let problem = Problem::new(Code::Syntax, self.last_span(), message);
                    self.problem(problem.expecting(["simple", "regex", "relaxed"]));
                    kind
                }
            };
        }
        let flags = self.option("flags").unwrap_or_default();
        let text = self.expression();
        self.expect_word("with");
        let mut pattern = Vec::new();
        while !self.is_at_end_of_operator() {
            let span = self.peek().span;
            if self.take(TokenKind::Star).is_some() {
                pattern.push(ParsePart::Any(span));
            } else if let Some(token) = self.take(TokenKind::Text) {
                pattern.push(ParsePart::Text(self.text_value(token.span), token.span));
            } else if let Some(name) = self.take_name() {
                let ty = if self.take(TokenKind::Colon).is_some() { self.type_name() } else { None };
                pattern.push(ParsePart::Column(name, ty.unwrap_or(ScalarType::String)));
            } else {
                self.expected("a text, a column or *");
                break;
            }
        }
        if pattern.is_empty() {
            self.expected("a pattern");
        }
        OperatorKind::Parse(ParseNode { is_where, kind, flags, text, pattern })
    }

    /// `kind=array with_itemindex=i a = b to typeof(long), … limit 5`
    pub(super) fn expand(&mut self, is_old: bool) -> OperatorKind {
        OperatorKind::Expand(self.expansion(is_old))
    }

    pub(super) fn expansion(&mut self, is_old: bool) -> ExpandNode {
        let mut makes_pairs = false;
        let mut index = None;
        loop {
            if let Some(kind) = self.option("kind").or_else(|| self.option("bagexpansion")) {
                makes_pairs = kind == "array";
                if !matches!(kind.as_str(), "array" | "bag") {
                    let message = format!("there is no kind '{kind}' of mv-expand");
                    let problem = Problem::new(Code::Syntax, self.last_span(), message);
                    self.problem(problem.expecting(["bag", "array"]));
                }
            } else if self.is_word("with_itemindex") && self.kind_ahead(1) == TokenKind::Assign {
                self.bump();
                self.bump();
                index = Some(self.name("the name of the column of positions"));
            } else {
                break;
            }
        }
        let items = self.list(|parser| {
            let item = parser.named();
            let mut ty = None;
            if parser.take_word("to") {
                parser.expect_word("typeof");
                parser.expect(TokenKind::OpenParen, "(");
                ty = parser.type_name();
                parser.expect(TokenKind::CloseParen, ")");
            }
            (item, ty)
        });
        let limit = self.take_word("limit").then(|| self.expression());
        ExpandNode { is_old, makes_pairs, index, items, limit }
    }

    /// The word behind `name =`, if that is what stands here.
    pub(super) fn option(&mut self, name: &str) -> Option<String> {
        let is_option = self.is_word(name)
            && self.kind_ahead(1) == TokenKind::Assign
            && self.kind_ahead(2) == TokenKind::Word;
        if !is_option {
            return None;
        }
        self.bump();
        self.bump();
        let word = self.bump();
        Some(self.text_of(word.span).to_owned())
    }

    fn type_name(&mut self) -> Option<ScalarType> {
        let name = self.name("the name of a type");
        let ty = ScalarType::from_name(&name.text);
        if ty.is_none() && !name.text.is_empty() {
            self.unknown_type(&name);
        }
        ty
    }
}
