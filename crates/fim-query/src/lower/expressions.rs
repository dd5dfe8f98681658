//! Expressions over one row.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::InList;
use datafusion::logical_expr::{Case, Expr as DfExpr, Operator, binary_expr, lit, not};
use fim_kql::{Arithmetic, Comparison, Expr, ExprKind, ScalarType, Schema, Span, TextMatch, Value};

use super::conversions::convert;
use super::{Constants, Lowered, calls, column, not_supported};
use crate::functions::{self as f, FunctionSpec, call};
use crate::values::{scalar_value, text_value};

/// Translates expressions over the columns of one input.
pub(super) struct Expressions<'a> {
    input: &'a Schema,
    constants: &'a Constants,
}

impl<'a> Expressions<'a> {
    pub fn new(input: &'a Schema, constants: &'a Constants) -> Self {
        Self { input, constants }
    }

    /// The expression where only *true* counts and null is as good as false: a filter, a branch, an aggregate's
    /// condition. There SQL's `=` serves, which can be answered from statistics and Bloom filters.
    pub fn condition(&self, expr: &Expr) -> Lowered<DfExpr> {
        match &expr.kind {
            ExprKind::And(operands) => self.join(Operator::And, operands, Self::condition),
            ExprKind::Or(operands) => self.join(Operator::Or, operands, Self::condition),
            ExprKind::Compare { operator: Comparison::Equal, left, right } if has_sql_equality(left.ty) => {
                Ok(self.value(left)?.eq(self.value(right)?))
            }
            ExprKind::In { value, list, ignores_case: false, is_negated: false }
                if has_sql_equality(value.ty) && !list.iter().any(is_array) =>
            {
                let list = self.items(list);
                if list.is_empty() {
                    return Ok(lit(false));
                }
                Ok(self.value(value)?.in_list(self.values(&list)?, false))
            }
            _ => self.value(expr),
        }
    }

    /// The value of the expression, null where the language says null.
    pub fn value(&self, expr: &Expr) -> Lowered<DfExpr> {
        match &expr.kind {
            ExprKind::Literal(value) => literal(value, expr.ty, expr.span),
            ExprKind::Column(position) => self.input_column(*position, expr.span),
            ExprKind::Constant(position) => {
                let value = self.constants.get(*position).and_then(|values| values.first());
                literal(value.unwrap_or(&Value::Null), expr.ty, expr.span)
            }
            ExprKind::Convert(inner) => convert(self.value(inner)?, inner.ty, expr.ty, expr.span),
            ExprKind::Negate(inner) => Ok(DfExpr::Negative(Box::new(self.value(inner)?))),
            ExprKind::Arithmetic { operator, left, right } => {
                self.arithmetic(*operator, left, right, expr.span)
            }
            ExprKind::Compare { operator, left, right } => self.comparison(*operator, left, right),
            ExprKind::And(operands) => self.join(Operator::And, operands, Self::value),
            ExprKind::Or(operands) => self.join(Operator::Or, operands, Self::value),
            ExprKind::Not(inner) => Ok(not(self.value(inner)?)),
            ExprKind::Match { operator, is_negated, text, pattern } => {
                let found = call(text_match(*operator), vec![self.value(text)?, self.value(pattern)?]);
                Ok(negate_if(*is_negated, found))
            }
            ExprKind::HasTerms { needs_all, text, terms } => {
                let spec = if *needs_all { &f::HAS_ALL } else { &f::HAS_ANY };
                let terms = self.terms(terms)?;
                if terms.is_empty() {
                    return Ok(lit(*needs_all));
                }
                Ok(call(spec, self.with_first(text, &terms)?))
            }
            ExprKind::In { value, list, ignores_case, is_negated } => {
                Ok(negate_if(*is_negated, self.membership(value, list, *ignores_case)?))
            }
            ExprKind::Between { value, low, high, is_negated } => {
                let above = self.comparison(Comparison::GreaterOrEqual, value, low)?;
                let below = self.comparison(Comparison::LessOrEqual, value, high)?;
                Ok(negate_if(*is_negated, above.and(below)))
            }
            ExprKind::Member { bag, name } => {
                Ok(call(&f::MEMBER, vec![self.value(bag)?, text_literal(name)]))
            }
            ExprKind::Index { container, index } => {
                let spec = if index.ty == ScalarType::String { &f::MEMBER } else { &f::ELEMENT };
                Ok(call(spec, vec![self.value(container)?, self.value(index)?]))
            }
            ExprKind::Case { branches, otherwise } => {
                let branch = |(when, then): &(Expr, Expr)| {
                    Ok((Box::new(self.condition(when)?), Box::new(self.value(then)?)))
                };
                let branches = branches.iter().map(branch).collect::<Lowered<Vec<_>>>()?;
                Ok(DfExpr::Case(Case::new(None, branches, Some(Box::new(self.value(otherwise)?)))))
            }
            ExprKind::Call { function, arguments } => calls::lower_call(self, *function, arguments, expr),
        }
    }

