//! The tree back to text. Parsing what is printed gives the same tree, but for the spans.

mod groups;
mod shape;

use std::fmt::{self, Display, Formatter, Write};

use crate::ast::{
    Ast, BinaryOperator, ColumnNode, ColumnPattern, EvaluateNode, ExprKindNode, ExprNode, JoinNode,
    ListOperator, NamedNode, OperatorKind, OrderedNode, ParameterKind, ParameterNode, Pipeline, RenderNode,
    Reorder, SearchNode, SourceNode, Statement, TableNode, UnionNode,
};
use crate::literal::quote;
use crate::parser::JOIN_KINDS;
use crate::plan::{Arithmetic, Comparison, TextMatch};
use crate::types::{Decimal, ScalarType, Value};

impl Display for Ast {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        write_statements(&self.statements, out)
    }
}

fn write_statements(statements: &[Statement], out: &mut Formatter<'_>) -> fmt::Result {
    for (position, statement) in statements.iter().enumerate() {
        out.write_str(if position == 0 { "" } else { ";\n" })?;
        match statement {
            Statement::Let { name, value } => write!(out, "let {} = {value}", Named(&name.text))?,
            Statement::Function(function) => {
                let view = if function.is_view { "view " } else { "" };
                write!(out, "let {} = {view}(", Named(&function.name.text))?;
                list(&function.parameters, out, write_parameter)?;
                out.write_str(") { ")?;
                write_statements(&function.body, out)?;
                out.write_str(" }")?;
            }
            Statement::Parameters(parameters) => {
                out.write_str("declare query_parameters(")?;
                list(parameters, out, write_parameter)?;
                out.write_str(")")?;
            }
            Statement::Setting { name, value } => {
                write!(out, "set {}", Named(&name.text))?;
                if let Some(value) = value {
                    out.write_str(" = ")?;
                    write_expr(value, 0, out)?;
                }
            }
            Statement::Query(pipeline) => write!(out, "{pipeline}")?,
            Statement::NotSupported(_) => {}
        }
    }
    Ok(())
}

fn write_parameter(parameter: &ParameterNode, out: &mut Formatter<'_>) -> fmt::Result {
    write!(out, "{}: ", Named(&parameter.name.text))?;
    match &parameter.kind {
        ParameterKind::Scalar(ty) => out.write_str(ty.map_or("string", ScalarType::name))?,
        ParameterKind::Table(columns) if columns.is_empty() => out.write_str("(*)")?,
        ParameterKind::Table(columns) => {
            out.write_str("(")?;
            list(columns, out, write_column)?;
            out.write_str(")")?;
        }
    }
    if let Some(default) = &parameter.default {
        out.write_str(" = ")?;
        write_expr(default, 0, out)?;
    }
    Ok(())
}

fn write_column((name, ty): &ColumnNode, out: &mut Formatter<'_>) -> fmt::Result {
    write!(out, "{}:{}", Named(&name.text), ty.map_or("string", ScalarType::name))
}

impl Display for Pipeline {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        source(&self.source, out)?;
        for operator in &self.operators {
            out.write_str(" | ")?;
            write_operator(&operator.kind, out)?;
        }
        Ok(())
    }
}

fn source(source: &SourceNode, out: &mut Formatter<'_>) -> fmt::Result {
    match source {
        SourceNode::Expression(node) => write_expr(node, 0, out),
        SourceNode::Print(items) => {
            out.write_str("print ")?;
            list(items, out, write_named)
        }
        SourceNode::Range { name, from, to, step } => {
            write!(out, "range {} from ", Named(&name.text))?;
            write_expr(from, 0, out)?;
            out.write_str(" to ")?;
            write_expr(to, 0, out)?;
            out.write_str(" step ")?;
            write_expr(step, 0, out)
        }
        SourceNode::DataTable { columns, values, .. } => {
            out.write_str("datatable(")?;
            list(columns, out, write_column)?;
            out.write_str(")[")?;
            list(values, out, |value, out| write_expr(value, 0, out))?;
            out.write_str("]")
        }
        SourceNode::Operator(operator) => write_operator(&operator.kind, out),
        SourceNode::Nested(pipeline) => write!(out, "({pipeline})"),
        SourceNode::Invalid => Ok(()),
    }
}

