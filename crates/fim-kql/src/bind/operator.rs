//! Tabular operators.

use std::cmp::Ordering;

use super::naming::{Names, OwnName};
use super::shape::put;
use super::window::Windows;
use super::{Binder, Building};
use crate::ast::{
    ColumnPattern, ExprKindNode, ExprNode, Name, NamedNode, OperatorKind, OperatorNode, OrderedNode, Reorder,
};
use crate::diagnostic::{Code, Span};
use crate::plan::{Expr, ExprKind, NamedExpr, Operator, SortKey};
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    /// Adds the operator to the plan. None if it is wrong, which was said; what follows is bound nevertheless, so
    /// that one answer names all mistakes.
    pub(super) fn operator(&mut self, node: &OperatorNode, building: &mut Building) -> Option<()> {
        match &node.kind {
            OperatorKind::Where(predicate) => self.filter(predicate, building, node.span),
            OperatorKind::Project(items) => self.project(items, building, node.span),
            OperatorKind::Extend(items) => self.extend(items, building, node.span),
            OperatorKind::ProjectAway(patterns) => {
                let matched = self.matched(patterns, building.schema())?;
                let rest = (0..building.schema().columns.len()).filter(|column| !matched.contains(column));
                Self::select(rest.collect(), building, node.span)
            }
            OperatorKind::ProjectKeep(patterns) => {
                let mut matched = self.matched(patterns, building.schema())?;
                matched.sort_unstable();
                Self::select(matched, building, node.span)
            }
            OperatorKind::ProjectRename(renames) => self.rename(renames, building, node.span),
            OperatorKind::ProjectReorder(patterns) => self.reorder(patterns, building, node.span),
            OperatorKind::Summarize { aggregates, keys } => {
                let done = self.summarize(aggregates, keys, building, node.span);
                building.is_serialized = false;
                if done.is_none() {
                    self.forget_schema(aggregates.iter().chain(keys), building, node.span);
                }
                done
            }
            OperatorKind::Sort(keys) => {
                let keys: Vec<Option<SortKey>> =
                    keys.iter().map(|key| self.sort_key(key, building.schema())).collect();
                let keys = keys.into_iter().collect::<Option<_>>()?;
                building.is_serialized = true;
                building.push(Operator::Sort(keys), building.schema().clone(), node.span);
                Some(())
            }
            OperatorKind::Take(count) => {
                let count = self.row_count(count)?;
                building.push(Operator::Take(count), building.schema().clone(), node.span);
                Some(())
            }
            OperatorKind::Top { count, key } => {
                let count = self.row_count(count);
                let key = self.sort_key(key, building.schema());
                let operator = Operator::Top { count: count?, keys: vec![key?] };
                building.is_serialized = true;
                building.push(operator, building.schema().clone(), node.span);
                Some(())
            }
            OperatorKind::Distinct(items) => {
                building.is_serialized = false;
                self.distinct(items, building, node.span)
            }
            OperatorKind::Count(name) => {
                let name = name.as_ref().map_or("Count", |name| name.text.as_str());
                let schema = Schema::new(vec![Column::new(name, ScalarType::Long)]);
                self.unknown_columns.clear();
                building.push(Operator::Count, schema, node.span);
                Some(())
            }
            OperatorKind::As(name) => self.name_rows(name, building),
            OperatorKind::Join(join) => self.join(join, building, node.span),
            OperatorKind::Union(union) => {
                let rows = building.take_plan();
                let combined = self.union(union, Some(rows), node.span)?;
                *building = Building { is_broken: building.is_broken, ..combined };
                Some(())
            }
            OperatorKind::Sample(count) => {
                let count = self.row_count(count)?;
                building.is_serialized = false;
                building.push(Operator::Sample(count), building.schema().clone(), node.span);
                Some(())
            }
            OperatorKind::SampleDistinct { count, of } => {
                self.sample_distinct(count, of, building, node.span)
            }
            OperatorKind::Search(search) => self.search(search, building, node.span),
            OperatorKind::Serialize(items) => self.serialize(items, building, node.span),
            OperatorKind::GetSchema => self.get_schema(building),
            OperatorKind::Invoke(call) => self.invoke(call, building),
            OperatorKind::Evaluate(evaluate) => self.evaluate(evaluate, building, node.span),
            OperatorKind::Render(render) => self.render(render, building),
            OperatorKind::Parse(parse) => self.parse_text(parse, building, node.span),
            OperatorKind::Expand(expand) => self.expand(expand, building, node.span),
            OperatorKind::Apply(apply) => self.apply(apply, building, node.span),
            OperatorKind::Partition(partition) => self.partition(partition, building, node.span),
            OperatorKind::Series(series) => self.series(series, building, node.span),
            OperatorKind::TopNested(levels) => self.top_nested(levels, building, node.span),
            OperatorKind::Invalid => None,
        }
    }

    fn filter(&mut self, predicate: &ExprNode, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let mut windows = Windows::over(building);
        let expr = self.row_value(predicate, &input, &mut windows)?;
        if expr.ty != ScalarType::Bool {
            let hint = if expr.ty == ScalarType::Dynamic { "; convert it with tobool(…)" } else { "" };
            let message = format!("where needs a bool, not a {}{hint}", expr.ty);
            self.problem(Code::TypeMismatch, predicate.span, message);
            return None;
        }
        let has_windows = !windows.is_empty();
        windows.push(building, span);
        building.push(Operator::Filter(expr), building.schema().clone(), span);
        if has_windows {
            Self::select((0..input.columns.len()).collect(), building, span)?;
        }
        Some(())
    }

    fn project(&mut self, items: &[NamedNode], building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let mut names = Names::default();
        let mut columns = Vec::new();
        let mut unknown = Vec::new();
        let mut windows = Windows::over(building);
        for item in items {
            if let Some(several) = self.columns_of_call(item, &input, &mut names) {
                building.is_broken |= several.is_none();
                columns.extend(several.into_iter().flatten());
                continue;
            }
            let expr = self.row_value(&item.expr, &input, &mut windows);
            match (self.item_name(&mut names, item), expr) {
                (Some(name), Some(expr)) => columns.push(NamedExpr { name, expr }),
                (Some(name), None) => unknown.push(name),
                (None, _) => building.is_broken = true,
            }
        }
        let is_complete = unknown.is_empty();
        self.unknown_columns = unknown.into_iter().collect();
        windows.push(building, span);
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        is_complete.then_some(())
    }

    pub(super) fn extend(&mut self, items: &[NamedNode], building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let mut columns: Vec<NamedExpr> =
            (0..input.columns.len()).map(|at| column(&input, at, span)).collect();
        let mut names = Names::default();
        let mut is_complete = true;
        let mut windows = Windows::over(building);
        for item in items {
            if let Some(several) = self.columns_of_call(item, &input, &mut names) {
                is_complete &= several.is_some();
                several
                    .into_iter()
                    .flatten()
                    .for_each(|NamedExpr { name, expr }| put(&mut columns, &name, expr));
                continue;
            }
            let expr = self.row_value(&item.expr, &input, &mut windows);
            let Some(name) = self.extended_name(&mut names, item, &columns) else {
                is_complete = false;
                continue;
            };
            let Some(expr) = expr else {
                self.unknown_columns.insert(name);
                is_complete = false;
                continue;
            };
            put(&mut columns, &name, expr);
        }
        windows.push(building, span);
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        is_complete.then_some(())
    }

    /// The name of a column of `extend`. A derived one replaces a column of that name, one by position does not.
    fn extended_name(
        &mut self,
        names: &mut Names,
        item: &NamedNode,
        columns: &[NamedExpr],
    ) -> Option<String> {
        if let Some(name) = self.single_name(item) {
            if names.contains(&name.text) && names.declare(&name.text).is_none() {
                let message = format!("there is already a column '{}'", name.text);
                self.problem(Code::DuplicateName, name.span, message);
                return None;
            }
            names.declare(&name.text);
            return Some(name.text.clone());
        }
        match self.own_name(&item.expr) {
            OwnName::Column(name) | OwnName::Derived(name) => Some(name),
            OwnName::None => loop {
                let name = names.by_position();
                if columns.iter().all(|column| column.name != name) {
                    return Some(name);
                }
            },
        }
    }

    pub(super) fn distinct(
        &mut self,
        items: &[NamedNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let mut names = Names::default();
        let mut columns = Vec::new();
        let mut is_complete = true;
        for item in items {
            if matches!(item.expr.kind, ExprKindNode::Star) {
                for at in 0..input.columns.len() {
                    let star = column(&input, at, item.expr.span);
                    if columns.iter().any(|given: &NamedExpr| given.expr.kind == star.expr.kind) {
                        continue;
                    }
                    is_complete &= self.is_groupable(&star.expr);
                    let name = names.automatic(&star.name);
                    columns.push(NamedExpr { name, ..star });
                }
                continue;
            }
            let expr = self.scalar(&item.expr, &input);
            let name = self.item_name(&mut names, item);
            let expr = expr.filter(|expr| self.is_groupable(expr));
            match name.zip(expr) {
                Some((name, expr)) => columns.push(NamedExpr { name, expr }),
                None => is_complete = false,
            }
        }
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema.clone(), span);
        building.push(Operator::Distinct, schema, span);
        if !is_complete {
            self.forget_schema(items.iter(), building, span);
        }
        is_complete.then_some(())
    }

    /// After an operator whose columns are not all known, their names are: using one says nothing more.
    fn forget_schema<'n>(
        &mut self,
        items: impl Iterator<Item = &'n NamedNode>,
        building: &mut Building,
        span: Span,
    ) {
        let mut names = Names::default();
        for item in items {
            let written = item.names.iter().map(|name| name.text.clone());
            let derived = self.own_name(&item.expr).text().unwrap_or_else(|| names.by_position());
            self.unknown_columns.extend(written.chain([derived]));
        }
        building.push(Operator::Project(Vec::new()), Schema::default(), span);
    }

    fn rename(&mut self, renames: &[(Name, Name)], building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let mut new_names: Vec<String> = input.columns.iter().map(|column| column.name.clone()).collect();
        let mut is_right = true;
        for (new, old) in renames {
            let Some(position) = input.index_of(&old.text) else {
                if !self.unknown_columns.contains(&old.text) {
                    self.unknown_name(&old.text, old.span, &input);
                }
                is_right = false;
                continue;
            };
            if new_names.contains(&new.text) {
                let message = format!("there is already a column '{}'", new.text);
                self.problem(Code::DuplicateName, new.span, message);
                is_right = false;
                continue;
            }
            new_names[position].clone_from(&new.text);
        }
        let renamed = |(at, name): (usize, String)| NamedExpr { name, ..column(&input, at, span) };
        let columns: Vec<NamedExpr> = new_names.into_iter().enumerate().map(renamed).collect();
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        is_right.then_some(())
    }

    fn reorder(
        &mut self,
        patterns: &[(ColumnPattern, Option<Reorder>)],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let input = building.schema().clone();
        let mut first: Vec<usize> = Vec::new();
        let mut is_right = true;
        for (pattern, order) in patterns {
            let Some(mut matched) = self.matched(std::slice::from_ref(pattern), &input) else {
                is_right = false;
                continue;
            };
            // A column that is named elsewhere in the list is not moved by a wildcard.
            let is_named = |at: &usize| {
                patterns
                    .iter()
                    .any(|(other, _)| !other.is_wildcard && other.name.text == input.columns[*at].name)
            };
            matched.retain(|at| !first.contains(at) && (!pattern.is_wildcard || !is_named(at)));
            if let Some(order) = order {
                matched.sort_by(|a, b| order.compare(&input.columns[*a].name, &input.columns[*b].name));
            }
            first.extend(matched);
        }
        let rest: Vec<usize> = (0..input.columns.len()).filter(|at| !first.contains(at)).collect();
        first.extend(rest);
        Self::select(first, building, span);
        is_right.then_some(())
    }

    /// Gives these columns of the input, in this order.
    fn select(positions: Vec<usize>, building: &mut Building, span: Span) -> Option<()> {
        let input = building.schema().clone();
        let columns: Vec<NamedExpr> = positions.into_iter().map(|at| column(&input, at, span)).collect();
        let schema = Self::schema_of(&columns);
        building.push(Operator::Project(columns), schema, span);
        Some(())
    }

    /// The positions of the columns that any of the patterns matches, each once, in the order of the patterns.
    fn matched(&mut self, patterns: &[ColumnPattern], schema: &Schema) -> Option<Vec<usize>> {
        let mut matched = Vec::new();
        let mut is_right = true;
        for pattern in patterns {
            let text = pattern.name.text.as_str();
            let is_match = |name: &str| match pattern.is_wildcard {
                true => matches_wildcard(text, name),
                false => text == name,
            };
            let positions: Vec<usize> =
                (0..schema.columns.len()).filter(|at| is_match(&schema.columns[*at].name)).collect();
            let is_unknown = self.unknown_columns.iter().any(|name| is_match(name));
            if positions.is_empty() && !is_unknown && !text.is_empty() {
                match pattern.is_wildcard {
                    true => {
                        let message = format!("no column matches '{text}'");
                        self.problem(Code::UnknownName, pattern.name.span, message);
                    }
                    false => self.unknown_name(text, pattern.name.span, schema),
                }
            }
            is_right &= !positions.is_empty();
            matched.extend(positions.into_iter().filter(|at| !matched.contains(at)).collect::<Vec<_>>());
        }
        is_right.then_some(matched)
    }

    fn sort_key(&mut self, key: &OrderedNode, schema: &Schema) -> Option<SortKey> {
        let expr = self.scalar(&key.expr.expr, schema)?;
        if !self.is_groupable(&expr) {
            return None;
        }
        let is_descending = !key.ascending.unwrap_or(false);
        // Nulls count as less than all values.
        let nulls_first = key.nulls_first.unwrap_or(!is_descending);
        Some(SortKey { expr, is_descending, nulls_first })
    }

    pub(super) fn row_count(&mut self, node: &ExprNode) -> Option<u64> {
        let is_unknown_name =
            matches!(&node.kind, ExprKindNode::Name(name) if self.lets.find(name).is_none());
        let count = if is_unknown_name {
            None
        } else {
            match self.scalar(node, &Schema::default())?.kind {
                ExprKind::Literal(Value::Long(count)) => Some(count),
                ExprKind::Literal(Value::Int(count)) => Some(i64::from(count)),
                _ => None,
            }
        };
        let count = count.and_then(|count| u64::try_from(count).ok());
        if count.is_none() {
            let message = "the number of rows is a constant whole number, not below zero";
            self.problem(Code::InvalidConstant, node.span, message);
        }
        count
    }
}