    /// The values of several expressions.
    pub fn values(&self, exprs: &[Expr]) -> Lowered<Vec<DfExpr>> {
        exprs.iter().map(|expr| self.value(expr)).collect()
    }

    fn with_first(&self, first: &Expr, rest: &[Expr]) -> Lowered<Vec<DfExpr>> {
        std::iter::once(first).chain(rest).map(|expr| self.value(expr)).collect()
    }

    fn input_column(&self, position: usize, span: Span) -> Lowered<DfExpr> {
        let known = self.input.columns.get(position);
        known.map(|known| column(&known.name)).ok_or_else(|| not_supported("a column of another input", span))
    }

    /// Joins operands as a balanced tree, so that a thousand of them do not nest a thousand deep.
    fn join(
        &self,
        operator: Operator,
        operands: &[Expr],
        lower: fn(&Self, &Expr) -> Lowered<DfExpr>,
    ) -> Lowered<DfExpr> {
        match operands {
            [] => Ok(lit(operator == Operator::And)),
            [only] => lower(self, only),
            several => {
                let (left, right) = several.split_at(several.len() / 2);
                Ok(binary_expr(
                    self.join(operator, left, lower)?,
                    operator,
                    self.join(operator, right, lower)?,
                ))
            }
        }
    }

    fn comparison(&self, operator: Comparison, left: &Expr, right: &Expr) -> Lowered<DfExpr> {
        let ty = left.ty;
        let (left, right) = (self.value(left)?, self.value(right)?);
        Ok(match (operator, ty) {
            (Comparison::Equal, ScalarType::Dynamic) => call(&f::DYNAMIC_EQUAL, vec![left, right]),
            (Comparison::NotEqual, ScalarType::Dynamic) => not(call(&f::DYNAMIC_EQUAL, vec![left, right])),
            (Comparison::Equal, ScalarType::Real) => call(&f::REAL_EQUAL, vec![left, right]),
            (Comparison::NotEqual, ScalarType::Real) => call(&f::REAL_NOT_EQUAL, vec![left, right]),
            (Comparison::Less, ScalarType::Real) => call(&f::REAL_LESS, vec![left, right]),
            (Comparison::Greater, ScalarType::Real) => call(&f::REAL_LESS, vec![right, left]),
            (Comparison::LessOrEqual, ScalarType::Real) => call(&f::REAL_LESS_OR_EQUAL, vec![left, right]),
            (Comparison::GreaterOrEqual, ScalarType::Real) => call(&f::REAL_LESS_OR_EQUAL, vec![right, left]),
            // A text is never null, so there SQL and the language agree.
            (Comparison::Equal, ScalarType::String) => left.eq(right),
            (Comparison::NotEqual, ScalarType::String) => left.not_eq(right),
            (Comparison::Equal, _) => call(&f::EQUAL, vec![left, right]),
            (Comparison::NotEqual, _) => call(&f::NOT_EQUAL, vec![left, right]),
            (Comparison::Less, _) => left.lt(right),
            (Comparison::LessOrEqual, _) => left.lt_eq(right),
            (Comparison::Greater, _) => left.gt(right),
            (Comparison::GreaterOrEqual, _) => left.gt_eq(right),
        })
    }

    /// Whether a value is in a list: never null, and a null is in no list.
    fn membership(&self, value: &Expr, list: &[Expr], ignores_case: bool) -> Lowered<DfExpr> {
        let (arrays, list): (Vec<Expr>, Vec<Expr>) = self.items(list).into_iter().partition(is_array);
        if !arrays.is_empty() {
            let mut found = self.in_arrays(value, &arrays, ignores_case)?;
            if !list.is_empty() {
                found = found.or(self.membership(value, &list, ignores_case)?);
            }
            return Ok(found);
        }
        if list.is_empty() {
            return Ok(lit(false));
        }
        if ignores_case {
            return Ok(call(&f::IN_IGNORING_CASE, self.with_first(value, &list)?));
        }
        if has_sql_equality(value.ty) {
            let found = DfExpr::InList(InList::new(Box::new(self.value(value)?), self.values(&list)?, false));
            return Ok(if value.ty == ScalarType::String { found } else { found.is_true() });
        }
        let equal = |item: &Expr| Ok(self.comparison(Comparison::Equal, value, item)?.is_true());
        let equal = list.iter().map(equal).collect::<Lowered<Vec<_>>>()?;
        Ok(equal.into_iter().reduce(DfExpr::or).unwrap_or_else(|| lit(false)))
    }

