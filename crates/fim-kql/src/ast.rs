//! The tree of a query as it is written: names are not looked up yet, and parts may be missing.

use crate::diagnostic::Span;
use crate::plan::{Arithmetic, Comparison, TextMatch};
use crate::types::{ScalarType, Value};

/// A parsed text.
#[derive(Clone, Debug, PartialEq)]
pub struct Ast {
    /// The text it was parsed from; every span refers to it.
    pub text: String,
    /// The statements in order.
    pub statements: Vec<Statement>,
}

/// One statement, as `;` separates them.
#[derive(Clone, Debug, PartialEq)]
pub enum Statement {
    /// `let name = value`.
    Let {
        /// What is declared.
        name: Name,
        /// What it stands for: a table or, if it is an expression without operators, maybe a scalar.
        value: Pipeline,
    },
    /// A query.
    Query(Pipeline),
    /// Valid KQL that is not run yet (`set`, `declare`, …); the parser said so.
    NotSupported(Span),
}

/// A source and the operators that `|` puts behind it.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Where the rows come from.
    pub source: SourceNode,
    /// What is done with them.
    pub operators: Vec<OperatorNode>,
    /// The whole of it.
    pub span: Span,
}

/// Where the rows of a pipeline come from.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "a query has one source, so that a box would save nothing")]
pub enum SourceNode {
    /// A table, a `let` name, or (in a `let`) any scalar expression.
    Expression(ExprNode),
    /// `print …`
    Print(Vec<NamedNode>),
    /// `range name from a to b step c`
    Range {
        /// The column.
        name: Name,
        /// The first value.
        from: ExprNode,
        /// The bound.
        to: ExprNode,
        /// What is added each time.
        step: ExprNode,
    },
    /// `datatable(name:type, …)[…]`
    DataTable {
        /// The columns; the type is none if the text names no type.
        columns: Vec<(Name, Option<ScalarType>)>,
        /// The values, row after row.
        values: Vec<ExprNode>,
        /// From the bracket on, for messages about the values.
        values_span: Span,
    },
    /// A pipeline in parentheses.
    Nested(Box<Pipeline>),
    /// Something else, or nothing; the parser said what is wrong.
    Invalid,
}

impl SourceNode {
    /// An expression as a source; a query in parentheses is that query.
    pub(crate) fn of_expression(node: ExprNode) -> Self {
        match node.kind {
            ExprKindNode::Query(pipeline) => SourceNode::Nested(pipeline),
            ExprKindNode::Missing => SourceNode::Invalid,
            _ => SourceNode::Expression(node),
        }
    }
}

/// An operator and where it stands, from its name on.
#[derive(Clone, Debug, PartialEq)]
pub struct OperatorNode {
    /// Which operator, with its parts.
    pub kind: OperatorKind,
    /// From its name to its end.
    pub span: Span,
}

/// The tabular operators.
#[derive(Clone, Debug, PartialEq)]
pub enum OperatorKind {
    /// `where` or `filter`.
    Where(ExprNode),
    /// `project`.
    Project(Vec<NamedNode>),
    /// `extend`.
    Extend(Vec<NamedNode>),
    /// `project-away`.
    ProjectAway(Vec<ColumnPattern>),
    /// `project-keep`.
    ProjectKeep(Vec<ColumnPattern>),
    /// `project-rename`: new name and old name.
    ProjectRename(Vec<(Name, Name)>),
    /// `project-reorder`.
    ProjectReorder(Vec<(ColumnPattern, Option<Reorder>)>),
    /// `summarize`.
    Summarize {
        /// What is computed for each group.
        aggregates: Vec<NamedNode>,
        /// What rows are grouped by.
        keys: Vec<NamedNode>,
    },
    /// `order by` or `sort by`.
    Sort(Vec<OrderedNode>),
    /// `take` or `limit`.
    Take(ExprNode),
    /// `top`.
    Top {
        /// How many rows.
        count: ExprNode,
        /// By which order.
        key: OrderedNode,
    },
    /// `distinct`; `*` is [`ExprKindNode::Star`].
    Distinct(Vec<NamedNode>),
    /// `count`, with the name after `as`.
    Count(Option<Name>),
    /// An operator that cannot be run or read; the parser said why.
    Invalid,
}

/// An expression that may have a name: `x = a + b`.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedNode {
    /// The names in front of `=`: none, one, or several in parentheses.
    pub names: Vec<Name>,
    /// The expression.
    pub expr: ExprNode,
}

/// A key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderedNode {
    /// What is ordered by.
    pub expr: NamedNode,
    /// `asc` is true, `desc` false.
    pub ascending: Option<bool>,
    /// `nulls first` is true, `nulls last` false.
    pub nulls_first: Option<bool>,
}

/// How `project-reorder` orders the columns that a pattern matches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Reorder {
    /// By name.
    Ascending,
    /// By name, last first.
    Descending,
    /// By name, with numbers in it by their value.
    GrannyAscending,
    /// By name, with numbers in it by their value, last first.
    GrannyDescending,
}

/// A column name that may hold `*` for any characters.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnPattern {
    /// The text; a `*` is a wildcard only if `is_wildcard`.
    pub name: Name,
    /// Whether a `*` stands outside of brackets.
    pub is_wildcard: bool,
}

/// A name where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name without brackets and quotes.
    pub text: String,
    /// Where it stands, brackets included.
    pub span: Span,
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
