//! The tree of a query as it is written: names are not looked up yet, and parts may be missing.

mod expression;
mod operator;

use crate::diagnostic::Span;
use crate::types::ScalarType;

pub use expression::{BinaryOperator, ExprKindNode, ExprNode, ListOperator, NamedNode};
pub use operator::{
    ApplyNode, ColumnPattern, EvaluateNode, ExpandNode, JoinNode, JoinWord, NestedNode, OperatorKind,
    OperatorNode, OrderedNode, OutputSchemaNode, ParseKind, ParseNode, ParsePart, PartitionNode, RenderNode,
    Reorder, SearchNode, SeriesNode, TableNode, UnionNode,
};

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
    /// `let name = (…) { … }`.
    Function(FunctionNode),
    /// `declare query_parameters(…)`.
    Parameters(Vec<ParameterNode>),
    /// `set name = value`: an option of the request.
    Setting {
        /// Which option.
        name: Name,
        /// What it is set to; some have none.
        value: Option<ExprNode>,
    },
    /// A query.
    Query(Pipeline),
    /// Valid KQL that is not run yet (`declare`, `alias`, …); the parser said so.
    NotSupported(Span),
}

impl Statement {
    /// Where it stands, or what names it.
    pub fn span(&self) -> Span {
        match self {
            Statement::Let { name, .. } | Statement::Setting { name, .. } => name.span,
            Statement::Function(function) => function.span,
            Statement::Parameters(parameters) => {
                parameters.first().map_or_else(Span::default, |parameter| parameter.name.span)
            }
            Statement::Query(pipeline) => pipeline.span,
            Statement::NotSupported(span) => *span,
        }
    }
}

/// A function that a query declares for itself.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionNode {
    /// What it is called.
    pub name: Name,
    /// Whether it is a `view`, which `union *` and `search *` see.
    pub is_view: bool,
    /// What it takes.
    pub parameters: Vec<ParameterNode>,
    /// Its statements; the last one is what it gives.
    pub body: Vec<Statement>,
    /// From its parameters to its closing brace.
    pub span: Span,
}

/// A parameter of a function or of the whole query.
#[derive(Clone, Debug, PartialEq)]
pub struct ParameterNode {
    /// What it is called.
    pub name: Name,
    /// What is passed for it.
    pub kind: ParameterKind,
    /// What it is where nothing is passed.
    pub default: Option<ExprNode>,
}

/// What can be passed for a parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum ParameterKind {
    /// A value; the type is none if the text names no type.
    Scalar(Option<ScalarType>),
    /// A table that has at least these columns; `(*)` is none.
    Table(Vec<ColumnNode>),
}

/// A column as a text declares it; the type is none if the text names no type.
pub type ColumnNode = (Name, Option<ScalarType>);

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
        columns: Vec<ColumnNode>,
        /// The values, row after row.
        values: Vec<ExprNode>,
        /// From the bracket on, for messages about the values.
        values_span: Span,
    },
    /// An operator that can start a query: `union …`, `search …`, `evaluate …`.
    Operator(Box<OperatorNode>),
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

/// A name where it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Name {
    /// The name without brackets and quotes.
    pub text: String,
    /// Where it stands, brackets included.
    pub span: Span,
}