/// A column of the input, as it is.
pub(super) fn column(input: &Schema, at: usize, span: Span) -> NamedExpr {
    let Column { name, ty } = input.columns[at].clone();
    NamedExpr { name, expr: Expr { kind: ExprKind::Column(at), ty, span } }
}

/// Whether `name` is `pattern` with any characters for each `*`.
pub(super) fn matches_wildcard(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or("");
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.len() >= last.len() && rest.ends_with(last)
}

impl Reorder {
    fn compare(self, a: &str, b: &str) -> Ordering {
        match self {
            Reorder::Ascending => a.cmp(b),
            Reorder::Descending => b.cmp(a),
            Reorder::GrannyAscending => granny(a).cmp(&granny(b)),
            Reorder::GrannyDescending => granny(b).cmp(&granny(a)),
        }
    }
}

/// A name as its parts, with the numbers in it by their value: `a9` comes before `a10`.
fn granny(name: &str) -> Vec<(String, u64)> {
    let mut parts = vec![(String::new(), 0_u64)];
    let mut was_digit = false;
    for c in name.chars() {
        let is_digit = c.is_ascii_digit();
        if was_digit && !is_digit {
            parts.push((String::new(), 0));
        }
        was_digit = is_digit;
        if let Some((text, number)) = parts.last_mut() {
            match c.to_digit(10) {
                Some(digit) => *number = number.saturating_mul(10).saturating_add(digit.into()),
                None => text.push(c),
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, name) in [("*", ""), ("a*", "ab"), ("*b", "ab"), ("a*c*e", "abcde"), ("a*a", "aa")] {
            assert!(matches_wildcard(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("a*a", "a"), ("a*", "ba"), ("*b*c", "acb"), ("a", "ab")] {
            assert!(!matches_wildcard(pattern, name), "{pattern} {name}");
        }
    }
}