fn write_operator(operator: &OperatorKind, out: &mut Formatter<'_>) -> fmt::Result {
    match operator {
        OperatorKind::Where(predicate) => {
            out.write_str("where ")?;
            write_expr(predicate, 0, out)
        }
        OperatorKind::Project(items) => operator_list("project", items, out, write_named),
        OperatorKind::Extend(items) => operator_list("extend", items, out, write_named),
        OperatorKind::Distinct(items) => operator_list("distinct", items, out, write_named),
        OperatorKind::ProjectAway(patterns) => operator_list("project-away", patterns, out, write_pattern),
        OperatorKind::ProjectKeep(patterns) => operator_list("project-keep", patterns, out, write_pattern),
        OperatorKind::ProjectRename(names) => {
            operator_list("project-rename", names, out, |(new, old), out| {
                write!(out, "{} = {}", Named(&new.text), Named(&old.text))
            })
        }
        OperatorKind::ProjectReorder(patterns) => {
            operator_list("project-reorder", patterns, out, |(pattern, order), out| {
                write_pattern(pattern, out)?;
                out.write_str(match order {
                    None => "",
                    Some(Reorder::Ascending) => " asc",
                    Some(Reorder::Descending) => " desc",
                    Some(Reorder::GrannyAscending) => " granny-asc",
                    Some(Reorder::GrannyDescending) => " granny-desc",
                })
            })
        }
        OperatorKind::Summarize { aggregates, keys } => {
            operator_list("summarize", aggregates, out, write_named)?;
            if keys.is_empty() {
                return Ok(());
            }
            operator_list(" by", keys, out, write_named)
        }
        OperatorKind::Sort(keys) => operator_list("sort by", keys, out, write_ordered),
        OperatorKind::Take(count) => {
            out.write_str("take ")?;
            write_expr(count, 0, out)
        }
        OperatorKind::Top { count, key } => {
            out.write_str("top ")?;
            write_expr(count, 0, out)?;
            out.write_str(" by ")?;
            write_ordered(key, out)
        }
        OperatorKind::Count(None) => out.write_str("count"),
        OperatorKind::Count(Some(name)) => write!(out, "count as {}", Named(&name.text)),
        OperatorKind::As(name) => write!(out, "as {}", Named(&name.text)),
        OperatorKind::Join(join) => write_join(join, out),
        OperatorKind::Union(union) => write_union(union, out),
        OperatorKind::Sample(count) => {
            out.write_str("sample ")?;
            write_expr(count, 0, out)
        }
        OperatorKind::SampleDistinct { count, of } => {
            out.write_str("sample-distinct ")?;
            write_expr(count, 0, out)?;
            out.write_str(" of ")?;
            write_named(of, out)
        }
        OperatorKind::Search(search) => write_search(search, out),
        OperatorKind::Serialize(items) => operator_list("serialize", items, out, write_named),
        OperatorKind::GetSchema => out.write_str("getschema"),
        OperatorKind::Invoke(call) => {
            out.write_str("invoke ")?;
            write_expr(call, 0, out)
        }
        OperatorKind::Evaluate(evaluate) => write_evaluate(evaluate, out),
        OperatorKind::Render(render) => write_render(render, out),
        OperatorKind::Parse(node) => shape::parse(node, out),
        OperatorKind::Expand(node) => shape::expand(node, out),
        OperatorKind::Apply(node) => groups::apply(node, out),
        OperatorKind::Partition(node) => groups::partition(node, out),
        OperatorKind::Series(node) => groups::series(node, out),
        OperatorKind::TopNested(levels) => groups::top_nested(levels, out),
        OperatorKind::Invalid => Ok(()),
    }
}

fn write_join(join: &JoinNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str(if join.is_lookup { "lookup " } else { "join " })?;
    if let Some((name, _)) = JOIN_KINDS.iter().find(|(_, word)| Some(*word) == join.kind) {
        write!(out, "kind={name} ")?;
    }
    write!(out, "{} on ", join.table)?;
    list(&join.on, out, |key, out| write_expr(key, 0, out))
}

fn write_union(union: &UnionNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str("union ")?;
    out.write_str(if union.is_inner { "kind=inner " } else { "" })?;
    out.write_str(if union.is_fuzzy { "isfuzzy=true " } else { "" })?;
    if let Some(name) = &union.source_column {
        write!(out, "withsource={} ", Named(&name.text))?;
    }
    list(&union.tables, out, write_table)
}

