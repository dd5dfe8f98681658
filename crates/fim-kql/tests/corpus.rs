//! Every query of the corpus through each stage, one snapshot per stage and file.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

mod common;

use std::fmt::Write;

use common::{CorpusCatalog, corpus, options};
use fim_kql::ast::{
    ExpandNode, ExprKindNode, ExprNode, NamedNode, NestedNode, OperatorKind, OperatorNode, ParameterKind,
    ParameterNode, ParsePart, SourceNode, Statement, TableNode,
};
use fim_kql::lexer::{TokenKind, tokenize};
use fim_kql::{Expr, ExprKind, Operator, Plan, Query, SortKey, Source, TableName, bind, compile, parse};

fn snapshot(stage: &str, render: impl Fn(&str) -> String) {
    for (file, queries) in corpus() {
        let mut out = String::new();
        for query in queries {
            writeln!(out, "▶ {query}\n{}", render(&query)).expect("a String");
        }
        insta::with_settings!({ snapshot_path => format!("snapshots/{stage}"), prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(file, out);
        });
    }
}

#[test]
fn each_query_of_the_corpus_has_its_tokens() {
    snapshot("tokens", |query| {
        let mut out = String::new();
        for token in tokenize(query).iter().filter(|token| token.kind != TokenKind::Whitespace) {
            writeln!(out, "  {:?} {}", token.kind, &query[token.span.start..token.span.end])
                .expect("a String");
        }
        out
    });
}

#[test]
fn each_query_of_the_corpus_has_its_tree() {
    snapshot("tree", |query| {
        let (ast, _) = parse(query);
        let mut out = String::new();
        statements(&ast.statements, 1, &mut out);
        out
    });
}

#[test]
fn each_query_of_the_corpus_has_its_plan() {
    snapshot("plan", |query| {
        let (ast, found) = parse(query);
        match bind(&ast, &CorpusCatalog, &options()) {
            (Some(query), _) if found.is_empty() => show_query(&query),
            _ => String::from("  no plan\n"),
        }
    });
}

#[test]
fn each_query_of_the_corpus_has_its_diagnostics() {
    snapshot("diagnostics", |query| {
        let found = compile(query, &CorpusCatalog, &options()).err().unwrap_or_default();
        found.iter().fold(String::new(), |out, diagnostic| {
            format!("{out}  {diagnostic}  [{}]\n", &query[diagnostic.span.start..diagnostic.span.end])
        })
    });
}

fn statements(list: &[Statement], depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    for statement in list {
        match statement {
            Statement::Let { name, value } => {
                writeln!(out, "{pad}let {}", name.text).expect("a String");
                pipeline(value, depth + 1, out);
            }
            Statement::Function(function) => {
                let view = if function.is_view { "view " } else { "" };
                writeln!(
                    out,
                    "{pad}{view}function {}({})",
                    function.name.text,
                    parameters(&function.parameters)
                )
                .expect("a String");
                statements(&function.body, depth + 1, out);
            }
            Statement::Parameters(list) => {
                writeln!(out, "{pad}parameters {}", parameters(list)).expect("a String");
            }
            Statement::Setting { name, value } => {
                let value = value.as_ref().map_or(String::from("·"), tree);
                writeln!(out, "{pad}set {} {value}", name.text).expect("a String");
            }
            Statement::Query(query) => pipeline(query, depth, out),
            Statement::NotSupported(_) => writeln!(out, "{pad}not supported").expect("a String"),
        }
    }
}

