//! The bound plan: what a query means, with every name resolved and every type known.
//!
//! A plan is a source and a row of steps, as in the text. Each step knows the schema of its output, and an
//! expression refers to the columns of its step's *input* by position. Lowering a plan is a `match` without
//! decisions: no name is looked up, no type inferred and no default applied after this. A table that a `let` or a
//! function declares is no step: its plan stands wherever it is used.
//!
//! What a runner must know about values:
//! - A `string` is never null. Where a source has a null, it reads as the empty text.
//! - Equality knows null: `null == 5` is false and `null != 5` is true, but of two nulls both are null. An order
//!   with a null (`<`, `>=`, `between`) is null. A filter takes null for false.
//! - Integer arithmetic wraps; division by zero is null for integers, an infinity or NaN for `real`.
//! - Text is compared by code points; "ignores case" means that both sides are folded to one case first.

mod walk;

use crate::aggregate::Aggregate;
use crate::catalog::TableName;
use crate::diagnostic::Span;
use crate::function::Function;
use crate::types::{Column, ScalarType, Schema, Value};
use crate::window_function::WindowFunction;

/// A query that is ready to run: what is computed first and used as constants, and the plan of its rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Computed before the plan, the first one first. A later one may use those before it.
    pub constants: Vec<Constant>,
    /// The rows of the result.
    pub plan: Plan,
    /// How the query wants its rows to be shown.
    pub render: Option<Render>,
}

impl Query {
    /// The columns of the result.
    pub fn schema(&self) -> &Schema {
        self.plan.schema()
    }

    /// The tables that the query reads, each once.
    pub fn tables(&self) -> Vec<&TableName> {
        let mut names = Vec::new();
        for plan in self.constants.iter().map(|constant| &constant.plan).chain([&self.plan]) {
            plan.collect_tables(&mut names);
        }
        names
    }
}

/// A query whose rows become constants of another.
#[derive(Clone, Debug, PartialEq)]
pub struct Constant {
    /// The query. Only its first column is used.
    pub plan: Plan,
    /// Whether all rows are used, as in `in (query)`, or only the first one, as in `toscalar(query)`.
    pub takes_all: bool,
    /// Where it stands in the query.
    pub span: Span,
}

/// How a query wants its rows to be shown. It changes nothing about the rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Render {
    /// The kind of chart: `table`, `timechart` …
    pub chart: String,
    /// Properties in the order of the text, such as `title`, as text.
    pub properties: Vec<(String, String)>,
}

/// The rows of a table or of a part of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Where the rows come from.
    pub source: Source,
    /// The columns of the source.
    pub source_schema: Schema,
    /// What is done with the rows, first step first.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The columns of the result.
    pub fn schema(&self) -> &Schema {
        self.steps.last().map_or(&self.source_schema, |step| &step.schema)
    }

    /// The columns that the step at `position` reads.
    pub fn input_schema(&self, position: usize) -> &Schema {
        match position.checked_sub(1) {
            Some(previous) => &self.steps[previous].schema,
            None => &self.source_schema,
        }
    }

    /// Puts the names of the tables that the plan reads behind those in `names`, each once.
    fn collect_tables<'p>(&'p self, names: &mut Vec<&'p TableName>) {
        match &self.source {
            Source::Table(name) if names.contains(&name) => {}
            Source::Table(name) => names.push(name),
            Source::OneRow | Source::Rows(_) | Source::Range { .. } => {}
            Source::Union(inputs) => inputs.iter().for_each(|input| input.collect_tables(names)),
        }
        for step in &self.steps {
            if let Operator::Join(join) = &step.operator {
                join.right.collect_tables(names);
            }
        }
    }

    /// How much it holds: steps, expressions and values, those of nested plans included.
    pub(crate) fn size(&self) -> usize {
        let own = match &self.source {
            Source::Rows(rows) => rows.iter().map(Vec::len).sum(),
            Source::Table(_) | Source::OneRow | Source::Range { .. } | Source::Union(_) => 0,
        };
        let steps: usize = self.steps.iter().map(|step| 1 + step.schema.columns.len()).sum();
        let nested: usize = self.nested().into_iter().map(Plan::size).sum();
        1 + self.source_schema.columns.len() + own + steps + nested
    }

    /// The plans that stand inside of this one, one level down.
    pub fn nested(&self) -> Vec<&Plan> {
        let inputs: &[Plan] = match &self.source {
            Source::Union(inputs) => inputs,
            Source::Table(_) | Source::OneRow | Source::Rows(_) | Source::Range { .. } => &[],
        };
        let joined = self.steps.iter().filter_map(|step| match &step.operator {
            Operator::Join(join) => Some(&join.right),
            _ => None,
        });
        inputs.iter().chain(joined).collect()
    }
}

