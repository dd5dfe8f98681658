//! Queries as values, and the operators that look at a whole table: `as`, `getschema`, `invoke`, `render`, `sample`,
//! `serialize`.

use super::function::CallNode;
use super::operator::column;
use super::{Binder, Building, Let};
use crate::ast::{ExprKindNode, ExprNode, Name, NamedNode, RenderNode};
use crate::diagnostic::{Code, Problem, Span};
use crate::plan::{Constant, Expr, ExprKind, NamedExpr, Operator, Plan, Render, Source, Step};
use crate::suggest::nearest;
use crate::types::{Column, ScalarType, Schema, Value};

impl Binder<'_> {
    /// `toscalar(query)`: the first value of the first row, computed once.
    pub(super) fn scalar_of_query(&mut self, arguments: &[NamedNode], span: Span) -> Option<Expr> {
        let [NamedNode { names, expr: node }] = arguments else {
            self.problem(Code::ArgumentCount, span, "toscalar takes one query");
            return None;
        };
        if let Some(name) = names.first() {
            self.problem(Code::Syntax, name.span, "the argument of toscalar has no name");
            return None;
        }
        let mut plan = match self.is_table_expression(node) {
            true => self.table_plan(node)?,
            false => self.value_plan(node)?,
        };
        let schema = plan.schema().clone();
        plan.steps.push(Step { operator: Operator::Take(1), schema, span });
        self.constant(plan, false, span)
    }

    /// A value as a table of one row.
    fn value_plan(&mut self, node: &ExprNode) -> Option<Plan> {
        let expr = self.scalar(node, &Schema::default())?;
        let column = NamedExpr { name: "print_0".to_owned(), expr };
        let schema = Self::schema_of(std::slice::from_ref(&column));
        let mut building = Building::start(Source::OneRow, Schema::default());
        building.push(Operator::Project(vec![column]), schema, node.span);
        Some(building.plan)
    }

    /// The different values of a query's first column.
    pub(super) fn column_constant(&mut self, mut plan: Plan, span: Span) -> Option<Expr> {
        let schema = plan.schema().clone();
        if schema.columns.len() > 1 {
            let first = column(&schema, 0, span);
            let schema = Self::schema_of(std::slice::from_ref(&first));
            plan.steps.push(Step { operator: Operator::Project(vec![first]), schema, span });
        }
        let schema = plan.schema().clone();
        if schema.columns.first().is_some_and(|column| column.ty != ScalarType::Dynamic) {
            plan.steps.push(Step { operator: Operator::Distinct, schema, span });
        }
        self.constant(plan, true, span)
    }

    /// Has a query computed before the others, and gives what refers to its values.
    pub(super) fn constant(&mut self, plan: Plan, takes_all: bool, span: Span) -> Option<Expr> {
        let Some(column) = plan.schema().columns.first() else {
            self.problem(Code::TypeMismatch, span, "this query has no column to take a value from");
            return None;
        };
        let ty = column.ty;
        self.check_plan_height(&plan, span)?;
        self.constants.push(Constant { plan, takes_all, span });
        Some(Expr { kind: ExprKind::Constant(self.constants.len() - 1), ty, span })
    }

    /// `as Name`
    pub(super) fn name_rows(&mut self, name: &Name, building: &Building) -> Option<()> {
        self.count_expression(name.span, building.plan.size())?;
        let plan = Box::new(building.plan.clone());
        let is_serialized = building.is_serialized;
        self.lets.replace(&name.text, Let::Table { plan, is_serialized });
        Some(())
    }

    /// `getschema`: the columns as rows.
    pub(super) fn get_schema(&mut self, building: &mut Building) -> Option<()> {
        let row = |(position, column): (usize, &Column)| {
            vec![
                Value::String(column.name.clone()),
                Value::Long(i64::try_from(position).unwrap_or(i64::MAX)),
                Value::String(clr_name(column.ty).to_owned()),
                Value::String(column.ty.name().to_owned()),
            ]
        };
        let rows = building.schema().columns.iter().enumerate().map(row).collect();
        let schema = Schema::new(vec![
            Column::new("ColumnName", ScalarType::String),
            Column::new("ColumnOrdinal", ScalarType::Long),
            Column::new("DataType", ScalarType::String),
            Column::new("ColumnType", ScalarType::String),
        ]);
        let is_broken = building.is_broken;
        *building =
            Building { is_broken, is_serialized: true, ..Building::start(Source::Rows(rows), schema) };
        Some(())
    }

    /// `invoke f(…)`
    pub(super) fn invoke(&mut self, node: &ExprNode, building: &mut Building) -> Option<()> {
        let (name, arguments): (&Name, &[NamedNode]) = match &node.kind {
            ExprKindNode::Call { function, arguments } => (function, arguments),
            ExprKindNode::Missing => return None,
            _ => {
                let problem = Problem::new(Code::Syntax, node.span, "invoke calls a function");
                self.problems.push(problem.expecting(["Function(Argument, …)"]));
                return None;
            }
        };
        let Some(Let::Function(function)) = self.lets.find(&name.text) else {
            let visible = self.lets.visible();
            let functions = visible.iter().filter(|(_, meaning)| matches!(meaning, Let::Function(_)));
            let suggestion = nearest(&name.text, functions.map(|(name, _)| *name));
            let message = format!("the query declares no function '{}'", name.text);
            self.problems
                .push(Problem::new(Code::UnknownFunction, name.span, message).suggesting(suggestion));
            return None;
        };
        let function = *function;
        let call = CallNode { name: &name.text, arguments, span: node.span };
        let called = self.call_for_table(function, call, Some(building.take_plan()))?;
        let is_broken = building.is_broken || called.is_broken;
        *building = Building { is_broken, ..called };
        Some(())
    }

    /// `serialize`: as `extend`, over rows in order.
    pub(super) fn serialize(
        &mut self,
        items: &[NamedNode],
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        building.is_serialized = true;
        if items.is_empty() { Some(()) } else { self.extend(items, building, span) }
    }

    /// `sample-distinct N of x`
    pub(super) fn sample_distinct(
        &mut self,
        count: &ExprNode,
        of: &NamedNode,
        building: &mut Building,
        span: Span,
    ) -> Option<()> {
        let count = self.row_count(count);
        self.distinct(std::slice::from_ref(of), building, span)?;
        building.push(Operator::Sample(count?), building.schema().clone(), span);
        Some(())
    }

    /// `render`: told to whoever shows the rows.
    pub(super) fn render(&mut self, node: &RenderNode, building: &mut Building) -> Option<()> {
        let mut properties = Vec::new();
        let mut is_right = true;
        for (name, values) in &node.properties {
            let texts: Vec<Option<String>> = values.iter().map(|value| self.property(value)).collect();
            match texts.into_iter().collect::<Option<Vec<String>>>() {
                Some(texts) => properties.push((name.text.clone(), texts.join(","))),
                None => is_right = false,
            }
        }
        building.render = Some(Render { chart: node.chart.text.clone(), properties });
        is_right.then_some(())
    }

    /// A word is what it says; anything else is a constant.
    fn property(&mut self, node: &ExprNode) -> Option<String> {
        if let ExprKindNode::Name(name) = &node.kind
            && self.lets.find(name).is_none()
        {
            return Some(name.clone());
        }
        match self.scalar(node, &Schema::default())?.kind {
            ExprKind::Literal(value) => Some(crate::json::plain(&value)),
            _ => {
                self.problem(Code::InvalidConstant, node.span, "a property of render is a constant");
                None
            }
        }
    }
}

/// The name of a type in the runtime of the original engine, as `getschema` tells it.
fn clr_name(ty: ScalarType) -> &'static str {
    match ty {
        ScalarType::Bool => "System.SByte",
        ScalarType::DateTime => "System.DateTime",
        ScalarType::Decimal => "System.Data.SqlTypes.SqlDecimal",
        ScalarType::Dynamic => "System.Object",
        ScalarType::Guid => "System.Guid",
        ScalarType::Int => "System.Int32",
        ScalarType::Long => "System.Int64",
        ScalarType::Real => "System.Double",
        ScalarType::String => "System.String",
        ScalarType::TimeSpan => "System.TimeSpan",
    }
}