fn write_table(table: &TableNode, out: &mut Formatter<'_>) -> fmt::Result {
    match table {
        TableNode::Pipeline(pipeline) => write!(out, "{pipeline}"),
        TableNode::Wildcard(pattern) => write_pattern(pattern, out),
    }
}

fn write_search(search: &SearchNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str(if search.is_case_sensitive { "search kind=case_sensitive " } else { "search " })?;
    if !search.tables.is_empty() {
        out.write_str("in (")?;
        list(&search.tables, out, write_table)?;
        out.write_str(") ")?;
    }
    write_expr(&search.predicate, 0, out)
}

fn write_evaluate(evaluate: &EvaluateNode, out: &mut Formatter<'_>) -> fmt::Result {
    out.write_str("evaluate ")?;
    write_expr(&evaluate.call, 0, out)?;
    let Some(schema) = &evaluate.schema else { return Ok(()) };
    out.write_str(match (schema.keeps_input, schema.columns.is_empty()) {
        (true, true) => " : (*",
        (true, false) => " : (*, ",
        (false, _) => " : (",
    })?;
    list(&schema.columns, out, write_column)?;
    out.write_str(")")
}

fn write_render(render: &RenderNode, out: &mut Formatter<'_>) -> fmt::Result {
    write!(out, "render {}", Named(&render.chart.text))?;
    if render.properties.is_empty() {
        return Ok(());
    }
    out.write_str(" with (")?;
    // The parser takes the name of a property as it is, whatever else the word means.
    list(&render.properties, out, |(name, values), out| {
        write!(out, "{}=", name.text)?;
        list(values, out, |value, out| write_expr(value, 0, out))
    })?;
    out.write_str(")")
}

fn list<T>(
    items: &[T],
    out: &mut Formatter<'_>,
    write: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    for (position, item) in items.iter().enumerate() {
        if position > 0 {
            out.write_str(", ")?;
        }
        write(item, out)?;
    }
    Ok(())
}