/// Where rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// All rows of a table of the catalog, with all of its columns.
    Table(TableName),
    /// One row without columns; `print` is this and a [`Operator::Project`].
    OneRow,
    /// The rows of a `datatable`, each as wide as the source schema and of its types.
    Rows(Vec<Vec<Value>>),
    /// One column that counts from `from` up to and including `to`; no rows if `step` leads away from `to` or
    /// one of the three is null.
    ///
    /// The expressions are constant: they refer to no column. `from` and `to` have the type of the column,
    /// `step` too, except that it is a timespan for a column of moments.
    Range {
        /// The first value.
        from: Expr,
        /// The bound.
        to: Expr,
        /// What is added each time, which may be negative.
        step: Expr,
    },
    /// The rows of all these plans. Each has the columns of the source schema, by name, type and position.
    Union(Vec<Plan>),
}

/// One operator and the columns it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub operator: Operator,
    /// The columns of the output.
    pub schema: Schema,
    /// Where the operator stands in the query.
    pub span: Span,
}

/// What a step does with its rows.
#[derive(Clone, Debug, PartialEq)]
pub enum Operator {
    /// Keeps the rows for which the `bool` expression is true; null counts as false.
    Filter(Expr),
    /// Gives one column per expression, in this order. `extend`, `print` and all `project-…` are this as well.
    Project(Vec<NamedExpr>),
    /// Groups rows by the keys and gives the keys, then the columns of each aggregate in order.
    ///
    /// A null is a group of its own. Without keys there is one row, even for no input; with keys and without
    /// aggregates this is the distinct keys.
    Summarize {
        /// What rows are grouped by.
        keys: Vec<NamedExpr>,
        /// What is computed for each group.
        aggregates: Vec<AggregateCall>,
    },
    /// Orders the rows by the first key, equal ones by the next, and so on.
    Sort(Vec<SortKey>),
    /// Keeps at most this many rows.
    Take(u64),
    /// Keeps the first rows by an order, and gives them in that order.
    Top {
        /// How many rows.
        count: u64,
        /// The order.
        keys: Vec<SortKey>,
    },
    /// Removes rows that are equal in all columns to another; nulls are equal here.
    Distinct,
    /// Gives one row with the number of rows, a `long`.
    Count,
    /// Keeps the first row of each combination of the keys.
    FirstOf {
        /// What must differ; nulls are equal here.
        keys: Vec<Expr>,
    },
    /// Gives a row for each element of arrays.
    Expand(Expand),
    /// Puts rows beside rows of another plan.
    Join(Box<Join>),
    /// Keeps at most this many rows, picked by chance.
    Sample(u64),
    /// Adds the column of the call behind those of the input. The rows are taken, and stay, in the order that they
    /// have.
    Window(Box<WindowCall>),
}

/// Rows for the elements of arrays, in their order. One row gives as many as its longest array has elements, or the
/// limit; the shorter arrays are filled with nulls.
///
/// A null counts as an array of one null, and a value that is neither array nor bag as an array of itself. The output
/// has the columns of the input, one `dynamic` column for each array, and maybe a `long` one for the position.
#[derive(Clone, Debug, PartialEq)]
pub struct Expand {
    /// The arrays, all `dynamic`.
    pub arrays: Vec<Expr>,
    /// Whether a property of a bag becomes an array of its name and value, or a bag of its own.
    pub makes_pairs: bool,
    /// How many rows one row gives at most.
    pub limit: u64,
    /// Whether there is a column of positions.
    pub has_index: bool,
}

/// Rows beside the rows of another plan that have the same keys.
///
/// The output has the columns of the left rows, then those of the right ones, under names that differ; a semi or
/// anti join has the columns of its own side only. A null is equal to no key.
#[derive(Clone, Debug, PartialEq)]
pub struct Join {
    /// Which rows are in the output.
    pub kind: JoinKind,
    /// The right rows.
    pub right: Plan,
    /// What must be equal; all of them.
    pub keys: Vec<JoinKey>,
}

