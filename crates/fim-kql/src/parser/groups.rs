//! Operators over groups of rows: `mv-apply`, `partition`, `make-series`, `top-nested`.

use super::{MAX_DEPTH, Parser};
use crate::ast::{
    ApplyNode, ExprNode, NamedNode, NestedNode, OperatorKind, OperatorNode, PartitionNode, SeriesNode,
};
use crate::diagnostic::{Code, Problem};
use crate::lexer::TokenKind;

impl Parser<'_> {
    /// `a = b to typeof(long), … limit 5 on (operators)`
    pub(super) fn apply(&mut self) -> OperatorKind {
        let start = self.peek().span;
        let expand = self.expansion(false);
        if expand.makes_pairs {
            let message = "mv-apply gives a bag for each property; for its name and value write mv-expand kind=array \
                           inside of the parentheses";
            self.problem(Problem::new(Code::NotSupported, start, message));
        }
        self.expect_word("on");
        OperatorKind::Apply(ApplyNode { expand, operators: self.subquery() })
    }

    /// `by Column (operators)`
    pub(super) fn partition(&mut self) -> OperatorKind {
        self.expect_word("by");
        let key = self.name("the name of a column");
        self.skip_hints();
        if self.is_at(TokenKind::OpenBrace) {
            let message = "a query in braces is not supported yet; write the operators alone, in parentheses";
            let problem = Problem::new(Code::NotSupported, self.peek().span, message);
            self.problem(problem.expecting(["(Operator | …)"]));
            self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
            return OperatorKind::Invalid;
        }
        OperatorKind::Partition(PartitionNode { key, operators: self.subquery() })
    }

    /// Operators in parentheses, without a table before them.
    fn subquery(&mut self) -> Vec<OperatorNode> {
        if self.depth >= MAX_DEPTH {
            self.give_up(self.peek().span);
            return Vec::new();
        }
        let mut operators = Vec::new();
        if self.expect(TokenKind::OpenParen, "(") {
            self.depth += 1;
            operators.push(self.operator());
            while self.take(TokenKind::Bar).is_some() {
                operators.push(self.operator());
            }
            self.depth -= 1;
            self.expect(TokenKind::CloseParen, ")");
        }
        operators
    }

    /// `kind=nonempty a = sum(b) default=0, … on t from x to y step z by c, …`
    pub(super) fn series(&mut self) -> OperatorKind {
        let mut is_never_empty = false;
        if let Some(kind) = self.option("kind") {
            is_never_empty = kind == "nonempty";
            if !is_never_empty {
                let message = format!("there is no kind '{kind}' of make-series");
                let problem = Problem::new(Code::Syntax, self.last_span(), message);
                self.problem(problem.expecting(["nonempty"]));
            }
        }
        let aggregates = self.list(|parser| {
            let aggregate = parser.named();
            let has_default = parser.is_word("default") && parser.kind_ahead(1) == TokenKind::Assign;
            let default = has_default.then(|| {
                parser.bump();
                parser.bump();
                parser.expression()
            });
            (aggregate, default)
        });
        self.expect_word("on");
        let axis = NamedNode { names: self.names_before_assign(), expr: self.postfix() };
        let (from, to, step) = if self.take_word("in") { self.series_range() } else { self.series_steps() };
        let keys = if self.take_word("by") { self.list(Self::named) } else { Vec::new() };
        OperatorKind::Series(Box::new(SeriesNode { is_never_empty, aggregates, axis, from, to, step, keys }))
    }

    /// `from x to y step z`
    fn series_steps(&mut self) -> (Option<ExprNode>, Option<ExprNode>, ExprNode) {
        let from = self.take_word("from").then(|| self.expression());
        let to = self.take_word("to").then(|| self.expression());
        self.expect_word("step");
        (from, to, self.expression())
    }

    /// `range(x, y, z)`, an older spelling in which the steps reach `y`.
    fn series_range(&mut self) -> (Option<ExprNode>, Option<ExprNode>, ExprNode) {
        let message = "`in range(…)` is not supported yet; write from Start to End step Step, where the steps do not \
                       reach the end";
        self.problem(Problem::new(Code::NotSupported, self.peek().span, message));
        self.skip_to(&[TokenKind::Bar, TokenKind::Semicolon]);
        (None, None, ExprNode::missing(self.gap()))
    }

    /// `2 of a by sum(b), top-nested 3 of c by count() asc`
    pub(super) fn top_nested(&mut self) -> OperatorKind {
        let mut is_first = true;
        let levels = self.list(|parser| {
            if !std::mem::take(&mut is_first) {
                let start = parser.at;
                let is_level = parser.is_at(TokenKind::Word) && {
                    let word = parser.hyphenated_word();
                    parser.text_of(word) == "top-nested"
                };
                if !is_level {
                    parser.at = start;
                    parser.expected("top-nested");
                }
            }
            parser.nested_level()
        });
        OperatorKind::TopNested(levels)
    }

    fn nested_level(&mut self) -> NestedNode {
        let count = if self.is_word("of") { None } else { Some(self.expression()) };
        self.expect_word("of");
        let of = self.named();
        let others = (self.is_word("with") && self.text_ahead(1) == "others").then(|| {
            self.bump();
            self.bump();
            self.expect(TokenKind::Assign, "=");
            self.expression()
        });
        self.expect_word("by");
        let by = self.named();
        let is_ascending = self.take_word("asc");
        if !is_ascending {
            self.take_word("desc");
        }
        NestedNode { count, of, others, by, is_ascending }
    }
}
