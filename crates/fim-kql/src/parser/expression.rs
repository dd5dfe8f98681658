//! Expressions, by descent through the levels of precedence, loosest first.

use super::{MAX_DEPTH, Parser};
use crate::ast::{BinaryOperator, ExprKindNode, ExprNode, ListOperator, Name, NamedNode, SourceNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::json;
use crate::lexer::TokenKind;
use crate::literal;
use crate::plan::{Arithmetic, Comparison, TextMatch};
use crate::suggest::not_yet;
use crate::types::{ScalarType, Value};

impl Parser<'_> {
    /// An expression; a gap if there is none.
    pub(crate) fn expression(&mut self) -> ExprNode {
        let span = self.peek().span;
        if self.depth >= MAX_DEPTH {
            self.give_up(span);
            return ExprNode::missing(span);
        }
        self.depth += 1;
        let node = self.or();
        self.depth -= 1;
        node
    }

    fn or(&mut self) -> ExprNode {
        self.logical("or", Self::and)
    }

    fn and(&mut self) -> ExprNode {
        self.logical("and", Self::equality)
    }

    fn logical(&mut self, word: &str, operand: fn(&mut Self) -> ExprNode) -> ExprNode {
        let first = operand(self);
        if !self.is_word(word) {
            return first;
        }
        let mut operands = vec![first];
        while self.take_word(word) {
            operands.push(operand(self));
        }
        let span = operands[0].span.to(self.last_span());
        self.node(ExprKindNode::Logical { is_and: word == "and", operands }, span)
    }

    /// A node, or a gap if it would be too high.
    fn node(&mut self, kind: ExprKindNode, span: Span) -> ExprNode {
        let node = ExprNode::new(kind, span);
        if node.height > MAX_DEPTH {
            self.give_up(span);
            return ExprNode::missing(span);
        }
        node
    }

    /// `==`, `!=`, `in (…)`, `has_any (…)`, `between (…)`; not more than one without parentheses.
    fn equality(&mut self) -> ExprNode {
        let left = self.relational();
        let operator = match self.peek().kind {
            TokenKind::Equal => Some(Comparison::Equal),
            TokenKind::NotEqual => Some(Comparison::NotEqual),
            _ => None,
        };
        if let Some(operator) = operator {
            let operator_span = self.bump().span;
            let right = self.relational();
            return self.binary(BinaryOperator::Comparison(operator), left, right, operator_span);
        }
        if let Some(operator) = self.list_operator() {
            self.bump();
            return self.list_of_values(operator, left);
        }
        let text = self.peek_text();
        let is_negated = self.is_at(TokenKind::BangWord) && text == "!between";
        if is_negated || self.is_word("between") {
            self.bump();
            return self.between(is_negated, left);
        }
        left
    }

    fn list_operator(&self) -> Option<ListOperator> {
        let is_operator = self.is_at(TokenKind::Word) || self.is_at(TokenKind::BangWord);
        let operator = match self.peek_text() {
            "in" => ListOperator::In { ignores_case: false, is_negated: false },
            "in~" => ListOperator::In { ignores_case: true, is_negated: false },
            "!in" => ListOperator::In { ignores_case: false, is_negated: true },
            "!in~" => ListOperator::In { ignores_case: true, is_negated: true },
            "has_any" => ListOperator::HasAny,
            "has_all" => ListOperator::HasAll,
            _ => return None,
        };
        is_operator.then_some(operator)
    }

    fn list_of_values(&mut self, operator: ListOperator, value: ExprNode) -> ExprNode {
        let start = value.span;
        let mut items = Vec::new();
        if self.expect(TokenKind::OpenParen, "(") {
            items = self.list(Self::expression_or_query);
            self.expect(TokenKind::CloseParen, ")");
        }
        let span = start.to(self.last_span());
        self.node(ExprKindNode::List { operator, value: Box::new(value), items }, span)
    }

    fn between(&mut self, is_negated: bool, value: ExprNode) -> ExprNode {
        let start = value.span;
        if !self.expect(TokenKind::OpenParen, "(") {
            return ExprNode::missing(start.to(self.last_span()));
        }
        let low = self.expression();
        let has_high = self.expect(TokenKind::DotDot, "..");
        let high = if has_high { self.expression() } else { ExprNode::missing(self.gap()) };
        if has_high {
            self.expect(TokenKind::CloseParen, ")");
        } else {
            self.skip_to(&[TokenKind::CloseParen, TokenKind::Bar, TokenKind::Semicolon]);
            self.take(TokenKind::CloseParen);
        }
        let span = start.to(self.last_span());
        let (value, low, high) = (Box::new(value), Box::new(low), Box::new(high));
        self.node(ExprKindNode::Between { is_negated, value, low, high }, span)
    }

    /// `<` and its kin; not more than one without parentheses.
    fn relational(&mut self) -> ExprNode {
        let left = self.additive();
        let operator = match self.peek().kind {
            TokenKind::Less => Comparison::Less,
            TokenKind::LessOrEqual => Comparison::LessOrEqual,
            TokenKind::Greater => Comparison::Greater,
            TokenKind::GreaterOrEqual => Comparison::GreaterOrEqual,
            TokenKind::Colon if self.is_in_search => return self.search_in_column(left),
            _ => return left,
        };
        let operator_span = self.bump().span;
        let right = self.additive();
        self.binary(BinaryOperator::Comparison(operator), left, right, operator_span)
    }

    /// `Column: "text"` of `search`: the column has the text as a term, or as its `*` say.
    fn search_in_column(&mut self, column: ExprNode) -> ExprNode {
        let operator_span = self.bump().span;
        let mut text = self.additive();
        let mut how = TextMatch::Has;
        if let ExprKindNode::Literal(Value::String(pattern), _) = &mut text.kind {
            how = search_match(pattern, false);
        }
        self.binary(BinaryOperator::Text { how, is_negated: false }, column, text, operator_span)
    }

    fn additive(&mut self) -> ExprNode {
        let mut left = self.multiplicative();
        loop {
            let operator = match self.peek().kind {
                TokenKind::Plus => Arithmetic::Add,
                TokenKind::Minus => Arithmetic::Subtract,
                _ => return left,
            };
            let operator_span = self.bump().span;
            let right = self.multiplicative();
            left = self.binary(BinaryOperator::Arithmetic(operator), left, right, operator_span);
        }
    }

    fn multiplicative(&mut self) -> ExprNode {
        let mut left = self.text_search();
        loop {
            let operator = match self.peek().kind {
                TokenKind::Star => Arithmetic::Multiply,
                TokenKind::Slash => Arithmetic::Divide,
                TokenKind::Percent => Arithmetic::Remainder,
                _ => return left,
            };
            let operator_span = self.bump().span;
            let right = self.text_search();
            left = self.binary(BinaryOperator::Arithmetic(operator), left, right, operator_span);
        }
    }

    /// `has`, `contains`, `=~` …, which bind tighter than arithmetic; not more than one without parentheses.
    fn text_search(&mut self) -> ExprNode {
        let left = self.signed();
        let Some((how, is_negated)) = self.text_operator() else { return left };
        let mut operator_span = self.bump().span;
        if how == TextMatch::MatchesRegex {
            operator_span = operator_span.to(self.bump().span);
        }
        let right = self.signed();
        self.binary(BinaryOperator::Text { how, is_negated }, left, right, operator_span)
    }

    fn text_operator(&self) -> Option<(TextMatch, bool)> {
        match self.peek().kind {
            TokenKind::EqualTilde => Some((TextMatch::EqualIgnoringCase, false)),
            TokenKind::NotEqualTilde => Some((TextMatch::EqualIgnoringCase, true)),
            TokenKind::BangWord => text_match(&self.peek_text()[1..]).map(|how| (how, true)),
            TokenKind::Word => match self.peek_text() {
                "matches" => {
                    let next = self.tokens[self.at + 1];
                    (self.text_of(next.span) == "regex").then_some((TextMatch::MatchesRegex, false))
                }
                "notcontains" => Some((TextMatch::Contains, true)),
                "notcontainscs" => Some((TextMatch::ContainsCs, true)),
                word => text_match(word).map(|how| (how, false)),
            },
            _ => None,
        }
    }

    /// An operand with at most one sign.
    pub(crate) fn signed(&mut self) -> ExprNode {
        let sign = self.peek();
        let is_minus = match sign.kind {
            TokenKind::Minus => true,
            TokenKind::Plus => false,
            _ => return self.postfix(),
        };
        self.bump();
        let operand = self.postfix();
        let span = sign.span.to(operand.span);
        self.node(ExprKindNode::Sign { is_minus, operand: Box::new(operand) }, span)
    }

    /// An operand and the `.name` and `[index]` behind it.
    pub(crate) fn postfix(&mut self) -> ExprNode {
        let mut node = self.primary();
        loop {
            if self.is_at(TokenKind::Dot) {
                self.bump();
                if !self.is_at(TokenKind::OpenBracket) {
                    let name = self.name("the name of a property");
                    let span = node.span.to(name.span);
                    if self.is_at(TokenKind::OpenParen) {
                        self.refuse_path_call(&name);
                    }
                    node = self.node(ExprKindNode::Member { bag: Box::new(node), name }, span);
                    continue;
                }
            }
            if !self.is_at(TokenKind::OpenBracket) || matches!(node.kind, ExprKindNode::Missing) {
                return node;
            }
            self.bump();
            let index = Box::new(self.expression());
            self.expect(TokenKind::CloseBracket, "]");
            let span = node.span.to(self.last_span());
            node = self.node(ExprKindNode::Index { container: Box::new(node), index }, span);
        }
    }

    /// Says that `x.f(…)` is not supported, and passes over the arguments.
    fn refuse_path_call(&mut self, name: &Name) {
        let message = not_yet(&format!("'.{}(…)'", name.text), "name a table of this workspace");
        self.problem(Problem::new(Code::NotSupported, name.span, message));
        self.bump();
        self.skip_to(&[TokenKind::CloseParen, TokenKind::Bar, TokenKind::Semicolon]);
        self.take(TokenKind::CloseParen);
    }

    fn primary(&mut self) -> ExprNode {
        let token = self.peek();
        let text = self.text_of(token.span);
        let literal = |value: Option<(Value, ScalarType)>| match value {
            Some((value, ty)) => ExprNode::new(ExprKindNode::Literal(value, ty), token.span),
            None => ExprNode::missing(token.span),
        };
        let value = match token.kind {
            TokenKind::Long => literal::long(text)
                .map(|number| (Value::Long(number), ScalarType::Long))
                .or_else(|| self.no_value(text)),
            TokenKind::Real => literal::real(text)
                .map(|number| (Value::Real(number), ScalarType::Real))
                .or_else(|| self.no_value(text)),
            TokenKind::TimeSpan => literal::time_span(text)
                .map(|span| (Value::TimeSpan(span), ScalarType::TimeSpan))
                .or_else(|| self.no_value(text)),
            TokenKind::Typed => self.typed_literal(text),
            TokenKind::Text => return self.text_literal(),
            TokenKind::Word => return self.word(),
            TokenKind::OpenBracket => return self.name_or_gap(),
            TokenKind::OpenParen => return self.parenthesised(),
            TokenKind::Star => {
                self.bump();
                return ExprNode::new(ExprKindNode::Star, token.span);
            }
            _ => return self.missing("an expression"),
        };
        self.bump();
        literal(value)
    }

    fn no_value(&mut self, text: &str) -> Option<(Value, ScalarType)> {
        let message = format!("'{text}' is too large for its type");
        self.problem(Problem::new(Code::InvalidLiteral, self.peek().span, message));
        None
    }

    fn typed_literal(&mut self, text: &str) -> Option<(Value, ScalarType)> {
        let (ty, value) = literal::typed(text)?;
        if let Some(value) = value {
            return Some((value, ty));
        }
        let form = match ty {
            ScalarType::DateTime => "datetime(2026-11-22T18:00:00Z)",
            ScalarType::TimeSpan => "time(1.02:03:04) or 1d",
            ScalarType::Guid => "guid(74be27de-1e4e-49d9-b579-fe0b331d3642)",
            ScalarType::Bool => "bool(true)",
            ScalarType::Int | ScalarType::Long => "a whole number",
            ScalarType::Real | ScalarType::Decimal => "a number",
            ScalarType::String | ScalarType::Dynamic => "a value",
        };
        let message = format!("'{text}' is not a {ty}; to compute one from other values use to{ty}(…)");
        self.problem(Problem::new(Code::InvalidLiteral, self.peek().span, message).expecting([form]));
        Some((Value::Null, ty))
    }

    /// One text, or several in a row that make one.
    fn text_literal(&mut self) -> ExprNode {
        let start = self.peek().span;
        let mut joined = String::new();
        while let Some(token) = self.take(TokenKind::Text) {
            joined.push_str(&self.text_value(token.span));
        }
        let span = start.to(self.last_span());
        ExprNode::new(ExprKindNode::Literal(Value::String(joined), ScalarType::String), span)
    }

    pub(crate) fn text_value(&mut self, span: Span) -> String {
        let value = literal::string(self.text_of(span));
        if value.is_none() {
            let message = "a backslash in this text starts no escape; double it, or put @ before the text";
            self.problem(Problem::new(Code::InvalidLiteral, span, message));
        }
        value.unwrap_or_default()
    }

    fn name_or_gap(&mut self) -> ExprNode {
        match self.take_name() {
            Some(name) => ExprNode::new(ExprKindNode::Name(name.text), name.span),
            None => self.missing("an expression"),
        }
    }

    /// `( expression )` or, where a table can stand, `( query )`.
    fn parenthesised(&mut self) -> ExprNode {
        self.bump();
        let node = self.expression_or_query();
        self.expect(TokenKind::CloseParen, ")");
        node
    }

    /// An expression, or a query if `|` follows it or its first word starts one.
    pub(crate) fn expression_or_query(&mut self) -> ExprNode {
        let start = self.peek().span;
        let source = match self.starts_source() {
            true => None,
            false => {
                let node = self.expression();
                if !self.is_at(TokenKind::Bar) {
                    return node;
                }
                Some(SourceNode::of_expression(node))
            }
        };
        if self.depth >= MAX_DEPTH {
            self.give_up(self.peek().span);
            return ExprNode::missing(self.gap());
        }
        self.depth += 1;
        let pipeline = self.pipeline_behind(source, start);
        self.depth -= 1;
        let span = pipeline.span;
        ExprNode::new(ExprKindNode::Query(Box::new(pipeline)), span)
    }

    /// A keyword with a value, a call or a name.
    fn word(&mut self) -> ExprNode {
        let token = self.bump();
        let text = self.text_of(token.span);
        let truth = match text {
            "true" | "True" | "TRUE" => Some(true),
            "false" | "False" | "FALSE" => Some(false),
            _ => None,
        };
        if let Some(truth) = truth {
            return ExprNode::new(ExprKindNode::Literal(Value::Bool(truth), ScalarType::Bool), token.span);
        }
        if !self.is_at(TokenKind::OpenParen) {
            return ExprNode::new(ExprKindNode::Name(text.to_owned()), token.span);
        }
        match text {
            "dynamic" => self.dynamic_literal(token.span),
            "typeof" => self.type_of(token.span),
            _ => self.call(Name { text: text.to_owned(), span: token.span }),
        }
    }

    fn call(&mut self, function: Name) -> ExprNode {
        self.bump();
        let mut arguments: Vec<NamedNode> = Vec::new();
        if !self.is_at(TokenKind::CloseParen) {
            arguments = self.list(|parser| {
                let names = parser.names_before_assign();
                NamedNode { names, expr: parser.expression_or_query() }
            });
        }
        self.expect(TokenKind::CloseParen, ")");
        let span = function.span.to(self.last_span());
        self.node(ExprKindNode::Call { function, arguments }, span)
    }

    fn type_of(&mut self, start: Span) -> ExprNode {
        self.bump();
        let name = self.name("the name of a type");
        let ty = ScalarType::from_name(&name.text);
        if ty.is_none() && !name.text.is_empty() {
            self.unknown_type(&name);
        }
        self.expect(TokenKind::CloseParen, ")");
        let span = start.to(self.last_span());
        match ty {
            Some(ty) => ExprNode::new(ExprKindNode::TypeOf(ty), span),
            None => ExprNode::missing(span),
        }
    }

    pub(crate) fn unknown_type(&mut self, name: &Name) {
        let names = ScalarType::ALL.map(ScalarType::name);
        let message = format!("there is no type '{}'", name.text);
        let problem = Problem::new(Code::InvalidLiteral, name.span, message).expecting(names);
        self.problem(problem.suggesting(crate::suggest::nearest(&name.text, names)));
    }

    fn binary(
        &mut self,
        operator: BinaryOperator,
        left: ExprNode,
        right: ExprNode,
        operator_span: Span,
    ) -> ExprNode {
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        self.node(ExprKindNode::Binary { operator, left, right, operator_span }, span)
    }

    /// The value inside `dynamic(…)` as compact JSON.
    fn dynamic_literal(&mut self, start: Span) -> ExprNode {
        self.bump();
        let json = self.json_value();
        self.expect(TokenKind::CloseParen, ")");
        let span = start.to(self.last_span());
        let value = match json.as_str() {
            "null" => Value::Null,
            _ => Value::Dynamic(json),
        };
        ExprNode::new(ExprKindNode::Literal(value, ScalarType::Dynamic), span)
    }

    fn json_value(&mut self) -> String {
        if self.depth >= MAX_DEPTH {
            self.give_up(self.peek().span);
            return String::from("null");
        }
        self.depth += 1;
        let json = self.json_value_inside();
        self.depth -= 1;
        json
    }

    fn json_value_inside(&mut self) -> String {
        let token = self.peek();
        match token.kind {
            TokenKind::OpenBracket => {
                self.bump();
                let items = self.json_items(TokenKind::CloseBracket, "]", Self::json_value);
                format!("[{items}]")
            }
            TokenKind::OpenBrace => {
                self.bump();
                let items = self.json_items(TokenKind::CloseBrace, "}", |parser| {
                    let key = parser.json_key();
                    parser.expect(TokenKind::Colon, ":");
                    format!("{key}:{}", parser.json_value())
                });
                format!("{{{items}}}")
            }
            TokenKind::Minus => {
                self.bump();
                match self.peek().kind {
                    TokenKind::Long | TokenKind::Real => format!("-{}", self.json_value_inside()),
                    _ => self.json_gap(),
                }
            }
            TokenKind::Word if self.peek_text() == "null" => {
                self.bump();
                String::from("null")
            }
            TokenKind::Word | TokenKind::Text | TokenKind::Long | TokenKind::Real => self.json_scalar(),
            TokenKind::TimeSpan | TokenKind::Typed => self.json_scalar(),
            _ => self.json_gap(),
        }
    }

    fn json_gap(&mut self) -> String {
        self.expected("a JSON value");
        String::from("null")
    }

    fn json_scalar(&mut self) -> String {
        let is_value = match self.peek_text() {
            "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => true,
            "dynamic" => self.kind_ahead(1) == TokenKind::OpenParen,
            _ => !self.is_at(TokenKind::Word),
        };
        if !is_value {
            return self.json_gap();
        }
        match self.primary().kind {
            ExprKindNode::Literal(value, _) => json::of(&value),
            _ => String::from("null"),
        }
    }

    fn json_key(&mut self) -> String {
        match self.take(TokenKind::Text) {
            Some(token) => json::text(&self.text_value(token.span)),
            None => {
                self.expected("the name of a property in quotes");
                self.take_name();
                String::from("\"\"")
            }
        }
    }

    fn json_items(&mut self, close: TokenKind, spelling: &str, item: fn(&mut Self) -> String) -> String {
        let mut items = Vec::new();
        while !self.is_at(close) {
            let before = self.at;
            items.push(item(self));
            if self.take(TokenKind::Comma).is_none() || self.at == before {
                break;
            }
        }
        self.expect(close, spelling);
        items.join(",")
    }
}

