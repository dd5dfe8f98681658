//! The tree of a query as it is written: names are not looked up yet, and parts may be missing.

use crate::diagnostic::Span;
use crate::plan::{Arithmetic, Comparison, JoinKind, TextMatch};
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
    /// `let name = (…) { … }`.
    Function(FunctionNode),
    /// `declare query_parameters(…)`.
    Parameters(Vec<ParameterNode>),
    /// A query.
    Query(Pipeline),
    /// Valid KQL that is not run yet (`set`, `declare`, …); the parser said so.
    NotSupported(Span),
}

impl Statement {
    /// Where it stands, or what names it.
    pub fn span(&self) -> Span {
        match self {
            Statement::Let { name, .. } => name.span,
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
    /// `as`, which gives the rows so far a name for what follows.
    As(Name),
    /// `join` and `lookup`.
    Join(Box<JoinNode>),
    /// `union`.
    Union(UnionNode),
    /// `sample`.
    Sample(ExprNode),
    /// `sample-distinct`.
    SampleDistinct {
        /// How many values.
        count: ExprNode,
        /// Of which column.
        of: NamedNode,
    },
    /// `search`.
    Search(SearchNode),
    /// `serialize`.
    Serialize(Vec<NamedNode>),
    /// `getschema`.
    GetSchema,
    /// `invoke`: a call of a function that takes the rows so far as its first argument.
    Invoke(ExprNode),
    /// `evaluate`.
    Evaluate(EvaluateNode),
    /// `render`.
    Render(RenderNode),
    /// `parse` and `parse-where`.
    Parse(ParseNode),
    /// `mv-expand` and `mvexpand`.
    Expand(ExpandNode),
    /// An operator that cannot be run or read; the parser said why.
    Invalid,
}

impl OperatorKind {
    /// Whether the columns it gives depend on more than the rows so far.
    pub(crate) fn needs_other_rows(&self) -> bool {
        match self {
            OperatorKind::Join(_)
            | OperatorKind::Union(_)
            | OperatorKind::Search(_)
            | OperatorKind::Invoke(_)
            | OperatorKind::Evaluate(_)
            | OperatorKind::Invalid => true,
            OperatorKind::Where(_)
            | OperatorKind::Project(_)
            | OperatorKind::Extend(_)
            | OperatorKind::ProjectAway(_)
            | OperatorKind::ProjectKeep(_)
            | OperatorKind::ProjectRename(_)
            | OperatorKind::ProjectReorder(_)
            | OperatorKind::Summarize { .. }
            | OperatorKind::Sort(_)
            | OperatorKind::Take(_)
            | OperatorKind::Top { .. }
            | OperatorKind::Distinct(_)
            | OperatorKind::Count(_)
            | OperatorKind::As(_)
            | OperatorKind::Sample(_)
            | OperatorKind::SampleDistinct { .. }
            | OperatorKind::Serialize(_)
            | OperatorKind::GetSchema
            | OperatorKind::Render(_)
            | OperatorKind::Parse(_)
            | OperatorKind::Expand(_) => false,
        }
    }
}

/// `parse` or `parse-where`.
#[derive(Clone, Debug, PartialEq)]
pub struct ParseNode {
    /// Whether rows that do not match are left out.
    pub is_where: bool,
    /// How the pattern is read.
    pub kind: ParseKind,
    /// The flags of the regular expression, for `kind=regex`.
    pub flags: String,
    /// The text.
    pub text: ExprNode,
    /// What it must look like.
    pub pattern: Vec<ParsePart>,
}

/// How a pattern of `parse` is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ParseKind {
    /// Texts are plain, and every column must fit its type.
    Simple,
    /// Texts are plain, and a column that does not fit its type is null.
    Relaxed,
    /// Texts are regular expressions, and every column must fit its type.
    Regex,
}

/// A part of a pattern of `parse`.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsePart {
    /// `*`: anything.
    Any(Span),
    /// A text, or a regular expression.
    Text(String, Span),
    /// A column that takes what stands here; a `string` if no type is written.
    Column(Name, ScalarType),
}

/// `mv-expand` or `mvexpand`.
#[derive(Clone, Debug, PartialEq)]
pub struct ExpandNode {
    /// Whether it is the older `mvexpand`, which gives at most 128 rows for one if no limit is written.
    pub is_old: bool,
    /// Whether a property becomes an array of its name and value, and no bag.
    pub makes_pairs: bool,
    /// The column of positions.
    pub index: Option<Name>,
    /// What is expanded, each with the type that it is converted to.
    pub items: Vec<(NamedNode, Option<ScalarType>)>,
    /// How many rows one row gives at most.
    pub limit: Option<ExprNode>,
}

/// `join` or `lookup`.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinNode {
    /// Whether it is `lookup`.
    pub is_lookup: bool,
    /// `kind=…`
    pub kind: Option<JoinWord>,
    /// The right table.
    pub table: Pipeline,
    /// A column of both, or `$left.a == $right.b`.
    pub on: Vec<ExprNode>,
}

/// The kinds of `join` as a query names them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum JoinWord {
    /// `innerunique`: of left rows with equal keys only one takes part.
    InnerUnique,
    /// Another kind, under any of its names.
    Plain(JoinKind),
}

/// `union`.
#[derive(Clone, Debug, PartialEq)]
pub struct UnionNode {
    /// Whether `kind=inner`: only columns that all tables have.
    pub is_inner: bool,
    /// Whether `isfuzzy=true`: tables that do not exist are left out.
    pub is_fuzzy: bool,
    /// `withsource=…`: the column that tells the table.
    pub source_column: Option<Name>,
    /// The tables.
    pub tables: Vec<TableNode>,
}

/// One of the tables of a `union` or `search`.
#[derive(Clone, Debug, PartialEq)]
pub enum TableNode {
    /// A table, function or query.
    Pipeline(Box<Pipeline>),
    /// All tables whose names match.
    Wildcard(ColumnPattern),
}

/// `search`.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchNode {
    /// Whether `kind=case_sensitive`.
    pub is_case_sensitive: bool,
    /// The tables after `in`; none for all, or for the rows so far.
    pub tables: Vec<TableNode>,
    /// What a row must fulfil; a text alone must be a term of any column.
    pub predicate: ExprNode,
}

/// `evaluate`.
#[derive(Clone, Debug, PartialEq)]
pub struct EvaluateNode {
    /// The plugin with its arguments.
    pub call: ExprNode,
    /// The columns that the text says it gives.
    pub schema: Option<OutputSchemaNode>,
}

/// What the text says that a plugin gives.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputSchemaNode {
    /// Whether a `*` stands first: the columns of the input, too.
    pub keeps_input: bool,
    /// The columns.
    pub columns: Vec<ColumnNode>,
}

/// `render`.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderNode {
    /// The kind of chart.
    pub chart: Name,
    /// Its properties; one may have several values.
    pub properties: Vec<(Name, Vec<ExprNode>)>,
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