fn operator_list<T>(
    operator: &str,
    items: &[T],
    out: &mut Formatter<'_>,
    write: impl Fn(&T, &mut Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    out.write_str(operator)?;
    if !items.is_empty() {
        out.write_str(" ")?;
    }
    list(items, out, write)
}

fn write_named(node: &NamedNode, out: &mut Formatter<'_>) -> fmt::Result {
    match node.names.as_slice() {
        [] => {}
        [name] => write!(out, "{} = ", Named(&name.text))?,
        names => {
            out.write_str("(")?;
            list(names, out, |name, out| write!(out, "{}", Named(&name.text)))?;
            out.write_str(") = ")?;
        }
    }
    write_expr(&node.expr, 0, out)
}

fn write_ordered(node: &OrderedNode, out: &mut Formatter<'_>) -> fmt::Result {
    write_named(&node.expr, out)?;
    out.write_str(match node.ascending {
        None => "",
        Some(true) => " asc",
        Some(false) => " desc",
    })?;
    out.write_str(match node.nulls_first {
        None => "",
        Some(true) => " nulls first",
        Some(false) => " nulls last",
    })
}

fn write_pattern(pattern: &ColumnPattern, out: &mut Formatter<'_>) -> fmt::Result {
    match pattern.is_wildcard {
        true => out.write_str(&pattern.name.text),
        false => write!(out, "{}", Named(&pattern.name.text)),
    }
}

/// How tight an expression binds; an operand that binds looser is put in parentheses.
fn tightness(kind: &ExprKindNode) -> u8 {
    match kind {
        ExprKindNode::Logical { is_and: false, .. } => 1,
        ExprKindNode::Logical { is_and: true, .. } => 2,
        ExprKindNode::Binary { operator, .. } => match operator {
            BinaryOperator::Comparison(Comparison::Equal | Comparison::NotEqual) => 3,
            BinaryOperator::Comparison(_) => 4,
            BinaryOperator::Arithmetic(Arithmetic::Add | Arithmetic::Subtract) => 5,
            BinaryOperator::Arithmetic(_) => 6,
            BinaryOperator::Text { .. } => 7,
        },
        ExprKindNode::Between { .. } | ExprKindNode::List { .. } => 3,
        // A point behind a number would be read as a part of it.
        ExprKindNode::Sign { .. } | ExprKindNode::Literal(Value::Long(_) | Value::Real(_), _) => 8,
        ExprKindNode::Query(_) => 0,
        ExprKindNode::Literal(..)
        | ExprKindNode::Missing
        | ExprKindNode::Name(_)
        | ExprKindNode::Star
        | ExprKindNode::Member { .. }
        | ExprKindNode::Index { .. }
        | ExprKindNode::Call { .. }
        | ExprKindNode::TypeOf(_) => 9,
    }
}

fn write_expr(node: &ExprNode, at_least: u8, out: &mut Formatter<'_>) -> fmt::Result {
    if tightness(&node.kind) < at_least {
        out.write_str("(")?;
        write_expr(node, 0, out)?;
        return out.write_str(")");
    }
    match &node.kind {
        ExprKindNode::Missing => Ok(()),
        ExprKindNode::Literal(value, ty) => write_literal(value, *ty, out),
        ExprKindNode::Name(name) => write!(out, "{}", Named(name)),
        ExprKindNode::Star => out.write_str("*"),
        ExprKindNode::TypeOf(ty) => write!(out, "typeof({ty})"),
        ExprKindNode::Query(pipeline) => write!(out, "{pipeline}"),
        ExprKindNode::Sign { is_minus, operand } => {
            out.write_str(if *is_minus { "-" } else { "+" })?;
            write_expr(operand, 9, out)
        }
        ExprKindNode::Binary { operator, left, right, .. } => {
            let own = tightness(&node.kind);
            // Only arithmetic goes on to the left: `a - b - c` is `(a - b) - c`.
            let is_chain = matches!(operator, BinaryOperator::Arithmetic(_));
            write_expr(left, if is_chain { own } else { own + 1 }, out)?;
            write!(out, " {} ", operator.spelling())?;
            write_expr(right, own + 1, out)
        }
        ExprKindNode::Logical { is_and, operands } => {
            let own = tightness(&node.kind);
            for (position, operand) in operands.iter().enumerate() {
                if position > 0 {
                    out.write_str(if *is_and { " and " } else { " or " })?;
                }
                write_expr(operand, own + 1, out)?;
            }
            Ok(())
        }
        ExprKindNode::Between { is_negated, value, low, high } => {
            write_expr(value, 4, out)?;
            out.write_str(if *is_negated { " !between (" } else { " between (" })?;
            write_expr(low, 0, out)?;
            out.write_str(" .. ")?;
            write_expr(high, 0, out)?;
            out.write_str(")")
        }
        ExprKindNode::List { operator, value, items } => {
            write_expr(value, 4, out)?;
            write!(out, " {} (", operator.spelling())?;
            list(items, out, |item, out| write_expr(item, 0, out))?;
            out.write_str(")")
        }
        ExprKindNode::Member { bag, name } => {
            write_expr(bag, 9, out)?;
            write!(out, ".{}", Named(&name.text))
        }
        ExprKindNode::Index { container, index } => {
            write_expr(container, 9, out)?;
            out.write_str("[")?;
            write_expr(index, 0, out)?;
            out.write_str("]")
        }
        ExprKindNode::Call { function, arguments } => {
            write!(out, "{}(", function.text)?;
            list(arguments, out, write_named)?;
            out.write_str(")")
        }
    }
}

fn write_literal(value: &Value, ty: ScalarType, out: &mut Formatter<'_>) -> fmt::Result {
    match value {
        Value::Null => write!(out, "{ty}(null)"),
        Value::Bool(truth) => write!(out, "{truth}"),
        Value::DateTime(moment) => write!(out, "datetime({moment})"),
        Value::Int(number) => write!(out, "int({number})"),
        Value::Long(number) if *number >= 0 => write!(out, "{number}"),
        Value::Long(number) => write!(out, "long({number})"),
        Value::Real(number) if number.is_nan() => out.write_str("real(nan)"),
        Value::Real(number) if number.is_infinite() => {
            out.write_str(if *number > 0.0 { "real(+inf)" } else { "real(-inf)" })
        }
        Value::Real(number) if number.is_sign_negative() => write!(out, "real({number:?})"),
        Value::Real(number) => write!(out, "{number:?}"),
        Value::String(text) => out.write_str(&quote(text)),
        Value::TimeSpan(span) => write!(out, "time({span})"),
        Value::Guid(bits) => write!(out, "guid({})", guid(*bits)),
        Value::Decimal(number) => write!(out, "decimal({})", decimal(*number)),
        Value::Dynamic(json) => write!(out, "dynamic({json})"),
    }
}

/// The usual form with hyphens.
pub(crate) fn guid(bits: u128) -> String {
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// All digits, with a point if there is a fraction.
pub(crate) fn decimal(number: Decimal) -> String {
    let scale = usize::from(number.scale);
    let mut digits = format!("{:0>width$}", number.mantissa.unsigned_abs(), width = scale + 1);
    if scale > 0 {
        digits.insert(digits.len() - scale, '.');
    }
    if number.mantissa < 0 {
        digits.insert(0, '-');
    }
    digits
}

/// A name as it must be written: in brackets unless it is a plain word that nothing else is called.
struct Named<'n>(&'n str);

impl Display for Named<'_> {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        let is_word = self.0.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '$'))
            && self.0.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '$'))
            && self.0.rfind('$').is_none_or(|at| at == 0);
        match is_word && !is_reserved(self.0) {
            true => out.write_str(self.0),
            false => {
                out.write_char('[')?;
                out.write_str(&quote(self.0))?;
                out.write_char(']')
            }
        }
    }
}