    /// The items of a list: those of a constant one by one, and no null, which is in no list.
    fn items(&self, list: &[Expr]) -> Vec<Expr> {
        let mut items = Vec::with_capacity(list.len());
        for item in list {
            match item.kind {
                ExprKind::Constant(position) if item.ty != ScalarType::Dynamic => {
                    let values = self.constants.get(position).map(Vec::as_slice).unwrap_or_default();
                    let of = |value: &Value| Expr { kind: ExprKind::Literal(value.clone()), ..item.clone() };
                    items.extend(values.iter().map(of));
                }
                _ => items.push(item.clone()),
            }
        }
        items.retain(|item| !is_null(item));
        items
    }

    /// The terms of `has_any`: those of arrays one by one.
    fn terms(&self, terms: &[Expr]) -> Lowered<Vec<Expr>> {
        let mut found = Vec::new();
        for term in self.items(terms) {
            let values = match term.kind {
                ExprKind::Constant(position) => self.constants.get(position).map(Vec::as_slice),
                _ if is_array(&term) => {
                    return Err(not_supported("an array that differs from row to row", term.span));
                }
                _ => None,
            };
            let Some(values) = values else {
                found.push(term);
                continue;
            };
            let arrays = values.iter().filter_map(|value| match value {
                Value::Dynamic(json) => Some(f::texts_of_json(json)),
                _ => None,
            });
            found.extend(arrays.flatten().map(|text| Expr {
                kind: ExprKind::Literal(Value::String(text)),
                ty: ScalarType::String,
                span: term.span,
            }));
        }
        Ok(found)
    }

    /// Whether a value is one of the elements of any of the arrays.
    fn in_arrays(&self, value: &Expr, arrays: &[Expr], ignores_case: bool) -> Lowered<DfExpr> {
        let spec = if ignores_case { &f::ARRAY_HOLDS_IGNORING_CASE } else { &f::ARRAY_HOLDS };
        let json = convert(self.value(value)?, value.ty, ScalarType::Dynamic, value.span)?;
        let mut found = Vec::new();
        for array in arrays {
            let arrays = match array.kind {
                ExprKind::Constant(position) => self.constants.get(position).map(Vec::as_slice),
                _ => None,
            };
            match arrays {
                Some(values) => {
                    for value in values {
                        let array = literal(value, ScalarType::Dynamic, array.span)?;
                        found.push(call(spec, vec![json.clone(), array]));
                    }
                }
                None => found.push(call(spec, vec![json.clone(), self.value(array)?])),
            }
        }
        Ok(found.into_iter().reduce(DfExpr::or).unwrap_or_else(|| lit(false)))
    }

    fn arithmetic(&self, operator: Arithmetic, left: &Expr, right: &Expr, span: Span) -> Lowered<DfExpr> {
        use ScalarType::{DateTime, Decimal, Dynamic, Int, Long, Real, TimeSpan};
        let types = (left.ty, right.ty);
        let (left, right) = (self.value(left)?, self.value(right)?);
        let native = |operator: Operator, left: DfExpr, right: DfExpr| Ok(binary_expr(left, operator, right));
        let function = |spec: &'static FunctionSpec, left, right| Ok(call(spec, vec![left, right]));
        match (operator, types) {
            (_, (Decimal, _) | (_, Decimal)) => Err(not_supported("arithmetic of decimal values", span)),
            (Arithmetic::Add, (Dynamic, Dynamic)) => function(&f::DYNAMIC_ADD, left, right),
            (Arithmetic::Subtract, (Dynamic, Dynamic)) => function(&f::DYNAMIC_SUBTRACT, left, right),
            (Arithmetic::Multiply, (Dynamic, Dynamic)) => function(&f::DYNAMIC_MULTIPLY, left, right),
            (Arithmetic::Divide, (Dynamic, Dynamic)) => function(&f::DYNAMIC_DIVIDE, left, right),
            (Arithmetic::Remainder, (Dynamic, Dynamic)) => function(&f::DYNAMIC_REMAINDER, left, right),

            (Arithmetic::Add, (DateTime, TimeSpan)) => function(&f::MOMENT_PLUS, left, right),
            (Arithmetic::Add, (TimeSpan, DateTime)) => function(&f::MOMENT_PLUS, right, left),
            (Arithmetic::Subtract, (DateTime, TimeSpan)) => function(&f::MOMENT_MINUS, left, right),
            (Arithmetic::Subtract, (DateTime, DateTime)) => function(&f::MOMENTS_APART, left, right),
            (Arithmetic::Remainder, (DateTime, TimeSpan)) => function(&f::MOMENT_REMAINDER, left, right),

            (Arithmetic::Multiply, (TimeSpan, Real)) => function(&f::SPAN_TIMES_REAL, left, right),
            (Arithmetic::Divide, (TimeSpan, Real)) => function(&f::SPAN_OVER_REAL, left, right),
            (Arithmetic::Divide, (TimeSpan, TimeSpan)) => function(&f::SPAN_OVER_SPAN, left, right),

            // Integers of 64 bits and ticks wrap on overflow in the engine's own operators, as they should.
            (Arithmetic::Add, (Int, Int) | (Long, Long) | (Real, Real) | (TimeSpan, TimeSpan)) => {
                native(Operator::Plus, left, right)
            }
            (Arithmetic::Subtract, (Int, Int) | (Long, Long) | (Real, Real) | (TimeSpan, TimeSpan)) => {
                native(Operator::Minus, left, right)
            }
            (Arithmetic::Multiply, (Int, Int) | (Long, Long) | (Real, Real) | (TimeSpan, Long)) => {
                native(Operator::Multiply, left, right)
            }
            (Arithmetic::Divide, (Real, Real)) => function(&f::REAL_DIVIDE, left, right),
            (Arithmetic::Divide, (Long, Long) | (TimeSpan, Long)) => function(&f::LONG_DIVIDE, left, right),
            (Arithmetic::Remainder, (Real, Real)) => function(&f::REAL_REMAINDER, left, right),
            (Arithmetic::Remainder, (Long, Long) | (TimeSpan, TimeSpan)) => {
                function(&f::LONG_REMAINDER, left, right)
            }
            (operator, (left, right)) => {
                Err(not_supported(format!("the operator {operator:?} between {left} and {right}"), span))
            }
        }
    }
}

