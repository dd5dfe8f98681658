//! Operators that take other tables, and those whose arguments have forms of their own.

use super::Parser;
use crate::ast::{
    EvaluateNode, ExprNode, JoinNode, JoinWord, Name, OperatorKind, OutputSchemaNode, Pipeline, RenderNode,
    SearchNode, SourceNode, TableNode, UnionNode,
};
use crate::diagnostic::{Code, Problem};
use crate::lexer::TokenKind;
use crate::plan::JoinKind;
use crate::suggest::nearest;

impl Parser<'_> {
    /// `[kind=…] Table on key, …`
    pub(super) fn join(&mut self, is_lookup: bool) -> OperatorKind {
        let mut kind = None;
        for (name, value) in self.settings(&["kind"]) {
            if name.text == "kind" {
                kind = self.join_kind(&value, is_lookup);
            }
        }
        let table = self.table_operand();
        self.expect_word("on");
        let on = self.list(Self::expression);
        OperatorKind::Join(Box::new(JoinNode { is_lookup, kind, table, on }))
    }

    fn join_kind(&mut self, name: &Name, is_lookup: bool) -> Option<JoinWord> {
        let is_allowed = |word: &JoinWord| {
            !is_lookup || matches!(word, JoinWord::Plain(JoinKind::LeftOuter | JoinKind::Inner))
        };
        let allowed = JOIN_KINDS.iter().filter(|(_, word)| is_allowed(word));
        if let Some((_, word)) = allowed.clone().find(|(text, _)| *text == name.text) {
            return Some(*word);
        }
        let names: Vec<&str> = allowed.map(|(text, _)| *text).collect();
        let operator = if is_lookup { "lookup" } else { "join" };
        let message = format!("there is no {operator} of the kind '{}'", name.text);
        let suggestion = nearest(&name.text, names.iter().copied());
        self.problem(Problem::new(Code::Syntax, name.span, message).expecting(names).suggesting(suggestion));
        None
    }

    /// `name=value` in front of the operator's tables, hints left out. An unknown name is told.
    fn settings(&mut self, known: &[&str]) -> Vec<(Name, Name)> {
        let mut settings = Vec::new();
        loop {
            self.skip_hints();
            if !self.is_at(TokenKind::Word) || self.kind_ahead(1) != TokenKind::Assign {
                return settings;
            }
            let name = self.name("a setting");
            self.bump();
            let value = self.setting_value();
            if !known.contains(&name.text.as_str()) {
                let message = format!("there is no setting '{}' here", name.text);
                let suggestion = nearest(&name.text, known.iter().copied());
                let problem = Problem::new(Code::Syntax, name.span, message);
                self.problem(problem.expecting(known.iter().copied()).suggesting(suggestion));
            }
            settings.push((name, value));
        }
    }

    /// A word, number or text as text.
    fn setting_value(&mut self) -> Name {
        let token = self.peek();
        let text = match token.kind {
            TokenKind::Word | TokenKind::OpenBracket => return self.name("a value"),
            TokenKind::Text => self.text_value(token.span),
            TokenKind::Long | TokenKind::Real | TokenKind::TimeSpan => self.text_of(token.span).to_owned(),
            _ => {
                self.expected("a value");
                return Name { text: String::new(), span: self.gap() };
            }
        };
        self.bump();
        Name { text, span: token.span }
    }

    /// A table, a function's call, or a query in parentheses.
    fn table_operand(&mut self) -> Pipeline {
        let start = self.peek().span;
        let source = match self.starts_source() {
            true => self.source(),
            false => SourceNode::of_expression(self.postfix()),
        };
        Pipeline { source, operators: Vec::new(), span: start.to(self.last_span()) }
    }

    /// `[kind=…] [withsource=…] [isfuzzy=…] Table, Prefix*, (query), …`
    pub(super) fn union(&mut self) -> OperatorKind {
        let mut node =
            UnionNode { is_inner: false, is_fuzzy: false, source_column: None, tables: Vec::new() };
        for (name, value) in self.settings(&["kind", "withsource", "with_source", "isfuzzy"]) {
            match name.text.as_str() {
                "kind" => node.is_inner = self.one_of(&value, &["outer", "inner"]) == Some("inner"),
                "isfuzzy" => node.is_fuzzy = self.one_of(&value, &["true", "false"]) == Some("true"),
                "withsource" | "with_source" => node.source_column = Some(value),
                _ => {}
            }
        }
        node.tables = self.list(Self::table);
        OperatorKind::Union(node)
    }

    /// The one of `words` that a setting has; another one is told.
    fn one_of(&mut self, value: &Name, words: &[&'static str]) -> Option<&'static str> {
        let found = words.iter().find(|word| **word == value.text).copied();
        if found.is_none() && !value.text.is_empty() {
            let message = format!("'{}' is no value of this setting", value.text);
            let suggestion = nearest(&value.text, words.iter().copied());
            let problem = Problem::new(Code::Syntax, value.span, message);
            self.problem(problem.expecting(words.iter().copied()).suggesting(suggestion));
        }
        found
    }

    fn table(&mut self) -> TableNode {
        let is_pattern = match self.peek().kind {
            TokenKind::Star => true,
            TokenKind::Word => {
                let next = self.tokens[(self.at + 1).min(self.tokens.len() - 1)];
                next.kind == TokenKind::Star && next.span.start == self.peek().span.end
            }
            _ => false,
        };
        match is_pattern {
            true => TableNode::Wildcard(self.column_pattern()),
            false => TableNode::Pipeline(Box::new(self.table_operand())),
        }
    }

    /// `[kind=case_sensitive] [in (Table, …)] predicate`
    pub(super) fn search(&mut self) -> OperatorKind {
        let mut is_case_sensitive = false;
        for (name, value) in self.settings(&["kind"]) {
            if name.text == "kind" {
                let kind = self.one_of(&value, &["default", "case_insensitive", "case_sensitive"]);
                is_case_sensitive = kind == Some("case_sensitive");
            }
        }
        let mut tables = Vec::new();
        if self.is_word("in") && self.kind_ahead(1) == TokenKind::OpenParen {
            self.bump();
            self.bump();
            tables = self.list(Self::table);
            self.expect(TokenKind::CloseParen, ")");
        }
        self.is_in_search = true;
        let predicate = self.expression();
        self.is_in_search = false;
        OperatorKind::Search(SearchNode { is_case_sensitive, tables, predicate })
    }

    /// `plugin(arguments) [: (*, column: type, …)]`
    pub(super) fn evaluate(&mut self) -> OperatorKind {
        self.skip_hints();
        let call = self.postfix();
        let schema = self.take(TokenKind::Colon).map(|_| self.output_schema());
        OperatorKind::Evaluate(EvaluateNode { call, schema })
    }

    fn output_schema(&mut self) -> OutputSchemaNode {
        self.expect(TokenKind::OpenParen, "(");
        let keeps_input = self.take(TokenKind::Star).is_some();
        if keeps_input {
            self.take(TokenKind::Comma);
        }
        let columns = self.column_declarations(TokenKind::CloseParen);
        self.expect(TokenKind::CloseParen, ")");
        OutputSchemaNode { keeps_input, columns }
    }

    /// `chart [with (property = value, …)]`, or the properties without `with`.
    pub(super) fn render(&mut self) -> OperatorKind {
        let chart = self.name("a kind of chart");
        let has_parentheses = self.take_word("with") && self.expect(TokenKind::OpenParen, "(");
        let mut properties = Vec::new();
        while self.is_at(TokenKind::Word) {
            let name = self.name("a property");
            self.expect(TokenKind::Assign, "=");
            properties.push((name, self.property_values()));
            self.take(TokenKind::Comma);
        }
        if has_parentheses {
            self.expect(TokenKind::CloseParen, ")");
        }
        OperatorKind::Render(RenderNode { chart, properties })
    }

    /// One value, or several with commas between them up to the next property.
    fn property_values(&mut self) -> Vec<ExprNode> {
        let mut values = vec![self.signed()];
        while self.is_at(TokenKind::Comma) && self.kind_ahead(2) != TokenKind::Assign {
            let before = self.at;
            self.bump();
            values.push(self.signed());
            if self.at == before + 1 {
                break;
            }
        }
        values
    }
}

/// The kinds of join under all of their names.
pub(crate) const JOIN_KINDS: [(&str, JoinWord); 12] = [
    ("innerunique", JoinWord::InnerUnique),
    ("inner", JoinWord::Plain(JoinKind::Inner)),
    ("leftouter", JoinWord::Plain(JoinKind::LeftOuter)),
    ("rightouter", JoinWord::Plain(JoinKind::RightOuter)),
    ("fullouter", JoinWord::Plain(JoinKind::FullOuter)),
    ("leftsemi", JoinWord::Plain(JoinKind::LeftSemi)),
    ("rightsemi", JoinWord::Plain(JoinKind::RightSemi)),
    ("leftanti", JoinWord::Plain(JoinKind::LeftAnti)),
    ("anti", JoinWord::Plain(JoinKind::LeftAnti)),
    ("leftantisemi", JoinWord::Plain(JoinKind::LeftAnti)),
    ("rightanti", JoinWord::Plain(JoinKind::RightAnti)),
    ("rightantisemi", JoinWord::Plain(JoinKind::RightAnti)),
];