fn parameters(list: &[ParameterNode]) -> String {
    let one = |parameter: &ParameterNode| {
        let kind = match &parameter.kind {
            ParameterKind::Scalar(ty) => ty.map_or("·", |ty| ty.name()).to_owned(),
            ParameterKind::Table(columns) => format!("table of {} columns", columns.len()),
        };
        let default = parameter.default.as_ref().map(|node| format!(" = {}", tree(node))).unwrap_or_default();
        format!("{}: {kind}{default}", parameter.name.text)
    };
    list.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn table(node: &TableNode, depth: usize, out: &mut String) {
    match node {
        TableNode::Pipeline(inner) => pipeline(inner, depth, out),
        TableNode::Wildcard(pattern) => {
            writeln!(out, "{}{}", "  ".repeat(depth), pattern.name.text).expect("a String");
        }
    }
}

fn pipeline(pipeline: &fim_kql::ast::Pipeline, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    let source = match &pipeline.source {
        SourceNode::Expression(node) => tree(node),
        SourceNode::Print(items) => format!("print {}", all(items)),
        SourceNode::Range { name, from, to, step } => {
            format!("range {} {} {} {}", name.text, tree(from), tree(to), tree(step))
        }
        SourceNode::DataTable { columns, values, .. } => {
            format!("datatable {} columns, {} values", columns.len(), values.len())
        }
        SourceNode::Operator(node) => format!("starts with {}", operator(&node.kind)),
        SourceNode::Nested(_) | SourceNode::Invalid => String::from("·"),
    };
    writeln!(out, "{pad}{source}").expect("a String");
    match &pipeline.source {
        SourceNode::Nested(nested) => self::pipeline(nested, depth + 1, out),
        SourceNode::Operator(node) => tables(&node.kind, depth + 1, out),
        _ => {}
    }
    for node in &pipeline.operators {
        writeln!(out, "{pad}| {}", operator(&node.kind)).expect("a String");
        tables(&node.kind, depth + 1, out);
    }
}

/// The tables that an operator takes.
fn tables(kind: &OperatorKind, depth: usize, out: &mut String) {
    match kind {
        OperatorKind::Join(join) => pipeline(&join.table, depth, out),
        OperatorKind::Union(union) => union.tables.iter().for_each(|node| table(node, depth, out)),
        OperatorKind::Search(search) => search.tables.iter().for_each(|node| table(node, depth, out)),
        _ => {}
    }
}

fn operator(kind: &OperatorKind) -> String {
    match kind {
        OperatorKind::Where(node) => format!("where {}", tree(node)),
        OperatorKind::Project(items) => format!("project {}", all(items)),
        OperatorKind::Extend(items) => format!("extend {}", all(items)),
        OperatorKind::Distinct(items) => format!("distinct {}", all(items)),
        OperatorKind::Summarize { aggregates, keys } => {
            format!("summarize {} by {}", all(aggregates), all(keys))
        }
        OperatorKind::Take(node) => format!("take {}", tree(node)),
        OperatorKind::Sort(keys) => {
            let keys: Vec<String> = keys
                .iter()
                .map(|key| format!("{} {:?} {:?}", named(&key.expr), key.ascending, key.nulls_first))
                .collect();
            format!("sort {}", keys.join(", "))
        }
        OperatorKind::Top { count, key } => format!("top {} {}", tree(count), named(&key.expr)),
        OperatorKind::Count(name) => format!("count {}", name.as_ref().map_or("", |name| &name.text)),
        OperatorKind::ProjectAway(_)
        | OperatorKind::ProjectKeep(_)
        | OperatorKind::ProjectRename(_)
        | OperatorKind::ProjectReorder(_) => String::from("project-…"),
        OperatorKind::As(name) => format!("as {}", name.text),
        OperatorKind::Join(join) => {
            let word = if join.is_lookup { "lookup" } else { "join" };
            let keys: Vec<String> = join.on.iter().map(tree).collect();
            format!("{word} {:?} on {}", join.kind, keys.join(", "))
        }
        OperatorKind::Union(union) => format!(
            "union inner={} fuzzy={} source={}",
            union.is_inner,
            union.is_fuzzy,
            union.source_column.as_ref().map_or("", |name| &name.text)
        ),
        OperatorKind::Sample(node) => format!("sample {}", tree(node)),
        OperatorKind::SampleDistinct { count, of } => {
            format!("sample-distinct {} of {}", tree(count), named(of))
        }
        OperatorKind::Search(search) => {
            format!("search case_sensitive={} {}", search.is_case_sensitive, tree(&search.predicate))
        }
        OperatorKind::Serialize(items) => format!("serialize {}", all(items)),
        OperatorKind::GetSchema => String::from("getschema"),
        OperatorKind::Invoke(call) => format!("invoke {}", tree(call)),
        OperatorKind::Evaluate(evaluate) => {
            let schema = evaluate.schema.as_ref();
            let schema =
                schema.map(|schema| format!(" : input={} {}", schema.keeps_input, schema.columns.len()));
            format!("evaluate {}{}", tree(&evaluate.call), schema.unwrap_or_default())
        }
        OperatorKind::Parse(node) => {
            let pattern: Vec<String> = node
                .pattern
                .iter()
                .map(|part| match part {
                    ParsePart::Any(_) => "*".to_owned(),
                    ParsePart::Text(text, _) => format!("{text:?}"),
                    ParsePart::Column(name, ty) => format!("{}:{ty}", name.text),
                })
                .collect();
            let name = if node.is_where { "parse-where" } else { "parse" };
            format!("{name} {:?} {:?} {} with {}", node.kind, node.flags, tree(&node.text), pattern.join(" "))
        }
        OperatorKind::Expand(node) => format!("expand {}", expansion(node)),
        OperatorKind::Apply(node) => {
            format!("apply {} on ({})", expansion(&node.expand), subquery(&node.operators))
        }
        OperatorKind::Partition(node) => {
            format!("partition {} ({})", node.key.text, subquery(&node.operators))
        }
        OperatorKind::Series(node) => {
            let aggregates: Vec<String> = node
                .aggregates
                .iter()
                .map(|(aggregate, default)| {
                    let default = default.as_ref().map(|default| format!(" default {}", tree(default)));
                    format!("{}{}", named(aggregate), default.unwrap_or_default())
                })
                .collect();
            let bound = |bound: &Option<ExprNode>| bound.as_ref().map_or(String::from("·"), tree);
            format!(
                "series never_empty:{} {} on {} from {} to {} step {} by {}",
                node.is_never_empty,
                aggregates.join(", "),
                named(&node.axis),
                bound(&node.from),
                bound(&node.to),
                tree(&node.step),
                all(&node.keys)
            )
        }
        OperatorKind::TopNested(levels) => {
            let level = |level: &NestedNode| {
                let count = level.count.as_ref().map_or(String::from("all"), tree);
                let others = level.others.as_ref().map(|others| format!(" others {}", tree(others)));
                let others = others.unwrap_or_default();
                format!(
                    "{count} of {}{others} by {} asc:{}",
                    named(&level.of),
                    named(&level.by),
                    level.is_ascending
                )
            };
            format!("top-nested {}", levels.iter().map(level).collect::<Vec<_>>().join(", "))
        }
        OperatorKind::Render(render) => {
            let properties = render.properties.iter().map(|(name, values)| {
                format!(" {}={}", name.text, values.iter().map(tree).collect::<Vec<_>>().join(","))
            });
            format!("render {}{}", render.chart.text, properties.collect::<String>())
        }
        OperatorKind::Invalid => String::from("·"),
    }
}

fn expansion(node: &ExpandNode) -> String {
    let items: Vec<String> = node
        .items
        .iter()
        .map(|(item, ty)| {
            let names: Vec<&str> = item.names.iter().map(|name| name.text.as_str()).collect();
            format!("{}={} {ty:?}", names.join(","), tree(&item.expr))
        })
        .collect();
    let index = node.index.as_ref().map(|name| name.text.clone());
    let limit = node.limit.as_ref().map(tree);
    format!(
        "{} pairs:{} old:{} index:{index:?} limit:{limit:?}",
        items.join(" "),
        node.makes_pairs,
        node.is_old
    )
}

fn subquery(operators: &[OperatorNode]) -> String {
    operators.iter().map(|node| operator(&node.kind)).collect::<Vec<_>>().join(" | ")
}

fn all(items: &[NamedNode]) -> String {
    items.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn named(item: &NamedNode) -> String {
    let names: String = item.names.iter().map(|name| format!("{}=", name.text)).collect();
    format!("{names}{}", tree(&item.expr))
}

/// An expression with its structure in parentheses.
fn tree(node: &ExprNode) -> String {
    let each = |nodes: &[ExprNode]| nodes.iter().map(tree).collect::<Vec<_>>().join(" ");
    match &node.kind {
        ExprKindNode::Missing => String::from("·"),
        ExprKindNode::Literal(value, ty) => format!("{value:?}:{ty}"),
        ExprKindNode::Name(name) => name.clone(),
        ExprKindNode::Star => String::from("*"),
        ExprKindNode::TypeOf(ty) => format!("typeof {ty}"),
        ExprKindNode::Sign { is_minus, operand } => {
            format!("({} {})", if *is_minus { "neg" } else { "pos" }, tree(operand))
        }
        ExprKindNode::Binary { operator, left, right, .. } => {
            format!("({} {} {})", operator.spelling(), tree(left), tree(right))
        }
        ExprKindNode::Logical { is_and, operands } => {
            format!("({} {})", if *is_and { "and" } else { "or" }, each(operands))
        }
        ExprKindNode::Between { value, low, high, is_negated } => {
            format!(
                "({}between {} {} {})",
                if *is_negated { "!" } else { "" },
                tree(value),
                tree(low),
                tree(high)
            )
        }
        ExprKindNode::List { operator, value, items } => {
            format!("({} {} [{}])", operator.spelling(), tree(value), each(items))
        }
        ExprKindNode::Member { bag, name } => format!("(. {} {})", tree(bag), name.text),
        ExprKindNode::Index { container, index } => format!("([] {} {})", tree(container), tree(index)),
        ExprKindNode::Call { function, arguments } => format!("{}({})", function.text, all(arguments)),
        ExprKindNode::Query(_) => String::from("(query)"),
    }
}

fn show_query(query: &Query) -> String {
    let mut out = String::new();
    for (position, constant) in query.constants.iter().enumerate() {
        let takes = if constant.takes_all { "all rows" } else { "the first row" };
        writeln!(out, "  constant {position}, {takes} of").expect("a String");
        show_plan(&constant.plan, 2, &mut out);
    }
    show_plan(&query.plan, 1, &mut out);
    if let Some(render) = &query.render {
        writeln!(out, "  render {} {:?}", render.chart, render.properties).expect("a String");
    }
    out
}

fn show_plan(plan: &Plan, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    let source = match &plan.source {
        Source::Table(TableName { workspace: None, table }) => format!("table {table}"),
        Source::Table(TableName { workspace: Some(workspace), table }) => {
            format!("table {table} of {workspace}")
        }
        Source::OneRow => String::from("one row"),
        Source::Rows(rows) => format!("rows {rows:?} {}", plan.source_schema),
        Source::Range { from, to, step } => {
            format!("range {} {} {} {}", show(from), show(to), show(step), plan.source_schema)
        }
        Source::Union(_) => format!("union {}", plan.source_schema),
    };
    writeln!(out, "{pad}{source}").expect("a String");
    if let Source::Union(inputs) = &plan.source {
        inputs.iter().for_each(|input| show_plan(input, depth + 1, out));
    }
    for step in &plan.steps {
        writeln!(out, "{pad}{}", show_step(&step.operator)).expect("a String");
        if let Operator::Join(join) = &step.operator {
            show_plan(&join.right, depth + 1, out);
        }
    }
    writeln!(out, "{pad}→ {}", plan.schema()).expect("a String");
}

fn show_columns(columns: &[fim_kql::NamedExpr]) -> String {
    let column = |column: &fim_kql::NamedExpr| format!("{} = {}", column.name, show(&column.expr));
    columns.iter().map(column).collect::<Vec<_>>().join(", ")
}

fn show_keys(keys: &[SortKey]) -> String {
    let key = |key: &SortKey| {
        format!("{} descending={} nulls_first={}", show(&key.expr), key.is_descending, key.nulls_first)
    };
    keys.iter().map(key).collect::<Vec<_>>().join(", ")
}

fn show_step(operator: &Operator) -> String {
    let each = |list: &[Expr]| list.iter().map(show).collect::<Vec<_>>().join(", ");
    match operator {
        Operator::Filter(predicate) => format!("filter {}", show(predicate)),
        Operator::Project(items) => format!("project {}", show_columns(items)),
        Operator::Summarize { keys, aggregates } => {
            let calls: Vec<String> = aggregates
                .iter()
                .map(|call| {
                    let condition = call.condition.as_ref().map(|only| format!(" if {}", show(only)));
                    let arguments = each(&call.arguments);
                    format!(
                        "{} = {:?}({arguments}){}",
                        call.outputs,
                        call.aggregate,
                        condition.unwrap_or_default()
                    )
                })
                .collect();
            format!("summarize [{}] by [{}]", calls.join(", "), show_columns(keys))
        }
        Operator::Sort(keys) => format!("sort {}", show_keys(keys)),
        Operator::Top { count, keys } => format!("top {count} {}", show_keys(keys)),
        Operator::Take(count) => format!("take {count}"),
        Operator::Distinct => String::from("distinct"),
        Operator::Count => String::from("count"),
        Operator::FirstOf { keys } => format!("first of each {}", each(keys)),
        Operator::Join(join) => {
            let key = |key: &fim_kql::JoinKey| format!("{} == {}", show(&key.left), show(&key.right));
            format!("join {:?} {}", join.kind, join.keys.iter().map(key).collect::<Vec<_>>().join(", "))
        }
        Operator::Sample(count) => format!("sample {count}"),
        Operator::Expand(node) => {
            let pairs = if node.makes_pairs { " as pairs" } else { "" };
            let index = if node.has_index { " with positions" } else { "" };
            format!("expand {}{pairs}{index} limit {}", each(&node.arrays), node.limit)
        }
        Operator::Window(call) => {
            let groups = match call.groups.as_slice() {
                [] => String::new(),
                groups => format!(" in groups of {}", each(groups)),
            };
            format!("window {} = {:?}({}){groups}", call.output.name, call.function, each(&call.arguments))
        }
    }
}

/// An expression with the type behind each conversion and call.
fn show(expr: &Expr) -> String {
    let each = |list: &[Expr]| list.iter().map(show).collect::<Vec<_>>().join(" ");
    let not = |is_negated: bool| if is_negated { "!" } else { "" };
    match &expr.kind {
        ExprKind::Literal(value) => format!("{value:?}"),
        ExprKind::Column(position) => format!("#{position}"),
        ExprKind::Constant(position) => format!("constant {position}:{}", expr.ty),
        ExprKind::Convert(inner) => format!("({} as {})", show(inner), expr.ty),
        ExprKind::Negate(inner) => format!("(neg {})", show(inner)),
        ExprKind::Not(inner) => format!("(not {})", show(inner)),
        ExprKind::Arithmetic { operator, left, right } => {
            format!("({} {} {}):{}", operator.spelling(), show(left), show(right), expr.ty)
        }
        ExprKind::Compare { operator, left, right } => {
            format!("({} {} {})", operator.spelling(), show(left), show(right))
        }
        ExprKind::And(list) => format!("(and {})", each(list)),
        ExprKind::Or(list) => format!("(or {})", each(list)),
        ExprKind::Match { operator, is_negated, text, pattern } => {
            format!("({}{operator:?} {} {})", not(*is_negated), show(text), show(pattern))
        }
        ExprKind::HasTerms { needs_all, text, terms } => {
            format!("({} {} [{}])", if *needs_all { "has_all" } else { "has_any" }, show(text), each(terms))
        }
        ExprKind::In { value, list, ignores_case, is_negated } => {
            let tilde = if *ignores_case { "~" } else { "" };
            format!("({}in{tilde} {} [{}])", not(*is_negated), show(value), each(list))
        }
        ExprKind::Between { value, low, high, is_negated } => {
            format!("({}between {} {} {})", not(*is_negated), show(value), show(low), show(high))
        }
        ExprKind::Member { bag, name } => format!("{}.{name}", show(bag)),
        ExprKind::Index { container, index } => format!("{}[{}]", show(container), show(index)),
        ExprKind::Case { branches, otherwise } => {
            let branches: Vec<String> = branches
                .iter()
                .map(|(condition, value)| format!("{} → {}", show(condition), show(value)))
                .collect();
            format!("(case {}, {}):{}", branches.join(", "), show(otherwise), expr.ty)
        }
        ExprKind::Call { function, arguments } => format!("{function:?}({}):{}", each(arguments), expr.ty),
    }
}