/// Which rows a join gives.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum JoinKind {
    /// Each pair of rows whose keys are equal.
    Inner,
    /// As inner, and left rows without a partner with nulls beside them.
    LeftOuter,
    /// As inner, and right rows without a partner with nulls beside them.
    RightOuter,
    /// As inner, and the rows of both sides without a partner.
    FullOuter,
    /// Left rows that have a partner, each once.
    LeftSemi,
    /// Left rows that have none.
    LeftAnti,
    /// Right rows that have a partner, each once.
    RightSemi,
    /// Right rows that have none.
    RightAnti,
}

/// Two expressions of one type that must be equal; texts by their code points.
#[derive(Clone, Debug, PartialEq)]
pub struct JoinKey {
    /// Over the left rows.
    pub left: Expr,
    /// Over the right rows.
    pub right: Expr,
}

/// A function over rows in their order, and the column that it fills.
#[derive(Clone, Debug, PartialEq)]
pub struct WindowCall {
    /// Which function.
    pub function: WindowFunction,
    /// Its arguments over the columns of the input; their meaning is told at [`WindowFunction`].
    pub arguments: Vec<Expr>,
    /// What tells the group of a row, of equal values; the function starts over in each group. Empty for one group.
    pub groups: Vec<Expr>,
    /// The order of the rows, where one was asked for; otherwise they are taken as they come.
    pub order: Vec<SortKey>,
    /// The column.
    pub output: Column,
}

/// An expression and the name of the column that it fills.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedExpr {
    /// The name in the output schema.
    pub name: String,
    /// What fills the column.
    pub expr: Expr,
}

/// One key of an order.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// What is ordered by.
    pub expr: Expr,
    /// Whether the greatest comes first.
    pub is_descending: bool,
    /// Whether nulls come before all values.
    pub nulls_first: bool,
}

/// An aggregate over the rows of a group.
///
/// It fills one column; `arg_max`, `arg_min` and `take_any` fill as many as they have arguments: for the first two the
/// greatest (least) value of the first, then the others as they are in the row that has it; and `percentiles` fills
/// one for each percentage.
#[derive(Clone, Debug, PartialEq)]
pub struct AggregateCall {
    /// Which aggregate.
    pub aggregate: Aggregate,
    /// Its arguments, which refer to the columns of the input; their meaning is told at [`Aggregate`].
    pub arguments: Vec<Expr>,
    /// Only rows for which this is true are taken: `sumif` is `sum` with a condition.
    pub condition: Option<Expr>,
    /// The names and types of the columns that it fills.
    pub outputs: Schema,
}

/// A typed expression over one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    /// What is computed.
    pub kind: ExprKind,
    /// The type of the result.
    pub ty: ScalarType,
    /// Where it stands in the query.
    pub span: Span,
}