/// How `search` looks for a text: a term, or what its `*` at the ends say, which are cut off.
pub(crate) fn search_match(pattern: &mut String, is_case_sensitive: bool) -> TextMatch {
    let (starts_open, ends_open) = (pattern.starts_with('*'), pattern.len() > 1 && pattern.ends_with('*'));
    if ends_open {
        pattern.pop();
    }
    if starts_open {
        pattern.remove(0);
    }
    match (starts_open, ends_open, is_case_sensitive) {
        (false, false, false) => TextMatch::Has,
        (false, false, true) => TextMatch::HasCs,
        (false, true, false) => TextMatch::HasPrefix,
        (false, true, true) => TextMatch::HasPrefixCs,
        (true, false, false) => TextMatch::HasSuffix,
        (true, false, true) => TextMatch::HasSuffixCs,
        (true, true, false) => TextMatch::Contains,
        (true, true, true) => TextMatch::ContainsCs,
    }
}

/// The search that a word means, without its `!`.
fn text_match(word: &str) -> Option<TextMatch> {
    Some(match word {
        "has" => TextMatch::Has,
        "has_cs" => TextMatch::HasCs,
        "hasprefix" => TextMatch::HasPrefix,
        "hasprefix_cs" => TextMatch::HasPrefixCs,
        "hassuffix" => TextMatch::HasSuffix,
        "hassuffix_cs" => TextMatch::HasSuffixCs,
        "contains" => TextMatch::Contains,
        "contains_cs" | "containscs" => TextMatch::ContainsCs,
        "startswith" => TextMatch::StartsWith,
        "startswith_cs" => TextMatch::StartsWithCs,
        "endswith" => TextMatch::EndsWith,
        "endswith_cs" => TextMatch::EndsWithCs,
        _ => return None,
    })
}
