//! Every query of the corpus through each stage, one snapshot per stage and file.

#![allow(clippy::expect_used, reason = "a test that cannot go on says so by failing")]

mod common;

use std::fmt::Write;

use common::{CorpusCatalog, corpus, options};
use fim_kql::ast::{ExprKindNode, ExprNode, NamedNode, OperatorKind, SourceNode, Statement};
use fim_kql::lexer::{TokenKind, tokenize};
use fim_kql::{Expr, ExprKind, Operator, Plan, Source, bind, parse};

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
        for statement in &ast.statements {
            match statement {
                Statement::Let { name, value } => {
                    writeln!(out, "  let {}", name.text).expect("a String");
                    pipeline(value, 2, &mut out);
                }
                Statement::Query(query) => pipeline(query, 1, &mut out),
                Statement::NotSupported(_) => out.push_str("  not supported\n"),
            }
        }
        out
    });
}

#[test]
fn each_query_of_the_corpus_has_its_plan() {
    snapshot("plan", |query| {
        let (ast, found) = parse(query);
        match bind(&ast, &CorpusCatalog, &options()) {
            (Some(plan), _) if found.is_empty() => show_plan(&plan),
            _ => String::from("  no plan\n"),
        }
    });
}

#[test]
fn each_query_of_the_corpus_has_its_diagnostics() {
    snapshot("diagnostics", |query| {
        let (ast, mut found) = parse(query);
        found.extend(bind(&ast, &CorpusCatalog, &options()).1);
        found.iter().fold(String::new(), |out, diagnostic| {
            format!("{out}  {diagnostic}  [{}]\n", &query[diagnostic.span.start..diagnostic.span.end])
        })
    });
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
        SourceNode::Nested(_) | SourceNode::Invalid => String::from("·"),
    };
    writeln!(out, "{pad}{source}").expect("a String");
    if let SourceNode::Nested(nested) = &pipeline.source {
        self::pipeline(nested, depth + 1, out);
    }
    for operator in &pipeline.operators {
        let text = match &operator.kind {
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
            OperatorKind::Invalid => String::from("·"),
        };
        writeln!(out, "{pad}| {text}").expect("a String");
    }
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

fn show_plan(plan: &Plan) -> String {
    let mut out = match &plan.source {
        Source::Table { name } => format!("  table {name}\n"),
        Source::OneRow => String::from("  one row\n"),
        Source::Rows(rows) => format!("  rows {rows:?} {}\n", plan.source_schema),
        Source::Range { from, to, step } => {
            format!("  range {} {} {} {}\n", show(from), show(to), show(step), plan.source_schema)
        }
    };
    for step in &plan.steps {
        let columns = |columns: &[fim_kql::NamedExpr]| {
            columns
                .iter()
                .map(|column| format!("{} = {}", column.name, show(&column.expr)))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let text = match &step.operator {
            Operator::Filter(predicate) => format!("filter {}", show(predicate)),
            Operator::Project(items) => format!("project {}", columns(items)),
            Operator::Summarize { keys, aggregates } => {
                let calls: Vec<String> = aggregates
                    .iter()
                    .map(|call| {
                        let arguments: Vec<String> = call.arguments.iter().map(show).collect();
                        format!("{} = {:?}({})", call.outputs, call.aggregate, arguments.join(", "))
                    })
                    .collect();
                format!("summarize [{}] by [{}]", calls.join(", "), columns(keys))
            }
            Operator::Sort(keys) | Operator::Top { keys, .. } => {
                let keys: Vec<String> = keys
                    .iter()
                    .map(|key| {
                        format!(
                            "{} descending={} nulls_first={}",
                            show(&key.expr),
                            key.is_descending,
                            key.nulls_first
                        )
                    })
                    .collect();
                match &step.operator {
                    Operator::Top { count, .. } => format!("top {count} {}", keys.join(", ")),
                    _ => format!("sort {}", keys.join(", ")),
                }
            }
            Operator::Take(count) => format!("take {count}"),
            Operator::Distinct => String::from("distinct"),
            Operator::Count => String::from("count"),
        };
        writeln!(out, "  {text}").expect("a String");
    }
    writeln!(out, "  → {}", plan.schema()).expect("a String");
    out
}

/// An expression with the type behind each conversion and call.
fn show(expr: &Expr) -> String {
    let each = |list: &[Expr]| list.iter().map(show).collect::<Vec<_>>().join(" ");
    let not = |is_negated: bool| if is_negated { "!" } else { "" };
    match &expr.kind {
        ExprKind::Literal(value) => format!("{value:?}"),
        ExprKind::Column(position) => format!("#{position}"),
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
