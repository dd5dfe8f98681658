//! Expressions and their parts.

use super::{Name, Pipeline};
use crate::diagnostic::Span;
use crate::plan::{Arithmetic, Comparison, TextMatch};
use crate::types::{ScalarType, Value};

/// An expression that may have a name: `x = a + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedNode {
    /// The names in front of `=`: none, one, or several in parentheses.
    pub names: Vec<Name>,
    /// The expression.
    pub expr: ExprNode,
}
/// An expression.
#[derive(Clone, Debug, PartialEq)]
pub struct ExprNode {
    /// What it is.
    pub kind: ExprKindNode,
    /// Where it stands, parentheses around it not included.
    pub span: Span,
    /// How deep the tree under it is; the parser bounds it, so that everyone may recurse.
    pub height: u16,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKindNode {
    /// Nothing, where an expression is needed; the parser said so.
    Missing,
    /// A constant and its type.
    Literal(Value, ScalarType),
    /// A column, `let` name or table.
    Name(String),
    /// `*`
    Star,
    /// `-x`, and `+x` which is only a sign.
    Sign {
        /// Whether it is `-`.
        is_minus: bool,
        /// The operand.
        operand: Box<ExprNode>,
    },
    /// Arithmetic, comparison or text search.
    Binary {
        /// Which.
        operator: BinaryOperator,
        /// The left operand.
        left: Box<ExprNode>,
        /// The right operand.
        right: Box<ExprNode>,
        /// Where the operator stands.
        operator_span: Span,
    },
    /// Two or more operands with `and` (or `or`) between them.
    Logical {
        /// Whether it is `and`.
        is_and: bool,
        /// The operands.
        operands: Vec<ExprNode>,
    },
    /// `x between (a .. b)`
    Between {
        /// Whether it is `!between`.
        is_negated: bool,
        /// The value.
        value: Box<ExprNode>,
        /// The least value inside.
        low: Box<ExprNode>,
        /// The greatest value inside.
        high: Box<ExprNode>,
    },
    /// `x in (a, b, …)` and its kin.
    List {
        /// Which.
        operator: ListOperator,
        /// The value.
        value: Box<ExprNode>,
        /// The list.
        items: Vec<ExprNode>,
    },
    /// `x.name`
    Member {
        /// The bag.
        bag: Box<ExprNode>,
        /// The property.
        name: Name,
    },
    /// `x[i]`
    Index {
        /// The array or bag.
        container: Box<ExprNode>,
        /// The position or property.
        index: Box<ExprNode>,
    },
    /// `f(a, x = b, *)`
    Call {
        /// The function.
        function: Name,
        /// The arguments.
        arguments: Vec<NamedNode>,
    },
    /// `typeof(…)`
    TypeOf(ScalarType),
    /// A query where an expression stands: in a list, or in `toscalar(…)`.
    Query(Box<Pipeline>),
}

/// Operators with two operands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BinaryOperator {
    /// `+ - * / %`
    Arithmetic(Arithmetic),
    /// `== != < <= > >=`
    Comparison(Comparison),
    /// `has`, `!contains`, `=~` …
    Text {
        /// How the text is searched.
        how: TextMatch,
        /// Whether the answer is turned round.
        is_negated: bool,
    },
}

/// Operators with a list on the right.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ListOperator {
    /// `in`, `!in`, `in~`, `!in~`
    In {
        /// Whether it ends with `~`.
        ignores_case: bool,
        /// Whether it starts with `!`.
        is_negated: bool,
    },
    /// `has_any`
    HasAny,
    /// `has_all`
    HasAll,
}

impl ExprNode {
    /// An expression, as high as what is under it and one more.
    pub fn new(kind: ExprKindNode, span: Span) -> Self {
        let height = kind.height_below().saturating_add(1);
        Self { kind, span, height }
    }

    /// A gap where an expression is needed.
    pub(crate) fn missing(span: Span) -> Self {
        Self::new(ExprKindNode::Missing, span)
    }
}

impl ExprKindNode {
    fn height_below(&self) -> u16 {
        let highest =
            |nodes: &mut dyn Iterator<Item = &ExprNode>| nodes.map(|node| node.height).max().unwrap_or(0);
        match self {
            ExprKindNode::Missing
            | ExprKindNode::Literal(..)
            | ExprKindNode::Name(_)
            | ExprKindNode::Star
            | ExprKindNode::TypeOf(_)
            | ExprKindNode::Query(_) => 0,
            ExprKindNode::Sign { operand: inner, .. } | ExprKindNode::Member { bag: inner, .. } => {
                inner.height
            }
            ExprKindNode::Binary { left, right, .. }
            | ExprKindNode::Index { container: left, index: right } => left.height.max(right.height),
            ExprKindNode::Logical { operands, .. } => highest(&mut operands.iter()),
            ExprKindNode::Between { value, low, high, .. } => value.height.max(low.height).max(high.height),
            ExprKindNode::List { value, items, .. } => value.height.max(highest(&mut items.iter())),
            ExprKindNode::Call { arguments, .. } => {
                highest(&mut arguments.iter().map(|argument| &argument.expr))
            }
        }
    }
}
