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
    As,
    Join,
    Lookup,
    Union,
    Sample,
    SampleDistinct,
    Search,
    Serialize,
    GetSchema,
    Invoke,
    Evaluate,
    Render,
    Parse,
    ParseWhere,
    Expand,
    OldExpand,
    Apply,
    Partition,
    Series,
    TopNested,
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
    /// What to write instead of one that does not run; empty if there is nothing.
    pub(crate) instead: &'static str,
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
    OperatorEntry { name, syntax: Some(syntax), usage, summary, instead: "" }
}

const fn known(name: &'static str, instead: &'static str) -> OperatorEntry {
    OperatorEntry { name, syntax: None, usage: "", summary: "", instead }
}

/// Every operator of the language.
pub(crate) const ALL: &[OperatorEntry] = &[
    runs("as", Syntax::As, "as Name", "Names the rows so far, for what follows."),
    runs("count", Syntax::Count, "count [as Name]", "The number of rows."),
    runs("distinct", Syntax::Distinct, "distinct Column, … | *", "The different combinations of values."),
    runs(
        "evaluate",
        Syntax::Evaluate,
        "evaluate Plugin(Argument, …) [: (Column: type, …)]",
        "Runs a plugin: `narrow()` gives a row for each cell, `bag_unpack(Column, [Prefix])` a column for each property.",
    ),
    runs(
        "extend",
        Syntax::Extend,
        "extend [Name =] Expression, …",
        "Adds columns, or replaces those of the same name.",
    ),
    runs("filter", Syntax::Where, "filter Predicate", "The same as `where`."),
    runs("getschema", Syntax::GetSchema, "getschema", "A row for each column: its name and type."),
    runs(
        "invoke",
        Syntax::Invoke,
        "invoke Function(Argument, …)",
        "Calls a function of the query with the rows so far as its first argument.",
    ),
    runs(
        "join",
        Syntax::Join,
        "join [kind = Kind] Table on Column, … | $left.Column == $right.Column, …",
        "Puts rows beside the rows of another table that have the same keys. Kinds: innerunique (if none is named), \
         inner, leftouter, rightouter, fullouter, leftsemi, rightsemi, leftanti, rightanti.",
    ),
    runs("limit", Syntax::Take, "limit Count", "The same as `take`."),
    runs(
        "lookup",
        Syntax::Lookup,
        "lookup [kind = leftouter|inner] Table on Column, …",
        "Adds the columns of a table of facts to the rows that have the same keys.",
    ),
    runs(
        "make-series",
        Syntax::Series,
        "make-series [kind = nonempty] [Name =] Aggregate [default = Value], … on Column [from Start] [to End] step Step \
         [by [Name =] Expression, …]",
        "An array for each aggregate, with an element for each step of a column; a default where a step has no rows.",
    ),
    runs(
        "mv-apply",
        Syntax::Apply,
        "mv-apply [with_itemindex = Name] [Name =] Array [to typeof(type)], … [limit Count] on (Operator | …)",
        "Runs operators for the elements of each row's array, and puts what they give beside the row.",
    ),
    runs("mvapply", Syntax::Apply, "mvapply …", "The same as `mv-apply`."),
    runs(
        "mv-expand",
        Syntax::Expand,
        "mv-expand [kind = bag|array] [with_itemindex = Name] [Name =] Array [to typeof(type)], … [limit Count]",
        "A row for each element of an array or each property of a bag.",
    ),
    runs(
        "mvexpand",
        Syntax::OldExpand,
        "mvexpand …",
        "The same as `mv-expand`, with at most 128 rows for one unless said otherwise.",
    ),
    runs(
        "order",
        Syntax::Sort,
        "order by Expression [asc|desc] [nulls first|last], …",
        "The same as `sort`.",
    ),
    runs(
        "parse",
        Syntax::Parse,
        "parse [kind = simple|regex|relaxed [flags = Flags]] Text with [*] \"text\" Name[: type] …",
        "Adds columns for the parts of a text.",
    ),
    runs(
        "parse-where",
        Syntax::ParseWhere,
        "parse-where …",
        "As `parse`, without the rows whose text does not match.",
    ),
    runs(
        "partition",
        Syntax::Partition,
        "partition by Column (Operator | …)",
        "Runs operators for the rows of each value of a column.",
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
        "render",
        Syntax::Render,
        "render Chart [with (Property = Value, …)]",
        "Tells how to show the rows.",
    ),
    runs("sample", Syntax::Sample, "sample Count", "At most so many rows, picked by chance."),
    runs(
        "sample-distinct",
        Syntax::SampleDistinct,
        "sample-distinct Count of Column",
        "At most so many different values of a column.",
    ),
    runs(
        "search",
        Syntax::Search,
        "search [kind = case_sensitive] [in (Table, …)] Predicate",
        "The rows that have a text in any column; `Column: \"text\"` looks in one.",
    ),
    runs(
        "serialize",
        Syntax::Serialize,
        "serialize [[Name =] Expression, …]",
        "Keeps the order of the rows, so that row_number, prev, next … can be used.",
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
    runs(
        "top-nested",
        Syntax::TopNested,
        "top-nested [Count] of [Name =] Expression by [Name =] Aggregate [asc|desc], top-nested …",
        "The values with the greatest aggregate, and for each of them those of the next level.",
    ),
    runs(
        "union",
        Syntax::Union,
        "union [kind = outer|inner] [withsource = Column] [isfuzzy = true|false] Table, …",
        "The rows of several tables; `*` in a table's name stands for any characters.",
    ),
    runs("where", Syntax::Where, "where Predicate", "The rows for which the predicate is true."),
    known("assert-schema", "leave it out; getschema shows the columns"),
    known("consume", "end with count"),
    known("execute-and-cache", "leave it out"),
    known("externaldata", "put the rows into a datatable"),
    known("facet", "write one summarize count() by Column for each column"),
    known("find", "use search"),
    known("fork", "send the queries one at a time"),
    known("graph-mark-components", ""),
    known("graph-match", ""),
    known("graph-merge", ""),
    known("graph-shortest-paths", ""),
    known("graph-to-table", ""),
    known("graph-where-edges", ""),
    known("graph-where-nodes", ""),
    known("macro-expand", "write the tables of a union one by one"),
    known("make-graph", ""),
    known("parse-kv", "use parse, or extract(…) for each key"),
    known("project-by-names", "use project"),
    known("project-smart", "use project"),
    known("reduce", "use summarize count() by a part of the text, as extract(…) gives it"),
    known("scan", "use sort, and prev(…) or row_cumsum(…)"),
    known("top-hitters", "use summarize count() by Column and top"),
];