/// Whether a word means something somewhere, so that as a name it is safe only in brackets.
fn is_reserved(word: &str) -> bool {
    const WORDS: &str = "and or in has has_any has_all has_cs hasprefix hasprefix_cs hassuffix hassuffix_cs contains \
        contains_cs containscs notcontains notcontainscs startswith startswith_cs endswith endswith_cs matches between \
        by asc desc nulls first last from to step on of as with true True TRUE false False FALSE let set declare \
        alias restrict print range datatable externaldata external_data union search find evaluate hint null view \
        dynamic typeof kind";
    WORDS.split_ascii_whitespace().any(|reserved| reserved == word)
        || crate::operators::find(word).is_some()
        || ScalarType::from_name(word).is_some()
}

impl BinaryOperator {
    /// The operator as it is written.
    pub fn spelling(self) -> &'static str {
        match self {
            BinaryOperator::Arithmetic(operator) => operator.spelling(),
            BinaryOperator::Comparison(operator) => operator.spelling(),
            BinaryOperator::Text { how, is_negated } => how.spelling(is_negated),
        }
    }
}

impl Arithmetic {
    /// The operator as it is written.
    pub fn spelling(self) -> &'static str {
        match self {
            Arithmetic::Add => "+",
            Arithmetic::Subtract => "-",
            Arithmetic::Multiply => "*",
            Arithmetic::Divide => "/",
            Arithmetic::Remainder => "%",
        }
    }
}

impl Comparison {
    /// The operator as it is written.
    pub fn spelling(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl TextMatch {
    /// The operator as it is written. There is no negated `matches regex` in the language: use `not(…)`.
    pub fn spelling(self, is_negated: bool) -> &'static str {
        let spellings = match self {
            TextMatch::EqualIgnoringCase => ["=~", "!~"],
            TextMatch::Has => ["has", "!has"],
            TextMatch::HasCs => ["has_cs", "!has_cs"],
            TextMatch::HasPrefix => ["hasprefix", "!hasprefix"],
            TextMatch::HasPrefixCs => ["hasprefix_cs", "!hasprefix_cs"],
            TextMatch::HasSuffix => ["hassuffix", "!hassuffix"],
            TextMatch::HasSuffixCs => ["hassuffix_cs", "!hassuffix_cs"],
            TextMatch::Contains => ["contains", "!contains"],
            TextMatch::ContainsCs => ["contains_cs", "!contains_cs"],
            TextMatch::StartsWith => ["startswith", "!startswith"],
            TextMatch::StartsWithCs => ["startswith_cs", "!startswith_cs"],
            TextMatch::EndsWith => ["endswith", "!endswith"],
            TextMatch::EndsWithCs => ["endswith_cs", "!endswith_cs"],
            TextMatch::MatchesRegex => ["matches regex", "matches regex"],
        };
        spellings[usize::from(is_negated)]
    }
}

impl ListOperator {
    /// The operator as it is written.
    pub fn spelling(self) -> &'static str {
        match self {
            ListOperator::In { ignores_case: false, is_negated: false } => "in",
            ListOperator::In { ignores_case: false, is_negated: true } => "!in",
            ListOperator::In { ignores_case: true, is_negated: false } => "in~",
            ListOperator::In { ignores_case: true, is_negated: true } => "!in~",
            ListOperator::HasAny => "has_any",
            ListOperator::HasAll => "has_all",
        }
    }
}