/// A constant text.
pub(super) fn text_literal(text: &str) -> DfExpr {
    lit(text_value(text.to_owned()))
}

/// A constant of the language.
pub(super) fn literal(value: &Value, ty: ScalarType, span: Span) -> Lowered<DfExpr> {
    scalar_value(value, ty).map(lit).ok_or_else(|| not_supported("the type decimal", span))
}

/// The first of the expressions that is not null.
pub(super) fn first_not_null(exprs: Vec<DfExpr>) -> DfExpr {
    let mut exprs = exprs;
    let last = exprs.pop().unwrap_or_else(|| lit(ScalarValue::Null));
    if exprs.is_empty() {
        return last;
    }
    let branches =
        exprs.into_iter().map(|expr| (Box::new(expr.clone().is_not_null()), Box::new(expr))).collect();
    DfExpr::Case(Case::new(None, branches, Some(Box::new(last))))
}

/// Whether `=` of SQL says *true* for the same pairs as the language: not for `real`, whose zeros differ in Arrow,
/// and not for `dynamic`, whose texts may differ in the order of members.
fn has_sql_equality(ty: ScalarType) -> bool {
    match ty {
        ScalarType::Bool
        | ScalarType::DateTime
        | ScalarType::Int
        | ScalarType::Long
        | ScalarType::String
        | ScalarType::TimeSpan
        | ScalarType::Guid => true,
        ScalarType::Real | ScalarType::Decimal | ScalarType::Dynamic => false,
    }
}

/// Whether an item of a list may be an array, which stands for its elements.
fn is_array(item: &Expr) -> bool {
    item.ty == ScalarType::Dynamic
}

fn is_null(expr: &Expr) -> bool {
    expr.ty != ScalarType::String && matches!(expr.kind, ExprKind::Literal(Value::Null))
}

fn negate_if(is_negated: bool, expr: DfExpr) -> DfExpr {
    if is_negated { not(expr) } else { expr }
}

fn text_match(operator: TextMatch) -> &'static FunctionSpec {
    match operator {
        TextMatch::EqualIgnoringCase => &f::EQUAL_IGNORING_CASE,
        TextMatch::Has => &f::HAS,
        TextMatch::HasCs => &f::HAS_CS,
        TextMatch::HasPrefix => &f::HAS_PREFIX,
        TextMatch::HasPrefixCs => &f::HAS_PREFIX_CS,
        TextMatch::HasSuffix => &f::HAS_SUFFIX,
        TextMatch::HasSuffixCs => &f::HAS_SUFFIX_CS,
        TextMatch::Contains => &f::CONTAINS,
        TextMatch::ContainsCs => &f::CONTAINS_CS,
        TextMatch::StartsWith => &f::STARTS_WITH,
        TextMatch::StartsWithCs => &f::STARTS_WITH_CS,
        TextMatch::EndsWith => &f::ENDS_WITH,
        TextMatch::EndsWithCs => &f::ENDS_WITH_CS,
        TextMatch::MatchesRegex => &f::MATCHES_REGEX,
    }
}
