//! Operators and their parts.

use super::{ColumnNode, ExprNode, Name, NamedNode, Pipeline};
use crate::diagnostic::Span;
use crate::plan::JoinKind;
use crate::types::ScalarType;

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
    /// `mv-apply` and `mvapply`.
    Apply(ApplyNode),
    /// `partition`.
    Partition(PartitionNode),
    /// `make-series`.
    Series(Box<SeriesNode>),
    /// `top-nested`, one level or more.
    TopNested(Vec<NestedNode>),
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
            | OperatorKind::Apply(_)
            | OperatorKind::Partition(_)
            | OperatorKind::Series(_)
            | OperatorKind::TopNested(_)
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

/// `mv-apply`: operators for the elements of each row.
#[derive(Clone, Debug, PartialEq)]
pub struct ApplyNode {
    /// What is expanded; never as pairs.
    pub expand: ExpandNode,
    /// What is done with the elements of one row.
    pub operators: Vec<OperatorNode>,
}

/// `partition`: operators for the rows of each value of a column.
#[derive(Clone, Debug, PartialEq)]
pub struct PartitionNode {
    /// The column.
    pub key: Name,
    /// What is done with the rows of one value.
    pub operators: Vec<OperatorNode>,
}

/// `make-series`.
#[derive(Clone, Debug, PartialEq)]
pub struct SeriesNode {
    /// Whether no rows give one series of defaults (`kind=nonempty`), where there are no keys.
    pub is_never_empty: bool,
    /// What is computed for each step, and what stands where a step has no rows.
    pub aggregates: Vec<(NamedNode, Option<ExprNode>)>,
    /// What is divided into steps.
    pub axis: NamedNode,
    /// Where the first step starts.
    pub from: Option<ExprNode>,
    /// What the steps do not reach.
    pub to: Option<ExprNode>,
    /// How long a step is.
    pub step: ExprNode,
    /// What there is a series for each value of.
    pub keys: Vec<NamedNode>,
}

/// One level of `top-nested`.
#[derive(Clone, Debug, PartialEq)]
pub struct NestedNode {
    /// How many values of each value of the level above; all if none is written.
    pub count: Option<ExprNode>,
    /// Values of what.
    pub of: NamedNode,
    /// What stands for the values that are left out.
    pub others: Option<ExprNode>,
    /// The aggregate that they are ordered by.
    pub by: NamedNode,
    /// Whether the least come first.
    pub is_ascending: bool,
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
