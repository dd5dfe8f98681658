//! The tabular operators of the language: those that run, and those that are only known by name.

/// What follows an operator's name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Syntax {
    Where,
    Project,
    Extend,
    ProjectAway,
    ProjectKeep,
    ProjectRename,
    ProjectReorder,
    Summarize,
    Sort,
    Take,
    Top,
    Distinct,
    Count,
}

/// An operator by name.
#[derive(Debug)]
pub(crate) struct OperatorEntry {
    pub(crate) name: &'static str,
    /// None if it does not run yet.
    pub(crate) syntax: Option<Syntax>,
    /// How it is written, for the reference.
    pub(crate) usage: &'static str,
    /// What it does, for the reference.
    pub(crate) summary: &'static str,
}

/// The operator of this name.
pub(crate) fn find(name: &str) -> Option<&'static OperatorEntry> {
    ALL.iter().find(|entry| entry.name == name)
}

const fn runs(
    name: &'static str,
    syntax: Syntax,
    usage: &'static str,
    summary: &'static str,
) -> OperatorEntry {
    OperatorEntry { name, syntax: Some(syntax), usage, summary }
}

const fn known(name: &'static str) -> OperatorEntry {
    OperatorEntry { name, syntax: None, usage: "", summary: "" }
}

/// Every operator of the language.
pub(crate) const ALL: &[OperatorEntry] = &[
    runs("count", Syntax::Count, "count [as Name]", "The number of rows."),
    runs("distinct", Syntax::Distinct, "distinct Column, … | *", "The different combinations of values."),
    runs(
        "extend",
        Syntax::Extend,
        "extend [Name =] Expression, …",
        "Adds columns, or replaces those of the same name.",
    ),
    runs("filter", Syntax::Where, "filter Predicate", "The same as `where`."),
    runs("limit", Syntax::Take, "limit Count", "The same as `take`."),
    runs(
        "order",
        Syntax::Sort,
        "order by Expression [asc|desc] [nulls first|last], …",
        "The same as `sort`.",
    ),
    runs("project", Syntax::Project, "project [Name =] Expression, …", "Gives these columns, in this order."),
    runs(
        "project-away",
        Syntax::ProjectAway,
        "project-away ColumnPattern, …",
        "Removes columns; `*` stands for any characters.",
    ),
    runs(
        "project-keep",
        Syntax::ProjectKeep,
        "project-keep ColumnPattern, …",
        "Keeps only these columns, in the order of the table.",
    ),
    runs("project-rename", Syntax::ProjectRename, "project-rename New = Old, …", "Renames columns."),
    runs(
        "project-reorder",
        Syntax::ProjectReorder,
        "project-reorder ColumnPattern [asc|desc|granny-asc|granny-desc], …",
        "Moves columns to the front.",
    ),
    runs(
        "sort",
        Syntax::Sort,
        "sort by Expression [asc|desc] [nulls first|last], …",
        "Orders the rows; descending unless said otherwise, nulls last (first for asc).",
    ),
    runs(
        "summarize",
        Syntax::Summarize,
        "summarize [[Name =] Aggregate, …] [by [Name =] Expression, …]",
        "Groups rows and computes aggregates for each group.",
    ),
    runs("take", Syntax::Take, "take Count", "At most so many rows, whichever."),
    runs(
        "top",
        Syntax::Top,
        "top Count by Expression [asc|desc] [nulls first|last]",
        "The first rows by an order.",
    ),
    runs("where", Syntax::Where, "where Predicate", "The rows for which the predicate is true."),
    known("as"),
    known("assert-schema"),
    known("consume"),
    known("evaluate"),
    known("execute-and-cache"),
    known("externaldata"),
    known("facet"),
    known("find"),
    known("fork"),
    known("getschema"),
    known("graph-mark-components"),
    known("graph-match"),
    known("graph-merge"),
    known("graph-shortest-paths"),
    known("graph-to-table"),
    known("graph-where-edges"),
    known("graph-where-nodes"),
    known("invoke"),
    known("join"),
    known("lookup"),
    known("macro-expand"),
    known("make-graph"),
    known("make-series"),
    known("mv-apply"),
    known("mv-expand"),
    known("mvapply"),
    known("mvexpand"),
    known("parse"),
    known("parse-kv"),
    known("parse-where"),
    known("partition"),
    known("project-by-names"),
    known("project-smart"),
    known("reduce"),
    known("render"),
    known("sample"),
    known("sample-distinct"),
    known("scan"),
    known("search"),
    known("serialize"),
    known("top-hitters"),
    known("top-nested"),
    known("union"),
];