/// What an expression computes. Operands were converted to the types that are promised here.
#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    /// A constant.
    Literal(Value),
    /// The value of a column of the input, by position.
    Column(usize),
    /// What one of the query's constants gave, by its position: the value of its first row, null if there are no
    /// rows; or, as an item of a list, the values of all of its rows.
    Constant(usize),
    /// The value in another type, null where it has none: `tolong("x")`. Also inserted by the binder, as from
    /// `int` to `long`.
    Convert(Box<Expr>),
    /// The negative of a number or timespan.
    Negate(Box<Expr>),
    /// Arithmetic. The operand types are told at [`Arithmetic`].
    Arithmetic {
        /// Which.
        operator: Arithmetic,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand.
        right: Box<Expr>,
    },
    /// Compares two values of one type.
    Compare {
        /// How.
        operator: Comparison,
        /// The left operand.
        left: Box<Expr>,
        /// The right operand, of the same type.
        right: Box<Expr>,
    },
    /// True if all are true, false if one is false, otherwise null. At least two operands.
    And(Vec<Expr>),
    /// True if one is true, false if all are false, otherwise null. At least two operands.
    Or(Vec<Expr>),
    /// The opposite; null of null.
    Not(Box<Expr>),
    /// Looks for one text in another; both are `string`.
    Match {
        /// How.
        operator: TextMatch,
        /// Whether the answer is turned round (`!has`).
        is_negated: bool,
        /// The text that is searched.
        text: Box<Expr>,
        /// What is looked for.
        pattern: Box<Expr>,
    },
    /// Whether a text has any, or all, of several terms (`has_any`, `has_all`), ignoring case. All are `string`.
    HasTerms {
        /// Whether all of them are needed.
        needs_all: bool,
        /// The text that is searched.
        text: Box<Expr>,
        /// The terms.
        terms: Vec<Expr>,
    },
    /// Whether a value is one of several, all of its type. Nulls in the list match nothing. A constant of type
    /// `dynamic` in the list stands for the elements of its array.
    In {
        /// The value.
        value: Box<Expr>,
        /// What it may be; may be empty.
        list: Vec<Expr>,
        /// Whether texts are compared ignoring case (`in~`).
        ignores_case: bool,
        /// Whether the answer is turned round (`!in`).
        is_negated: bool,
    },
    /// Whether `low <= value <= high`, all of one ordered type.
    Between {
        /// The value.
        value: Box<Expr>,
        /// The least value that is inside.
        low: Box<Expr>,
        /// The greatest value that is inside.
        high: Box<Expr>,
        /// Whether the answer is turned round (`!between`).
        is_negated: bool,
    },
    /// The value of a property of a `dynamic` bag, `dynamic(null)` where there is none.
    Member {
        /// The `dynamic` value.
        bag: Box<Expr>,
        /// The property's name.
        name: String,
    },
    /// An element of a `dynamic` value: of an array by a `long` (from 0, negative from the end), of a bag by a
    /// `string`.
    Index {
        /// The `dynamic` value.
        container: Box<Expr>,
        /// The position or name, a `long` or `string`.
        index: Box<Expr>,
    },
    /// The value beside the first condition that is true, or `otherwise`; `iff` is this as well. All values have
    /// the type of the expression.
    Case {
        /// Conditions of type `bool`, and what they give.
        branches: Vec<(Expr, Expr)>,
        /// What is given if no condition is true.
        otherwise: Box<Expr>,
    },
    /// Calls a function; argument and result types are told at [`Function`].
    Call {
        /// Which.
        function: Function,
        /// Its arguments.
        arguments: Vec<Expr>,
    },
}

/// Arithmetic operators.
///
/// | Operator | Operands → result |
/// |---|---|
/// | all | `long`, `long` → `long`; `real`, `real` → `real`; `decimal`, `decimal` → `decimal` |
/// | all | `dynamic`, `dynamic` → `dynamic` |
/// | `Add` | `timespan`, `timespan` → `timespan`; `datetime`, `timespan` → `datetime` (in this order) |
/// | `Subtract` | `timespan`, `timespan` → `timespan`; `datetime`, `timespan` → `datetime`; `datetime`, `datetime` → `timespan` |
/// | `Multiply` | `timespan`, `real` → `timespan` (in this order); `timespan`, `long` → `timespan` |
/// | `Divide` | `timespan`, `timespan` → `real`; `timespan`, `real` → `timespan`; `timespan`, `long` → `timespan` |
/// | `Remainder` | `timespan`, `timespan` → `timespan`; `datetime`, `timespan` → `timespan` |
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Arithmetic {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`; between `long` values it cuts off the fraction: `5 / 2` is 2.
    Divide,
    /// `%`; for numbers the result is never negative for a positive divisor: `-5 % 3` is 1.
    Remainder,
}

/// Comparison operators over any one type; only `Equal` and `NotEqual` over `dynamic`, `guid` and `bool`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=` or `<>`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// How one text is looked for in another.
///
/// A *term* is a run of alphanumeric characters that no other alphanumeric character touches.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum TextMatch {
    /// `=~`: equal, ignoring case.
    EqualIgnoringCase,
    /// `has`: holds it as a whole term, ignoring case.
    Has,
    /// `has_cs`: holds it as a whole term.
    HasCs,
    /// `hasprefix`: holds a term that starts with it, ignoring case.
    HasPrefix,
    /// `hasprefix_cs`: holds a term that starts with it.
    HasPrefixCs,
    /// `hassuffix`: holds a term that ends with it, ignoring case.
    HasSuffix,
    /// `hassuffix_cs`: holds a term that ends with it.
    HasSuffixCs,
    /// `contains`: holds it anywhere, ignoring case.
    Contains,
    /// `contains_cs`: holds it anywhere.
    ContainsCs,
    /// `startswith`: starts with it, ignoring case.
    StartsWith,
    /// `startswith_cs`: starts with it.
    StartsWithCs,
    /// `endswith`: ends with it, ignoring case.
    EndsWith,
    /// `endswith_cs`: ends with it.
    EndsWithCs,
    /// `matches regex`: the regular expression (RE2 syntax) matches somewhere.
    MatchesRegex,
}
